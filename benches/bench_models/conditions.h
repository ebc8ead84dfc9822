// Setting the machine up: CPUs to stay on, rest before a row.
#pragma once

#include <string>
#include <vector>

#include "benches/machine/firmware.h"

namespace linnet::bench {

/// The CPUs of "big" (the fastest cluster), "little" (the slowest) or a list. Throws linnet::Error for anything else,
/// and for "little" where all cores are alike.
std::vector<int> cpus_of(const std::string& affinity, const SystemFiles& files);

/// Waits until the CPU is at most a degree above `celsius`, or for `seconds`; for all of them if the temperature is
/// not known. An interrupt ends it.
void cool_down(double seconds, const Machine& machine, const std::optional<double>& celsius);

}  // namespace linnet::bench
