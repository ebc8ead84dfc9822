// Derivatives of the activation functions on vectors. See simd.h for who may include this.
#pragma once

#include "kernels/simd/activation.h"

namespace linnet::kernels::LINNET_ISA {

/// The derivative at x. At the kinks it is PyTorch's: 0 at 0 and 6 of ReLU and ReLU6; hard_sigmoid 0 at -3 and 3;
/// hard_swish 0 at -3 and 1 at 3.
template <Activation activation>
LINNET_INLINE Vec activation_derivative(Vec x) {
  const Vec zero(0.0f), one(1.0f);
  if constexpr (activation == Activation::relu) {
    return xsimd::select(x > zero, one, zero);
  } else if constexpr (activation == Activation::relu6) {
    return xsimd::select((x > zero) & (x < Vec(6.0f)), one, zero);
  } else if constexpr (activation == Activation::hard_swish) {
    const Vec inner = xsimd::select(x < Vec(3.0f), multiply_add(x, Vec(1.0f / 3.0f), Vec(0.5f)), one);
    return xsimd::select(x > Vec(-3.0f), inner, zero);
  } else if constexpr (activation == Activation::hard_sigmoid) {
    return xsimd::select((x > Vec(-3.0f)) & (x < Vec(3.0f)), Vec(1.0f / 6.0f), zero);
  } else if constexpr (activation == Activation::silu) {
    const Vec s = sigmoid(x);
    return s * multiply_add(x, one - s, one);
  } else if constexpr (activation == Activation::sigmoid) {
    const Vec s = sigmoid(x);
    return s * (one - s);
  } else if constexpr (activation == Activation::gelu) {
    // The normal distribution's integral, and x times its density; 1/sqrt(2 pi) = 0.3989...
    const Vec density = Vec(0.39894228f) * exp_negative(x * x * Vec(0.5f));
    return multiply_add(x, density, normal_cdf(x));
  } else {
    return one;
  }
}

}  // namespace linnet::kernels::LINNET_ISA
