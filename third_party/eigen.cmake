# Eigen: dense algebra, the oracle of tests (header only)
add_library(linnet_third_party_eigen INTERFACE)
find_path(LINNET_EIGEN_INCLUDE_DIR Eigen/Dense PATH_SUFFIXES eigen3 REQUIRED)
target_include_directories(linnet_third_party_eigen SYSTEM INTERFACE ${LINNET_EIGEN_INCLUDE_DIR})
