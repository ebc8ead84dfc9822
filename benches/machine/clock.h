// Clocks and governors.
#pragma once

#include "benches/machine/firmware.h"

namespace linnet::bench {

struct CoreClock {
  int cpu = 0;
  double mhz = 0;      ///< now
  double max_mhz = 0;  ///< that the core can have; 0 if unknown
};

/// Of those of `cpus` whose clock can be read. Where the firmware measures the clock, that is what counts.
std::vector<CoreClock> read_clocks(const Machine& machine, const std::vector<int>& cpus);

/// The governors of these CPUs, each once; empty if none can be read.
std::vector<std::string> read_governors(const SystemFiles& files, const std::vector<int>& cpus);

}  // namespace linnet::bench
