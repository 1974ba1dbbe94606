# Eigen >= 3.4, for the build and for those who find_package(gradus). Eigen's version file accepts only its own major
# number, hence two questions; an Eigen3_DIR that the user gave goes before both.
set(GRADUS_EIGEN_MISSING "gradus needs Eigen >= 3.4 and did not find it. On Debian and Ubuntu:  apt-get install \
libeigen3-dev  Elsewhere install Eigen's headers and say  -DEigen3_DIR=<the directory of Eigen3Config.cmake>")
if(Eigen3_DIR AND NOT TARGET Eigen3::Eigen)
  find_package(Eigen3 CONFIG QUIET)
  if(TARGET Eigen3::Eigen AND Eigen3_VERSION MATCHES "^[0-9]" AND Eigen3_VERSION VERSION_LESS 3.4)
    message(FATAL_ERROR "gradus needs Eigen >= 3.4; ${Eigen3_DIR} is Eigen ${Eigen3_VERSION}")
  endif()
endif()
foreach(version 3.4 5)
  if(NOT TARGET Eigen3::Eigen)
    find_package(Eigen3 ${version} CONFIG QUIET)
  endif()
endforeach()
