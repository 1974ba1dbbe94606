# Flags of our own tests, examples and benches; no project that consumes gradus sees them.
include(CheckCXXCompilerFlag)

# For the whole directory, not per target: all units of a program must use one instruction set (Eigen's and our inline
# functions would otherwise differ between units).
if(GRADUS_NATIVE)
  check_cxx_compiler_flag(-march=native GRADUS_HAS_MARCH_NATIVE)
  if(GRADUS_HAS_MARCH_NATIVE)
    add_compile_options(-march=native)
  else()
    add_compile_options(-mcpu=native)  # clang on ARM
  endif()
endif()

set(GRADUS_WARNING_FLAGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
# A new compiler's new warning must not keep anyone from an example, a benchmark or the check on a GPU.
if(GRADUS_BUILD_TESTS AND NOT GRADUS_CUDA_CHECK)
  list(APPEND GRADUS_WARNING_FLAGS -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 is wrong about its own AVX-512 intrinsics (bug 105593) and about std::string's operator+ (bug 105651).
  set(mistaken -Wno-uninitialized -Wno-maybe-uninitialized -Wno-restrict)
endif()
add_library(gradus_development INTERFACE)
target_link_libraries(gradus_development INTERFACE gradus::gradus)
target_compile_options(gradus_development INTERFACE ${GRADUS_WARNING_FLAGS} ${mistaken})
target_compile_definitions(gradus_development INTERFACE GRADUS_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_include_directories(gradus_development INTERFACE ${PROJECT_SOURCE_DIR})

set(CMAKE_CXX_EXTENSIONS OFF)
set_property(GLOBAL PROPERTY USE_FOLDERS ON)
