#include "runs_json.h"

#include <charconv>
#include <cmath>

namespace linnet::tools {
namespace {

using Json = nlohmann::ordered_json;
using tracking::Record;
using tracking::Run;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

/// The shortest digits that give the value again.
std::string exact_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

Json parameter_json(const std::string& text) {
  Json value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(text) : value;
}

}  // namespace

Json json_number(double value) { return std::isfinite(value) ? Json(value) : Json(exact_number(value)); }

std::string json_text(const Json& json) { return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json summary_json(const Run& run) {
  Json parameters = Json::object(), series = Json::array();
  for (const auto& [name, value] : run.parameters) parameters[name] = parameter_json(value);
  for (const auto& one : run.series)
    series.push_back({{"id", one.id},
                      {"label", one.label()},
                      {"count", one.count},
                      {"last_step", one.last_step},
                      {"last", json_number(one.last)},
                      {"smallest", json_number(one.smallest)},
                      {"largest", json_number(one.largest)}});
  return {{"id", run.id},
          {"key", run.key},
          {"name", run.name},
          {"kind", run.kind},
          {"status", run.status},
          {"error", run.error},
          {"folder", run.folder},
          {"started", run.started},
          {"ended", or_null(run.ended)},
          {"heartbeat", run.heartbeat},
          {"tags", run.tags},
          {"parameters", parameters},
          {"texts", run.texts},
          {"series", series}};
}

Json full_json(const Record& record, const Run& run) {
  Json json = summary_json(run);
  for (Json& series : json["series"]) {
    Json points = Json::array();
    for (const auto& point : record.points(series["id"].get<std::int64_t>()))
      points.push_back({point.step, or_null(point.epoch), point.time, json_number(point.value)});
    series["columns"] = {"step", "epoch", "time", "value"};
    series["points"] = std::move(points);
  }
  json["assets"] = Json::array();
  for (const auto& asset : record.assets(run.id))
    json["assets"].push_back({{"id", asset.id},
                              {"kind", asset.kind},
                              {"name", asset.name},
                              {"step", or_null(asset.step)},
                              {"epoch", or_null(asset.epoch)},
                              {"time", asset.time},
                              {"bytes", asset.bytes},
                              {"hash", asset.hash},
                              {"metadata", parameter_json(asset.metadata)}});
  json["output"] = Json::array();
  for (const auto& line : record.output(run.id))
    json["output"].push_back({{"time", line.time}, {"error", line.error}, {"text", line.text}});
  return json;
}

Json comparison_json(const std::vector<Run>& runs) {
  Json rows = Json::array();
  const std::set<std::string> different = differing_parameters(runs);
  for (const Run& run : runs) {
    Json row = summary_json(run), parameters = Json::object();
    for (const std::string& name : different) parameters[name] = row["parameters"].value(name, Json());
    row["parameters"] = parameters;
    rows.push_back(row);
  }
  return rows;
}

std::string points_csv(const Record& record, const Run& run) {
  std::string text = "context,name,step,epoch,time_ms,value\n";
  for (const auto& series : run.series)
    for (const auto& point : record.points(series.id))
      text += csv_cell(series.context) + ',' + csv_cell(series.name) + ',' + std::to_string(point.step) + ',' +
              (point.epoch ? std::to_string(*point.epoch) : "") + ',' + std::to_string(point.time) + ',' +
              exact_number(point.value) + '\n';
  return text;
}

std::set<std::string> differing_parameters(const std::vector<Run>& runs) {
  std::set<std::string> names, different;
  for (const Run& run : runs)
    for (const auto& [name, value] : run.parameters) names.insert(name);
  const auto value_of = [](const Run& run, const std::string& name) {
    const auto found = run.parameters.find(name);
    return found == run.parameters.end() ? std::string() : found->second;
  };
  for (const std::string& name : names)
    for (const Run& run : runs)
      if (value_of(run, name) != value_of(runs.front(), name)) different.insert(name);
  return different;
}

}  // namespace linnet::tools
