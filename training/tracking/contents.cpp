#include "training/tracking/contents.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "linnet/error.h"
#include "linnet/tracking/asset.h"

namespace linnet::tracking {
namespace {

using Json = nlohmann::ordered_json;

void flatten(const Json& group, const std::string& prefix, std::vector<std::pair<std::string, std::string>>& out) {
  for (const auto& [name, value] : group.items()) {
    if (value.is_object())
      flatten(value, prefix + name + ".", out);
    else
      out.emplace_back(prefix + name, value.dump());
  }
}

constexpr int zero_bin = 775, edges = 774;
constexpr double first_edge = 1e-12, growth = 1.1, last_edge = 1e20;

int histogram_bin(double value) {
  if (value == 0) return zero_bin;
  const double place = std::log(std::abs(value) / first_edge) / std::log(growth);
  if (value > 0) return place < 0 ? zero_bin : zero_bin + 1 + std::min(static_cast<int>(place), edges - 1);
  // A negative value that is an edge itself belongs to the bin that begins there.
  return place <= 0 ? zero_bin - 1 : zero_bin - 1 - std::min(static_cast<int>(std::ceil(place)), edges);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> flattened(const std::string& json_object) {
  const Json json = Json::parse(json_object, nullptr, false);
  if (!json.is_object()) throw Error("parameters of a run must be a JSON object, found " + json_object.substr(0, 60));
  std::vector<std::pair<std::string, std::string>> result;
  flatten(json, "", result);
  return result;
}

std::string histogram_json(std::span<const float> values) {
  std::map<int, std::int64_t> counts;
  for (const float value : values)
    if (std::isfinite(value)) ++counts[histogram_bin(static_cast<double>(value))];
  Json bins = Json::array();
  for (const auto& [bin, count] : counts) bins.push_back({bin, count});
  return Json{{"version", 2},        {"index_values", bins}, {"values", nullptr}, {"offset", 0},
              {"start", first_edge}, {"stop", last_edge},    {"step", growth}}
      .dump();
}

std::string confusion_json(const std::vector<std::vector<std::int64_t>>& counts,
                           const std::vector<std::string>& labels) {
  const auto fits = [&](const auto& row) { return row.size() == counts.size(); };
  if (counts.empty() || !fits(labels) || !std::all_of(counts.begin(), counts.end(), fits))
    throw Error("confusion matrix: " + std::to_string(counts.size()) + " rows need as many columns and labels, found " +
                std::to_string(labels.size()) + " labels");
  return Json{{"version", 1},
              {"title", "Confusion Matrix"},
              {"labels", labels},
              {"matrix", counts},
              {"rowLabel", "Actual Category"},
              {"columnLabel", "Predicted Category"},
              {"maxSamplesPerCell", 25},
              {"sampleMatrix", nullptr},
              {"type", nullptr}}
      .dump();
}

std::string kind_by_extension(const std::string& name) {
  constexpr std::pair<const char*, const char*> kinds[] = {
      {".html", "html"}, {".png", "image"}, {".jpg", "image"}, {".jpeg", "image"}, {".safetensors", "model"}};
  const std::string extension = std::filesystem::path(name).extension().string();
  for (const auto& [known, kind] : kinds)
    if (extension == known) return kind;
  return "asset";
}

std::string file_bytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream bytes;
  if (!stream || !(bytes << stream.rdbuf())) throw Error(path + ": cannot read this file");
  return std::move(bytes).str();
}

}  // namespace linnet::tracking
