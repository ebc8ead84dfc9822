#include "benches/bench_models/profile.h"

#include <algorithm>
#include <iomanip>
#include <map>
#include <sstream>

#include "benches/common/fma_peak.h"
#include "linnet/cpu.h"
#include "linnet/summary.h"

namespace linnet::bench {
namespace {

constexpr int name_width = 36;

struct StepTime {
  PlanStep step;
  double ms = 0;     ///< the median
  double flops = 0;  ///< of all its nodes
};

std::vector<StepTime> median_step_times(const Model& model, const Case& conditions) {
  Runner runner(model, conditions.compile);
  warm_up(conditions.warmup, [&] { runner.run(); });
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
