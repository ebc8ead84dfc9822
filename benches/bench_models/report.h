// The results, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "benches/bench_models/measure.h"

namespace linnet::bench {

std::string table_header();
std::string table_line(const Row& row);

/// An array with one object per row.
std::string to_json(const std::vector<Row>& rows);

/// Where the time of one network goes: the median time of each step over `runs` runs, its GFLOP/s and their share of
/// this CPU's measured multiply-add peak.
std::string profile_table(const Model& model, const Case& conditions);

}  // namespace linnet::bench
