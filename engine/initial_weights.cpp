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

/// Box-Muller, one value from two numbers.
Tensor normal(const Parameter& parameter, std::uint64_t seed, double deviation) {
  const CounterRandom random(seed, stream_of(parameter.name));
  Tensor tensor(parameter.shape);
  for (Index i = 0; i < tensor.size(); ++i) {
    const auto index = 2 * static_cast<std::uint64_t>(i);
    const double radius = std::sqrt(-2 * logarithm(1 - unit(random.bits(index))));
    tensor.data()[i] = static_cast<float>(deviation * radius * cosine_of_turn(unit(random.bits(index + 1))));
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

Tensor initial(const Graph& graph, const Parameter& parameter, std::uint64_t seed) {
  const Node& node = graph.nodes[static_cast<std::size_t>(parameter.node)];
  const auto* conv = std::get_if<op::Conv2d>(&node.op);
  switch (parameter.role) {
    case ParameterRole::weight:
    case ParameterRole::bias:
      if (conv == nullptr) {
        const Shape& input = graph.nodes[static_cast<std::size_t>(node.inputs.front())].shape;
        return uniform(parameter, seed, 1 / std::sqrt(static_cast<double>(element_count(input))));
      }
      if (parameter.role == ParameterRole::weight) {
        const Index fan_out = conv->out_channels * conv->kernel * conv->kernel / conv->groups;
        return normal(parameter, seed, std::sqrt(2 / static_cast<double>(fan_out)));
      }
      return Tensor::zeros(parameter.shape);
    case ParameterRole::layer_scale:
      return Tensor::full(parameter.shape, std::get<op::LayerScale>(node.op).initial);
    case ParameterRole::gamma:
    case ParameterRole::running_var:
      return Tensor::full(parameter.shape, 1);
    case ParameterRole::beta:
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
    weights.emplace(parameter.name, initial(graph, parameter, seed));
  }
  return weights;
}

}  // namespace linnet
