# libjpeg-turbo
find_package(JPEG REQUIRED)
add_library(linnet_third_party_jpeg INTERFACE)
target_link_libraries(linnet_third_party_jpeg INTERFACE JPEG::JPEG)
