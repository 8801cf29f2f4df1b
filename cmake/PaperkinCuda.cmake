# SPDX-License-Identifier: Apache-2.0
# Whether the CUDA backend is built: PAPERKIN_CUDA=AUTO where a CUDA compiler 12.0 or later is found, ON or an error, OFF.
# Sets PAPERKIN_WITH_CUDA, and enables the language only then. A machine without a GPU or driver builds it as well.

# Machine code for Turing, Ampere, Ada and Hopper (90a: the fused filter's instructions), and for what comes later code
# that its driver compiles.
set(PAPERKIN_CUDA_ARCHITECTURES "75-real;80-real;89-real;90a-real;90-virtual" CACHE STRING
    "Compute capabilities that the CUDA backend is compiled for, as CMAKE_CUDA_ARCHITECTURES")
set(PAPERKIN_CUDA_LEAST 12.0)

set(PAPERKIN_WITH_CUDA OFF)
set(PAPERKIN_CUDA_WHY_NOT "")
string(TOUPPER "${PAPERKIN_CUDA}" PAPERKIN_CUDA_WANTED)
if(NOT PAPERKIN_CUDA_WANTED MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "PAPERKIN_CUDA is \"${PAPERKIN_CUDA}\"; it must be AUTO, ON or OFF.")
endif()

if(PAPERKIN_CUDA_WANTED STREQUAL "OFF")
  set(PAPERKIN_CUDA_WHY_NOT "CUDA switched off")
elseif(PAPERKIN_CUDA_WANTED STREQUAL "AUTO" AND PAPERKIN_SANITIZE)
  # On machines with a driver its address space and the sanitizers' get into each other's way.
  set(PAPERKIN_CUDA_WHY_NOT "no CUDA beside sanitizers unless it is asked for")
else()
  # Through the environment, so that a compiler that does not work is told of by check_language, and is no error yet.
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    find_program(PAPERKIN_NVCC nvcc HINTS ENV CUDA_PATH ENV CUDA_HOME PATHS /usr/local/cuda PATH_SUFFIXES bin)
    mark_as_advanced(PAPERKIN_NVCC)
    if(PAPERKIN_NVCC)
      set(ENV{CUDACXX} "${PAPERKIN_NVCC}")
    endif()
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
    find_package(CUDAToolkit QUIET)
    find_path(PAPERKIN_CUBLASLT_INCLUDE cublasLt.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
    mark_as_advanced(PAPERKIN_CUBLASLT_INCLUDE)
  endif()
  if(NOT CMAKE_CUDA_COMPILER)
    set(PAPERKIN_CUDA_WHY_NOT "no working CUDA compiler found")
  elseif(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS PAPERKIN_CUDA_LEAST)
    set(PAPERKIN_CUDA_WHY_NOT
        "CUDA ${CMAKE_CUDA_COMPILER_VERSION} found, ${PAPERKIN_CUDA_LEAST} is the least that is supported")
  elseif(NOT TARGET CUDA::cudart_static)
    set(PAPERKIN_CUDA_WHY_NOT "the CUDA toolkit of ${CMAKE_CUDA_COMPILER} has no static runtime (cudart_static)")
  elseif(NOT PAPERKIN_CUBLASLT_INCLUDE)
    set(PAPERKIN_CUDA_WHY_NOT "the CUDA toolkit of ${CMAKE_CUDA_COMPILER} has no cublasLt.h")
  endif()
  if(NOT PAPERKIN_CUDA_WHY_NOT)
    set(PAPERKIN_WITH_CUDA ON)
  endif()
endif()

if(PAPERKIN_WITH_CUDA)
  set(CMAKE_CUDA_STANDARD 17)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  set(CMAKE_CUDA_EXTENSIONS OFF)
  set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
  message(STATUS "paperkin: backends: cpu, cuda (CUDA ${CMAKE_CUDA_COMPILER_VERSION}: ${PAPERKIN_CUDA_ARCHITECTURES})")
elseif(PAPERKIN_CUDA_WANTED STREQUAL "ON")
  message(FATAL_ERROR "PAPERKIN_CUDA=ON, but ${PAPERKIN_CUDA_WHY_NOT}. Install the CUDA toolkit ${PAPERKIN_CUDA_LEAST} or "
                      "later (nvcc, cudart, cuBLAS headers) and put nvcc into PATH, or name it with "
                      "-DCMAKE_CUDA_COMPILER=/path/to/nvcc; or configure with -DPAPERKIN_CUDA=OFF.")
else()
  message(STATUS "paperkin: backends: cpu (${PAPERKIN_CUDA_WHY_NOT})")
endif()
