# libpng
find_package(PNG REQUIRED)
add_library(linnet_third_party_png INTERFACE)
target_link_libraries(linnet_third_party_png INTERFACE PNG::PNG)
