// What many timings of the same thing say.
#pragma once

#include <optional>
#include <vector>

namespace linnet::bench {

/// A confidence interval.
struct Interval {
  double low = 0, high = 0;
};

struct Statistics {
  int count = 0;
  double min = 0, p50 = 0, p90 = 0, p99 = 0, p999 = 0;  ///< percentiles by nearest rank
  double mean = 0;
  double deviation = 0;            ///< standard deviation of the samples; 0 for a single one
  std::optional<Interval> median;  ///< where the true median is with 95 % confidence; nothing for fewer than 6 samples
};

/// `samples` is not empty.
Statistics summarise(std::vector<double> samples);

/// The smallest sample that at least this share of the samples does not exceed (nearest rank). `sorted` is not empty.
double percentile(const std::vector<double>& sorted, double share);

/// From order statistics: no distribution is assumed, but independent samples are. A rank is left out at each end as
/// long as the chance that the median lies beyond stays within 2.5 % (Conover, Practical Nonparametric Statistics,
/// 3.2).
std::optional<Interval> median_interval(const std::vector<double>& sorted);

/// Whether two medians differ, from their 95 % intervals: the two-sided p-value of equal medians, on the scale of
/// logarithms, where an interval is 1.96 standard errors to each side.
double equal_medians_p(double a, const Interval& of_a, double b, const Interval& of_b);

}  // namespace linnet::bench
