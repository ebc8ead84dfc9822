# Google Benchmark
find_package(benchmark REQUIRED)
add_library(linnet_third_party_benchmark INTERFACE)
target_link_libraries(linnet_third_party_benchmark INTERFACE benchmark::benchmark)
