# gradus::cuda: gradus::gradus and the CUDA toolkit's headers, where these are. It links no CUDA library:
# programs open them at run time. For the build and for those who find_package(gradus), each on its own
# machine.
#
# GRADUS_CUDA_INCLUDE_DIR is the folder of cuda.h, nvrtc.h and cublasLt.h: given, or looked for; OFF: without.
function(gradus_find_cuda_headers)
  find_program(GRADUS_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATH_SUFFIXES bin)
  set(toolkit)
  if(GRADUS_NVCC)
    get_filename_component(toolkit ${GRADUS_NVCC} REALPATH)
    get_filename_component(toolkit ${toolkit}/../.. ABSOLUTE)
  endif()
  find_path(GRADUS_CUDA_INCLUDE_DIR cublasLt.h DOC "The folder of the CUDA toolkit's headers, or OFF"
            HINTS ENV CUDA_HOME ENV CUDA_PATH ${toolkit} PATHS /usr/local/cuda /opt/cuda
            PATH_SUFFIXES include targets/x86_64-linux/include targets/sbsa-linux/include)
  mark_as_advanced(GRADUS_NVCC GRADUS_CUDA_INCLUDE_DIR)
endfunction()

# Sets GRADUS_CUDA_MISSING to the sentence that says why there is no target, or to nothing.
function(gradus_add_cuda_target)
  gradus_find_cuda_headers()
  set(missing)
  foreach(header cuda.h nvrtc.h cublasLt.h)
    if(NOT EXISTS "${GRADUS_CUDA_INCLUDE_DIR}/${header}")
      list(APPEND missing ${header})
    endif()
  endforeach()
  list(JOIN missing ", " missing)
  set(version 0)
  if(EXISTS "${GRADUS_CUDA_INCLUDE_DIR}/cuda.h")
    file(STRINGS "${GRADUS_CUDA_INCLUDE_DIR}/cuda.h" version REGEX "define +CUDA_VERSION +[0-9]+")
    string(REGEX MATCH "[0-9]+$" version "${version}")
  endif()
  if(NOT missing AND version LESS 12040)
    set(missing "gradus::cuda needs the headers of CUDA 12.4 or later; those in ${GRADUS_CUDA_INCLUDE_DIR} say ${version}")
  elseif(missing)
    string(CONCAT missing
           "gradus::cuda needs the CUDA toolkit's headers and did not find ${missing} (CUDA_HOME is "
           "\"$ENV{CUDA_HOME}\", GRADUS_CUDA_INCLUDE_DIR is \"${GRADUS_CUDA_INCLUDE_DIR}\"). Install the "
           "toolkit, or say  -DGRADUS_CUDA_INCLUDE_DIR=<the folder of cuda.h>")
  elseif(NOT TARGET gradus::cuda)
    get_target_property(imported gradus::gradus IMPORTED)
    if(imported)
      set(target gradus::cuda)
      add_library(gradus::cuda INTERFACE IMPORTED)  # as the rest of the package
    else()
      set(target gradus_cuda)
      add_library(gradus_cuda INTERFACE)
      add_library(gradus::cuda ALIAS gradus_cuda)
    endif()
    target_link_libraries(${target} INTERFACE gradus::gradus ${CMAKE_DL_LIBS})
    target_include_directories(${target} SYSTEM INTERFACE ${GRADUS_CUDA_INCLUDE_DIR})
  endif()
  set(GRADUS_CUDA_MISSING "${missing}" PARENT_SCOPE)
endfunction()

gradus_add_cuda_target()
