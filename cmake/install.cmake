# The installed form: headers, gradusConfig.cmake for find_package, gradus.pc for pkg-config.
if(NOT PROJECT_IS_TOP_LEVEL AND NOT GRADUS_INSTALL)
  return()  # a project that merely uses gradus does not install it unless it says so
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_DATADIR}/cmake/gradus)  # share/: headers do not depend on the architecture
install(DIRECTORY include/gradus TYPE INCLUDE FILES_MATCHING PATTERN "*.hpp")
install(TARGETS gradus EXPORT gradusTargets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT gradusTargets NAMESPACE gradus:: DESTINATION ${config_dir})

configure_package_config_file(cmake/gradusConfig.cmake.in gradusConfig.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(gradusConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/gradusConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/gradusConfigVersion.cmake
              cmake/find_eigen.cmake cmake/blas.cmake cmake/cuda.cmake
        DESTINATION ${config_dir})

get_target_property(eigen_include_dir Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
list(GET eigen_include_dir 0 eigen_include_dir)
set(blas_cflags)
set(blas_libs)
if(GRADUS_BLAS)
  get_target_property(blas_definition gradus::${GRADUS_BLAS} INTERFACE_COMPILE_DEFINITIONS)
  get_target_property(blas_include_dir gradus::${GRADUS_BLAS} INTERFACE_INCLUDE_DIRECTORIES)
  get_target_property(blas_libs gradus::${GRADUS_BLAS} INTERFACE_LINK_LIBRARIES)
  set(blas_cflags " -D${blas_definition}")
  if(NOT blas_include_dir IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
    string(APPEND blas_cflags " -isystem ${blas_include_dir}")
  endif()
  list(TRANSFORM blas_libs PREPEND "-l" REGEX "^[^-/]")
  list(JOIN blas_libs " " blas_libs)
endif()
configure_file(cmake/gradus.pc.in gradus.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/gradus.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
