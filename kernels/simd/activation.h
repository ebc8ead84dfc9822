// Activation functions on vectors. See simd.h for who may include this.
#pragma once

#include <stdint.h>

#include "kernels/simd/simd.h"

namespace linnet::kernels::LINNET_ISA {

/// min(max(x, low), high); NaN stays NaN (on x86 the second operand wins where one is NaN).
LINNET_INLINE Vec clamp(Vec x, float low, float high) { return min(Vec(high), max(Vec(low), x)); }

/// e^x to about 2 units in the last place; 0 below -87, infinity where a float overflows.
LINNET_INLINE Vec exp(Vec x) {
  // The limits keep n within [-126, 128].
  x = clamp(x, -87.6f, 89.0f);
  // n = x / ln(2), rounded: beside 1.5 * 2^23 a float has no bits for fractions, and its last bits are the integer.
  const Vec magic(12582912.0f);
  const Vec shifted = multiply_add(x, Vec(1.44269504f), magic);
  const Vec n = shifted - magic;
  // x - n * ln(2) in two parts (Cody and Waite): the first has few bits, so its product with n is exact.
  Vec r = multiply_add(n, Vec(-0.693359375f), x);
  r = multiply_add(n, Vec(2.12194440e-4f), r);
  // 2 e^r on [-ln(2)/2, ln(2)/2]: Taylor to the seventh power.
  Vec p = Vec(2.0f / 5040.0f);
  p = multiply_add(p, r, Vec(2.0f / 720.0f));
  p = multiply_add(p, r, Vec(2.0f / 120.0f));
  p = multiply_add(p, r, Vec(2.0f / 24.0f));
  p = multiply_add(p, r, Vec(2.0f / 6.0f));
  p = multiply_add(p, r, Vec(1.0f));
  p = multiply_add(p, r, Vec(2.0f));
  p = multiply_add(p, r, Vec(2.0f));
  // Times 2^(n-1), whose exponent fits for every n; at n = -126 it is 0.
  const auto exponent = (xsimd::bitwise_cast<xsimd::batch<int32_t, Arch>>(shifted) + 126) << 23;
  return p * xsimd::bitwise_cast<Vec>(exponent);
}

LINNET_INLINE Vec sigmoid(Vec x) { return Vec(1.0f) / (Vec(1.0f) + exp(-x)); }

LINNET_INLINE Vec hard_sigmoid(Vec x) { return clamp(x + Vec(3.0f), 0.0f, 6.0f) * Vec(1.0f / 6.0f); }

/// (1 + erf(x / sqrt(2))) / 2, within 1e-7; small values on the far negative side are accurate to 1e-6 of themselves.
/// Coefficients: own least-maximum fits of (cdf(x) - 1/2) / x in x^2 on [0, 1], and of cdf(-x) exp(x^2 / 2) in
/// t = 1 / (1 + x / 2) on [1, 9.3].
LINNET_INLINE Vec normal_cdf(Vec x) {
  const Vec square = x * x;
  Vec p = Vec(-7.65420828e-6f);
  p = multiply_add(p, square, Vec(1.13486371e-4f));
  p = multiply_add(p, square, Vec(-1.18632999e-3f));
  p = multiply_add(p, square, Vec(9.97332297e-3f));
  p = multiply_add(p, square, Vec(-6.64903596e-2f));
  p = multiply_add(p, square, Vec(3.98942292e-1f));
  const Vec middle = multiply_add(p, x, Vec(0.5f));

  const Vec t = Vec(1.0f) / multiply_add(xsimd::abs(x), Vec(0.5f), Vec(1.0f));
  Vec q = Vec(1.14859328e-1f);
  q = multiply_add(q, t, Vec(-2.93416440e-1f));
  q = multiply_add(q, t, Vec(1.52467653e-1f));
  q = multiply_add(q, t, Vec(1.25471830e-1f));
  q = multiply_add(q, t, Vec(2.02399328e-1f));
  q = multiply_add(q, t, Vec(1.99327037e-1f));
  const Vec tail = q * t * exp(square * Vec(-0.5f));
  const Vec outer = xsimd::select(x > Vec(0.0f), Vec(1.0f) - tail, tail);
  return xsimd::select(square < Vec(1.0f), middle, outer);
}

template <Activation activation>
LINNET_INLINE Vec activate(Vec x) {
  if constexpr (activation == Activation::relu) {
    return max(Vec(0.0f), x);
  } else if constexpr (activation == Activation::relu6) {
    return clamp(x, 0.0f, 6.0f);
  } else if constexpr (activation == Activation::hard_swish) {
    return x * hard_sigmoid(x);
  } else if constexpr (activation == Activation::hard_sigmoid) {
    return hard_sigmoid(x);
  } else if constexpr (activation == Activation::silu) {
    return x * sigmoid(x);
  } else if constexpr (activation == Activation::sigmoid) {
    return sigmoid(x);
  } else if constexpr (activation == Activation::gelu) {
    return x * normal_cdf(x);
  } else {
    return x;
  }
}

template <Activation value>
struct ActivationTag {
  static constexpr Activation activation = value;
};

/// Calls f with the tag of an activation that is known only at run time: one specialised body per activation.
template <class Function>
LINNET_INLINE void with_activation(Activation activation, Function&& f) {
  switch (activation) {
    case Activation::none:
      return f(ActivationTag<Activation::none>{});
    case Activation::relu:
      return f(ActivationTag<Activation::relu>{});
    case Activation::relu6:
      return f(ActivationTag<Activation::relu6>{});
    case Activation::hard_swish:
      return f(ActivationTag<Activation::hard_swish>{});
    case Activation::hard_sigmoid:
      return f(ActivationTag<Activation::hard_sigmoid>{});
    case Activation::silu:
      return f(ActivationTag<Activation::silu>{});
    case Activation::sigmoid:
      return f(ActivationTag<Activation::sigmoid>{});
    case Activation::gelu:
      return f(ActivationTag<Activation::gelu>{});
  }
}

}  // namespace linnet::kernels::LINNET_ISA
