// What stands in parameters and assets.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace linnet::tracking {

/// {"a": {"b": 1}} -> ("a.b", "1"); values are JSON. Throws linnet::Error if it is no JSON object.
std::vector<std::pair<std::string, std::string>> flattened(const std::string& json_object);

/// Counts in Comet's bins: edges at 0 and at +-1e-12 * 1.1^k up to 1e20, each bin closed below and open above; bin 775
/// begins at 0. Values that are not finite are left out.
std::string histogram_json(std::span<const float> values);

/// Comet's confusion matrix, version 1. Throws linnet::Error if `counts` is not square or labels do not fit.
std::string confusion_json(const std::vector<std::vector<std::int64_t>>& counts,
                           const std::vector<std::string>& labels);

/// The whole file. Throws linnet::Error that names it.
std::string file_bytes(const std::string& path);

}  // namespace linnet::tracking
