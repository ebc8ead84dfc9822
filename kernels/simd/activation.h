// Activation functions on vectors. See simd.h for who may include this.
#pragma once

#include <stdint.h>

#include "kernels/simd/simd.h"

namespace linnet::kernels::LINNET_ISA {

/// min(max(x, low), high); NaN stays NaN (on x86 the second operand wins where one is NaN).
LINNET_INLINE Vec clamp(Vec x, float low, float high) { return min(Vec(high), max(Vec(low), x)); }

/// e^-x = power * 2^exponent, with power in [0.7, 1.5).
struct SplitPower {
  Vec power;
  xsimd::batch<int32_t, Arch> exponent;  ///< in its last 9 bits; the others are not 0
};

/// For -88 <= x <= 89, to about 2 units in the last place.
LINNET_INLINE SplitPower split_exp_negative(Vec x) {
  // n = -x / ln(2), rounded: beside 1.5 * 2^23 a float has no bits for fractions, and its last bits are the integer.
  const Vec magic(12582912.0f);
  const Vec shifted = multiply_add(x, Vec(-1.44269504f), magic);
  const Vec n = shifted - magic;
  // r = x + n * ln(2). Where the product is rounded, in two parts (Cody and Waite): the first has few bits.
#if defined(__FMA__) || defined(__aarch64__)
  const Vec r = multiply_add(n, Vec(0.693147182f), x);
#else
  const Vec r = multiply_add(n, Vec(-2.12194440e-4f), multiply_add(n, Vec(0.693359375f), x));
#endif
  // e^-r on [-ln(2)/2, ln(2)/2]: own least-maximum fit of the relative error, 9e-8, with 1 at 0.
  Vec p = Vec(-0.00829031472f);
  p = multiply_add(p, r, Vec(0.0418979295f));
  p = multiply_add(p, r, Vec(-0.166676362f));
  p = multiply_add(p, r, Vec(0.499991496f));
  p = multiply_add(p, r, Vec(-0.999999708f));
  p = multiply_add(p, r, Vec(1.0f));
  return {p, xsimd::bitwise_cast<xsimd::batch<int32_t, Arch>>(shifted)};
}

/// e^-x to about 2 units in the last place; 0 above 87, infinity where a float overflows.
LINNET_INLINE Vec exp_negative(Vec x) {
  // The limits keep the exponent within [-126, 128]. One less of it fits in a float's bits; at -126 they are 0.
  const SplitPower value = split_exp_negative(clamp(x, -89.0f, 87.6f));
  return (value.power + value.power) * xsimd::bitwise_cast<Vec>((value.exponent + 126) << 23);
}

LINNET_INLINE Vec sigmoid(Vec x) { return Vec(1.0f) / (Vec(1.0f) + exp_negative(x)); }

/// x * sigmoid(x), with as few instructions as can be: it is the activation of whole networks.
LINNET_INLINE Vec silu(Vec x) {
  const Vec numerator = max(Vec(-88.0f), x);
  // Within these limits the exponent can be added to the power's own; above them e^-x is nothing beside 1.
  const SplitPower value = split_exp_negative(min(Vec(87.0f), numerator));
  const auto bits = xsimd::bitwise_cast<xsimd::batch<int32_t, Arch>>(value.power) + (value.exponent << 23);
  return numerator / (Vec(1.0f) + xsimd::bitwise_cast<Vec>(bits));
}

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
  const Vec tail = q * t * exp_negative(square * Vec(0.5f));
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
    return silu(x);
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
