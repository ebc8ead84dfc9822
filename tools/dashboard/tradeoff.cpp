// Accuracy against cost: one row per run that measured something of a model.
#include <map>

#include "api.h"
#include "linnet/architectures.h"
#include "linnet/summary.h"

namespace linnet::tools {
namespace {

using tracking::Run;

struct Network {
  std::int64_t parameters = 0, macs = 0;
  double top1 = 0;
};

/// What is known of a network by its name; nothing of one that we cannot build.
std::optional<Network> network(const std::string& name) {
  for (const architectures::Variant& variant : architectures::variants()) {
    if (variant.name != name) continue;
    const Summary counts = summary(architectures::build(name));
    return Network{counts.parameters, counts.macs, variant.top1};
  }
  return std::nullopt;
}

/// A number or null.
Json last_of(const Run& run, const std::string& label) {
  const tracking::SeriesSummary* series = run.find_series(label);
  return series == nullptr || series->count == 0 || !std::isfinite(series->last) ? Json() : Json(series->last);
}

Json parameter_of(const Run& run, const std::string& name) {
  const auto found = run.parameters.find(name);
  return found == run.parameters.end() ? Json() : Json::parse(found->second, nullptr, false);
}

std::string text_of(const Run& run, const std::string& name) {
  const auto found = run.texts.find(name);
  return found == run.texts.end() ? "" : found->second;
}

Json row_of(const Run& run) {
  return {{"key", run.key}, {"name", run.name}, {"kind", run.kind}, {"started", run.started}, {"tags", run.tags}};
}

Json benchmark_row(const Run& run, const std::optional<Network>& network) {
  Json row = row_of(run);
  row["model"] = run.name;
  row["device"] = text_of(run, "device");
  for (const char* name : {"precision", "threads", "batch", "resolution", "isa"}) row[name] = parameter_of(run, name);
  for (const char* name : {"median_ms", "mj_per_image", "weight_bytes", "file_bytes", "peak_rss_bytes"})
    row[name] = last_of(run, std::string("bench/") + name);
  row["top1"] = last_of(run, "bench/top1");
  row["top1_source"] = "measured";
  if (network) {
    row["parameters"] = network->parameters;
    row["macs"] = network->macs;
    if (row["top1"].is_null() && network->top1 > 0) {
      row["top1"] = network->top1;
      row["top1_source"] = "published";
    }
  }
  return row;
}

Json training_row(const Run& run) {
  Json row = row_of(run);
  row["model"] = text_of(run, "model");
  row["device"] = text_of(run, "system.hostname");
  row["precision"] = "f32";
  row["data"] = parameter_of(run, "data.train");
  row["resolution"] = parameter_of(run, "model.height");
  row["file_bytes"] = last_of(run, "model/bytes");
  row["parameters"] = last_of(run, "model/parameters");
  row["macs"] = last_of(run, "model/macs");
  const tracking::SeriesSummary* validated = run.find_series("validate/top1");
  row["top1"] = last_of(run, "model/top1");
  if (row["top1"].is_null() && validated != nullptr && validated->count > 0) row["top1"] = validated->largest;
  if (!row["top1"].is_null()) row["top1"] = 100 * row["top1"].get<double>();
  row["top1_source"] = "trained";
  return row;
}

}  // namespace

Json tradeoff_json(const tracking::Record& record) {
  Json rows = Json::array();
  std::map<std::string, std::optional<Network>> known;
  for (const Run& run : record.runs({.longest_text = 1000})) {
    if (run.kind == "benchmark") {
      if (known.count(run.name) == 0) known[run.name] = network(run.name);
      rows.push_back(benchmark_row(run, known[run.name]));
    } else if (run.find_series("validate/top1") != nullptr || run.find_series("model/top1") != nullptr) {
      rows.push_back(training_row(run));
    }
  }
  return rows;
}

}  // namespace linnet::tools
