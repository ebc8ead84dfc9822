#include "benches/bench_models/json.h"

#include <cmath>

namespace linnet::bench {
namespace {

/// Microseconds are as exact as the clock is.
double rounded(double value) { return std::round(value * 1e4) / 1e4; }

Json maybe(const std::optional<double>& value) { return value ? Json(rounded(*value)) : Json(nullptr); }

Json positive_or_null(double value) { return value > 0 ? Json(rounded(value)) : Json(nullptr); }

Json machine_json(const Description& machine) {
  Json clusters = Json::array();
  for (const Cluster& cluster : machine.clusters)
    clusters.push_back(
        {{"core", cluster.core}, {"cpus", cluster.cpus}, {"max_mhz", positive_or_null(cluster.max_mhz)}});
  return {{"board", machine.board.name},
          {"soc", machine.board.soc},
          {"cpu", cpu_info().name},
          {"clusters", clusters},
          {"governors", machine.governors},
          {"thermometer", machine.thermometer},
          {"energy_source", machine.energy_source}};
}

Json clock_json(const Conditions& conditions) {
  if (conditions.mhz.count == 0) return nullptr;
  Json cores = Json::object();
  for (const auto& core : conditions.core_mhz) cores[std::to_string(core.first)] = rounded(core.second.mean);
  return {{"min", rounded(conditions.mhz.least)},
          {"mean", rounded(conditions.mhz.mean)},
          {"max", rounded(conditions.mhz.most)},
          {"limit", positive_or_null(conditions.max_mhz)},
          {"cores", cores}};
}

Json soak_json(const std::vector<SoakPoint>& points) {
  Json array = Json::array();
  for (const SoakPoint& point : points)
    array.push_back({{"seconds", rounded(point.seconds)},
                     {"runs", point.runs},
                     {"median_ms", rounded(point.median_ms)},
                     {"mhz", positive_or_null(point.mhz)},
                     {"celsius", maybe(point.celsius)},
                     {"throttled", point.throttled}});
  return array;
}

Json row_json(const Row& row, const Json& machine) {
  const Conditions& conditions = row.conditions;
  const Statistics& ms = row.ms;
  Json json = {{"model", row.model},
               {"precision", row.precision},
               {"threads", row.threads},
               {"batch", row.batch},
               {"resolution", row.resolution},
               {"isa", row.isa},
               {"runs", ms.count},
               {"min_ms", rounded(ms.min)},
               {"median_ms", rounded(ms.p50)},
               {"p90_ms", rounded(ms.p90)},
               {"p99_ms", rounded(ms.p99)},
               {"mean_ms", rounded(ms.mean)},
               {"p999_ms", rounded(ms.p999)},
               {"stddev_ms", rounded(ms.deviation)},
               {"median_low_ms", ms.median ? Json(rounded(ms.median->low)) : Json(nullptr)},
               {"median_high_ms", ms.median ? Json(rounded(ms.median->high)) : Json(nullptr)},
               {"images_per_s", rounded(row.images_per_s())},
               {"gflops", rounded(row.gflops())},
               {"peak_gflops", positive_or_null(row.peak_gflops)},
               {"load_ms", maybe(row.load_ms)},
               {"compile_ms", rounded(row.compile_ms)},
               {"first_ms", rounded(row.first_ms)},
               {"warmup_runs", row.warmup_runs},
               {"peak_rss_bytes", positive_or_null(row.peak_rss_bytes)},
               {"arena_bytes", row.arena_bytes},
               {"weight_bytes", row.weight_bytes},
               {"file_bytes", maybe(row.file_bytes)},
               {"seconds", rounded(conditions.seconds)},
               {"cpu_seconds", rounded(conditions.load.own)},
               {"preempted", conditions.load.preempted},
               {"mhz", clock_json(conditions)},
               {"celsius_before", maybe(conditions.celsius_before)},
               {"celsius_after", maybe(conditions.celsius_after)},
               {"celsius_max", maybe(conditions.celsius_most)},
               {"throttling_known", !conditions.after.sources.empty()},
               {"throttled", conditions.throttled},
               {"joules", maybe(conditions.joules)},
               {"mj_per_image", maybe(row.millijoules())},
               {"marks", row.marks},
               {"cpus", conditions.cpus},
               {"machine", machine}};
  for (const char* bytes : {"arena_bytes", "weight_bytes", "peak_rss_bytes", "file_bytes"})
    if (!json[bytes].is_null()) json[bytes] = static_cast<std::int64_t>(json[bytes].get<double>());
  if (row.accuracy) {
    json["top1"] = rounded(row.accuracy->top1());
    json["pictures"] = row.accuracy->pictures;
  }
  if (!row.soak.empty()) json["soak"] = soak_json(row.soak);
  return json;
}

}  // namespace

Json json_rows(const std::vector<Row>& rows, const Description& machine) {
  Json array = Json::array();
  for (const Row& row : rows) array.push_back(row_json(row, machine_json(machine)));
  return array;
}

std::string to_json(const std::vector<Row>& rows, const Description& machine) {
  return json_rows(rows, machine).dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace linnet::bench
