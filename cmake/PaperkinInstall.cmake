# SPDX-License-Identifier: Apache-2.0
include(GNUInstallDirs)
install(TARGETS paperkin paperkin_cli
        RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/include/paperkin.h" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/paperkin" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/paperkin.pc.in" "${PROJECT_BINARY_DIR}/paperkin.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/paperkin.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
