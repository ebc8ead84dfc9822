#include "kernels/pool/pool.h"

#include "engine/autograd/checks.h"
#include "engine/blur_filter.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {

Variable global_average_pool(const Variable& x, ThreadPool& pool) {
  Tensor output(batch_output_shape(op::GlobalAveragePool{}, {x}));
  const Index batch = x.shape()[0], pixels = x.shape()[1] * x.shape()[2], channels = x.shape()[3];
  kernels::global_average_pool(pool, batch, pixels, channels, x.value().data(), output.data());
  return Variable::record(
      "global_average_pool", std::move(output), {x}, [=, shape = x.shape(), &pool](const Tensor& gradient) {
        Tensor result(shape);
        kernels::global_average_pool_gradient(pool, batch, pixels, channels, gradient.data(), result.data());
        return std::vector<Tensor>{result};
      });
}

Variable max_pool(const Variable& x, const op::MaxPool& op, ThreadPool& pool) {
  Tensor output(batch_output_shape(op, {x}));
  const kernels::Window window = window_of(op, 1, x.shape(), output.shape());
  const Index channels = x.shape()[3];
  // Positions are as wide as floats; a tensor lends them reusable storage.
  static_assert(sizeof(std::int32_t) == sizeof(float));
  Tensor positions = x.requires_gradient() ? Tensor(output.shape()) : Tensor();
  kernels::max_pool(pool, {.window = window,
                           .channels = channels,
                           .input = x.value().data(),
                           .output = output.data(),
                           .positions = reinterpret_cast<std::int32_t*>(positions.data())});
  return Variable::record("max_pool", std::move(output), {x}, [=, shape = x.shape(), &pool](const Tensor& gradient) {
    Tensor result(shape);
    kernels::max_pool_gradient(pool, {.window = window,
                                      .channels = channels,
                                      .output_gradient = gradient.data(),
                                      .positions = reinterpret_cast<const std::int32_t*>(positions.data()),
                                      .input_gradient = result.data()});
    return std::vector<Tensor>{result};
  });
}

Variable average_pool(const Variable& x, const op::AveragePool& op, ThreadPool& pool) {
  Tensor output(batch_output_shape(op, {x}));
  const kernels::Window window = window_of(op, 1, x.shape(), output.shape());
  const Index channels = x.shape()[3];
  kernels::average_pool(pool, {.window = window,
                               .channels = channels,
                               .input = x.value().data(),
                               .output = output.data(),
                               .count_padding = op.count_padding});
  return Variable::record("average_pool", std::move(output), {x},
                          [=, shape = x.shape(), count_padding = op.count_padding, &pool](const Tensor& gradient) {
                            Tensor result(shape);
                            kernels::average_pool_gradient(pool, {.window = window,
                                                                  .channels = channels,
                                                                  .output_gradient = gradient.data(),
                                                                  .input_gradient = result.data(),
                                                                  .count_padding = count_padding});
                            return std::vector<Tensor>{result};
                          });
}

Variable blur_pool(const Variable& x, ThreadPool& pool) {
  batch_output_shape(op::BlurPool{}, {x});
  const Index channels = x.shape().back();
  return conv2d(x, Variable(blur_filter(channels)), {}, blur_convolution(channels), pool);
}

}  // namespace linnet::autograd
