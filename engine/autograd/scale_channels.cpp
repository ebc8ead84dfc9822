// Products with one factor per channel: of each sample, or of all.
#include "engine/autograd/checks.h"
#include "kernels/elementwise/elementwise.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {

namespace {

/// x [batch, pixels, channels] times gate [batch, channels].
Variable scale(const char* operation, const Variable& x, const Variable& gate, Index batch, ThreadPool& pool) {
  const Index channels = x.shape().back(), pixels = rows_of(x.value()) / std::max<Index>(batch, 1);
  Tensor output(x.shape());
  kernels::scale_channels(pool, batch, pixels, channels, x.value().data(), gate.value().data(), output.data());
  return Variable::record(operation, std::move(output), {x, gate},
                          [=, x = x.value(), gate = gate.value(), &pool](const Tensor& gradient) {
                            std::vector<Tensor> gradients = {Tensor(x.shape()), Tensor(gate.shape())};
                            kernels::scale_channels_gradient(pool, batch, pixels, channels, x.data(), gate.data(),
                                                             gradient.data(), gradients[0].data(), gradients[1].data());
                            return gradients;
                          });
}

}  // namespace

Variable scale_channels(const Variable& x, const Variable& gate, ThreadPool& pool) {
  batch_output_shape(op::ScaleChannels{}, {x, gate});
  return scale("scale_channels", x, gate, x.shape()[0], pool);
}

Variable layer_scale(const Variable& x, const Variable& gamma, ThreadPool& pool) {
  batch_output_shape(op::LayerScale{}, {x});
  check_shape("layer_scale", "a gamma", {x.shape().back()}, gamma.shape());
  return scale("layer_scale", x, gamma, 1, pool);
}

}  // namespace linnet::autograd
