# Eigen: dense algebra off the hot path
linnet_headers(eigen Eigen/Dense URL https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.bz2
               SHA256 b4c198460eba6f28d34894e3a5710998818515104d6e74e5cc331ce31e46e626 SUFFIX eigen3)
