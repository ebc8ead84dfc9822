// What the tests of kernels share: random inputs, guarded outputs, comparison, and one test per instruction set.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "kernels/dispatch/dispatch.h"
#include "linnet/types.h"

namespace linnet::kernels {

template <class Kernels>
void PrintTo(const Variant<Kernels>& variant, std::ostream* out) {
  *out << to_string(variant.isa);
}

}  // namespace linnet::kernels

namespace linnet::kernels::test {

/// The same floats in [low, high) for the same seed.
inline std::vector<float> random_floats(Index size, unsigned seed, float low = -1.0f, float high = 1.0f) {
  std::mt19937 generator(seed);
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = low + (high - low) * static_cast<float>(generator() >> 8) * 0x1p-24f;
  return values;
}

/// Floats between two strips of canaries, `offset` floats past an aligned address. Fresh contents are NaN, so that what
/// a kernel fails to write, or reads though it should not, is seen.
class Guarded {
 public:
  explicit Guarded(Index size, Index offset = 0)
      : size_(size), begin_(strip + offset), values_(static_cast<std::size_t>(begin_ + size + strip + 16), canary()) {
    const auto misaligned = static_cast<Index>(reinterpret_cast<std::uintptr_t>(values_.data()) % 64 / sizeof(float));
    begin_ += (16 - misaligned) % 16;
    std::fill(data(), data() + size_, NAN);
  }
  explicit Guarded(const std::vector<float>& values, Index offset = 0)
      : Guarded(static_cast<Index>(values.size()), offset) {
    std::copy(values.begin(), values.end(), data());
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  float* data() { return values_.data() + begin_; }
  const float* data() const { return values_.data() + begin_; }
  Index size() const { return size_; }
  std::vector<float> values() const { return {data(), data() + size_}; }

  /// No canary was overwritten.
  bool intact() const {
    const float expected = canary();
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const auto index = static_cast<Index>(i);
      if (index >= begin_ && index < begin_ + size_) continue;
      if (std::memcmp(&values_[i], &expected, sizeof expected) != 0) return false;
    }
    return true;
  }

 private:
  static constexpr Index strip = 64;
  static float canary() {
    const std::uint32_t bits = 0x7fc0beef;  // a NaN that no operation makes
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  Index size_, begin_;
  std::vector<float> values_;
};

/// |actual - expected| <= absolute + relative * |expected| everywhere; NaN equals NaN, infinities must agree.
inline testing::AssertionResult near(std::span<const float> actual, std::span<const float> expected, double absolute,
                                     double relative = 0) {
  if (actual.size() != expected.size()) {
    return testing::AssertionFailure() << actual.size() << " values instead of " << expected.size();
  }
  std::size_t wrong = 0, first = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double a = actual[i], e = expected[i];
    const bool equal =
        a == e || (std::isnan(a) && std::isnan(e)) || std::abs(a - e) <= absolute + relative * std::abs(e);
    if (equal) continue;
    if (wrong++ == 0) first = i;
  }
  if (wrong == 0) return testing::AssertionSuccess();
  return testing::AssertionFailure() << wrong << " of " << actual.size() << " values differ, the first at " << first
                                     << ": " << actual[first] << " instead of " << expected[first];
}
inline testing::AssertionResult near(const Guarded& actual, const Guarded& expected, double absolute,
                                     double relative = 0) {
  if (!actual.intact()) return testing::AssertionFailure() << "written outside of the output";
  return near(std::span(actual.data(), static_cast<std::size_t>(actual.size())),
              std::span(expected.data(), static_cast<std::size_t>(expected.size())), absolute, relative);
}

/// The same bits.
inline testing::AssertionResult identical(std::span<const float> actual, std::span<const float> expected) {
  if (actual.size() != expected.size()) {
    return testing::AssertionFailure() << actual.size() << " values instead of " << expected.size();
  }
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (std::memcmp(&actual[i], &expected[i], sizeof(float)) != 0) {
      return testing::AssertionFailure() << "value " << i << " is " << actual[i] << " instead of " << expected[i];
    }
  }
  return testing::AssertionSuccess();
}

/// Base of a family's tests that run once per line of its variants.inc:
///
///   using Foo = VariantTest<FooKernels>;
///   INSTANTIATE_TEST_SUITE_P(Kernels, Foo, every(foo_variants()), variant_name<FooKernels>);
///   TEST_P(Foo, MatchesReference) { ... kernels().forward(...) against foo_variants().back().kernels ... }
template <class Kernels>
class VariantTest : public testing::TestWithParam<Variant<Kernels>> {
 protected:
  void SetUp() override {
    const Isa isa = this->GetParam().isa;
    if (!is_supported(isa)) GTEST_SKIP() << "this CPU has no " << to_string(isa);
  }
  const Kernels& kernels() const { return *this->GetParam().kernels; }
};

template <class Kernels>
auto every(std::span<const Variant<Kernels>> variants) {
  return testing::ValuesIn(variants.begin(), variants.end());
}

template <class Kernels>
std::string variant_name(const testing::TestParamInfo<Variant<Kernels>>& info) {
  return std::string(to_string(info.param.isa));
}

}  // namespace linnet::kernels::test
