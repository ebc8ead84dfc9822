// bench_models compare A.json B.json: what became faster, what slower, and what is chance.
#pragma once

#include <string>

namespace linnet::bench {

/// The table of the rows that both files have (model, precision, threads, batch, resolution), B relative to A. Throws
/// linnet::Error for a file that --json did not write, and if the two have no row in common.
std::string compare(const std::string& file_a, const std::string& file_b);

}  // namespace linnet::bench
