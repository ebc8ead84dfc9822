#include "kernels/batch_norm/batch_norm.h"
#include "kernels/common/scalar_activation.h"

namespace linnet::kernels::scalar {
namespace {

void scale_shift(Index channels, Range rows, const float* input, const float* scale, const float* shift,
                 Activation activation, float* output) {
  for (Index row = rows.begin; row < rows.end; ++row) {
    for (Index c = 0; c < channels; ++c) {
      const Index i = row * channels + c;
      output[i] = activate(activation, input[i] * scale[c] + shift[c]);
    }
  }
}

void moments(Index channels, Range rows, const float* input, double* mean, double* squares) {
  for (Index c = 0; c < channels; ++c) mean[c] = squares[c] = 0.0;
  for (Index row = rows.begin; row < rows.end; ++row) {
    for (Index c = 0; c < channels; ++c) mean[c] += static_cast<double>(input[row * channels + c]);
  }
  for (Index c = 0; c < channels; ++c) mean[c] /= static_cast<double>(rows.size());
  for (Index row = rows.begin; row < rows.end; ++row) {
    for (Index c = 0; c < channels; ++c) {
      const double difference = static_cast<double>(input[row * channels + c]) - mean[c];
      squares[c] += difference * difference;
    }
  }
}

void normalise(Index channels, Range rows, const Norm& norm, const float* input, float* output) {
  for (Index row = rows.begin; row < rows.end; ++row) {
    for (Index c = 0; c < channels; ++c) {
      const Index i = row * channels + c;
      const float normalised = (input[i] - norm.mean[c]) * norm.inverse_std[c];
      output[i] = activate(norm.activation, norm.gamma[c] * normalised + norm.beta[c]);
    }
  }
}

struct Point {
  float normalised;
  float gradient;  ///< through the activation
};

Point point(const BatchNormGradientArgs& args, Index row, Index c) {
  const Index i = row * args.channels + c;
  const Norm& norm = args.norm;
  const float normalised = (args.input[i] - norm.mean[c]) * norm.inverse_std[c];
  const float before_activation = norm.gamma[c] * normalised + norm.beta[c];
  return {normalised, args.output_gradient[i] * activation_derivative(norm.activation, before_activation)};
}

void gradient_sums(const BatchNormGradientArgs& args, Range rows, double* gradient, double* product) {
  for (Index c = 0; c < args.channels; ++c) gradient[c] = product[c] = 0.0;
  for (Index row = rows.begin; row < rows.end; ++row) {
    for (Index c = 0; c < args.channels; ++c) {
      const Point p = point(args, row, c);
      gradient[c] += static_cast<double>(p.gradient);
      product[c] += static_cast<double>(p.gradient) * static_cast<double>(p.normalised);
    }
  }
}

void input_gradient(const BatchNormGradientArgs& args, const BatchNormGradientMeans& means, Range rows) {
  for (Index row = rows.begin; row < rows.end; ++row) {
    for (Index c = 0; c < args.channels; ++c) {
      const Point p = point(args, row, c);
      args.input_gradient[row * args.channels + c] = args.norm.gamma[c] * args.norm.inverse_std[c] *
                                                     (p.gradient - means.gradient[c] - p.normalised * means.product[c]);
    }
  }
}

}  // namespace

const ScaleShiftKernels scale_shift_kernels{scale_shift};
const BatchNormKernels batch_norm_kernels{moments, normalise, gradient_sums, input_gradient};

}  // namespace linnet::kernels::scalar
