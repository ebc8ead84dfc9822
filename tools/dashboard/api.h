// What the pages ask for, as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "linnet/tracking/record.h"

namespace linnet::tools {

using Json = nlohmann::ordered_json;

/// `ids` of all runs, and the `runs` of the selection, their curves as summaries. Parameters that most runs share come
/// once: a run has those in `common` besides its own, but for those that it `lacks`.
Json runs_json(const tracking::Record& record, const tracking::RunSelection& selection);

/// Everything about a run but points, output and contents of assets.
Json run_json(const tracking::Record& record, const tracking::Run& run);

/// A curve, or what of it lies behind a point that the page has already.
struct CurveRequest {
  std::int64_t series, after;
};
/// Columns of the curves, thinned to about `points` each: see Thinner.
Json points_json(const tracking::Record& record, const std::vector<CurveRequest>& curves, std::int64_t points,
                 bool logarithmic);

/// The lines behind `after`, at most the last 2,000.
Json output_json(const tracking::Record& record, std::int64_t run, std::int64_t after);

/// What was measured of models, on all machines, and what was trained: a row for each run that says so.
Json tradeoff_json(const tracking::Record& record);

}  // namespace linnet::tools
