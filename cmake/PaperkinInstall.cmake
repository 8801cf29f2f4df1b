# SPDX-License-Identifier: Apache-2.0
install(TARGETS paperkin paperkin_cli
        RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/include/paperkin.h" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/paperkin" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")

# The tree may be installed anywhere, and moved: paths start from the folder that paperkin.pc is found in, which is
# lib/pkgconfig or, for one machine among several, lib/x86_64-linux-gnu/pkgconfig. Folders given absolutely stay so.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(PAPERKIN_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
else()
  string(REGEX REPLACE "[^/]+" ".." up "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
  set(PAPERKIN_PC_PREFIX "\${pcfiledir}/${up}")
endif()
foreach(folder LIBDIR INCLUDEDIR)
  set(PAPERKIN_PC_${folder} "${CMAKE_INSTALL_${folder}}")
  if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_${folder}}")
    set(PAPERKIN_PC_${folder} "\${prefix}/${CMAKE_INSTALL_${folder}}")
  endif()
endforeach()
configure_file("${PROJECT_SOURCE_DIR}/cmake/paperkin.pc.in" "${PROJECT_BINARY_DIR}/paperkin.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/paperkin.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
