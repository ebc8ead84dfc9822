#include "engine/compile/conv_steps.h"

#include "engine/compile/inverted_residual_step.h"
#include "engine/compile/pack.h"
#include "engine/compile/rewrite.h"
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/conv/conv.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/grouped/grouped.h"
#include "kernels/linear/linear.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/winograd/tiles.h"
#include "kernels/winograd/winograd.h"

namespace linnet::compiler {
namespace {

/// The register tile of matrix products, rows x channels.
std::string product_tile() {
  const kernels::PointwiseKernels& product = kernels::pointwise_kernels();
  return "tile " + std::to_string(product.tile_rows) + "x" + std::to_string(2 * product.lanes);
}

Isa product_isa() { return kernels::select_variant(kernels::pointwise_variants()).isa; }

/// What the convolution kernels have in common: packed weights and bias, and perhaps a residual as the second input.
class ConvolutionStep : public Step {
 public:
  ConvolutionStep(const op::Conv2d& op, PackedWeights packed, PackedWeights bias)
      : packed_(packed),
        bias_(bias),
        out_channels_(op.out_channels),
        output_stride_(op.out_channels),
        activation_(op.activation),
        residual_(op.residual) {}

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

  PackedWeights packed_, bias_;
  Index out_channels_, output_stride_;
  Activation activation_;
  bool residual_;
};

class PointwiseStep final : public ConvolutionStep {
 public:
  PointwiseStep(const op::Conv2d& op, Index rows, Index in_channels, PackedWeights packed, PackedWeights bias)
      : ConvolutionStep(op, packed, bias), rows_(rows), in_channels_(in_channels) {}

  const char* kernel() const override { return "pointwise"; }
  Isa isa() const override { return product_isa(); }
  std::string tiling() const override { return product_tile(); }

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

/// Windows that no instruction set has a kernel for, and the sum that a depthwise convolution of a foreign graph may
/// add.
class DepthwiseReferenceStep final : public ConvolutionStep {
 public:
  DepthwiseReferenceStep(const op::Conv2d& op, const kernels::Window& window, PackedWeights packed, PackedWeights bias)
      : ConvolutionStep(op, packed, bias), window_(window) {}

  const char* kernel() const override { return "depthwise_reference"; }
  Isa isa() const override { return Isa::scalar; }

  void run(ThreadPool& pool, const StepBuffers& buffers) const override {
    kernels::depthwise_reference(pool, {.window = window_,
                                        .channels = out_channels_,
                                        .input = buffers.inputs[0],
                                        .weights = packed_.data(),
                                        .output = buffers.output,
                                        .epilogue = epilogue(buffers)});
  }

 private:
  kernels::Window window_;
};

/// One group, by either of two kernels that take the same arguments.
class DenseStep : public ConvolutionStep {
 public:
  DenseStep(const op::Conv2d& op, const kernels::Window& window, Index in_channels, PackedWeights packed,
            PackedWeights bias)
      : ConvolutionStep(op, packed, bias), window_(window), in_channels_(in_channels) {}

 protected:
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
  using DenseStep::DenseStep;

  const char* kernel() const override { return "conv"; }
  Isa isa() const override { return product_isa(); }
  std::string tiling() const override { return product_tile() + " of patches"; }
  std::size_t scratch_floats(int threads) const override {
    return kernels::conv_workspace_size(window_, in_channels_, out_channels_, threads);
  }
  void run(ThreadPool& pool, const StepBuffers& buffers) const override { kernels::conv(pool, args(buffers)); }
};

class WinogradStep final : public DenseStep {
 public:
  using DenseStep::DenseStep;

  const char* kernel() const override { return "winograd"; }
  Isa isa() const override { return kernels::select_variant(kernels::winograd_variants()).isa; }
  std::string tiling() const override { return "4x4 outputs of 6x6 inputs, [36][tiles][C] inside"; }
  std::size_t scratch_floats(int threads) const override {
    return kernels::winograd_workspace_size(window_, in_channels_, out_channels_, threads);
  }
  void run(ThreadPool& pool, const StepBuffers& buffers) const override { kernels::winograd(pool, args(buffers)); }
};

class GroupedStep final : public ConvolutionStep {
 public:
  GroupedStep(const op::Conv2d& op, const kernels::Window& window, Index in_channels, PackedWeights packed,
              PackedWeights bias)
      : ConvolutionStep(op, packed, bias), window_(window), groups_(op.groups), in_channels_(in_channels) {}

  const char* kernel() const override { return "grouped"; }
  Isa isa() const override { return product_isa(); }
  std::string tiling() const override { return product_tile() + " of patches, group by group"; }

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
  kernels::Window window_;
  Index groups_, in_channels_;
};

/// Shares the storage of the model's weights.
class LinearStep final : public Step {
 public:
  LinearStep(Index rows, Tensor weight, Tensor bias, Activation activation)
      : rows_(rows), weight_(std::move(weight)), bias_(std::move(bias)), activation_(activation) {}

  const char* kernel() const override { return "linear"; }
  Isa isa() const override { return kernels::select_variant(kernels::linear_variants()).isa; }

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
  ScaleShiftStep(Index rows, Index channels, PackedWeights scale, PackedWeights shift, Activation activation)
      : rows_(rows), channels_(channels), scale_(scale), shift_(shift), activation_(activation) {}

  const char* kernel() const override { return "scale_shift"; }
  Isa isa() const override { return kernels::select_variant(kernels::elementwise_variants()).isa; }
  std::vector<int> overwritable_inputs() const override { return {0}; }

  void run(ThreadPool& pool, const StepBuffers& buffers) const override {
    kernels::scale_shift(pool, rows_, channels_, buffers.inputs[0], scale_.data(), shift_.data(), activation_,
                         buffers.output);
  }

 private:
  Index rows_, channels_;
  PackedWeights scale_, shift_;
  Activation activation_;
};

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

std::unique_ptr<Step> make_conv_step(const StepSource& source, int index, Index output_stride) {
  const Node& node = node_at(source.graph(), index);
  const auto& op = std::get<op::Conv2d>(node.op);
  const Shape& input = node_at(source.graph(), node.inputs[0]).shape;
  const Index in_channels = input.back();
  const kernels::Window window = conv_window(op, input, node.shape, source.batch);
  const LayerWeights layer = layer_weights(source.network, node);

  const bool reads_in_place = op.kernel == 1 && op.stride == 1 && window.in_pixels() == window.out_pixels();
  const bool depthwise = op.groups == in_channels && op.groups == op.out_channels && output_stride == 0;
  if (depthwise && reads_in_place && op.bias && !op.residual) {
    const Tensor scale = scale_rows(layer.weight, layer.row_scale);
    return make_scale_shift_step(source, window.in_pixels(), scale, layer.bias, op.activation);
  }
  if (depthwise && !op.residual && kernels::depthwise_is_specialised(window)) {
    return make_inverted_residual_step(source, {.depthwise = index});
  }
  WeightMemory& weights = source.weights;
  const PackedWeights bias = weights.add(layer.bias);
  if (depthwise) return std::make_unique<DepthwiseReferenceStep>(op, window, pack_depthwise(weights, layer), bias);

  std::unique_ptr<ConvolutionStep> step;
  if (op.groups > 1) {
    step = std::make_unique<GroupedStep>(op, window, in_channels, pack_grouped(weights, layer, op.groups), bias);
  } else if (reads_in_place) {
    step = std::make_unique<PointwiseStep>(op, window.in_pixels(), in_channels, pack_pointwise(weights, layer), bias);
  } else if (kernels::winograd_pays(window, in_channels, op.out_channels)) {
    step = std::make_unique<WinogradStep>(op, window, in_channels, pack_winograd(weights, layer), bias);
  } else {
    step = std::make_unique<DirectStep>(op, window, in_channels, pack_dense(weights, layer), bias);
  }
  if (output_stride != 0) step->set_output_stride(output_stride);
  return step;
}

std::unique_ptr<Step> make_linear_step(const StepSource& source, int index) {
  const Node& node = node_at(source.graph(), index);
  const auto& op = std::get<op::Linear>(node.op);
  const Index rows = source.batch * element_count(node.shape) / op.out_features;
  const LayerWeights layer = layer_weights(source.network, node);
  return std::make_unique<LinearStep>(rows, source.weights.share(scale_rows(layer.weight, layer.row_scale)),
                                      source.weights.share(layer.bias), op.activation);
}

std::unique_ptr<Step> make_scale_shift_step(const StepSource& source, Index rows, const Tensor& scale,
                                            const Tensor& shift, Activation activation) {
  return std::make_unique<ScaleShiftStep>(rows, scale.size(), source.weights.add(scale), source.weights.add(shift),
                                          activation);
}

}  // namespace linnet::compiler
