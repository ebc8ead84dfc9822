// linnet report: one page about a training run (curves, confusion matrix, per-class table, latency, size), or about
// what boards measured.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "boards.h"
#include "classifier.h"
#include "commands.h"
#include "linnet/cpu.h"
#include "linnet/error.h"
#include "linnet/safetensors.h"
#include "linnet/summary.h"
#include "linnet/thread_pool.h"
#include "linnet/training/recipe.h"
#include "linnet/training/trainer.h"
#include "quality.h"

extern const std::string_view embedded_report_run, embedded_report_boards, embedded_report_style,
    embedded_report_script, embedded_chart_js;

namespace linnet::tools {
namespace {

struct ReportOptions {
  std::vector<std::string> sources;
  std::string data, out = "report.html";
  int threads = 0, latency_runs = 200;
  bool json = false;
};

/// The lines of RUN/metrics.jsonl.
nlohmann::json read_curve(const std::filesystem::path& path) {
  nlohmann::json lines = nlohmann::json::array();
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    nlohmann::json entry = nlohmann::json::parse(line, nullptr, false);
    if (entry.is_discarded()) {
      throw Error(path.string() + ": line " + std::to_string(lines.size() + 1) + " is not JSON");
    }
    lines.push_back(std::move(entry));
  }
  return lines;
}

nlohmann::json evaluation_json(const Model& model, const training::Dataset& dataset, const Accuracy& result) {
  const training::Metrics& metrics = result.metrics;
  return {{"images", metrics.samples()},
          {"loss", result.loss},
          {"top1", metrics.top1()},
          {"top5", metrics.top5()},
          {"macro", macro_json(metrics)},
          {"calibration_error", metrics.calibration_error()},
          {"calibration", calibration_json(metrics)},
          {"confusion", confusion_json(metrics)},
          {"classes", classes_json(model, dataset, metrics)},
          {"damaged", result.problems.size()},
          {"images_per_s", static_cast<double>(metrics.samples()) / result.seconds}};
}

nlohmann::json run_json(const ReportOptions& options) {
  const std::filesystem::path folder = options.sources.at(0);
  const training::Recipe recipe = training::load_recipe((folder / "recipe.json").string());
  const std::string model_file = (folder / "model.safetensors").string();
  const Model model = load_classifier(model_file);
  const Summary counts = summary(model.graph);
  const std::string& default_data = recipe.data.validation.empty() ? recipe.data.train : recipe.data.validation;
  const std::string data = options.data.empty() ? default_data : options.data;
  const auto dataset = options.data.empty()
                           ? training::validation_data(recipe)
                           : training::open_dataset(data, {.kind = training::dataset_kind_from_name(recipe.data.kind),
                                                           .split = training::Split::test});
  const Accuracy result = evaluate(model, dataset, {.batch = 64, .threads = options.threads}, {});
  const ThreadPool pool(options.threads);

  return {
      {"model",
       {{"name", model.graph.name},
        {"input", model.graph.input().shape},
        {"parameters", counts.parameters},
        {"macs", counts.macs},
        {"file_bytes", std::filesystem::file_size(model_file)},
        {"arena_bytes", compile(model)->arena_bytes()}}},
      {"machine", {{"cpu", cpu_info().name}, {"isa", to_string(selected_isa())}, {"cores", cpu_info().physical_cores}}},
      {"recipe", nlohmann::json::parse(training::to_json(recipe))},
      {"data", data},
      {"curve", read_curve(folder / "metrics.jsonl")},
      {"evaluation", evaluation_json(model, *dataset, result)},
      {"latency", latency_json(model, pool.threads(), options.latency_runs)}};
}

/// JSON inside <script>: "</" would end the element.
std::string for_script(const nlohmann::json& data) {
  std::string text = to_line(data);
  for (std::size_t at = text.find("</"); at != std::string::npos; at = text.find("</", at)) text.replace(at, 2, "<\\/");
  return text;
}

void replace(std::string& text, const std::string& mark, std::string_view with) {
  text.replace(text.find(mark), mark.size(), with);
}

void write_page(const std::string& file, std::string_view page, const nlohmann::json& report) {
  std::string text(page);
  replace(text, "/*STYLE*/", embedded_report_style);
  replace(text, "/*CHART_JS*/", embedded_chart_js);
  replace(text, "/*SCRIPT*/", embedded_report_script);
  replace(text, "/*REPORT*/null", for_script(report));
  write_file_atomically(file, text.data(), text.size());
}

void run_report(const ReportOptions& options) {
  const bool boards = !std::filesystem::is_directory(options.sources[0]);
  if (!boards && options.sources.size() > 1)
    throw CLI::ValidationError("expected one folder of train_cli, or JSON files of bench_models");
  const nlohmann::json report = boards ? boards_json(options.sources) : run_json(options);
  if (options.json) {
    std::printf("%s\n", to_lines(report).c_str());
    return;
  }
  write_page(options.out, boards ? embedded_report_boards : embedded_report_run, report);
  if (boards) {
    std::printf("%s: %zu boards, %zu rows\n", options.out.c_str(), report["boards"].size(), report["rows"].size());
  } else {
    const nlohmann::json& evaluation = report["evaluation"];
    std::printf("%s: top-1 %.2f %% on %lld pictures\n", options.out.c_str(), 100 * evaluation["top1"].get<double>(),
                evaluation["images"].get<long long>());
  }
}

}  // namespace

void add_report(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "report",
      "A page about a training run (curves, confusion, latency, size), or about what boards measured "
      "(accuracy by latency, size and energy)");
  auto options = std::make_shared<ReportOptions>();
  command
      ->add_option("source", options->sources,
                   "Folder that train_cli wrote (--out), or files that bench_models wrote (--json)")
      ->required();
  command->add_option("--data", options->data, "Test pictures; default: the recipe's data set");
  command->add_option("--out", options->out, "File to write")->capture_default_str();
  command->add_option("--threads", options->threads, "Threads; 0: the big cores of this CPU")
      ->check(CLI::Range(0, 1024));
  command->add_option("--latency-runs", options->latency_runs, "Runs per latency figure")
      ->check(CLI::Range(10, 1000000))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print what the page shows as a JSON object instead");
  command->callback([options] { run_report(*options); });
}

}  // namespace linnet::tools
