// Rows as JSON objects, for the formats that are made from them.
#pragma once

#include <nlohmann/json.hpp>

#include "benches/bench_models/formats.h"

namespace linnet::bench {

using Json = nlohmann::ordered_json;  // keys stay in the order in which they were written

Json json_rows(const std::vector<Row>& rows, const Description& machine);

}  // namespace linnet::bench
