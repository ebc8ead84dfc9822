// Moving values about: shuffle, concatenation, slices, padding; and flattening, which moves nothing.
#include "engine/autograd/checks.h"
#include "kernels/shuffle/shuffle.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {

Variable flatten(const Variable& x) {
  return Variable::record(
      "flatten", x.value().reshaped(batch_output_shape(op::Flatten{}, {x})), {x},
      [shape = x.shape()](const Tensor& gradient) { return std::vector<Tensor>{gradient.reshaped(shape)}; });
}

Variable channel_shuffle(const Variable& x, Index groups, ThreadPool& pool) {
  Tensor output(batch_output_shape(op::ChannelShuffle{groups}, {x}));
  const Index rows = rows_of(output), channels = output.shape().back();
  kernels::channel_shuffle(pool, rows, channels, groups, x.value().data(), output.data());
  return Variable::record("channel_shuffle", std::move(output), {x}, [=, &pool](const Tensor& gradient) {
    Tensor result(gradient.shape());
    kernels::channel_shuffle(pool, rows, channels, channels / groups, gradient.data(), result.data());
    return std::vector<Tensor>{result};
  });
}

Variable concat(const std::vector<Variable>& inputs, ThreadPool& pool) {
  Tensor output(batch_output_shape(op::Concat{}, inputs));
  const Index rows = rows_of(output), channels = output.shape().back();
  std::vector<Shape> wanted;  // the empty shape: no gradient
  float* position = output.data();
  for (const Variable& input : inputs) {
    const Index width = input.shape().back();
    kernels::copy_channels(pool, rows, width, input.value().data(), width, position, channels);
    position += width;
    wanted.push_back(input.requires_gradient() ? input.shape() : Shape{});
  }
  std::vector<Index> widths;
  for (const Variable& input : inputs) widths.push_back(input.shape().back());
  return Variable::record("concat", std::move(output), inputs, [=, &pool](const Tensor& gradient) {
    std::vector<Tensor> gradients(wanted.size());
    const float* source = gradient.data();
    for (std::size_t i = 0; i < wanted.size(); source += widths[i], ++i) {
      if (wanted[i].empty()) continue;
      gradients[i] = Tensor(wanted[i]);
      kernels::copy_channels(pool, rows, widths[i], source, channels, gradients[i].data(), widths[i]);
    }
    return gradients;
  });
}

Variable slice_channels(const Variable& x, Index begin, Index end, ThreadPool& pool) {
  Tensor output(batch_output_shape(op::SliceChannels{begin, end}, {x}));
  const Index rows = rows_of(output), channels = x.shape().back(), width = end - begin;
  kernels::copy_channels(pool, rows, width, x.value().data() + begin, channels, output.data(), width);
  return Variable::record(
      "slice_channels", std::move(output), {x}, [=, shape = x.shape(), &pool](const Tensor& gradient) {
        Tensor result = Tensor::zeros(shape);
        kernels::copy_channels(pool, rows, width, gradient.data(), width, result.data() + begin, channels);
        return std::vector<Tensor>{result};
      });
}

Variable zero_pad(const Variable& x, const op::ZeroPad& op, ThreadPool& pool) {
  Tensor output(batch_output_shape(op, {x}));
  const Shape& shape = x.shape();
  const kernels::PadArgs args{shape[0], shape[1], shape[2], shape[3], op.top, op.left, op.bottom, op.right};
  kernels::zero_pad(pool, args, x.value().data(), output.data());
  return Variable::record("zero_pad", std::move(output), {x}, [args, shape, &pool](const Tensor& gradient) {
    Tensor result(shape);
    kernels::zero_pad(pool, args.inverse(), gradient.data(), result.data());
    return std::vector<Tensor>{result};
  });
}

}  // namespace linnet::autograd
