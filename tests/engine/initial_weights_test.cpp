// What first weights are drawn from.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "linnet/model.h"

namespace linnet {
namespace {

struct Moments {
  double mean = 0, deviation = 0, largest = 0;
};

Moments moments(const Tensor& tensor) {
  Moments result;
  double squares = 0;
  for (Index i = 0; i < tensor.size(); ++i) {
    const auto value = static_cast<double>(tensor.data()[i]);
    result.mean += value;
    squares += value * value;
    result.largest = std::max(result.largest, std::fabs(value));
  }
  result.mean /= static_cast<double>(tensor.size());
  result.deviation = std::sqrt(squares / static_cast<double>(tensor.size()));
  return result;
}

/// 64 channels in 4 groups -> 128 channels, 3x3; then 512 -> 96 features. The conv's fan_in is 144, its fan_out 288.
Graph two_layers(Initial initial) {
  GraphBuilder builder("two", 2, 2, 64);
  int node = builder.add(
      "conv",
      op::Conv2d{
          .out_channels = 128, .kernel = 3, .groups = 4, .padding = {.amount = 1}, .bias = true, .initial = initial},
      {0});
  node = builder.add("flatten", op::Flatten{}, {node});
  builder.add("fc", op::Linear{.out_features = 96, .initial = initial}, {node});
  return std::move(builder).finish();
}

enum class Form { normal, truncated, uniform };

struct Rule {
  Initial initial;
  Form form;
  double conv, linear;  // deviation of a normal distribution before the cut, bound of a uniform one
};

const Rule rules[] = {
    {Initial::normal_fan_out, Form::normal, std::sqrt(2.0 / 288), std::sqrt(2.0 / 96)},
    {Initial::normal_fan_out_all, Form::normal, std::sqrt(2.0 / 1152), std::sqrt(2.0 / 96)},
    {Initial::normal_channels, Form::normal, 1.0 / 16, 1.0 / 512},
    {Initial::normal_hundredth, Form::normal, 0.01, 0.01},
    {Initial::truncated_nine_hundredth, Form::truncated, 0.09, 0.09},
    {Initial::truncated_fan_out, Form::truncated, std::sqrt(2.6 / 288), std::sqrt(2.6 / 96)},
    {Initial::uniform_fan_in, Form::uniform, 1.0 / 12, 1 / std::sqrt(512.0)},
    {Initial::uniform_fan_out, Form::uniform, 1 / std::sqrt(288.0), 1 / std::sqrt(96.0)},
    {Initial::he_uniform, Form::uniform, std::sqrt(6.0 / 144), std::sqrt(6.0 / 512)},
    {Initial::glorot_uniform, Form::uniform, std::sqrt(6.0 / (144 + 1152)), std::sqrt(6.0 / (512 + 96))},
};

/// 18,432 or more values: the deviation of their mean is below 0.8 % of theirs, that of their deviation below 0.6 %.
void expect_distribution(const Tensor& tensor, Form form, double scale) {
  const Moments found = moments(tensor);
  // A normal distribution that is cut at two deviations has 0.8796 of its deviation left.
  const double deviation = form == Form::normal      ? scale
                           : form == Form::truncated ? 0.87962566 * scale
                                                     : scale / std::sqrt(3.0);
  EXPECT_NEAR(found.mean, 0, 0.04 * deviation);
  EXPECT_NEAR(found.deviation, deviation, 0.03 * deviation);
  const double nearly = 1 + 1e-6;
  switch (form) {
    case Form::normal:
      EXPECT_GT(found.largest, 3.5 * scale);
      EXPECT_LT(found.largest, 6 * scale);
      break;
    case Form::truncated:
      EXPECT_GT(found.largest, 1.99 * scale);
      EXPECT_LE(found.largest, 2 * scale * nearly);
      break;
    case Form::uniform:
      EXPECT_GT(found.largest, 0.99 * scale);
      EXPECT_LE(found.largest, scale * nearly);
      break;
  }
}

TEST(InitialWeights, HaveTheDistributionsThatTheOpsName) {
  for (const Rule& rule : rules) {
    SCOPED_TRACE(to_string(rule.initial));
    const Graph graph = two_layers(rule.initial);
    Weights weights = initial_weights(graph, 3);
    check_weights(graph, weights);
    expect_distribution(weights.at("conv.weight"), rule.form, rule.conv);
    expect_distribution(weights.at("fc.weight"), rule.form, rule.linear);
    // Of PyTorch's default alone the biases are drawn, too.
    const bool draws_bias = rule.initial == Initial::uniform_fan_in;
    for (const auto& [name, bound] : {std::pair("conv.bias", rule.conv), std::pair("fc.bias", rule.linear)}) {
      const Moments bias = moments(weights.at(name));
      EXPECT_EQ(bias.largest > 0.8 * bound, draws_bias) << name;
      EXPECT_LE(bias.largest, draws_bias ? bound : 0) << name;
    }
    EXPECT_EQ(initial_from_string(to_string(rule.initial)), rule.initial);
  }
  EXPECT_THROW(initial_from_string("normal"), std::invalid_argument);
}

TEST(InitialWeights, OfBatchNormsAreWhatTheOpSays) {
  GraphBuilder builder("norms", 2, 2, 3);
  builder.add("plain", op::BatchNorm{}, {0});
  builder.add("other", op::BatchNorm{.initial_gamma = 0, .initial_beta = 0.25f}, {1});
  const Weights weights = initial_weights(std::move(builder).finish(), 1);
  EXPECT_EQ(1, *weights.at("plain.weight").data());
  EXPECT_EQ(0, *weights.at("plain.bias").data());
  EXPECT_EQ(0, *weights.at("other.weight").data());
  EXPECT_EQ(0.25f, *weights.at("other.bias").data());
  EXPECT_EQ(0, *weights.at("other.running_mean").data());
  EXPECT_EQ(1, *weights.at("other.running_var").data());
}

/// FNV-1a of the bits of all values.
std::uint64_t fingerprint(const Weights& weights) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const auto& [name, tensor] : weights) {
    for (Index i = 0; i < tensor.size(); ++i) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, tensor.data() + i, sizeof bits);
      hash = (hash ^ bits) * 0x100000001B3u;
    }
  }
  return hash;
}

TEST(InitialWeights, AreTheSameOnEveryMachine) {
  GraphBuilder builder("wide", 8, 8, 64);
  const int conv = builder.add("conv", op::Conv2d{.out_channels = 256, .kernel = 3}, {0});
  builder.add("fc", op::Linear{.out_features = 2}, {builder.add("flatten", op::Flatten{}, {conv})});
  const Graph graph = std::move(builder).finish();
  EXPECT_EQ(122015436489474929u, fingerprint(initial_weights(graph, 7)));
  EXPECT_NE(fingerprint(initial_weights(graph, 7)), fingerprint(initial_weights(graph, 8)));

  EXPECT_EQ(7982710888087541642u, fingerprint(initial_weights(two_layers(Initial::truncated_fan_out), 7)));
  EXPECT_EQ(14896781647118849391u, fingerprint(initial_weights(two_layers(Initial::glorot_uniform), 7)));
}

}  // namespace
}  // namespace linnet
