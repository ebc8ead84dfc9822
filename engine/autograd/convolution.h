// The four families of kernels behind a convolution, in all three directions.
#pragma once

#include "kernels/common/epilogue.h"
#include "kernels/common/window.h"
#include "linnet/tensor.h"
#include "linnet/thread_pool.h"

namespace linnet::autograd {

/// A convolution with its shapes, ready to run in either direction.
struct Convolution {
  enum class Family { pointwise, depthwise, grouped, dense };

  kernels::Window window;
  Index groups = 1;
  Index in_channels = 0;
  Index out_channels = 0;

  Family family() const;
};

Tensor convolve(const Convolution& c, const Tensor& x, const Tensor& weight, const kernels::Epilogue& epilogue,
                Shape shape, ThreadPool& pool);
/// `shape` is that of the input.
Tensor input_gradient(const Convolution& c, const Shape& shape, const Tensor& weight, const Tensor& output_gradient,
                      ThreadPool& pool);
/// `shape` is that of the weight.
Tensor weight_gradient(const Convolution& c, const Shape& shape, const Tensor& x, const Tensor& output_gradient,
                       ThreadPool& pool);

/// The weight of a pointwise convolution for kernels::pointwise; transposed: for the gradient of its input.
Tensor packed_pointwise(const Convolution& c, const Tensor& weight, bool transposed);
/// The weight of a depthwise convolution for all its kernels.
Tensor packed_depthwise(const Convolution& c, const Tensor& weight);

}  // namespace linnet::autograd
