// linnet evaluate MODEL FOLDER: how good a model is over labelled pictures, how fast and how large.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "classifier.h"
#include "commands.h"
#include "linnet/error.h"
#include "linnet/safetensors.h"
#include "linnet/summary.h"
#include "linnet/thread_pool.h"
#include "pass_option.h"
#include "quality.h"
#include "text.h"

namespace linnet::tools {
namespace {

struct EvaluateOptions {
  std::string model, folder, kind = "auto", split = "test", predictions;
  CompileOptions compile{.batch = 32, .threads = 0};
  bool strict = false, rotate = false, json = false, classes = false;
  int latency_runs = 50;
};

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

/// "file,class1,...,class5,logit"
std::string csv_line(const std::string& file, std::span<const float> logits) {
  std::string line = csv_field(file);
  const std::vector<int> best = best_classes(logits, 5);
  for (std::size_t place = 0; place < 5; ++place) {
    line += "," + (place < best.size() ? std::to_string(best[place]) : std::string());
  }
  char number[32];
  std::snprintf(number, sizeof number, ",%.9g\n", static_cast<double>(logits[static_cast<std::size_t>(best[0])]));
  return line + number;
}

nlohmann::json report_of(const EvaluateOptions& options, const Model& model, const training::Dataset& dataset,
                         const Accuracy& result) {
  const training::Metrics& metrics = result.metrics;
  const Summary counts = summary(model.graph);
  nlohmann::json latency = nlohmann::json::array();
  if (options.latency_runs > 0)
    latency = latency_json(model, ThreadPool(options.compile.threads).threads(), options.latency_runs);
  return {{"model", options.model},
          {"data", options.folder},
          {"images", metrics.samples()},
          {"damaged", result.problems.size()},
          {"foreign", dataset.foreign_files().size()},
          {"top1", 100 * metrics.top1()},
          {"top5", 100 * metrics.top5()},
          {"loss", result.loss},
          {"calibration_error", metrics.calibration_error()},
          {"calibration", calibration_json(metrics)},
          {"macro", macro_json(metrics)},
          {"classes", classes_json(model, dataset, metrics)},
          {"confusion", confusion_json(metrics)},
          {"images_per_s", static_cast<double>(metrics.samples()) / result.seconds},
          {"latency", latency},
          {"parameters", counts.parameters},
          {"macs", counts.macs},
          {"file_bytes", std::filesystem::file_size(options.model)}};
}

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

/// The pairs of classes that are taken for each other most often.
void print_confusions(const nlohmann::json& report) {
  struct Pair {
    std::int64_t count;
    std::size_t label, prediction;
  };
  constexpr std::size_t most = 10;
  std::vector<Pair> pairs;
  const nlohmann::json& confusion = report.at("confusion");
  for (std::size_t label = 0; label < confusion.size(); ++label)
    for (std::size_t prediction = 0; prediction < confusion.size(); ++prediction) {
      const auto count = confusion[label][prediction].get<std::int64_t>();
      if (label != prediction && count > 0) pairs.push_back({count, label, prediction});
    }
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.count > b.count; });
  if (pairs.size() > most) pairs.resize(most);
  if (pairs.empty()) return;
  const auto name = [&report](std::size_t i) { return report.at("classes")[i].at("name").get<std::string>(); };
  std::vector<std::vector<std::string>> rows = {{"true class", "taken for", "pictures"}};
  for (const Pair& pair : pairs) rows.push_back({name(pair.label), name(pair.prediction), std::to_string(pair.count)});
  std::printf("\n");
  print_table(rows);
}

void print_classes(const nlohmann::json& report) {
  std::vector<std::vector<std::string>> rows = {{"class", "precision %", "recall %", "F1 %", "pictures"}};
  for (const nlohmann::json& one : report.at("classes")) {
    std::vector<std::string> row = {one.at("name").get<std::string>()};
    for (const char* score : {"precision", "recall", "f1"}) row.push_back(fixed(100 * one.at(score).get<double>(), 1));
    row.push_back(std::to_string(one.at("support").get<std::int64_t>()));
    rows.push_back(std::move(row));
  }
  std::printf("\n");
  print_table(rows);
}

void print_report(const EvaluateOptions& options, const nlohmann::json& report) {
  const auto number = [&report](const char* name) { return report.at(name).get<double>(); };
  const auto macro = [&report](const char* name) { return 100 * report.at("macro").at(name).get<double>(); };
  std::printf("%lld pictures: top-1 %.2f %%, top-5 %.2f %% (%.0f pictures/s)\n",
              static_cast<long long>(report.at("images").get<std::int64_t>()), number("top1"), number("top5"),
              number("images_per_s"));
  if (number("damaged") > 0) std::printf("%.0f damaged pictures were left out\n", number("damaged"));
  std::printf(
      "loss %.4f, calibration error %.2f %%; mean over classes: precision %.2f %%, recall %.2f %%, F1 %.2f %%\n",
      number("loss"), 100 * number("calibration_error"), macro("precision"), macro("recall"), macro("f1"));
  std::printf("%s parameters, %s multiply-adds, file of %s\n",
              short_count(report.at("parameters").get<std::int64_t>()).c_str(),
              short_count(report.at("macs").get<std::int64_t>()).c_str(),
              short_bytes(report.at("file_bytes").get<std::int64_t>()).c_str());
  for (const nlohmann::json& row : report.at("latency"))
    std::printf("latency of one picture, %d %s: median %.3f ms, 90 %% within %.3f ms\n", row.at("threads").get<int>(),
                row.at("threads") == 1 ? "thread" : "threads", row.at("median_ms").get<double>(),
                row.at("p90_ms").get<double>());
  constexpr std::size_t few = 20;
  if (options.classes || report.at("classes").size() <= few) print_classes(report);
  print_confusions(report);
}

void run_evaluate(const EvaluateOptions& options) {
  const Model model = load_classifier(options.model);
  const std::shared_ptr<const training::Dataset> dataset = training::open_dataset(
      options.folder,
      {.kind = training::dataset_kind_from_name(options.kind),
       .split = options.split == "train" ? training::Split::train : training::Split::test,
       .strict = options.strict,
       .orientation = options.rotate ? training::Orientation::as_tagged : training::Orientation::as_stored});
  std::string csv = "file,class1,class2,class3,class4,class5,logit\n";
  const Accuracy result = evaluate(model, dataset, options.compile, [&](Index index, std::span<const float> logits) {
    if (!options.predictions.empty()) csv += csv_line(dataset->name(index), logits);
  });
  if (!options.predictions.empty()) write_file_atomically(options.predictions, csv.data(), csv.size());

  for (const std::string& file : dataset->foreign_files()) {
    std::fprintf(stderr, "linnet evaluate: %s: not a picture, left out\n", file.c_str());
  }
  for (const std::string& problem : result.problems) std::fprintf(stderr, "linnet evaluate: %s\n", problem.c_str());
  const nlohmann::json report = report_of(options, model, *dataset, result);
  if (options.json)
    std::printf("%s\n", to_lines(report).c_str());
  else
    print_report(options, report);
  if (!result.problems.empty()) throw Failed{};
}

}  // namespace

void add_evaluate(CLI::App& app) {
  CLI::App* command = app.add_subcommand("evaluate", "Accuracy of a model over labelled pictures");
  auto options = std::make_shared<EvaluateOptions>();
  command->add_option("model", options->model, "Model file")->required();
  command
      ->add_option("folder", options->folder,
                   "Folder of pictures, one sub-folder per class or CLASS_name.jpg; or an MNIST or CIFAR folder")
      ->required();
  command->add_option("--kind", options->kind, "auto, idx, cifar10, cifar100, folder or tar")->capture_default_str();
  command->add_option("--split", options->split, "Which part, where the folder has both")
      ->check(CLI::IsMember({"train", "test"}))
      ->capture_default_str();
  command->add_option("--batch", options->compile.batch, "Pictures per run")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_option("--threads", options->compile.threads, "Threads; 0: the big cores of this CPU")
      ->check(CLI::Range(0, 1024));
  command->add_option("--predictions", options->predictions,
                      "Write a CSV file: picture, its five best classes, the largest logit");
  add_pass_option(*command, options->compile.disabled_passes);
  command->add_option("--latency-runs", options->latency_runs, "Runs per latency figure; 0: do not measure it")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  command->add_flag("--classes", options->classes, "Show the table of classes however long it is");
  command->add_flag("--strict", options->strict, "Foreign files are an error");
  command->add_flag("--rotate-by-exif", options->rotate, "Turn JPEG files as their EXIF orientation says");
  command->add_flag("--json", options->json, "Print a JSON object");
  command->callback([options] { run_evaluate(*options); });
}

}  // namespace linnet::tools
