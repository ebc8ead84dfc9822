// The operations of a network on autograd variables. Activations are [batch, height, width, channels] or
// [batch, features]; weights are in the reference layout. Each throws linnet::Error that names the operation, what it
// expected and what it found. Gradients are computed only for inputs that require one.
#pragma once

#include <cstdint>
#include <vector>

#include "linnet/autograd.h"
#include "linnet/ops.h"

namespace linnet::autograd {

/// Whether conv2d takes this activation: none, and those whose derivative can be told from their value.
bool conv2d_takes(Activation activation);

/// weight [out, in / groups, kernel, kernel]; bias [out], or undefined. The residual of `op` must be unset.
Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias, const op::Conv2d& op,
                ThreadPool& pool);

/// weight [out, in]; bias [out], or undefined.
Variable linear(const Variable& x, const Variable& weight, const Variable& bias, ThreadPool& pool);

/// Normalisation over all axes but the last, then `activation`. In training by the statistics of this batch, and the
/// running ones (all [channels]) take them up with weight op.momentum, the variance divided by n - 1; `counter` is
/// incremented. In evaluation by the running ones.
Variable batch_norm(const Variable& x, const Variable& gamma, const Variable& beta, Tensor& running_mean,
                    Tensor& running_var, Tensor& counter, const op::BatchNorm& op, Activation activation, bool training,
                    ThreadPool& pool);

/// A map, or what a convolution, a batch norm and an activation make of one, whose last two steps are still to be
/// taken: whoever reads it takes them, and need not write the normalised map to memory.
class NormalisedMap {
 public:
  NormalisedMap() = default;
  NormalisedMap(Variable map) : variable_(std::move(map)) {}

  /// The map, normalised if it has not been. Throws linnet::Error if a conv_norm has taken it.
  Variable value(ThreadPool& pool);

 private:
  struct Pending;
  struct Operation;
  friend NormalisedMap conv_norm(NormalisedMap x, const Variable& weight, const Variable& gamma, const Variable& beta,
                                 Tensor& running_mean, Tensor& running_var, Tensor& counter, const op::Conv2d& conv,
                                 const op::BatchNorm& norm, Activation activation, ThreadPool& pool);

  Variable variable_;  ///< while something is pending its value is what comes before, its gradient that of the map
  std::shared_ptr<Pending> pending_;
};

/// conv2d without a bias, then batch_norm in training. `x` must have no other reader if it is a conv_norm's: pointwise
/// convolutions normalise it piece by piece, forward and backward (kernels/conv_norm).
NormalisedMap conv_norm(NormalisedMap x, const Variable& weight, const Variable& gamma, const Variable& beta,
                        Tensor& running_mean, Tensor& running_var, Tensor& counter, const op::Conv2d& conv,
                        const op::BatchNorm& norm, Activation activation, ThreadPool& pool);

Variable activate(const Variable& x, Activation activation, ThreadPool& pool);
Variable add(const Variable& a, const Variable& b, ThreadPool& pool);
/// x [batch, height, width, channels] times gate [batch, 1, 1, channels].
Variable scale_channels(const Variable& x, const Variable& gate, ThreadPool& pool);

/// [batch, height, width, channels] -> [batch, 1, 1, channels]
Variable global_average_pool(const Variable& x, ThreadPool& pool);
Variable max_pool(const Variable& x, const op::MaxPool& op, ThreadPool& pool);
Variable average_pool(const Variable& x, const op::AveragePool& op, ThreadPool& pool);

/// [batch, ...] -> [batch, product of the rest]; shares storage.
Variable flatten(const Variable& x);

/// Zeroes each value with probability `rate`, divides the others by 1 - rate. Value i is decided by
/// CounterRandom(seed, stream) at i alone.
Variable dropout(const Variable& x, float rate, std::uint64_t seed, std::uint64_t stream, ThreadPool& pool);
/// As dropout, but sample by sample.
Variable drop_path(const Variable& x, float rate, std::uint64_t seed, std::uint64_t stream, ThreadPool& pool);

Variable channel_shuffle(const Variable& x, Index groups, ThreadPool& pool);
/// Along the last axis.
Variable concat(const std::vector<Variable>& inputs, ThreadPool& pool);
/// Channels [begin, end) of the last axis.
Variable slice_channels(const Variable& x, Index begin, Index end, ThreadPool& pool);
/// As op::ZeroPad, op::BlurPool, op::LayerScale (gamma [channels]) and op::MultiQueryAttention say.
Variable zero_pad(const Variable& x, const op::ZeroPad& op, ThreadPool& pool);
Variable blur_pool(const Variable& x, ThreadPool& pool);
Variable layer_scale(const Variable& x, const Variable& gamma, ThreadPool& pool);
Variable multi_query_attention(const Variable& query, const Variable& key, const Variable& value, Index heads,
                               ThreadPool& pool);
/// Over the last axis.
Variable softmax(const Variable& x, ThreadPool& pool);

}  // namespace linnet::autograd
