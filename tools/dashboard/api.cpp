#include "api.h"

#include <cmath>

#include "thin.h"
#include "tools/linnet/runs_json.h"

namespace linnet::tools {
namespace {

using tracking::Point;
using tracking::Record;

template <typename T>
Json value_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json finite_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json asset_json(const tracking::Asset& asset) {
  return {{"id", asset.id},
          {"kind", asset.kind},
          {"name", asset.name},
          {"step", value_or_null(asset.step)},
          {"epoch", value_or_null(asset.epoch)},
          {"time", asset.time},
          {"bytes", asset.bytes}};
}

}  // namespace

Json runs_json(const Record& record, const tracking::RunSelection& selection) {
  std::vector<tracking::Run> found = record.runs(selection);
  if (found.empty()) return {{"ids", record.run_ids()}, {"common", Json::object()}, {"runs", Json::array()}};
  const std::map<std::string, std::string> common = found.front().parameters;
  Json all = summary_json(found.front())["parameters"], runs = Json::array();
  for (tracking::Run& run : found) {
    Json lacks = Json::array();
    for (const auto& [name, value] : common)
      if (run.parameters.count(name) == 0) lacks.push_back(name);
    std::erase_if(run.parameters, [&](const auto& parameter) {
      const auto same = common.find(parameter.first);
      return same != common.end() && same->second == parameter.second;
    });
    runs.push_back(summary_json(run));
    runs.back()["lacks"] = std::move(lacks);
  }
  return {{"ids", record.run_ids()}, {"common", std::move(all)}, {"runs", std::move(runs)}};
}

Json run_json(const Record& record, const tracking::Run& run) {
  Json json = summary_json(run);
  json["assets"] = Json::array();
  for (const tracking::Asset& asset : record.assets(run.id)) json["assets"].push_back(asset_json(asset));
  return json;
}

Json points_json(const Record& record, const std::vector<CurveRequest>& curves, std::int64_t points, bool logarithmic) {
  Json result = Json::array();
  for (const auto& [series, after] : curves) {
    Thinner thinner(record.point_count(series, after), points / 2, logarithmic ? Spacing::logarithmic : Spacing::even);
    std::int64_t last = after;
    record.each_point(series, after, [&](const Point& point) {
      thinner.add(point);
      last = point.place;
    });
    Json step = Json::array(), epoch = Json::array(), time = Json::array(), value = Json::array(), mean = Json::array(),
         weight = Json::array();
    for (const ThinPoint& thin : thinner.finish()) {
      step.push_back(thin.point.step);
      epoch.push_back(value_or_null(thin.point.epoch));
      time.push_back(thin.point.time);
      value.push_back(finite_or_null(thin.point.value));
      mean.push_back(finite_or_null(thin.mean));
      weight.push_back(thin.weight);
    }
    result.push_back({{"id", series},
                      {"last", last},
                      {"step", std::move(step)},
                      {"epoch", std::move(epoch)},
                      {"time", std::move(time)},
                      {"value", std::move(value)},
                      {"mean", std::move(mean)},
                      {"weight", std::move(weight)}});
  }
  return result;
}

Json output_json(const Record& record, std::int64_t run, std::int64_t after) {
  Json lines = Json::array();
  for (const auto& line : record.output(run, after, 2000))
    lines.push_back({{"id", line.id}, {"time", line.time}, {"error", line.error}, {"text", line.text}});
  return lines;
}

}  // namespace linnet::tools
