# SPDX-License-Identifier: Apache-2.0
# What can be switched, and how everything is compiled.

option(PAPERKIN_TESTS "Build the tests (GoogleTest, rapidcheck; those of the core alone need neither)" ON)
option(PAPERKIN_BENCH "Build the benchmarks" ON)
option(PAPERKIN_CORE_ONLY "The similarity core alone: rows in .npz to pairs; needs no library but OpenMP" OFF)
option(PAPERKIN_WERROR "Treat warnings as errors" OFF)
set(PAPERKIN_SANITIZE "" CACHE STRING "Sanitizers, for example address,undefined")
set(PAPERKIN_CUDA "AUTO" CACHE STRING "CUDA backend: AUTO, ON or OFF")
set_property(CACHE PAPERKIN_CUDA PROPERTY STRINGS AUTO ON OFF)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

include(PaperkinCuda)

# Python runs checks and comparisons in the tests: the virtual environment of scripts/setup where it stands. Not cached,
# since the environment may be made after the first configuring.
if(EXISTS "${PROJECT_SOURCE_DIR}/.venv/bin/python")
  set(PAPERKIN_PYTHON "${PROJECT_SOURCE_DIR}/.venv/bin/python")
else()
  find_program(PAPERKIN_SYSTEM_PYTHON NAMES python3)
  mark_as_advanced(PAPERKIN_SYSTEM_PYTHON)
  set(PAPERKIN_PYTHON "${PAPERKIN_SYSTEM_PYTHON}")
endif()
set(Python3_EXECUTABLE "${PAPERKIN_PYTHON}")

find_package(OpenMP REQUIRED COMPONENTS C CXX)
find_package(Threads REQUIRED)
if(PAPERKIN_CORE_ONLY)
  find_package(ZLIB)
else()
  find_package(ICU 67 REQUIRED COMPONENTS uc i18n data)
  find_package(SQLite3 3.37 REQUIRED)
  find_package(ZLIB REQUIRED)
  find_package(simdjson REQUIRED)
  find_package(EXPAT 2.4 REQUIRED)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.4)
endif()

# Shared by every target of the project.
add_library(pkin_compile_options INTERFACE)
target_compile_definitions(pkin_compile_options INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
# No contraction: the weights must have the same bits whatever the machine and the compiler.
target_compile_options(pkin_compile_options INTERFACE
  -Wall -Wextra -Wshadow -Wvla -Wpointer-arith -ffp-contract=off
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
  $<$<BOOL:${PAPERKIN_WERROR}>:-Werror>)
if(PAPERKIN_SANITIZE)
  target_compile_options(pkin_compile_options INTERFACE -fsanitize=${PAPERKIN_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(pkin_compile_options INTERFACE -fsanitize=${PAPERKIN_SANITIZE})
endif()

# pkin_add_module(NAME name SOURCES ... [MODULES left-hand modules ...] [LIBRARIES ...])
function(pkin_add_module)
  cmake_parse_arguments(M "" "NAME" "SOURCES;MODULES;LIBRARIES" ${ARGN})
  add_library(pkin_${M_NAME} STATIC ${M_SOURCES})
  target_include_directories(pkin_${M_NAME} PUBLIC "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/host")
  list(TRANSFORM M_MODULES PREPEND pkin_)
  target_link_libraries(pkin_${M_NAME} PUBLIC pkin_compile_options ${M_MODULES} ${M_LIBRARIES})
endfunction()
