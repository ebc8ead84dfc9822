// Where the time of a network goes, step by step.
#pragma once

#include <string>
#include <vector>

#include "benches/bench_models/measure.h"

namespace linnet::bench {

/// Where the time of one network goes: the median time of each step over `runs` runs, its GFLOP/s and their share of
/// this CPU's measured multiply-add peak.
std::string profile_table(const Model& model, const Case& conditions);

}  // namespace linnet::bench
