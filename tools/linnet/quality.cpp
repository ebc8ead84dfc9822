#include "quality.h"

#include <algorithm>
#include <chrono>

#include "linnet/session.h"

namespace linnet::tools {

std::string to_line(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_lines(const nlohmann::json& object) {
  std::string text = "{";
  for (const auto& [key, value] : object.items())
    text += (text.size() > 1 ? ",\n " : "\n ") + to_line(key) + ": " + to_line(value);
  return text + "\n}";
}

std::string class_name(const Model& model, const training::Dataset& dataset, Index label) {
  const auto place = static_cast<std::size_t>(label);
  if (model.labels.empty() && place < dataset.classes().size()) return dataset.classes()[place];
  return class_name(model, static_cast<int>(label));
}

nlohmann::json macro_json(const training::Metrics& metrics) {
  const training::ClassScores mean = metrics.macro_scores();
  return {{"precision", mean.precision}, {"recall", mean.recall}, {"f1", mean.f1}};
}

nlohmann::json classes_json(const Model& model, const training::Dataset& dataset, const training::Metrics& metrics) {
  nlohmann::json classes = nlohmann::json::array();
  for (Index label = 0; label < metrics.classes(); ++label) {
    const training::ClassScores scores = metrics.scores(label);
    classes.push_back({{"name", class_name(model, dataset, label)},
                       {"precision", scores.precision},
                       {"recall", scores.recall},
                       {"f1", scores.f1},
                       {"support", scores.support}});
  }
  return classes;
}

nlohmann::json confusion_json(const training::Metrics& metrics) {
  nlohmann::json confusion = nlohmann::json::array();
  for (Index label = 0; label < metrics.classes(); ++label) {
    nlohmann::json row = nlohmann::json::array();
    for (Index prediction = 0; prediction < metrics.classes(); ++prediction)
      row.push_back(metrics.confusion(label, prediction));
    confusion.push_back(std::move(row));
  }
  return confusion;
}

nlohmann::json calibration_json(const training::Metrics& metrics) {
  nlohmann::json bins = nlohmann::json::array();
  for (const training::CalibrationBin& bin : metrics.calibration())
    bins.push_back({{"pictures", bin.samples}, {"confidence", bin.confidence}, {"accuracy", bin.accuracy}});
  return bins;
}

nlohmann::json latency_json(const Model& model, int most_threads, int runs) {
  constexpr double enough_seconds = 3;
  constexpr std::size_t fewest = 5;
  nlohmann::json rows = nlohmann::json::array();
  std::vector<int> counts = {1};
  if (most_threads > 1) counts.push_back(most_threads);
  for (const int threads : counts) {
    Session session(compile(model, {.batch = 1, .threads = threads}), threads);
    std::vector<float> input(static_cast<std::size_t>(element_count(session.plan().input_shape())), 0.5f);
    std::vector<float> output(static_cast<std::size_t>(element_count(session.plan().output_shape())));
    std::vector<double> times;
    const auto start = std::chrono::steady_clock::now();
    for (int i = -runs / 10; i < runs; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      session.run(input, output);
      const auto end = std::chrono::steady_clock::now();
      if (i >= 0) times.push_back(std::chrono::duration<double, std::milli>(end - begin).count());
      if (times.size() >= fewest && std::chrono::duration<double>(end - start).count() > enough_seconds) break;
    }
    std::sort(times.begin(), times.end());
    const auto quantile = [&times](double q) {
      return times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1))];
    };
    rows.push_back({{"threads", threads},
                    {"runs", times.size()},
                    {"min_ms", times.front()},
                    {"median_ms", quantile(0.5)},
                    {"p90_ms", quantile(0.9)},
                    {"p99_ms", quantile(0.99)}});
  }
  return rows;
}

}  // namespace linnet::tools
