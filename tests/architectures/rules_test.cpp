#include "architectures/rules.h"

#include <gtest/gtest.h>

#include "architectures/names.h"

namespace linnet::architectures {
namespace {

TEST(Rules, ChannelsRoundToMultiplesOfEight) {
  EXPECT_EQ(make_divisible(32 * 0.35), 16) << "8 would lose more than a tenth";
  EXPECT_EQ(make_divisible(24 * 0.35), 8);
  EXPECT_EQ(make_divisible(160 * 0.75), 120);
  EXPECT_EQ(make_divisible(1280 * 1.4), 1792);
  EXPECT_EQ(make_divisible(16 * 0.5), 8);
  EXPECT_EQ(make_divisible(1), 8);
  EXPECT_EQ(make_divisible(12), 16) << "ties go up";
  EXPECT_EQ(make_divisible(11, 8, 0.0), 8) << "plain rounding";
  EXPECT_EQ(make_divisible(11, 8, 0.9), 16);
  // Squeeze widths of MobileNetV3.
  EXPECT_EQ(make_divisible(72 * 0.25), 24);
  EXPECT_EQ(make_divisible(120 * 0.25), 32);
  EXPECT_EQ(make_divisible(240 * 0.25), 64);
  EXPECT_EQ(make_divisible(480 * 0.25), 120);
  EXPECT_EQ(make_divisible(576 * 0.25), 144);
}

TEST(Rules, RepeatsAreSharedOutFromTheLastRow) {
  EXPECT_EQ(scale_repeats({3}, 1.0), (std::vector<Index>{3}));
  EXPECT_EQ(scale_repeats({3}, 1.4), (std::vector<Index>{5}));
  EXPECT_EQ(scale_repeats({1, 1}, 1.2), (std::vector<Index>{1, 2}));
  EXPECT_EQ(scale_repeats({1, 1, 2}, 1.2), (std::vector<Index>{1, 2, 2}));
  EXPECT_EQ(scale_repeats({1, 1, 2}, 1.0), (std::vector<Index>{1, 1, 2}));
}

TEST(Rules, PaddingIsHalfTheWindow) {
  EXPECT_EQ(symmetric_padding(1, 1), 0);
  EXPECT_EQ(symmetric_padding(1, 2), 0);
  EXPECT_EQ(symmetric_padding(3, 1), 1);
  EXPECT_EQ(symmetric_padding(3, 2), 1);
  EXPECT_EQ(symmetric_padding(5, 2), 2);
  EXPECT_EQ(symmetric_padding(3, 1, 2), 2);
}

TEST(Names, SuffixesGiveSizeAndClasses) {
  const auto expect = [](std::string_view name, std::string_view variant, std::optional<Index> height,
                         std::optional<Index> width, std::optional<Index> classes) {
    SCOPED_TRACE(name);
    const ParsedName parsed = parse_name(name);
    EXPECT_EQ(parsed.variant, variant);
    EXPECT_EQ(parsed.height, height);
    EXPECT_EQ(parsed.width, width);
    EXPECT_EQ(parsed.classes, classes);
  };
  const std::optional<Index> none;
  expect("mobilenetv2_100", "mobilenetv2_100", none, none, none);
  expect("mobilenetv2_100_97x161_c5", "mobilenetv2_100", 97, 161, 5);
  expect("mobilenetv2_100_97x161", "mobilenetv2_100", 97, 161, none);
  expect("mobilenetv2_100_c0", "mobilenetv2_100", none, none, 0);
  expect("shufflenet_v2_x0_5", "shufflenet_v2_x0_5", none, none, none);
  expect("shufflenet_v2_x0_5_127x127", "shufflenet_v2_x0_5", 127, 127, none);
  expect("mobilenetv4_conv_small_c7", "mobilenetv4_conv_small", none, none, 7);
  expect("mobilenetv4_conv", "mobilenetv4_conv", none, none, none);
  expect("a_c99999999999", "a_c99999999999", none, none, none);
  expect("a_12x", "a_12x", none, none, none);
  expect("a_-3x4", "a_-3x4", none, none, none);
  expect("", "", none, none, none);
}

TEST(Names, WidthsHaveThreeDigits) {
  EXPECT_EQ(width_in_name("mobilenetv1_125", "mobilenetv1_"), 1.25);
  EXPECT_EQ(width_in_name("mobilenetv1_030", "mobilenetv1_"), 0.3);
  for (const char* name : {"mobilenetv1_000", "mobilenetv1_30", "mobilenetv1_1000", "mobilenetv1_-30",
                           "mobilenetv1_1.0", "mobilenetv1_", "mobilenetv2_100"}) {
    EXPECT_EQ(width_in_name(name, "mobilenetv1_"), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace linnet::architectures
