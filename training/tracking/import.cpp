#include "linnet/tracking/import.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "linnet/error.h"
#include "linnet/training/recipe.h"
#include "training/tracking/contents.h"
#include "training/tracking/store.h"
#include "training/tracking/system.h"

namespace linnet::tracking {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string this_host() { return machine_facts()["system.hostname"]; }

/// Adds one value at a time to a store; for what is small.
class Values {
 public:
  explicit Values(Store& store) : store_(store) {}
  void add(const std::string& name, const std::string& context, PointRow point) {
    const auto [at, fresh] = known_.try_emplace({name, context}, known_.size());
    if (fresh) store_.add_series(name, context);
    point.series = at->second;
    points_.push_back(point);
  }
  void write() { store_.add_points(points_); }

 private:
  Store& store_;
  std::map<std::pair<std::string, std::string>, std::size_t> known_;
  std::vector<PointRow> points_;
};

struct Curve {
  const char *column, *name, *context;
};
constexpr Curve curves[] = {{"loss", "loss", "train"},
                            {"top1", "top1", "train"},
                            {"lr", "learning_rate", ""},
                            {"images_per_s", "images_per_s", ""},
                            {"validation_loss", "loss", "validate"},
                            {"validation_top1", "top1", "validate"},
                            {"validation_top5", "top5", "validate"},
                            {"average_loss", "loss", "average"},
                            {"average_top1", "top1", "average"},
                            {"average_top5", "top5", "average"}};

std::int64_t written_at(const fs::path& file) {
  const auto age = fs::file_time_type::clock::now() - fs::last_write_time(file);
  return now_ms() - std::chrono::duration_cast<std::chrono::milliseconds>(age).count();
}

std::vector<Json> read_lines(const fs::path& path) {
  std::istringstream text(file_bytes(path.string()));
  std::vector<Json> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(Json::parse(line, nullptr, false));
    const Json& json = lines.back();
    if (!json.is_object() || !json.value("step", Json()).is_number_integer() ||
        !json.value("epoch", Json(0)).is_number_integer() || !json.value("seconds", Json(0)).is_number())
      throw Error(path.string() + ": line " + std::to_string(lines.size()) +
                  " is no JSON object with step and seconds");
  }
  return lines;
}

std::string import_folder(const std::string& database, const fs::path& folder, const std::string& device) {
  const std::string recipe = training::to_json(training::load_recipe((folder / "recipe.json").string()));
  const std::vector<Json> lines = read_lines(folder / "metrics.jsonl");
  const std::int64_t ended = written_at(folder / "metrics.jsonl");
  const double seconds = lines.empty() ? 0 : lines.back().value("seconds", 0.0);
  const std::int64_t began = ended - static_cast<std::int64_t>(1000 * seconds);

  Store store(database, {.folder = folder.string()});
  Transaction transaction(store.database());
  Values values(store);
  for (const Json& line : lines) {
    PointRow point;
    point.step = line["step"].get<std::int64_t>();
    if (line.contains("epoch")) point.epoch = line["epoch"].get<std::int64_t>();
    point.time = began + static_cast<std::int64_t>(1000 * line.value("seconds", 0.0));
    for (const auto& [column, name, context] : curves) {
      if (!line.contains(column)) continue;
      point.value = line[column].is_number() ? line[column].get<double>() : std::nan("");
      values.add(name, context, point);
    }
  }
  values.write();
  for (const auto& [name, value] : flattened(recipe)) store.parameter(name, value);
  store.text("device", device);
  const fs::path model = folder / "model.safetensors";
  if (fs::exists(model)) store.asset({.kind = "model", .name = "model.safetensors"}, ended, file_bytes(model.string()));
  store.finish_at(began, ended);
  transaction.commit();
  return store.key();
}

const std::set<std::string> conditions = {"threads", "batch", "resolution", "runs"};

std::string import_row(const std::string& database, const Json& row, std::int64_t time, const std::string& device) {
  Store store(database, {.name = row["model"].get<std::string>(), .kind = "benchmark"});
  Transaction transaction(store.database());
  Values values(store);
  for (const auto& [name, value] : row.items()) {
    if (value.is_number() && conditions.count(name) == 0) {
      PointRow point;
      point.time = time;
      point.value = value.get<double>();
      values.add(name, "bench", point);
    } else {
      store.parameter(name, value.dump());
    }
  }
  values.write();
  store.text("device", device);
  store.finish_at(time, time);
  transaction.commit();
  return store.key();
}

}  // namespace

std::vector<std::string> import_runs(const std::string& database, const std::string& source,
                                     const std::string& device) {
  const std::string machine = device.empty() ? this_host() : device;
  if (fs::is_directory(source)) return {import_folder(database, source, machine)};
  const Json rows = Json::parse(file_bytes(source), nullptr, false);
  const auto is_row = [](const Json& row) {
    return row.is_object() && row.contains("model") && row["model"].is_string() && row.contains("median_ms");
  };
  if (!rows.is_array() || !std::all_of(rows.begin(), rows.end(), is_row))
    throw Error(source + ": neither the folder of a run nor a JSON file of bench_models");
  std::vector<std::string> keys;
  for (const Json& row : rows) keys.push_back(import_row(database, row, written_at(source), machine));
  return keys;
}

}  // namespace linnet::tracking
