#include "benches/bench_models/report.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "linnet/summary.h"

namespace linnet::bench {
namespace {

constexpr int name_width = 36;

/// Microseconds are as exact as the clock is.
double rounded(double ms) { return std::round(ms * 1e4) / 1e4; }

std::vector<Runner::StepTime> median_step_times(const Model& model, const Case& conditions) {
  Runner runner(model, conditions.threads, conditions.batch);
  for (int i = 0; i < conditions.warmup; ++i) runner.run();
  std::vector<Runner::StepTime> steps = runner.profile();
  std::vector<std::vector<double>> samples(steps.size());
  for (int run = 0; run < conditions.runs; ++run) {
    const std::vector<Runner::StepTime> times = runner.profile();
    for (std::size_t i = 0; i < times.size(); ++i) samples[i].push_back(times[i].ms);
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::sort(samples[i].begin(), samples[i].end());
    steps[i].ms = percentile(samples[i], 0.5);
  }
  return steps;
}

}  // namespace

std::string table_header() {
  std::ostringstream text;
  text << std::left << std::setw(name_width) << "model" << std::right << std::setw(6) << "prec" << std::setw(4) << "thr"
       << std::setw(6) << "batch" << std::setw(5) << "res" << std::setw(7) << "runs" << std::setw(10) << "min ms"
       << std::setw(10) << "median ms" << std::setw(10) << "p90 ms" << std::setw(10) << "p99 ms" << std::setw(10)
       << "mean ms" << std::setw(10) << "images/s" << '\n';
  return text.str();
}

std::string table_line(const Row& row) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(3);
  text << std::left << std::setw(name_width) << row.model << std::right << std::setw(6) << row.precision << std::setw(4)
       << row.threads << std::setw(6) << row.batch << std::setw(5) << row.resolution << std::setw(7) << row.runs
       << std::setw(10) << row.min_ms << std::setw(10) << row.median_ms << std::setw(10) << row.p90_ms << std::setw(10)
       << row.p99_ms << std::setw(10) << row.mean_ms << std::setw(10) << std::setprecision(1)
       << 1e3 * row.batch / row.median_ms << '\n';
  return text.str();
}

std::string to_json(const std::vector<Row>& rows) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    array.push_back({{"model", row.model},
                     {"precision", row.precision},
                     {"threads", row.threads},
                     {"batch", row.batch},
                     {"resolution", row.resolution},
                     {"isa", row.isa},
                     {"runs", row.runs},
                     {"min_ms", rounded(row.min_ms)},
                     {"median_ms", rounded(row.median_ms)},
                     {"p90_ms", rounded(row.p90_ms)},
                     {"p99_ms", rounded(row.p99_ms)},
                     {"mean_ms", rounded(row.mean_ms)}});
  }
  return array.dump(1) + "\n";
}

std::string profile_table(const Model& model, const Case& conditions) {
  std::map<std::string, double> macs;
  for (const LayerSummary& layer : summary(model.graph).layers) macs[layer.name] = static_cast<double>(layer.macs);
  const std::vector<Runner::StepTime> steps = median_step_times(model, conditions);
  double total = 0;
  for (const Runner::StepTime& step : steps) total += step.ms;

  std::ostringstream text;
  text << std::fixed << std::left << std::setw(name_width) << "step" << std::setw(22) << "output" << std::right
       << std::setw(10) << "ms" << std::setw(8) << "share" << std::setw(10) << "GFLOP/s" << '\n';
  for (const Runner::StepTime& step : steps) {
    text << std::left << std::setw(name_width) << step.name << std::setw(22) << to_string(step.shape) << std::right
         << std::setw(10) << std::setprecision(4) << step.ms << std::setw(7) << std::setprecision(1)
         << 100 * step.ms / total << '%';
    const double flops = 2 * macs[step.name] * conditions.batch;
    if (flops > 0) text << std::setw(10) << flops * 1e-6 / step.ms;
    text << '\n';
  }
  return text.str();
}

}  // namespace linnet::bench
