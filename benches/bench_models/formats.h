// The results for programs and documents.
#pragma once

#include <string>
#include <vector>

#include "benches/bench_models/measure.h"
#include "benches/machine/describe.h"

namespace linnet::bench {

/// An array with one object per row; its keys are listed in docs/interfaces.md.
std::string to_json(const std::vector<Row>& rows, const Description& machine);

/// As Google Benchmark's --benchmark_out writes it, for the tools that read that: for each row one entry with the
/// mean, and its mean, median and standard deviation as aggregates.
std::string to_benchmark_json(const std::vector<Row>& rows, const Description& machine);

/// The scalars of the JSON rows, and lists of words with "; " between; the first line names them.
std::string to_csv(const std::vector<Row>& rows, const Description& machine);

/// The machine as a block, the table, what makes rows doubtful.
std::string to_markdown(const std::vector<Row>& rows, const std::string& machine_text);

}  // namespace linnet::bench
