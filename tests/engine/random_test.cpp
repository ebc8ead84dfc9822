#include "linnet/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace linnet {
namespace {

// SplitMix64 seeded with 1234567 starts with these (a published test vector); its state advances by the increment.
TEST(Random, MixesAsSplitMix64) {
  std::uint64_t state = 1234567;
  for (const std::uint64_t expected : {6457827717110365317u, 3203168211198807973u, 9817491932198370423u}) {
    state += 0x9E3779B97F4A7C15u;
    EXPECT_EQ(mix_bits(state), expected);
  }
}

TEST(Random, ValuesAreFunctionsOfSeedStreamAndIndex) {
  static_assert(CounterRandom(1, 2).bits(3) == CounterRandom(1, 2).bits(3));
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (std::uint64_t stream = 0; stream < 10; ++stream)
      for (std::uint64_t index = 0; index < 100; ++index) seen.insert(CounterRandom(seed, stream).bits(index));
  EXPECT_EQ(seen.size(), 10000u);
}

TEST(Random, UniformAndBelowAreEvenlySpread) {
  const CounterRandom random(5, 6);
  std::array<int, 7> counts{};
  double sum = 0, squares = 0, products = 0;
  constexpr int n = 70000;
  for (std::uint64_t i = 0; i < n; ++i) {
    const double u = static_cast<double>(random.uniform(i)), next = static_cast<double>(random.uniform(i + 1));
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    squares += u * u;
    products += u * next;
    ++counts[random.below(i, 7)];
  }
  EXPECT_NEAR(sum / n, 0.5, 0.005);
  EXPECT_NEAR(squares / n, 1.0 / 3, 0.005);
  EXPECT_NEAR(products / n, 0.25, 0.005);
  for (const int count : counts) EXPECT_NEAR(count, n / 7, 400);
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(random.below(i, 1), 0u);
}

}  // namespace
}  // namespace linnet
