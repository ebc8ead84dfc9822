// Brings results that were not recorded when they were made into the record.
#pragma once

#include <string>
#include <vector>

namespace linnet::tracking {

/// Imports the folder of a training run (recipe.json, metrics.jsonl, model.safetensors), or a JSON file that
/// bench_models wrote: one run of kind "benchmark" per row, its numbers as metrics. `device` names the machine that it
/// ran on; empty: this one. Returns the keys of the new runs. A damaged source is an error that names it,
/// and leaves the record as it was. Throws linnet::Error.
std::vector<std::string> import_runs(const std::string& database, const std::string& source, const std::string& device);

}  // namespace linnet::tracking
