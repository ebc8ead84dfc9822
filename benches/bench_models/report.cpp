#include "benches/bench_models/report.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "benches/common/fma_peak.h"
#include "linnet/cpu.h"
#include "linnet/summary.h"

namespace linnet::bench {
namespace {

constexpr int name_width = 36;

/// Microseconds are as exact as the clock is.
double rounded(double ms) { return std::round(ms * 1e4) / 1e4; }

struct StepTime {
  PlanStep step;
  double ms = 0;     ///< the median
  double flops = 0;  ///< of all its nodes
};

std::vector<StepTime> median_step_times(const Model& model, const Case& conditions) {
  Runner runner(model, conditions.compile);
  for (int i = 0; i < conditions.warmup; ++i) runner.run();
  std::map<std::string, double> macs;
  for (const LayerSummary& layer : summary(model.graph).layers) macs[layer.name] = static_cast<double>(layer.macs);
  std::vector<StepTime> steps;
  for (const PlanStep& step : runner.steps()) {
    steps.push_back({step});
    for (const std::string& node : step.nodes)
      steps.back().flops += 2 * macs[node] * static_cast<double>(conditions.compile.batch);
  }
  std::vector<std::vector<double>> samples(steps.size());
  for (int run = 0; run < conditions.runs; ++run) {
    const std::vector<double> times = runner.profile();
    for (std::size_t i = 0; i < times.size(); ++i) samples[i].push_back(times[i]);
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::sort(samples[i].begin(), samples[i].end());
    steps[i].ms = percentile(samples[i], 0.5);
  }
  return steps;
}

/// Milliseconds, share of the whole, GFLOP/s and their share of the peak; the last two only where there are any.
std::string profile_columns(double ms, double total_ms, double flops, double peak) {
  std::ostringstream text;
  text << std::fixed << std::setw(10) << std::setprecision(4) << ms << std::setprecision(1) << std::setw(7)
       << 100 * ms / total_ms << '%';
  if (flops > 0) {
    text << std::setw(10) << flops * 1e-6 / ms;
    if (peak > 0) text << std::setw(6) << std::setprecision(0) << 100 * flops * 1e-6 / ms / peak << '%';
  }
  text << '\n';
  return text.str();
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
       << 1e3 * static_cast<double>(row.batch) / row.median_ms << '\n';
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
  constexpr int kernel_width = 22;
  const double peak_before = fma_peak(selected_isa(), conditions.compile.threads);
  const std::vector<StepTime> steps = median_step_times(model, conditions);
  const double peak = std::max(peak_before, fma_peak(selected_isa(), conditions.compile.threads));
  double total = 0, flops = 0;
  for (const StepTime& step : steps) {
    total += step.ms;
    flops += step.flops;
  }

  std::ostringstream text;
  text << std::fixed << std::setprecision(1);
  if (peak > 0) {
    text << "multiply-add peak, measured before and after: " << peak << " GFLOP/s with " << conditions.compile.threads
         << (conditions.compile.threads == 1 ? " thread" : " threads") << '\n';
  }
  text << std::left << std::setw(name_width) << "step" << std::setw(kernel_width) << "kernel" << std::setw(20)
       << "output" << std::right << std::setw(10) << "ms" << std::setw(8) << "share" << std::setw(10) << "GFLOP/s"
       << std::setw(7) << "peak" << '\n';
  for (const StepTime& time : steps) {
    text << std::left << std::setw(name_width) << time.step.name << std::setw(kernel_width) << time.step.kernel
         << std::setw(20) << to_string(time.step.shape) << std::right
         << profile_columns(time.ms, total, time.flops, peak);
  }
  text << std::left << std::setw(name_width + kernel_width + 20) << "sum" << std::right
       << profile_columns(total, total, flops, peak);
  return text.str();
}

}  // namespace linnet::bench
