# zlib: .gz files of MNIST, and libpng's compression
linnet_library(zlib ZLIB ZLIB::ZLIB URL https://github.com/madler/zlib/archive/refs/tags/v1.2.13.tar.gz
               SHA256 1525952a0a567581792613a9723333d7f8cc20b87a81f920fb8bc7e3f2251428)
