// What the operations share: checks with messages, shapes with a batch, gradients in place.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/common/window.h"
#include "linnet/autograd.h"
#include "linnet/error.h"
#include "linnet/graph.h"

namespace linnet::autograd {

inline void check_shape(const char* operation, const char* what, const Shape& expected, const Shape& found) {
  if (expected != found)
    throw Error(std::string(operation) + ": expected " + what + " of shape " + to_string(expected) + ", found " +
                to_string(found));
}

/// The shape of one sample.
inline Shape sample_shape(const Variable& x) {
  if (x.shape().empty()) throw Error("expected a tensor with a batch axis, found a scalar");
  return {x.shape().begin() + 1, x.shape().end()};
}

/// The output of `op` for whole batches. Throws linnet::Error if the inputs do not suit it.
Shape batch_output_shape(const Op& op, const std::vector<Variable>& inputs);

/// The number of vectors of channels: all axes but the last.
inline Index rows_of(const Tensor& tensor) { return tensor.size() / std::max<Index>(tensor.shape().back(), 1); }

/// Storage for a gradient that may overwrite `gradient`, of the same shape, element by element.
inline Tensor reuse_or_allocate(const Tensor& gradient) {
  return gradient.is_shared() ? Tensor(gradient.shape()) : gradient;
}

/// The geometry of a convolution or pool between two batches of maps.
template <class WindowOp>
kernels::Window window_of(const WindowOp& op, Index dilation, const Shape& input, const Shape& output) {
  kernels::Window window;
  window.batch = input[0];
  window.in_height = input[1];
  window.in_width = input[2];
  window.out_height = output[1];
  window.out_width = output[2];
  window.kernel_height = window.kernel_width = op.kernel;
  window.stride = op.stride;
  window.dilation = dilation;
  window.pad_top = padding_before(op.padding, input[1], op.kernel, op.stride, dilation);
  window.pad_left = padding_before(op.padding, input[2], op.kernel, op.stride, dilation);
  return window;
}

}  // namespace linnet::autograd
