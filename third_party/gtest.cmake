# GoogleTest
linnet_library(gtest GTest GTest::gtest_main
               URL https://github.com/google/googletest/archive/refs/tags/release-1.12.1.tar.gz
               SHA256 81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2)
