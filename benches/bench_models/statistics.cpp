#include "benches/bench_models/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace linnet::bench {
namespace {

constexpr double normal_quantile = 1.959964;  // of 97.5 %

double standard_error(const Interval& interval) {
  return std::log(interval.high / interval.low) / (2 * normal_quantile);
}

}  // namespace

double percentile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

std::optional<Interval> median_interval(const std::vector<double>& sorted) {
  const auto count = static_cast<double>(sorted.size());
  constexpr double each_end = 0.025;
  // The number of samples below the median is binomial with probability one half.
  double below = 0;
  std::size_t left_out = 0;
  for (; left_out < sorted.size(); ++left_out) {
    const auto k = static_cast<double>(left_out);
    below += std::exp(std::lgamma(count + 1) - std::lgamma(k + 1) - std::lgamma(count - k + 1) - count * std::log(2.0));
    if (below > each_end) break;
  }
  if (left_out == 0) return std::nullopt;
  return Interval{sorted[left_out - 1], sorted[sorted.size() - left_out]};
}

Statistics summarise(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  Statistics result;
  result.count = static_cast<int>(samples.size());
  result.min = samples.front();
  result.p50 = percentile(samples, 0.5);
  result.p90 = percentile(samples, 0.9);
  result.p99 = percentile(samples, 0.99);
  result.p999 = percentile(samples, 0.999);
  result.mean = std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
  double squares = 0;
  for (const double sample : samples) squares += (sample - result.mean) * (sample - result.mean);
  if (samples.size() > 1) result.deviation = std::sqrt(squares / static_cast<double>(samples.size() - 1));
  result.median = median_interval(samples);
  return result;
}

double equal_medians_p(double a, const Interval& of_a, double b, const Interval& of_b) {
  const double error = std::hypot(standard_error(of_a), standard_error(of_b));
  const double difference = std::abs(std::log(a / b));
  if (error <= 0) return difference > 0 ? 0 : 1;
  return std::erfc(difference / error / std::sqrt(2.0));
}

}  // namespace linnet::bench
