# libpng
linnet_library(png PNG PNG::PNG URL https://github.com/glennrp/libpng/archive/v1.6.39.tar.gz
               SHA256 a00e9d2f2f664186e4202db9299397f851aea71b36a35e74910b8820e380d441
               OPTIONS -DPNG_SHARED=OFF -DPNG_TESTS=OFF -DZLIB_ROOT=${PROJECT_BINARY_DIR}/third_party/zlib)
