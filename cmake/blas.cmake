# The libraries that can serve large products, for the build and for those who find_package(gradus), each on its own
# machine: a CBLAS or oneDNN.
include(CheckCXXSymbolExists)

# gradus_find_blas(cblas|dnnl): makes the target gradus::cblas or gradus::dnnl, and sets GRADUS_BLAS_MISSING to the
# sentence that says why there is none, or to nothing.
function(gradus_find_blas choice)
  set(GRADUS_BLAS_MISSING "" PARENT_SCOPE)
  if(TARGET gradus::${choice})
    return()
  elseif(choice STREQUAL "cblas")
    if(NOT BLAS_LIBRARIES)
      find_package(BLAS QUIET)
    endif()
    set(found cblas.h BLAS_LIBRARIES cblas_sgemm libopenblas-dev)
  elseif(choice STREQUAL "dnnl")  # not by its own package, which asks for OpenCL's headers in vain
    find_library(GRADUS_DNNL_LIBRARY dnnl)
    set(found oneapi/dnnl/dnnl.h GRADUS_DNNL_LIBRARY dnnl_sgemm libdnnl-dev)
  else()
    set(GRADUS_BLAS_MISSING "GRADUS_BLAS is \"${choice}\"; it should be cblas, dnnl, or empty" PARENT_SCOPE)
    return()
  endif()
  list(POP_FRONT found header libraries function package)
  string(TOUPPER ${choice} CHOICE)
  find_path(GRADUS_${CHOICE}_INCLUDE_DIR ${header} PATH_SUFFIXES openblas blis)
  mark_as_advanced(GRADUS_DNNL_LIBRARY GRADUS_${CHOICE}_INCLUDE_DIR)

  set(folder "${GRADUS_${CHOICE}_INCLUDE_DIR}")
  set(links)
  if(folder AND ${libraries})
    set(CMAKE_REQUIRED_QUIET ON)
    set(CMAKE_REQUIRED_INCLUDES ${folder})
    set(CMAKE_REQUIRED_LIBRARIES ${${libraries}})
    unset(GRADUS_HAS_${CHOICE} CACHE)  # other places may have been named since
    check_cxx_symbol_exists(${function} ${header} GRADUS_HAS_${CHOICE})
    set(links ${GRADUS_HAS_${CHOICE}})
  endif()
  if(NOT links)
    string(CONCAT missing
           "GRADUS_BLAS=${choice} needs ${header} and a library with ${function}, and did not find both (${folder}; "
           "${${libraries}}). On Debian and Ubuntu:  apt-get install ${package}  Elsewhere say  "
           "-DGRADUS_${CHOICE}_INCLUDE_DIR=<the folder of ${header}> -D${libraries}=<the library>")
    set(GRADUS_BLAS_MISSING "${missing}" PARENT_SCOPE)
    return()
  endif()
  add_library(gradus::${choice} INTERFACE IMPORTED)
  target_compile_definitions(gradus::${choice} INTERFACE GRADUS_${CHOICE})
  target_include_directories(gradus::${choice} INTERFACE ${folder})
  target_link_libraries(gradus::${choice} INTERFACE ${${libraries}})
endfunction()
