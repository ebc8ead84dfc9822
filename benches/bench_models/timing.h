// Calling something again and again, with a clock.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

namespace linnet::bench {

using Clock = std::chrono::steady_clock;

inline double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// How long to go on: until there were so many calls and so many seconds are over.
struct Amount {
  int runs = 1;
  double seconds = 0;
};

struct Sample {
  double ms = 0;
  double at = 0;  ///< seconds from the first call's begin to this call's end
};

/// Times calls under Google Benchmark. An interrupt ends it early; there is at least one sample. What `call` throws
/// comes out.
std::vector<Sample> time_calls(const Amount& amount, const std::function<void()>& call);

/// Calls `runs` times; without a number until it is stable: the medians of two windows of 5 calls in a row differ by at
/// most 2 %, or 3 seconds are over. Returns how often it called.
int warm_up(std::optional<int> runs, const std::function<void()>& call);

}  // namespace linnet::bench
