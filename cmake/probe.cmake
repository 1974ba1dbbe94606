# The GPU check asks at once whether there is a GPU: building takes minutes. GRADUS_CUDA_REHEARSAL: there need be none,
# all goes by the emulator.
option(GRADUS_CUDA_REHEARSAL "The check on a GPU, rehearsed on the emulator" OFF)
mark_as_advanced(GRADUS_CUDA_REHEARSAL)
if(GRADUS_CUDA_MISSING)
  message(FATAL_ERROR "${GRADUS_CUDA_MISSING}")
elseif(GRADUS_CUDA_REHEARSAL)
  return()
endif()

unset(GRADUS_PROBE_COMPILES CACHE)
unset(GRADUS_PROBE_ENDS CACHE)
try_run(GRADUS_PROBE_ENDS GRADUS_PROBE_COMPILES
        ${PROJECT_BINARY_DIR}/probe ${PROJECT_SOURCE_DIR}/tests/cuda_check/probe.cpp
        CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${PROJECT_SOURCE_DIR}/include;${GRADUS_CUDA_INCLUDE_DIR}"
        LINK_LIBRARIES ${CMAKE_DL_LIBS} CXX_STANDARD 20
        COMPILE_OUTPUT_VARIABLE errors RUN_OUTPUT_VARIABLE why)
if(NOT GRADUS_PROBE_COMPILES)
  message(FATAL_ERROR "tests/cuda_check/probe.cpp does not compile:\n${errors}")
elseif(why OR NOT GRADUS_PROBE_ENDS EQUAL 0)
  message(FATAL_ERROR "${why}")
endif()
