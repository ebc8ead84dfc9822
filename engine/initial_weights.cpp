// Compiled without contraction to fused multiply-adds, and without the C library's log and cos, whose last bits differ
// between machines: what is left (+ - * / sqrt) is exact everywhere.
#include <cmath>
#include <string_view>

#include "linnet/error.h"
#include "linnet/model.h"
#include "linnet/random.h"

namespace linnet {
namespace {

/// ln(x) for x in (0, 1]: x = m * 2^e with m near 1, and the series of atanh for ln(m).
double logarithm(double x) {
  constexpr double ln_2 = 0.693147180559945309417;
  constexpr double sqrt_half = 0.707106781186547524401;
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < sqrt_half) {
    mantissa *= 2;
    --exponent;
  }
  const double s = (mantissa - 1) / (mantissa + 1);
  double sum = 0;
  for (int k = 21; k >= 1; k -= 2) {
    sum = sum * s * s + 1.0 / k;
  }
  return 2 * s * sum + exponent * ln_2;
}

/// cos(2 pi t) for t in [0, 1): folded into the first quarter, where the Taylor series is short.
double cosine_of_turn(double t) {
  constexpr double two_pi = 6.28318530717958647693;
  const double half = t <= 0.5 ? t : 1 - t;
  const bool negative = half > 0.25;
  const double angle = two_pi * (negative ? 0.5 - half : half);
  double sum = 1;
  for (int k = 22; k >= 2; k -= 2) {
    sum = 1 - sum * angle * angle / (k * (k - 1));
  }
  return negative ? -sum : sum;
}

/// FNV-1a: the number of a parameter's random stream.
std::uint64_t stream_of(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char letter : name) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3u;
  }
  return hash;
}

/// Uniform in [0, 1), 53 bits.
double unit(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

/// Box-Muller: one normal value from the numbers 2 * index and 2 * index + 1.
double normal_value(const CounterRandom& random, std::uint64_t index) {
  const double radius = std::sqrt(-2 * logarithm(1 - unit(random.bits(2 * index))));
  return radius * cosine_of_turn(unit(random.bits(2 * index + 1)));
}

Tensor normal(const Parameter& parameter, std::uint64_t seed, double deviation) {
  const CounterRandom random(seed, stream_of(parameter.name));
  Tensor tensor(parameter.shape);
  for (Index i = 0; i < tensor.size(); ++i) {
    tensor.data()[i] = static_cast<float>(deviation * normal_value(random, static_cast<std::uint64_t>(i)));
  }
  return tensor;
}

/// What lies beyond two deviations is drawn again, behind all numbers that were drawn before.
Tensor truncated_normal(const Parameter& parameter, std::uint64_t seed, double deviation) {
  const CounterRandom random(seed, stream_of(parameter.name));
  Tensor tensor(parameter.shape);
  for (Index i = 0; i < tensor.size(); ++i) {
    auto index = static_cast<std::uint64_t>(i);
    double value = normal_value(random, index);
    while (value < -2 || value > 2) value = normal_value(random, index += static_cast<std::uint64_t>(tensor.size()));
    tensor.data()[i] = static_cast<float>(deviation * value);
  }
  return tensor;
}

Tensor uniform(const Parameter& parameter, std::uint64_t seed, double bound) {
  const CounterRandom random(seed, stream_of(parameter.name));
  Tensor tensor(parameter.shape);
  for (Index i = 0; i < tensor.size(); ++i) {
    tensor.data()[i] = static_cast<float>(bound * (2 * unit(random.bits(static_cast<std::uint64_t>(i))) - 1));
  }
  return tensor;
}

/// How many weights reach one output, and how many one input reaches, within a group.
struct Fans {
  double in, out, groups;
};

Fans fans_of(const Graph& graph, const Node& node) {
  const Shape& input = graph.nodes[static_cast<std::size_t>(node.inputs.front())].shape;
  if (const auto* conv = std::get_if<op::Conv2d>(&node.op)) {
    const auto groups = static_cast<double>(conv->groups);
    const double area = static_cast<double>(conv->kernel) * static_cast<double>(conv->kernel);
    return {static_cast<double>(input.back()) / groups * area, static_cast<double>(conv->out_channels) / groups * area,
            groups};
  }
  return {static_cast<double>(input.back()), static_cast<double>(std::get<op::Linear>(node.op).out_features), 1};
}

Tensor draw_weight(const Parameter& parameter, std::uint64_t seed, Initial initial, const Fans& fans) {
  switch (initial) {
    case Initial::normal_fan_out:
      return normal(parameter, seed, std::sqrt(2 / fans.out));
    case Initial::normal_fan_out_all:
      return normal(parameter, seed, std::sqrt(2 / (fans.out * fans.groups)));
    case Initial::normal_channels:
      return normal(parameter, seed, 1 / static_cast<double>(parameter.shape[1]));
    case Initial::normal_hundredth:
      return normal(parameter, seed, 0.01);
    case Initial::truncated_nine_hundredth:
      return truncated_normal(parameter, seed, 0.09);
    case Initial::truncated_fan_out:
      return truncated_normal(parameter, seed, std::sqrt(2.6 / fans.out));
    case Initial::uniform_fan_in:
      return uniform(parameter, seed, 1 / std::sqrt(fans.in));
    case Initial::uniform_fan_out:
      return uniform(parameter, seed, 1 / std::sqrt(fans.out));
    case Initial::he_uniform:
      return uniform(parameter, seed, std::sqrt(6 / fans.in));
    case Initial::glorot_uniform:
      return uniform(parameter, seed, std::sqrt(6 / (fans.in + fans.out * fans.groups)));
  }
  throw Error("no initial values are known for " + parameter.name);
}

Tensor initial_value(const Graph& graph, const Parameter& parameter, std::uint64_t seed) {
  const Node& node = graph.nodes[static_cast<std::size_t>(parameter.node)];
  const auto* conv = std::get_if<op::Conv2d>(&node.op);
  switch (parameter.role) {
    case ParameterRole::weight:
    case ParameterRole::bias: {
      const Initial initial = conv != nullptr ? conv->initial : std::get<op::Linear>(node.op).initial;
      if (parameter.role == ParameterRole::bias && initial != Initial::uniform_fan_in) {
        return Tensor::zeros(parameter.shape);
      }
      return draw_weight(parameter, seed, initial, fans_of(graph, node));
    }
    case ParameterRole::layer_scale:
      return Tensor::full(parameter.shape, std::get<op::LayerScale>(node.op).initial);
    case ParameterRole::gamma:
      return Tensor::full(parameter.shape, std::get<op::BatchNorm>(node.op).initial_gamma);
    case ParameterRole::beta:
      return Tensor::full(parameter.shape, std::get<op::BatchNorm>(node.op).initial_beta);
    case ParameterRole::running_var:
      return Tensor::full(parameter.shape, 1);
    case ParameterRole::running_mean:
    case ParameterRole::counter:
      return Tensor::zeros(parameter.shape);
  }
  throw Error("no initial values are known for " + parameter.name);
}

}  // namespace

Weights initial_weights(const Graph& graph, std::uint64_t seed) {
  Weights weights;
  for (const Parameter& parameter : parameters(graph)) {
    weights.emplace(parameter.name, initial_value(graph, parameter, seed));
  }
  return weights;
}

}  // namespace linnet
