// linnet report RUN: one page about a training run: curves, confusion matrix, per-class table, latency, size.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "classifier.h"
#include "commands.h"
#include "linnet/cpu.h"
#include "linnet/error.h"
#include "linnet/safetensors.h"
#include "linnet/session.h"
#include "linnet/summary.h"
#include "linnet/training/recipe.h"

extern const std::string_view embedded_report_page, embedded_chart_js;

namespace linnet::tools {
namespace {

struct ReportOptions {
  std::string run, data, out = "report.html";
  int threads = 0, latency_runs = 200;
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
  nlohmann::json confusion = nlohmann::json::array(), classes = nlohmann::json::array();
  for (Index label = 0; label < metrics.classes(); ++label) {
    nlohmann::json row = nlohmann::json::array();
    for (Index prediction = 0; prediction < metrics.classes(); ++prediction) {
      row.push_back(metrics.confusion(label, prediction));
    }
    confusion.push_back(std::move(row));
    const training::ClassScores scores = metrics.scores(label);
    const auto place = static_cast<std::size_t>(label);
    classes.push_back({{"name", !model.labels.empty()              ? class_name(model, static_cast<int>(label))
                                : place < dataset.classes().size() ? dataset.classes()[place]
                                                                   : std::to_string(label)},
                       {"precision", scores.precision},
                       {"recall", scores.recall},
                       {"f1", scores.f1},
                       {"support", scores.support}});
  }
  return {{"images", metrics.samples()},
          {"top1", metrics.top1()},
          {"top5", metrics.top5()},
          {"confusion", confusion},
          {"classes", classes},
          {"damaged", result.problems.size()},
          {"images_per_s", static_cast<double>(metrics.samples()) / result.seconds}};
}

/// Latency at batch 1 for 1 thread and for all: milliseconds at some quantiles.
nlohmann::json latency_json(const Model& model, int most_threads, int runs) {
  nlohmann::json rows = nlohmann::json::array();
  std::vector<int> counts = {1};
  if (most_threads > 1) counts.push_back(most_threads);
  for (const int threads : counts) {
    Session session(compile(model, {.batch = 1, .threads = threads}), threads);
    std::vector<float> input(static_cast<std::size_t>(element_count(session.plan().input_shape())), 0.5f);
    std::vector<float> output(static_cast<std::size_t>(element_count(session.plan().output_shape())));
    std::vector<double> times;
    for (int i = -runs / 10; i < runs; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      session.run(input, output);
      const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
      if (i >= 0) times.push_back(time.count());
    }
    std::sort(times.begin(), times.end());
    const auto quantile = [&](double q) { return times[static_cast<std::size_t>(q * static_cast<double>(runs - 1))]; };
    rows.push_back({{"threads", threads},
                    {"runs", runs},
                    {"min_ms", times.front()},
                    {"median_ms", quantile(0.5)},
                    {"p90_ms", quantile(0.9)},
                    {"p99_ms", quantile(0.99)}});
  }
  return rows;
}

/// JSON inside <script>: "</" would end the element.
std::string for_script(const nlohmann::json& data) {
  std::string text = data.dump();
  for (std::size_t at = text.find("</"); at != std::string::npos; at = text.find("</", at)) text.replace(at, 2, "<\\/");
  return text;
}

void replace(std::string& text, const std::string& mark, std::string_view with) {
  text.replace(text.find(mark), mark.size(), with);
}

void run_report(const ReportOptions& options) {
  const std::filesystem::path folder = options.run;
  const training::Recipe recipe = training::load_recipe((folder / "recipe.json").string());
  const std::string model_file = (folder / "model.safetensors").string();
  const Model model = load_classifier(model_file);
  const Summary counts = summary(model.graph);
  const std::string& default_data = recipe.data.validation.empty() ? recipe.data.train : recipe.data.validation;
  const std::string data = options.data.empty() ? default_data : options.data;
  const auto dataset = training::open_dataset(
      data, {.kind = training::dataset_kind_from_name(recipe.data.kind), .split = training::Split::test});
  const Accuracy result = evaluate(model, dataset, {.batch = 64, .threads = options.threads}, {});
  const ThreadPool pool(options.threads);

  const nlohmann::json report = {
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
  std::string page(embedded_report_page);
  replace(page, "/*REPORT*/null", for_script(report));
  replace(page, "/*CHART_JS*/", embedded_chart_js);
  write_file_atomically(options.out, page.data(), page.size());
  std::printf("%s: top-1 %.2f %% on %lld pictures\n", options.out.c_str(), 100 * result.metrics.top1(),
              static_cast<long long>(result.metrics.samples()));
}

}  // namespace

void add_report(CLI::App& app) {
  CLI::App* command = app.add_subcommand("report", "A page about a training run: curves, confusion, latency, size");
  auto options = std::make_shared<ReportOptions>();
  command->add_option("run", options->run, "Folder that train_cli wrote (--out)")->required();
  command->add_option("--data", options->data, "Test pictures; default: the recipe's data set");
  command->add_option("--out", options->out, "File to write")->capture_default_str();
  command->add_option("--threads", options->threads, "Threads; 0: the big cores of this CPU")
      ->check(CLI::Range(0, 1024));
  command->add_option("--latency-runs", options->latency_runs, "Runs per latency figure")
      ->check(CLI::Range(10, 1000000))
      ->capture_default_str();
  command->callback([options] { run_report(*options); });
}

}  // namespace linnet::tools
