#include <algorithm>
#include <cmath>

#include "kernels/softmax/softmax.h"

namespace linnet::kernels::scalar {
namespace {

void softmax(Index rows, Index size, const float* input, float* output) {
  for (Index row = 0; row < rows; ++row, input += size, output += size) {
    const float highest = *std::max_element(input, input + size);
    float total = 0.0f;
    for (Index i = 0; i < size; ++i) {
      output[i] = std::exp(input[i] - highest);
      total += output[i];
    }
    for (Index i = 0; i < size; ++i) output[i] /= total;
  }
}

void softmax_gradient(Index rows, Index size, const float* output, const float* output_gradient,
                      float* input_gradient) {
  for (Index row = 0; row < rows; ++row, output += size, output_gradient += size, input_gradient += size) {
    float product = 0.0f;
    for (Index i = 0; i < size; ++i) product += output[i] * output_gradient[i];
    for (Index i = 0; i < size; ++i) input_gradient[i] = output[i] * (output_gradient[i] - product);
  }
}

void log_softmax(Index rows, Index size, const float* input, float* output) {
  for (Index row = 0; row < rows; ++row, input += size, output += size) {
    const float highest = *std::max_element(input, input + size);
    float total = 0.0f;
    for (Index i = 0; i < size; ++i) total += std::exp(input[i] - highest);
    const float logarithm = std::log(total);
    for (Index i = 0; i < size; ++i) output[i] = input[i] - highest - logarithm;
  }
}

}  // namespace

const SoftmaxKernels softmax_kernels = {softmax, softmax_gradient, log_softmax};

}  // namespace linnet::kernels::scalar
