# cmake -DWAY=... -DROOT=... -DBUILD=... -DWORK=... -DCXX=... -DGENERATOR=... -DEIGEN=... -DEIGEN_CMAKE=... -DCUDA=...
#       [-DBLAS=...] -P consume.cmake
#
# Uses gradus as a program elsewhere does, in one of six ways, in an empty directory, and runs that program. The seventh
# way, without_cuda, ends with the error that it is about. BLAS: the file of tests/blas/own, which serves large products.
cmake_policy(VERSION 3.21)
set(sources ${ROOT}/tests/consumers/main.cpp)
set(flags -O0 -std=c++20)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})

function(run)
  execute_process(COMMAND ${ARGV} WORKING_DIRECTORY ${WORK} RESULT_VARIABLE failed OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(failed)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${WAY}: ${command}\n${out}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()

set(blas)
if(BLAS)
  set(blas -DGRADUS_BLAS=cblas -DGRADUS_CBLAS_INCLUDE_DIR=${ROOT}/tests/blas/own -DBLAS_LIBRARIES=${BLAS})
  set(BUILD ${WORK}/gradus)
  run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${ROOT} -B ${BUILD} -DCMAKE_CXX_COMPILER=${CXX} -DEigen3_DIR=${EIGEN_CMAKE}
      -DGRADUS_BUILD_TESTS=OFF -DGRADUS_BUILD_EXAMPLES=OFF ${blas})
  if(WAY STREQUAL "find_package")  # the choice is the installed package's
    list(POP_FRONT blas)
  endif()
endif()
if(WAY MATCHES "find_package|pkg_config|cuda")
  run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
endif()
if(WAY STREQUAL "cuda")  # the toolkit of the machine where gradus was installed is nobody else's
  file(GLOB installed ${WORK}/prefix/share/cmake/gradus/*)
  foreach(file IN LISTS installed)
    file(READ ${file} text)
    string(FIND "${text}" "${CUDA}" place)
    if(NOT place EQUAL -1)
      message(FATAL_ERROR "${WAY}: ${file} names ${CUDA}")
    endif()
  endforeach()
endif()

if(WAY STREQUAL "bare")
  run(${CXX} ${flags} -I ${ROOT}/include -I ${EIGEN} ${sources} -o consumer)
elseif(WAY STREQUAL "pkg_config")
  set(ENV{PKG_CONFIG_PATH} ${WORK}/prefix/share/pkgconfig)
  run(pkg-config --cflags --libs gradus)
  separate_arguments(gradus_flags UNIX_COMMAND "${out}")
  run(${CXX} ${flags} ${sources} -o consumer ${gradus_flags})
else()
  # None: no optimisation, whatever the default
  run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${ROOT}/tests/consumers/${WAY} -B ${WORK} -DCMAKE_CXX_COMPILER=${CXX}
      -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS=-O0 -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DEigen3_DIR=${EIGEN_CMAKE}
      -DCMAKE_PREFIX_PATH=${WORK}/prefix ${blas})
  file(READ ${WORK}/compile_commands.json commands)
  if(commands MATCHES "-m(arch|cpu)=")
    message(FATAL_ERROR "${WAY}: gradus chose the consumer's processor:\n${commands}")
  elseif(NOT commands MATCHES "-ffp-contract=off")
    message(FATAL_ERROR "${WAY}: -ffp-contract=off does not reach the consumer:\n${commands}")
  endif()
  run(${CMAKE_COMMAND} --build ${WORK})
endif()
if(BLAS AND NOT "${commands} ${gradus_flags}" MATCHES "-DGRADUS_CBLAS")  # where it is defined, the linker needs a CBLAS
  message(FATAL_ERROR "${WAY}: large products are not left to the library that was chosen")
endif()

run(${WORK}/consumer)
if(NOT out MATCHES "gradus [0-9]+\\.[0-9]+\\.[0-9]+" OR (WAY STREQUAL "cuda" AND NOT out MATCHES "\ncuda: "))
  message(FATAL_ERROR "${WAY}: the program printed\n${out}")
endif()
if(WAY STREQUAL "cuda")
  find_program(READELF NAMES readelf llvm-readelf REQUIRED)
  run(${READELF} -d ${WORK}/consumer)
  if(NOT out MATCHES "\\(NEEDED\\)[^\n]*libc\\.")  # else the next question finds nothing, whatever is linked
    message(FATAL_ERROR "${WAY}: ${READELF} says\n${out}")
  elseif(out MATCHES "\\(NEEDED\\)[^\n]*lib(cu|nv)")
    message(FATAL_ERROR "${WAY}: the program is linked to a CUDA library:\n${out}")
  endif()
endif()
