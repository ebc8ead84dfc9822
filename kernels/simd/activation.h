// Activation functions on vectors. See simd.h for who may include this.
#pragma once

#include <math.h>

#include "kernels/simd/simd.h"

namespace linnet::kernels::LINNET_ISA {

/// e^x to about 2 units in the last place; 0 below -87.3, and no more than e^88.3 above.
LINNET_INLINE Vec exp(Vec x) {
  x = min(max(x, Vec(-87.33654f)), Vec(88.37626f));
  const Vec n = xsimd::nearbyint(x * Vec(1.44269504f));
  // x - n * ln(2) in two parts (Cody and Waite): the first has few bits, so its product with n is exact.
  Vec r = multiply_add(n, Vec(-0.693359375f), x);
  r = multiply_add(n, Vec(2.12194440e-4f), r);
  // e^r on [-ln(2)/2, ln(2)/2]: Taylor to the seventh power.
  Vec p = Vec(1.0f / 5040.0f);
  p = multiply_add(p, r, Vec(1.0f / 720.0f));
  p = multiply_add(p, r, Vec(1.0f / 120.0f));
  p = multiply_add(p, r, Vec(1.0f / 24.0f));
  p = multiply_add(p, r, Vec(1.0f / 6.0f));
  p = multiply_add(p, r, Vec(0.5f));
  p = multiply_add(p, r, Vec(1.0f));
  p = multiply_add(p, r, Vec(1.0f));
  return xsimd::ldexp(p, xsimd::to_int(n));
}

LINNET_INLINE Vec sigmoid(Vec x) { return Vec(1.0f) / (Vec(1.0f) + exp(-x)); }

LINNET_INLINE Vec hard_sigmoid(Vec x) { return min(max(x + Vec(3.0f), Vec(0.0f)), Vec(6.0f)) * Vec(1.0f / 6.0f); }

template <Activation activation>
LINNET_INLINE Vec activate(Vec x) {
  if constexpr (activation == Activation::relu) {
    return max(x, Vec(0.0f));
  } else if constexpr (activation == Activation::relu6) {
    return min(max(x, Vec(0.0f)), Vec(6.0f));
  } else if constexpr (activation == Activation::hard_swish) {
    return x * hard_sigmoid(x);
  } else if constexpr (activation == Activation::hard_sigmoid) {
    return hard_sigmoid(x);
  } else if constexpr (activation == Activation::silu) {
    return x * sigmoid(x);
  } else if constexpr (activation == Activation::sigmoid) {
    return sigmoid(x);
  } else if constexpr (activation == Activation::gelu) {
    alignas(64) float values[lanes];
    x.store_aligned(values);
    for (float& value : values) value *= 0.5f * (1.0f + ::erff(value * 0.70710678f));
    return Vec::load_aligned(values);
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
