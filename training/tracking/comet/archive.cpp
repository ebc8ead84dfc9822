// The archive that `comet upload` takes: a zip file of experiment.json, messages.json (a message per line) and assets.
#include <minizip/zip.h>

#include <filesystem>

#include "linnet/error.h"
#include "linnet/tracking/comet.h"
#include "training/tracking/comet/payloads.h"

namespace linnet::tracking {
namespace {

namespace fs = std::filesystem;
using comet::Json;

/// A zip file that appears under its name when it is complete.
class ZipFile {
 public:
  explicit ZipFile(const std::string& path)
      : path_(path), unfinished_(path + ".unfinished"), zip_(zipOpen64(unfinished_.c_str(), APPEND_STATUS_CREATE)) {
    check(zip_ != nullptr);
  }
  ~ZipFile() {
    if (zip_ == nullptr) return;
    zipClose(zip_, nullptr);
    std::error_code ignored;
    fs::remove(unfinished_, ignored);
  }
  ZipFile(const ZipFile&) = delete;
  ZipFile& operator=(const ZipFile&) = delete;

  void begin(const std::string& member, bool compressed) {
    zip_fileinfo info{};
    info.dosDate = 1 << 21 | 1 << 16;  // 1 January 1980: the same record gives the same bytes
    check(zipOpenNewFileInZip64(zip_, member.c_str(), &info, nullptr, 0, nullptr, 0, nullptr,
                                compressed ? Z_DEFLATED : 0, Z_DEFAULT_COMPRESSION, 1) == ZIP_OK);
  }
  void write(std::string_view bytes) {
    constexpr std::size_t most = 1U << 30U;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), most)))
      check(zipWriteInFileInZip(zip_, bytes.data(), static_cast<unsigned>(std::min(bytes.size(), most))) == ZIP_OK);
  }
  void end() { check(zipCloseFileInZip(zip_) == ZIP_OK); }
  void close() {
    const bool closed = zipClose(zip_, nullptr) == ZIP_OK;
    zip_ = nullptr;
    check(closed);
    fs::rename(unfinished_, path_);
  }

 private:
  void check(bool good) const {
    if (!good) throw Error(path_ + ": cannot write this archive");
  }

  const std::string path_, unfinished_;
  zipFile zip_;
};

class Messages {
 public:
  explicit Messages(ZipFile& zip) : zip_(zip) {}
  void add(const char* type, Json payload) {
    zip_.write(comet::dumped({{"type", type}, {"payload", std::move(payload)}}) + "\n");
  }

 private:
  ZipFile& zip_;
};

Json experiment_json(const Run& run, const CometSettings& settings) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  const bool failed = run.status == "failed";
  return {{"offline_id", run.key},
          {"project_name", or_null(settings.project)},
          {"workspace", or_null(settings.workspace)},
          {"start_time", run.started},
          {"stop_time", run.ended.value_or(run.heartbeat)},
          {"tags", run.tags},
          {"resume_strategy", "create"},
          {"customer_error_reported", failed},
          {"customer_error_message", failed ? Json(run.error) : Json()},
          {"user_provided_experiment_key", false},
          {"comet_start_sourced", false}};
}

void add_facts(Messages& messages, const Run& run) {
  for (const auto& [key, value] : comet::others(run)) messages.add("log_other", {{"key", key}, {"value", value}});
  bool system = false, git = false;
  for (const auto& [name, value] : run.texts) {
    system = system || comet::is_system_text(name);
    git = git || comet::is_git_text(name);
    if (name == "graph")
      messages.add("graph", {{"graph", value}});
    else if (!comet::is_system_text(name) && !comet::is_git_text(name))
      messages.add("log_other", {{"key", name}, {"value", value}});
  }
  if (system) messages.add("system_details", comet::system_details(run.texts));
  if (git) messages.add("git_metadata", {{"git_metadata", comet::git_metadata(run.texts)}});
  for (const auto& [name, text] : run.parameters) {
    const Json value = comet::value_json(text);
    messages.add("parameter_msg",
                 {{"local_timestamp", run.started},
                  {value.is_array() ? "params" : "param",
                   {{"paramName", name}, {"paramValue", value}, {"step", nullptr}, {"source", "manual"}}}});
  }
}

// Every metric has a step: Comet's uploader orders them by it.
void add_points(Messages& messages, const Record& record, const Run& run) {
  constexpr std::int64_t at_once = 100'000;
  for (const SeriesSummary& series : run.series) {
    std::vector<Point> points;
    for (std::int64_t place = 0; !(points = record.points(series.id, place, at_once)).empty();
         place = points.back().place)
      for (const Point& point : points)
        messages.add("metric_msg", {{"local_timestamp", point.time},
                                    {"context", series.context.empty() ? Json() : Json(series.context)},
                                    {"metric",
                                     {{"metricName", series.name},
                                      {"metricValue", comet::number_json(point.value)},
                                      {"step", point.step},
                                      {"epoch", point.epoch ? Json(*point.epoch) : Json()}}}});
  }
}

void add_asset(Messages& messages, const Record& record, const Run& run, const Asset& asset) {
  if (asset.kind == "html") return messages.add("htmlOverride", {{"htmlOverride", record.bytes(asset)}});
  messages.add("file_upload", {{"local_timestamp", asset.time},
                               {"file_path", comet::asset_key(run, asset)},
                               {"upload_type", comet::asset_type(asset)},
                               {"additional_params", comet::asset_fields(run, asset)},
                               {"metadata", comet::asset_metadata(asset)},
                               {"clean", true}});
}

// The uploader asks for all of these fields, and takes null for all but `tags`.
void add_registration(Messages& messages, const Run& run, const CometSettings& settings) {
  const auto [name, version] = comet::registered_name(settings.registered_model);
  messages.add("register_model", {{"experiment_id", run.key},
                                  {"model_name", comet::model_name(run)},
                                  {"version", version},
                                  {"workspace", settings.workspace},
                                  {"registry_name", name},
                                  {"public", false},
                                  {"description", nullptr},
                                  {"comment", nullptr},
                                  {"tags", Json::array()},
                                  {"status", nullptr},
                                  {"stages", nullptr},
                                  {"metadata", nullptr},
                                  {"status_configuration", nullptr}});
}

}  // namespace

std::string write_comet_archive(const std::string& database, const std::string& name, const CometSettings& settings) {
  const Record record(database);
  const Run run = record.run(name);
  const std::vector<Asset> assets = record.assets(run.id);
  std::error_code failed;
  fs::create_directories(settings.archive_folder, failed);
  const std::string path = (fs::path(settings.archive_folder) / (run.key + ".zip")).string();
  ZipFile zip(path);
  zip.begin("experiment.json", false);
  zip.write(comet::dumped(experiment_json(run, settings)));
  zip.end();
  zip.begin("messages.json", true);
  Messages messages(zip);
  add_facts(messages, run);
  add_points(messages, record, run);
  for (const OutputLine& line : record.output(run.id))
    messages.add("standard_output", {{"output", line.text}, {"stderr", line.error}, {"local_timestamp", line.time}});
  bool has_model = false;
  for (const Asset& asset : assets) {
    add_asset(messages, record, run, asset);
    has_model = has_model || asset.kind == "model";
  }
  if (has_model && !settings.registered_model.empty()) add_registration(messages, run, settings);
  zip.end();
  for (const Asset& asset : assets) {
    if (asset.kind == "html") continue;
    zip.begin(comet::asset_key(run, asset), false);
    zip.write(record.bytes(asset));
    zip.end();
  }
  zip.close();
  return path;
}

}  // namespace linnet::tracking
