#include "engine/autograd/checks.h"
#include "kernels/elementwise/elementwise.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {

Variable scale_channels(const Variable& x, const Variable& gate, ThreadPool& pool) {
  Tensor output(batch_output_shape(op::ScaleChannels{}, {x, gate}));
  const Index batch = x.shape()[0], pixels = x.shape()[1] * x.shape()[2], channels = x.shape()[3];
  kernels::scale_channels(pool, batch, pixels, channels, x.value().data(), gate.value().data(), output.data());
  return Variable::record("scale_channels", std::move(output), {x, gate},
                          [=, x = x.value(), gate = gate.value(), &pool](const Tensor& gradient) {
                            std::vector<Tensor> gradients = {Tensor(x.shape()), Tensor(gate.shape())};
                            kernels::scale_channels_gradient(pool, batch, pixels, channels, x.data(), gate.data(),
                                                             gradient.data(), gradients[0].data(), gradients[1].data());
                            return gradients;
                          });
}

}  // namespace linnet::autograd
