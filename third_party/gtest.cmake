# GoogleTest
find_package(GTest REQUIRED)
add_library(linnet_third_party_gtest INTERFACE)
target_link_libraries(linnet_third_party_gtest INTERFACE GTest::gtest_main)
