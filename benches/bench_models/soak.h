// How speed, clock and temperature go on for minutes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "benches/bench_models/timing.h"

namespace linnet::bench {

struct SoakPoint {
  double seconds = 0;  ///< where the interval ends
  int runs = 0;
  double median_ms = 0;
  double mhz = 0;  ///< 0: unknown
  std::optional<double> celsius;
  std::vector<std::string> throttled;
};

/// Seconds of each of about 30 intervals, none below one tenth.
double soak_interval(double seconds);

/// "  120 s   31.52 ms   98 %  1500 MHz  81.2 C  throttled"; the share is the speed relative to the first interval.
std::string soak_table(const std::vector<SoakPoint>& points);

}  // namespace linnet::bench
