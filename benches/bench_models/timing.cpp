#include "benches/bench_models/timing.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>

#include "benches/bench_models/interrupt.h"

namespace linnet::bench {
namespace {

/// The rows are printed elsewhere.
class SilentReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};

}  // namespace

std::vector<Sample> time_calls(const Amount& amount, const std::function<void()>& call) {
  std::vector<Sample> samples;
  constexpr int usual = 65536;
  samples.reserve(static_cast<std::size_t>(std::min(amount.runs, usual)));
  std::exception_ptr failure;
  // Google Benchmark keeps the loop but reports means only, so that each call's time is kept here.
  const auto body = [&](benchmark::State& state) {
    const Clock::time_point first = Clock::now();
    for ([[maybe_unused]] auto unused : state) {
      const Clock::time_point begin = Clock::now();
      try {
        call();
      } catch (...) {
        failure = std::current_exception();
        state.SkipWithError("failed");
        break;
      }
      samples.push_back({ms_since(begin), 1e-3 * ms_since(first)});
      state.SetIterationTime(samples.back().ms * 1e-3);
      const bool enough =
          samples.size() >= static_cast<std::size_t>(amount.runs) && samples.back().at >= amount.seconds;
      if (enough || interrupted()) {
        state.SkipWithError("done");
        break;
      }
    }
  };
  benchmark::RegisterBenchmark("model", body)
      ->Iterations(std::numeric_limits<benchmark::IterationCount>::max() / 2)
      ->UseManualTime();
  SilentReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::ClearRegisteredBenchmarks();
  if (failure) std::rethrow_exception(failure);
  return samples;
}

int warm_up(std::optional<int> runs, const std::function<void()>& call) {
  int calls = 0;
  if (runs) {
    for (; calls < *runs && !interrupted(); ++calls) call();
    return calls;
  }
  constexpr std::size_t window = 5;
  constexpr double stable = 0.02, longest_ms = 3000;
  const Clock::time_point first = Clock::now();
  std::vector<double> times;
  double before = 0;
  while (ms_since(first) < longest_ms && !interrupted()) {
    const Clock::time_point begin = Clock::now();
    call();
    ++calls;
    times.push_back(ms_since(begin));
    if (times.size() < window) continue;
    std::nth_element(times.begin(), times.begin() + window / 2, times.end());
    const double median = times[window / 2];
    if (std::abs(median - before) <= stable * before) break;
    before = median;
    times.clear();
  }
  return calls;
}

}  // namespace linnet::bench
