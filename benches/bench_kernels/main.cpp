// Measures every kernel, on one thread, with every instruction set that this CPU has.
// The flags are Google Benchmark's: --benchmark_filter=depthwise/.*avx2 --benchmark_repetitions=5 ...
#include <benchmark/benchmark.h>

#include <cstdio>
#include <exception>
#include <string>

#include "linnet/cpu.h"

int main(int argc, char** argv) {
  try {
    const linnet::CpuInfo& cpu = linnet::cpu_info();
    const auto kilobytes = [](std::size_t bytes) { return std::to_string(bytes / 1024) + " KiB"; };
    std::string isas;
    for (const linnet::Isa isa : linnet::supported_isas()) {
      if (!isas.empty()) isas += ' ';
      isas += linnet::to_string(isa);
    }
    benchmark::AddCustomContext("cpu", cpu.name);
    benchmark::AddCustomContext("cores", std::to_string(cpu.physical_cores) + " (" + std::to_string(cpu.big_cores) +
                                             " big, " + std::to_string(cpu.logical_cores) + " logical)");
    benchmark::AddCustomContext("caches", kilobytes(cpu.l1d_bytes) + " L1d, " + kilobytes(cpu.l2_bytes) + " L2, " +
                                              kilobytes(cpu.l3_bytes) + " L3");
    benchmark::AddCustomContext("instruction sets", isas);
    benchmark::AddCustomContext("selected", std::string(linnet::to_string(linnet::selected_isa())));
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_kernels: %s\n", error.what());
    return 1;
  }
}
