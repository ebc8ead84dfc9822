// linnet runs list|show|compare|export|delete|tag|attach|import|upload: the record of runs.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <map>
#include <set>

#include "commands.h"
#include "linnet/error.h"
#include "linnet/safetensors.h"
#include "linnet/tracking/import.h"
#include "linnet/tracking/record.h"
#include "linnet/training/progress.h"
#include "runs_json.h"
#include "runs_upload.h"
#include "text.h"

namespace linnet::tools {
namespace {

using tracking::Record;
using tracking::RecordAccess;
using tracking::Run;

struct RunsOptions {
  std::string database = tracking::default_database();
  bool json = false, remove = false;
  std::string run, kind, tag, format = "csv", out = "-", device;
  std::vector<std::string> names, tags;
  UploadOptions upload;
};
using Shared = std::shared_ptr<RunsOptions>;

std::string time_text(std::int64_t milliseconds) {
  const std::time_t seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm local{};
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", localtime_r(&seconds, &local));
  return text;
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

std::string figure(const Run& run, const std::string& label) {
  const tracking::SeriesSummary* series = run.find_series(label);
  return series == nullptr || series->count == 0 ? "-" : number_text(series->last);
}

std::string duration(const Run& run) {
  return training::duration_text(static_cast<double>(run.ended.value_or(run.heartbeat) - run.started) / 1000);
}

std::vector<Run> named_runs(const Record& record, const std::vector<std::string>& names) {
  std::vector<Run> runs;
  for (const std::string& name : names) runs.push_back(record.run(name));
  return runs;
}

void print_json(const nlohmann::ordered_json& json) { std::fputs(json_text(json).c_str(), stdout); }

void list(const RunsOptions& options) {
  std::vector<Run> runs = Record(options.database).runs();
  std::erase_if(runs, [&](const Run& run) {
    return (!options.kind.empty() && run.kind != options.kind) ||
           (!options.tag.empty() && std::count(run.tags.begin(), run.tags.end(), options.tag) == 0);
  });
  if (options.json) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const Run& run : runs) rows.push_back(summary_json(run));
    return print_json(rows);
  }
  std::vector<std::vector<std::string>> rows = {
      {"name", "key", "kind", "status", "started", "took", "steps", "loss", "top-1", "tags"}};
  for (const Run& run : runs) {
    const tracking::SeriesSummary* loss = run.find_series("train/loss");
    rows.push_back({run.name, run.key.substr(0, 8), run.kind, run.status, time_text(run.started), duration(run),
                    loss == nullptr ? "-" : std::to_string(loss->last_step), figure(run, "train/loss"),
                    figure(run, "validate/top1"), joined(run.tags)});
  }
  print_table(rows);
}

void show(const RunsOptions& options) {
  const Record record(options.database);
  const Run run = record.run(options.run);
  if (options.json) return print_json(full_json(record, run));
  std::printf("%s  %s  %s  %s, %s\n", run.name.c_str(), run.key.c_str(), run.status.c_str(),
              time_text(run.started).c_str(), duration(run).c_str());
  if (!run.error.empty()) std::printf("error: %s\n", run.error.c_str());
  if (!run.folder.empty()) std::printf("folder: %s\n", run.folder.c_str());
  if (!run.tags.empty()) std::printf("tags: %s\n", joined(run.tags).c_str());
  for (const auto& [name, value] : run.texts)
    if (name != "graph") std::printf("%s: %s\n", name.c_str(), value.c_str());
  std::vector<std::vector<std::string>> rows = {{"metric", "points", "step", "last", "smallest", "largest"}};
  for (const auto& series : run.series)
    rows.push_back({series.label(), std::to_string(series.count), std::to_string(series.last_step),
                    number_text(series.last), number_text(series.smallest), number_text(series.largest)});
  std::printf("\n");
  print_table(rows);
  rows = {{"asset", "kind", "step", "bytes", "hash"}};
  for (const auto& asset : record.assets(run.id))
    rows.push_back({asset.name, asset.kind, asset.step ? std::to_string(*asset.step) : "-", short_bytes(asset.bytes),
                    asset.hash.substr(0, 12)});
  if (rows.size() > 1) std::printf("\n"), print_table(rows);
  rows = {{"parameter", "value"}};
  for (const auto& [name, value] : run.parameters) rows.push_back({name, value});
  if (rows.size() > 1) std::printf("\n"), print_table(rows);
}

void compare(const RunsOptions& options) {
  const std::vector<Run> runs = named_runs(Record(options.database), options.names);
  if (options.json) return print_json(comparison_json(runs));
  std::vector<std::string> head = {"parameter"};
  for (const Run& run : runs) head.push_back(run.name);
  std::vector<std::vector<std::string>> rows = {head};
  for (const std::string& name : differing_parameters(runs)) {
    rows.push_back({name});
    for (const Run& run : runs) rows.back().push_back(run.parameters.count(name) ? run.parameters.at(name) : "-");
  }
  if (rows.size() > 1) print_table(rows), std::printf("\n");
  std::set<std::string> labels;
  for (const Run& run : runs)
    for (const auto& series : run.series) labels.insert(series.label());
  head.front() = "metric, last";
  rows = {head};
  for (const std::string& label : labels) {
    rows.push_back({label});
    for (const Run& run : runs) rows.back().push_back(figure(run, label));
  }
  print_table(rows);
}

void export_run(const RunsOptions& options) {
  const Record record(options.database);
  const Run run = record.run(options.run);
  const std::string text = options.format == "csv" ? points_csv(record, run) : json_text(full_json(record, run));
  if (options.out == "-")
    std::fwrite(text.data(), 1, text.size(), stdout);
  else
    write_file_atomically(options.out, text.data(), text.size());
}

void remove(const RunsOptions& options) {
  Record record(options.database, RecordAccess::write);
  const std::vector<Run> runs = named_runs(record, options.names);
  for (const Run& run : runs)
    if (run.status == "running") throw Error("run " + run.name + " (" + run.key + ") is running");
  for (const Run& run : runs) {
    record.remove(run.id);
    std::printf("deleted %s (%s)\n", run.name.c_str(), run.key.c_str());
  }
}

void tag(const RunsOptions& options) {
  Record record(options.database, RecordAccess::write);
  const Run run = record.run(options.run);
  for (const std::string& name : options.tags)
    options.remove ? record.remove_tag(run.id, name) : record.add_tag(run.id, name);
}

void attach(const RunsOptions& options) {
  Record record(options.database, RecordAccess::write);
  const Run run = record.run(options.run);
  for (const std::string& path : options.names) {
    const std::string name = std::filesystem::path(path).filename().string();
    const std::string kind = options.kind.empty() ? tracking::kind_by_extension(name) : options.kind;
    record.attach(run.id, {.kind = kind, .name = name}, path);
  }
}

void import(const RunsOptions& options) {
  for (const std::string& source : options.names)
    for (const std::string& key : tracking::import_runs(options.database, source, options.device))
      std::printf("%s\n", key.c_str());
}

void upload(const RunsOptions& options) {
  UploadOptions upload = options.upload;
  upload.database = options.database;
  upload.runs = options.names;
  upload_runs(upload);
}

}  // namespace

void add_runs(CLI::App& app) {
  CLI::App* runs = app.add_subcommand("runs", "The record of runs: what was trained and measured");
  runs->require_subcommand(1);
  const auto options = std::make_shared<RunsOptions>();
  const auto add = [&](const char* name, const char* help, void (*action)(const RunsOptions&)) {
    CLI::App* command = runs->add_subcommand(name, help);
    command->add_option("--db", options->database, "Record of runs; default: $LINNET_TRACKING, else runs/linnet.db")
        ->capture_default_str();
    command->callback([options, action] { action(*options); });
    return command;
  };
  const auto one_run = [&](CLI::App* command) {
    command->add_option("run", options->run, "Name of a run or first digits of its key")->required();
  };
  CLI::App* command = add("list", "All runs, the newest first", list);
  command->add_option("--kind", options->kind, "Only training or benchmark runs");
  command->add_option("--tag", options->tag, "Only runs with this tag");
  command->add_flag("--json", options->json);
  one_run(command = add("show", "Everything about a run", show));
  command->add_flag("--json", options->json);
  command = add("compare", "Parameters that differ, last values of all metrics", compare);
  command->add_option("runs", options->names, "Names or first digits of keys")->required()->expected(2, 1000);
  command->add_flag("--json", options->json);
  one_run(command = add("export", "A run as CSV (its points) or JSON (all but files)", export_run));
  command->add_option("--format", options->format)->check(CLI::IsMember({"csv", "json"}))->capture_default_str();
  command->add_option("--out", options->out, "File to write; - for stdout")->capture_default_str();
  command = add("delete", "Deletes runs for good", remove);
  command->add_option("runs", options->names, "Names or first digits of keys")->required();
  one_run(command = add("tag", "Adds tags to a run", tag));
  command->add_option("tags", options->tags)->required();
  command->add_flag("--remove", options->remove, "Takes these tags away instead");
  one_run(command = add("attach", "Adds files to a run: its report, a plot, another model", attach));
  command->add_option("files", options->names)->required();
  command->add_option("--kind", options->kind, "Default: by the extension of each file")
      ->check(CLI::IsMember({"asset", "html", "image", "model"}));
  command = add("import", "Folders that train_cli wrote, JSON files of bench_models", import);
  command->add_option("sources", options->names)->required();
  command->add_option("--device", options->device, "Machine that these ran on; default: this one");
  command = add("upload", "Sends runs to Comet, from where an earlier upload stopped", upload);
  command->add_option("runs", options->names, "Names or first digits of keys")->required();
  command->add_option("--workspace", options->upload.comet.workspace, "Default: $COMET_WORKSPACE, .comet.config");
  command->add_option("--project", options->upload.comet.project, "Default: $COMET_PROJECT_NAME, .comet.config");
  command->add_option("--register", options->upload.comet.registered_model,
                      "Register the model file under this name, NAME or NAME:1.2.0");
  command->add_flag("--offline", options->upload.offline,
                    "Write archives for `comet upload` instead, into $COMET_OFFLINE_DIRECTORY or .cometml-runs");
}

}  // namespace linnet::tools
