# Google Benchmark
linnet_library(benchmark benchmark benchmark::benchmark
               URL https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz
               SHA256 6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7
               OPTIONS -DBENCHMARK_ENABLE_TESTING=OFF -DBENCHMARK_ENABLE_WERROR=OFF -DHAVE_STD_REGEX=1
                       -DHAVE_STEADY_CLOCK=1)
