#include "kernels/common/scalar_activation.h"
#include "kernels/elementwise/elementwise.h"

namespace linnet::kernels::scalar {
namespace {

void activate_array(Activation activation, Index size, const float* input, float* output) {
  for (Index i = 0; i < size; ++i) output[i] = activate(activation, input[i]);
}

void activate_gradient(Activation activation, Index size, const float* input, const float* output_gradient,
                       float* input_gradient) {
  for (Index i = 0; i < size; ++i) {
    input_gradient[i] = output_gradient[i] * activation_derivative(activation, input[i]);
  }
}

void add(Activation activation, Index size, const float* a, const float* b, float* output) {
  for (Index i = 0; i < size; ++i) output[i] = activate(activation, a[i] + b[i]);
}

void multiply(Index size, const float* a, const float* b, float* output) {
  for (Index i = 0; i < size; ++i) output[i] = a[i] * b[i];
}

void accumulate(Index size, float alpha, const float* x, float* y) {
  for (Index i = 0; i < size; ++i) y[i] += alpha * x[i];
}

void scale_channels(Index pixels, Index channels, const float* input, const float* scale, float* output) {
  for (Index p = 0; p < pixels; ++p) {
    for (Index c = 0; c < channels; ++c) output[p * channels + c] = input[p * channels + c] * scale[c];
  }
}

void scale_channels_gradient(Index pixels, Index channels, const float* input, const float* scale,
                             const float* output_gradient, float* input_gradient, float* scale_gradient) {
  for (Index c = 0; c < channels; ++c) scale_gradient[c] = 0.0f;
  for (Index p = 0; p < pixels; ++p) {
    for (Index c = 0; c < channels; ++c) {
      const Index i = p * channels + c;
      input_gradient[i] = output_gradient[i] * scale[c];
      scale_gradient[c] += output_gradient[i] * input[i];
    }
  }
}

}  // namespace

const ElementwiseKernels elementwise_kernels = {activate_array, activate_gradient,      add, multiply, accumulate,
                                                scale_channels, scale_channels_gradient};

}  // namespace linnet::kernels::scalar
