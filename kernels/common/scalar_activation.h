// Activation functions of one number, for the references. Vectors of them: kernels/simd/activation.h.
#pragma once

#include <cmath>

#include "linnet/types.h"

namespace linnet::kernels::scalar {

inline float activate(Activation activation, float x) {
  const auto relu6 = [](float value) { return value < 0.0f ? 0.0f : value > 6.0f ? 6.0f : value; };
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return x < 0.0f ? 0.0f : x;
    case Activation::relu6:
      return relu6(x);
    case Activation::hard_swish:
      return x * relu6(x + 3.0f) / 6.0f;
    case Activation::hard_sigmoid:
      return relu6(x + 3.0f) / 6.0f;
    case Activation::silu:
      return x / (1.0f + std::exp(-x));
    case Activation::sigmoid:
      return 1.0f / (1.0f + std::exp(-x));
    case Activation::gelu:
      return 0.5f * x * (1.0f + std::erf(x * 0.70710678f));
  }
  return x;
}

/// The derivative at x; at the kinks PyTorch's choice (see kernels/elementwise/elementwise.h).
inline float activation_derivative(Activation activation, float x) {
  switch (activation) {
    case Activation::none:
      return 1.0f;
    case Activation::relu:
      return x > 0.0f ? 1.0f : 0.0f;
    case Activation::relu6:
      return x > 0.0f && x < 6.0f ? 1.0f : 0.0f;
    case Activation::hard_swish:
      return x <= -3.0f ? 0.0f : x >= 3.0f ? 1.0f : x / 3.0f + 0.5f;
    case Activation::hard_sigmoid:
      return x > -3.0f && x < 3.0f ? 1.0f / 6.0f : 0.0f;
    case Activation::silu: {
      const float s = activate(Activation::sigmoid, x);
      return s * (1.0f + x * (1.0f - s));
    }
    case Activation::sigmoid: {
      const float s = activate(Activation::sigmoid, x);
      return s * (1.0f - s);
    }
    case Activation::gelu: {
      const float density = 0.39894228f * std::exp(-0.5f * x * x);
      return 0.5f * (1.0f + std::erf(x * 0.70710678f)) + x * density;
    }
  }
  return 1.0f;
}

}  // namespace linnet::kernels::scalar
