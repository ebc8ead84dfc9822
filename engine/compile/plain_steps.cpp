#include "engine/compile/plain_steps.h"

#include <cstring>

#include "kernels/attention/attention.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/pool/pool.h"
#include "kernels/shuffle/shuffle.h"
#include "kernels/softmax/softmax.h"

namespace linnet::compiler {
namespace {

/// A step that is one call: everything it needs is in the closure.
template <class Call>
class CallStep final : public Step {
 public:
  CallStep(const char* kernel, Isa isa, std::vector<int> overwritable, Call call)
      : kernel_(kernel), isa_(isa), overwritable_(std::move(overwritable)), call_(std::move(call)) {}

  void run(ThreadPool& pool, const StepBuffers& buffers) const override { call_(pool, buffers.inputs, buffers.output); }
  const char* kernel() const override { return kernel_; }
  Isa isa() const override { return isa_; }
  std::vector<int> overwritable_inputs() const override { return overwritable_; }

 private:
  const char* kernel_;
  Isa isa_;
  std::vector<int> overwritable_;
  Call call_;
};

using Inputs = std::span<const float* const>;

template <class Call>
std::unique_ptr<Step> step(const char* kernel, Isa isa, std::vector<int> overwritable, Call call) {
  return std::make_unique<CallStep<Call>>(kernel, isa, std::move(overwritable), std::move(call));
}

Isa elementwise_isa() { return kernels::select_variant(kernels::elementwise_variants()).isa; }
Isa pool_isa() { return kernels::select_variant(kernels::pool_variants()).isa; }
Isa shuffle_isa() { return kernels::select_variant(kernels::shuffle_variants()).isa; }
Isa softmax_isa() { return kernels::select_variant(kernels::softmax_variants()).isa; }

class AttentionStep final : public Step {
 public:
  explicit AttentionStep(const kernels::AttentionShape& shape) : shape_(shape) {}

  const char* kernel() const override { return "multi_query_attention"; }
  Isa isa() const override { return kernels::select_variant(kernels::pointwise_variants()).isa; }
  std::size_t scratch_floats(int) const override { return kernels::attention_workspace_size(shape_); }

  void run(ThreadPool& pool, const StepBuffers& buffers) const override {
    kernels::attention(pool, {.shape = shape_,
                              .query = buffers.inputs[0],
                              .key = buffers.inputs[1],
                              .value = buffers.inputs[2],
                              .output = buffers.output,
                              .workspace = buffers.scratch});
  }

 private:
  kernels::AttentionShape shape_;
};

Index pixels_of(const Shape& shape) { return element_count(shape) / shape.back(); }

template <class PoolOp>
kernels::Window window_of(const PoolOp& op, const Shape& input, Index batch) {
  return {.batch = batch,
          .in_height = input[0],
          .in_width = input[1],
          .out_height = window_outputs(op.padding, input[0], op.kernel, op.stride, 1, op.ceil_mode),
          .out_width = window_outputs(op.padding, input[1], op.kernel, op.stride, 1, op.ceil_mode),
          .kernel_height = op.kernel,
          .kernel_width = op.kernel,
          .stride = op.stride,
          .dilation = 1,
          .pad_top = padding_before(op.padding, input[0], op.kernel, op.stride, 1),
          .pad_left = padding_before(op.padding, input[1], op.kernel, op.stride, 1)};
}

}  // namespace

std::unique_ptr<Step> make_plain_step(const op::Activate& op, const std::vector<Shape>& inputs, Index batch) {
  return step("activate", elementwise_isa(), {0},
              [activation = op.activation, size = batch * element_count(inputs[0])](
                  ThreadPool& pool, Inputs in, float* out) { kernels::activate(pool, activation, size, in[0], out); });
}

std::unique_ptr<Step> make_plain_step(const op::Add& op, const std::vector<Shape>& inputs, Index batch) {
  return step(
      "add", elementwise_isa(), {0, 1},
      [activation = op.activation, size = batch * element_count(inputs[0])](ThreadPool& pool, Inputs in, float* out) {
        kernels::add(pool, size, in[0], in[1], activation, out);
      });
}

std::unique_ptr<Step> make_plain_step(const op::ScaleChannels&, const std::vector<Shape>& inputs, Index batch) {
  return step(
      "scale_channels", elementwise_isa(), {0},
      [batch, pixels = pixels_of(inputs[0]), channels = inputs[0].back()](ThreadPool& pool, Inputs in, float* out) {
        kernels::scale_channels(pool, batch, pixels, channels, in[0], in[1], out);
      });
}

std::unique_ptr<Step> make_plain_step(const op::GlobalAveragePool&, const std::vector<Shape>& inputs, Index batch) {
  return step(
      "global_average_pool", pool_isa(), {},
      [batch, pixels = pixels_of(inputs[0]), channels = inputs[0].back()](ThreadPool& pool, Inputs in, float* out) {
        kernels::global_average_pool(pool, batch, pixels, channels, in[0], out);
      });
}

std::unique_ptr<Step> make_plain_step(const op::MaxPool& op, const std::vector<Shape>& inputs, Index batch) {
  return step(
      "max_pool", pool_isa(), {},
      [window = window_of(op, inputs[0], batch), channels = inputs[0].back()](ThreadPool& pool, Inputs in, float* out) {
        kernels::max_pool(pool, {.window = window, .channels = channels, .input = in[0], .output = out});
      });
}

std::unique_ptr<Step> make_plain_step(const op::AveragePool& op, const std::vector<Shape>& inputs, Index batch) {
  return step(
      "average_pool", pool_isa(), {},
      [window = window_of(op, inputs[0], batch), channels = inputs[0].back(), count_padding = op.count_padding](
          ThreadPool& pool, Inputs in, float* out) {
        kernels::average_pool(
            pool,
            {.window = window, .channels = channels, .input = in[0], .output = out, .count_padding = count_padding});
      });
}

std::unique_ptr<Step> make_plain_step(const op::ChannelShuffle& op, const std::vector<Shape>& inputs, Index batch) {
  return step("channel_shuffle", shuffle_isa(), {},
              [rows = batch * pixels_of(inputs[0]), channels = inputs[0].back(), groups = op.groups](
                  ThreadPool& pool, Inputs in, float* out) {
                kernels::channel_shuffle(pool, rows, channels, groups, in[0], out);
              });
}

std::unique_ptr<Step> make_plain_step(const op::Concat&, const std::vector<Shape>& inputs, Index batch) {
  std::vector<Index> channels;
  Index total = 0;
  for (const Shape& shape : inputs) {
    channels.push_back(shape.back());
    total += shape.back();
  }
  return step("concat", shuffle_isa(), {},
              [rows = batch * pixels_of(inputs[0]), channels = std::move(channels), total](ThreadPool& pool, Inputs in,
                                                                                           float* out) {
                for (std::size_t i = 0; i < channels.size(); ++i) {
                  kernels::copy_channels(pool, rows, channels[i], in[i], channels[i], out, total);
                  out += channels[i];
                }
              });
}

std::unique_ptr<Step> make_plain_step(const op::SliceChannels& op, const std::vector<Shape>& inputs, Index batch) {
  return step(
      "slice_channels", shuffle_isa(), {},
      [rows = batch * pixels_of(inputs[0]), op, channels = inputs[0].back()](ThreadPool& pool, Inputs in, float* out) {
        kernels::copy_channels(pool, rows, op.end - op.begin, in[0] + op.begin, channels, out, op.end - op.begin);
      });
}

std::unique_ptr<Step> make_plain_step(const op::ZeroPad& op, const std::vector<Shape>& inputs, Index batch) {
  const Shape& shape = inputs[0];
  const kernels::PadArgs args{batch, shape[0], shape[1], shape[2], op.top, op.left, op.bottom, op.right};
  return step("zero_pad", Isa::scalar, {},
              [args](ThreadPool& pool, Inputs in, float* out) { kernels::zero_pad(pool, args, in[0], out); });
}

std::unique_ptr<Step> make_plain_step(const op::MultiQueryAttention& op, const std::vector<Shape>& inputs,
                                      Index batch) {
  return std::make_unique<AttentionStep>(kernels::AttentionShape{.batch = batch,
                                                                 .positions = pixels_of(inputs[0]),
                                                                 .heads = op.heads,
                                                                 .keys = pixels_of(inputs[1]),
                                                                 .depth = inputs[1].back()});
}

std::unique_ptr<Step> make_plain_step(const op::Softmax&, const std::vector<Shape>& inputs, Index batch) {
  return step("softmax", softmax_isa(), {0},
              [rows = batch * pixels_of(inputs[0]), size = inputs[0].back()](ThreadPool& pool, Inputs in, float* out) {
                kernels::softmax(pool, rows, size, in[0], out);
              });
}

std::unique_ptr<Step> make_interleave_step(Index rows, Index channels, InterleaveOperand first,
                                           InterleaveOperand second) {
  return step("interleave", shuffle_isa(), {}, [=](ThreadPool& pool, Inputs in, float* out) {
    kernels::interleave_channels(pool, rows, channels, in[0] + first.begin, first.stride, in[1] + second.begin,
                                 second.stride, out);
  });
}

std::unique_ptr<Step> make_copy_step(Index size) {
  return step("copy", Isa::scalar, {}, [size](ThreadPool&, Inputs in, float* out) {
    std::memcpy(out, in[0], static_cast<std::size_t>(size) * sizeof(float));
  });
}

}  // namespace linnet::compiler
