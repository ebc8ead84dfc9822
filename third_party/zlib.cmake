# zlib: gzip files of MNIST
find_package(ZLIB REQUIRED)
add_library(linnet_third_party_zlib INTERFACE)
target_link_libraries(linnet_third_party_zlib INTERFACE ZLIB::ZLIB)
