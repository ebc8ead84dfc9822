// Runs as JSON and CSV; the same fields in `linnet runs` and in the dashboard.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "linnet/tracking/record.h"

namespace linnet::tools {

/// A number, or "NaN", "Infinity", "-Infinity".
nlohmann::ordered_json json_number(double value);

/// Indented text; bytes that are not UTF-8 become U+FFFD.
std::string json_text(const nlohmann::ordered_json& json);

/// Without points, output and assets.
nlohmann::ordered_json summary_json(const tracking::Run& run);
/// With all of them; of assets what they are, not their bytes.
nlohmann::ordered_json full_json(const tracking::Record& record, const tracking::Run& run);
nlohmann::ordered_json comparison_json(const std::vector<tracking::Run>& runs);

/// context,name,step,epoch,time_ms,value
std::string points_csv(const tracking::Record& record, const tracking::Run& run);

std::set<std::string> differing_parameters(const std::vector<tracking::Run>& runs);

}  // namespace linnet::tools
