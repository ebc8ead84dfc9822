// Whether something holds the clock back: heat, a weak power supply, a current limit.
#pragma once

#include "benches/machine/firmware.h"

namespace linnet::bench {

struct Throttling {
  std::vector<std::string> sources;     ///< that could be read; empty: nobody knows
  std::vector<std::string> now;         ///< "under-voltage", "thermal-cpufreq-0 at 2 of 4", ...
  std::vector<std::string> since_boot;  ///< what the firmware remembers
  double events = 0;                    ///< that processors and current limiters have counted since boot
};

Throttling read_throttling(const Machine& machine);

}  // namespace linnet::bench
