// The statistics of bench_models, against values worked out by hand.
#include "benches/bench_models/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace linnet::bench {
namespace {

TEST(Statistics, PercentilesByNearestRank) {
  std::vector<double> samples(1000);
  std::iota(samples.rbegin(), samples.rend(), 1.0);
  const Statistics result = summarise(samples);
  EXPECT_EQ(result.count, 1000);
  EXPECT_EQ(result.min, 1);
  EXPECT_EQ(result.p50, 500);
  EXPECT_EQ(result.p90, 900);
  EXPECT_EQ(result.p99, 990);
  EXPECT_EQ(result.p999, 999);
  EXPECT_EQ(result.mean, 500.5);
  EXPECT_NEAR(result.deviation, std::sqrt(1000 * 1001 / 12.0), 1e-9);
}

TEST(Statistics, OneSample) {
  const Statistics result = summarise({3});
  EXPECT_EQ(result.p999, 3);
  EXPECT_EQ(result.deviation, 0);
  EXPECT_FALSE(result.median);
}

/// Ranks from tables of the binomial distribution, p = 0.5: the largest r with P(X < r) <= 0.025.
TEST(Statistics, MedianIntervalRanks) {
  for (const auto& [count, rank] :
       std::vector<std::pair<int, int>>{{6, 1}, {8, 1}, {9, 2}, {20, 6}, {50, 18}, {100, 40}}) {
    std::vector<double> sorted(static_cast<std::size_t>(count));
    std::iota(sorted.begin(), sorted.end(), 1.0);
    const auto interval = median_interval(sorted);
    ASSERT_TRUE(interval) << count;
    EXPECT_EQ(interval->low, rank) << count;
    EXPECT_EQ(interval->high, count + 1 - rank) << count;
  }
  EXPECT_FALSE(median_interval({1, 2, 3, 4, 5}));
}

TEST(Statistics, MedianIntervalHoldsTheMedian) {
  std::mt19937 generator(1);
  std::exponential_distribution<double> distribution;
  int held = 0;
  constexpr int trials = 2000;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> samples(50);
    for (double& sample : samples) sample = distribution(generator);
    std::sort(samples.begin(), samples.end());
    const auto interval = median_interval(samples);
    held += interval->low <= std::log(2.0) && std::log(2.0) <= interval->high ? 1 : 0;
  }
  EXPECT_GE(held, 0.95 * trials);
  EXPECT_LE(held, 0.985 * trials);
}

TEST(Statistics, EqualMedians) {
  const Interval narrow{9.9, 10.1}, wide{8, 12.5};
  EXPECT_NEAR(equal_medians_p(10, narrow, 10, narrow), 1, 1e-12);
  EXPECT_LT(equal_medians_p(10, narrow, 11, {10.9, 11.1}), 0.001);
  EXPECT_GT(equal_medians_p(10, wide, 11, wide), 0.05);
  // Two intervals that just do not touch: sqrt(2) * 1.96 standard errors apart.
  EXPECT_NEAR(equal_medians_p(1, {1 / 1.1, 1.1}, 1.21, {1.1, 1.331}), 0.0056, 0.0001);
  EXPECT_EQ(equal_medians_p(1, {1, 1}, 2, {2, 2}), 0);
}

}  // namespace
}  // namespace linnet::bench
