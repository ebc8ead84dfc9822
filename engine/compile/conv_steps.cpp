#include "engine/compile/conv_steps.h"

#include "engine/blur_filter.h"
#include "engine/compile/pack.h"
#include "engine/compile/rewrite.h"
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/conv/conv.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/grouped/grouped.h"
#include "kernels/linear/linear.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/winograd/winograd.h"

namespace linnet::compiler {
namespace {

/// What the convolution kernels have in common: packed weights and bias, and perhaps a residual as the second input.
class ConvolutionStep : public Step {
 public:
  ConvolutionStep(const op::Conv2d& op, Tensor packed, Tensor bias)
      : packed_(std::move(packed)),
        bias_(std::move(bias)),
        out_channels_(op.out_channels),
        output_stride_(op.out_channels),
        activation_(op.activation),
        residual_(op.residual) {}

  std::size_t weight_floats() const override { return static_cast<std::size_t>(packed_.size() + bias_.size()); }
  std::vector<int> overwritable_inputs() const override { return residual_ ? std::vector<int>{1} : std::vector<int>{}; }

  /// The output is some channels of a wider tensor. Not for depthwise convolutions.
  void set_output_stride(Index stride) { output_stride_ = stride; }

 protected:
  kernels::Epilogue epilogue(const StepBuffers& buffers) const {
    return {.bias = bias_.data(),
            .residual = residual_ ? buffers.inputs[1] : nullptr,
            .residual_stride = out_channels_,
            .activation = activation_};
  }

  Tensor packed_;
  Tensor bias_;
  Index out_channels_, output_stride_;
  Activation activation_;
  bool residual_;
};

class PointwiseStep final : public ConvolutionStep {
 public:
  PointwiseStep(const op::Conv2d& op, Index rows, Index in_channels, const Tensor& weight, Tensor bias)
      : ConvolutionStep(op, pack_pointwise(weight), std::move(bias)), rows_(rows), in_channels_(in_channels) {}

  const char* kernel() const override { return "pointwise"; }

  void run(ThreadPool& pool, const StepBuffers& buffers) const override {
    kernels::pointwise(pool, {.rows = rows_,
                              .in_channels = in_channels_,
                              .out_channels = out_channels_,
                              .input = buffers.inputs[0],
                              .input_stride = in_channels_,
                              .weights = packed_.data(),
                              .output = buffers.output,
                              .output_stride = output_stride_,
                              .epilogue = epilogue(buffers)});
  }

 private:
  Index rows_, in_channels_;
};

class DepthwiseStep final : public ConvolutionStep {
 public:
  DepthwiseStep(const op::Conv2d& op, const kernels::Window& window, const Tensor& weight, Tensor bias)
      : ConvolutionStep(op, pack(weight, window), std::move(bias)), window_(window) {}

  const char* kernel() const override { return "depthwise"; }

  void run(ThreadPool& pool, const StepBuffers& buffers) const override {
    kernels::depthwise(pool, {.window = window_,
                              .channels = out_channels_,
                              .input = buffers.inputs[0],
                              .weights = packed_.data(),
                              .output = buffers.output,
                              .epilogue = epilogue(buffers)});
  }

 private:
  static Tensor pack(const Tensor& weight, const kernels::Window& window) {
    Tensor packed(Shape{weight.size()});
    const Index channels = weight.dimension(0);
    kernels::depthwise_pack(weight.data(), channels, window.kernel_area(), packed.data());
    return packed;
  }

  kernels::Window window_;
};

/// One group, by either of two kernels that take the same arguments.
class DenseStep : public ConvolutionStep {
 protected:
  DenseStep(const op::Conv2d& op, const kernels::Window& window, Index in_channels, Tensor packed, Tensor bias)
      : ConvolutionStep(op, std::move(packed), std::move(bias)), window_(window), in_channels_(in_channels) {}

  kernels::ConvArgs args(const StepBuffers& buffers) const {
    return {.window = window_,
            .in_channels = in_channels_,
            .out_channels = out_channels_,
            .input = buffers.inputs[0],
            .input_stride = in_channels_,
            .weights = packed_.data(),
            .output = buffers.output,
            .output_stride = output_stride_,
            .epilogue = epilogue(buffers),
            .workspace = buffers.scratch};
  }

  kernels::Window window_;
  Index in_channels_;
};

class DirectStep final : public DenseStep {
 public:
  DirectStep(const op::Conv2d& op, const kernels::Window& window, Index in_channels, const Tensor& weight, Tensor bias)
      : DenseStep(op, window, in_channels, pack_dense(weight), std::move(bias)) {}

  const char* kernel() const override { return "conv"; }
  std::size_t scratch_floats(int threads) const override {
    return kernels::conv_workspace_size(window_, in_channels_, out_channels_, threads);
  }
  void run(ThreadPool& pool, const StepBuffers& buffers) const override { kernels::conv(pool, args(buffers)); }
};

class WinogradStep final : public DenseStep {
 public:
  WinogradStep(const op::Conv2d& op, const kernels::Window& window, Index in_channels, const Tensor& weight,
               Tensor bias)
      : DenseStep(op, window, in_channels, pack(weight, in_channels, op.out_channels), std::move(bias)) {}

  const char* kernel() const override { return "winograd"; }
  std::size_t scratch_floats(int threads) const override {
    return kernels::winograd_workspace_size(window_, in_channels_, out_channels_, threads);
  }
  void run(ThreadPool& pool, const StepBuffers& buffers) const override { kernels::winograd(pool, args(buffers)); }

 private:
  static Tensor pack(const Tensor& weight, Index in_channels, Index out_channels) {
    Tensor packed(Shape{static_cast<Index>(kernels::winograd_packed_size(in_channels, out_channels))});
    kernels::winograd_pack(weight.data(), in_channels, out_channels, packed.data());
    return packed;
  }
};

class GroupedStep final : public ConvolutionStep {
 public:
  GroupedStep(const op::Conv2d& op, const kernels::Window& window, Index in_channels, const Tensor& weight, Tensor bias)
      : ConvolutionStep(op, pack(op, window, in_channels, weight), std::move(bias)),
        window_(window),
        groups_(op.groups),
        in_channels_(in_channels) {}

  const char* kernel() const override { return "grouped"; }

  std::size_t scratch_floats(int threads) const override {
    return kernels::grouped_workspace_size(window_, groups_, in_channels_, out_channels_, threads);
  }

  void run(ThreadPool& pool, const StepBuffers& buffers) const override {
    kernels::grouped(pool, {.window = window_,
                            .groups = groups_,
                            .in_channels = in_channels_,
                            .out_channels = out_channels_,
                            .input = buffers.inputs[0],
                            .input_stride = in_channels_,
                            .weights = packed_.data(),
                            .output = buffers.output,
                            .output_stride = output_stride_,
                            .epilogue = epilogue(buffers),
                            .workspace = buffers.scratch});
  }

 private:
  static Tensor pack(const op::Conv2d& op, const kernels::Window& window, Index in_channels, const Tensor& weight) {
    const Index area = window.kernel_area();
    const std::size_t size = kernels::grouped_packed_size(op.groups, in_channels, op.out_channels, area);
    Tensor packed(Shape{static_cast<Index>(size)});
    kernels::grouped_pack(weight.data(), op.groups, in_channels, op.out_channels, area, packed.data());
    return packed;
  }

  kernels::Window window_;
  Index groups_, in_channels_;
};

/// Shares the storage of the model's weights.
class LinearStep final : public Step {
 public:
  LinearStep(Index rows, Tensor weight, Tensor bias, Activation activation)
      : rows_(rows), weight_(std::move(weight)), bias_(std::move(bias)), activation_(activation) {}

  const char* kernel() const override { return "linear"; }
  std::size_t weight_floats() const override { return static_cast<std::size_t>(weight_.size() + bias_.size()); }

  void run(ThreadPool& pool, const StepBuffers& buffers) const override {
    const Index out_features = weight_.dimension(0);
    kernels::linear(pool, {.rows = rows_,
                           .in_features = weight_.size() / out_features,
                           .out_features = out_features,
                           .input = buffers.inputs[0],
                           .weights = weight_.data(),
                           .bias = bias_.data(),
                           .activation = activation_,
                           .output = buffers.output});
  }

 private:
  Index rows_;
  Tensor weight_, bias_;
  Activation activation_;
};

class ScaleShiftStep final : public Step {
 public:
  ScaleShiftStep(Index rows, Tensor scale, Tensor shift, Activation activation)
      : rows_(rows), scale_(std::move(scale)), shift_(std::move(shift)), activation_(activation) {}

  const char* kernel() const override { return "scale_shift"; }
  std::size_t weight_floats() const override { return static_cast<std::size_t>(scale_.size() + shift_.size()); }
  std::vector<int> overwritable_inputs() const override { return {0}; }

  void run(ThreadPool& pool, const StepBuffers& buffers) const override {
    kernels::scale_shift(pool, rows_, scale_.size(), buffers.inputs[0], scale_.data(), shift_.data(), activation_,
                         buffers.output);
  }

 private:
  Index rows_;
  Tensor scale_, shift_;
  Activation activation_;
};

Tensor bias_or_none(const Model& model, const Node& node, bool has_bias) {
  return has_bias ? weight_of(model, node, "bias") : Tensor();
}

}  // namespace

kernels::Window conv_window(const op::Conv2d& op, const Shape& input, const Shape& output, Index batch) {
  return {.batch = batch,
          .in_height = input[0],
          .in_width = input[1],
          .out_height = output[0],
          .out_width = output[1],
          .kernel_height = op.kernel,
          .kernel_width = op.kernel,
          .stride = op.stride,
          .dilation = op.dilation,
          .pad_top = padding_before(op.padding, input[0], op.kernel, op.stride, op.dilation),
          .pad_left = padding_before(op.padding, input[1], op.kernel, op.stride, op.dilation)};
}

std::unique_ptr<Step> make_conv_step(const Model& model, int index, Index batch, Index output_stride) {
  const Node& node = node_at(model.graph, index);
  const auto& op = std::get<op::Conv2d>(node.op);
  const Shape& input = node_at(model.graph, node.inputs[0]).shape;
  const Index in_channels = input.back();
  const kernels::Window window = conv_window(op, input, node.shape, batch);
  const Tensor& weight = weight_of(model, node, "weight");
  Tensor bias = bias_or_none(model, node, op.bias);

  const bool reads_in_place = op.kernel == 1 && op.stride == 1 && window.in_pixels() == window.out_pixels();
  const bool depthwise = op.groups == in_channels && op.groups == op.out_channels && output_stride == 0;
  if (depthwise && reads_in_place && op.bias && !op.residual) {
    return make_scale_shift_step(window.in_pixels(), weight.reshaped({in_channels}), std::move(bias), op.activation);
  }
  if (depthwise) return std::make_unique<DepthwiseStep>(op, window, weight, std::move(bias));

  std::unique_ptr<ConvolutionStep> step;
  if (op.groups > 1) {
    step = std::make_unique<GroupedStep>(op, window, in_channels, weight, std::move(bias));
  } else if (reads_in_place) {
    step = std::make_unique<PointwiseStep>(op, window.in_pixels(), in_channels, weight, std::move(bias));
  } else if (kernels::winograd_pays(window, in_channels, op.out_channels)) {
    step = std::make_unique<WinogradStep>(op, window, in_channels, weight, std::move(bias));
  } else {
    step = std::make_unique<DirectStep>(op, window, in_channels, weight, std::move(bias));
  }
  if (output_stride != 0) step->set_output_stride(output_stride);
  return step;
}

std::unique_ptr<Step> make_blur_pool_step(const Shape& input, const Shape& output, Index batch) {
  const op::Conv2d op = blur_convolution(input.back());
  return std::make_unique<DepthwiseStep>(op, conv_window(op, input, output, batch), blur_filter(input.back()),
                                         Tensor());
}

std::unique_ptr<Step> make_linear_step(const Model& model, int index, Index batch) {
  const Node& node = node_at(model.graph, index);
  const auto& op = std::get<op::Linear>(node.op);
  const Index rows = batch * element_count(node.shape) / op.out_features;
  return std::make_unique<LinearStep>(rows, weight_of(model, node, "weight"), bias_or_none(model, node, op.bias),
                                      op.activation);
}

std::unique_ptr<Step> make_scale_shift_step(Index rows, Tensor scale, Tensor shift, Activation activation) {
  return std::make_unique<ScaleShiftStep>(rows, std::move(scale), std::move(shift), activation);
}

}  // namespace linnet::compiler
