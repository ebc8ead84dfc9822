#include "engine/compile/inverted_residual_step.h"

#include "engine/compile/conv_steps.h"
#include "engine/compile/rewrite.h"
#include "kernels/conv/conv.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/pointwise/pointwise.h"

namespace linnet::compiler {
namespace {

/// A convolution's weights, packed or as they lie in the model.
struct Layer {
  Tensor weights, bias;
  Activation activation = Activation::none;

  kernels::AffineWeights view() const { return {weights.data(), bias.data(), activation}; }
  std::size_t floats() const { return static_cast<std::size_t>(weights.size() + bias.size()); }
};

const op::Conv2d& conv_at(const Graph& graph, int node) { return std::get<op::Conv2d>(node_at(graph, node).op); }

Layer plain_layer(const Model& model, int node) {
  Layer layer{weight_of(model, node_at(model.graph, node), "weight"), Tensor(), conv_at(model.graph, node).activation};
  if (conv_at(model.graph, node).bias) layer.bias = weight_of(model, node_at(model.graph, node), "bias");
  return layer;
}

Layer pointwise_layer(const Model& model, int node) {
  Layer layer = plain_layer(model, node);
  const Index outputs = layer.weights.dimension(0), inputs = layer.weights.dimension(1);
  Tensor packed(Shape{static_cast<Index>(kernels::pointwise_packed_size(inputs, outputs))});
  kernels::pointwise_pack(layer.weights.data(), inputs, 1, inputs, outputs, packed.data());
  layer.weights = std::move(packed);
  return layer;
}

Layer dense_layer(const Model& model, int node) {
  Layer layer = plain_layer(model, node);
  const Index outputs = layer.weights.dimension(0), inputs = layer.weights.dimension(1);
  const Index area = layer.weights.dimension(2) * layer.weights.dimension(3);
  Tensor packed(Shape{static_cast<Index>(kernels::conv_packed_size(inputs, outputs, area))});
  kernels::conv_pack(layer.weights.data(), inputs, outputs, area, packed.data());
  layer.weights = std::move(packed);
  return layer;
}

Layer depthwise_layer(const Model& model, int node) {
  Layer layer = plain_layer(model, node);
  const Index channels = layer.weights.dimension(0), area = layer.weights.size() / channels;
  const Index lanes = kernels::pointwise_kernels().lanes, blocks = (channels + lanes - 1) / lanes;
  Tensor packed(Shape{blocks * lanes * area});
  kernels::depthwise_pack_blocks(layer.weights.data(), channels, area, lanes, packed.data());
  layer.weights = std::move(packed);
  Tensor bias = Tensor::zeros({blocks * lanes});
  for (Index c = 0; c < layer.bias.size(); ++c) bias.data()[c] = layer.bias.data()[c];
  layer.bias = std::move(bias);
  return layer;
}

class InvertedResidualStep final : public Step {
 public:
  InvertedResidualStep(const Model& model, const InvertedResidualBlock& block, Index batch)
      : shape_(shape_of(model.graph, block, batch)) {
    depthwise_ = depthwise_layer(model, block.depthwise);
    if (block.expand >= 0)
      expand_ = shape_.has_stem ? dense_layer(model, block.expand) : pointwise_layer(model, block.expand);
    if (block.slice >= 0) first_channel_ = std::get<op::SliceChannels>(node_at(model.graph, block.slice).op).begin;
    if (block.scale >= 0) {
      squeeze_ = plain_layer(model, block.squeeze);
      excite_ = plain_layer(model, block.excite);
    }
    if (block.project >= 0) {
      project_ = pointwise_layer(model, block.project);
      residual_ = conv_at(model.graph, block.project).residual;
    }
    positions_ = kernels::inverted_residual_positions(shape_);
  }

  const char* kernel() const override {
    if (shape_.has_stem) return "stem_depthwise_pointwise";
    if (shape_.squeezed != 0) return "inverted_residual_se";
    if (shape_.expands) return shape_.out_channels != 0 ? "inverted_residual" : "pointwise_depthwise";
    return shape_.out_channels != 0 ? "depthwise_pointwise" : "depthwise";
  }
  std::size_t scratch_floats(int threads) const override {
    return kernels::inverted_residual_workspace_size(shape_, threads);
  }
  std::size_t weight_floats() const override {
    return expand_.floats() + depthwise_.floats() + squeeze_.floats() + excite_.floats() + project_.floats();
  }
  std::vector<int> overwritable_inputs() const override { return residual_ ? std::vector<int>{1} : std::vector<int>{}; }

  void run(ThreadPool& pool, const StepBuffers& buffers) const override {
    kernels::inverted_residual(pool, {.shape = shape_,
                                      .input = buffers.inputs[0] + first_channel_,
                                      .expand = expand_.view(),
                                      .depthwise = depthwise_.view(),
                                      .squeeze = squeeze_.view(),
                                      .excite = excite_.view(),
                                      .project = project_.weights.data(),
                                      .epilogue = {.bias = project_.bias.data(),
                                                   .residual = residual_ ? buffers.inputs[1] : nullptr,
                                                   .residual_stride = shape_.out_channels,
                                                   .activation = project_.activation},
                                      .output = buffers.output,
                                      .positions = positions_.data(),
                                      .workspace = buffers.scratch});
  }

 private:
  kernels::InvertedResidualShape shape_;
  Layer expand_, depthwise_, squeeze_, excite_, project_;
  std::vector<std::int32_t> positions_;
  Index first_channel_ = 0;
  bool residual_ = false;
};

}  // namespace

kernels::InvertedResidualShape shape_of(const Graph& graph, const InvertedResidualBlock& block, Index batch) {
  kernels::InvertedResidualShape shape;
  const Node& depthwise = node_at(graph, block.depthwise);
  const Shape& map = node_at(graph, depthwise.inputs[0]).shape;
  shape.window = conv_window(conv_at(graph, block.depthwise), map, depthwise.shape, batch);
  shape.channels = shape.in_channels = map.back();
  if (block.expand >= 0) {
    const Shape& input = node_at(graph, node_at(graph, block.expand).inputs[0]).shape;
    shape.in_channels = input.back();
    shape.has_stem = conv_at(graph, block.expand).kernel > 1;
    shape.expands = !shape.has_stem;
    if (shape.has_stem) shape.stem = conv_window(conv_at(graph, block.expand), input, map, batch);
  }
  shape.input_stride = shape.in_channels;
  if (block.slice >= 0) {
    shape.input_stride = node_at(graph, node_at(graph, block.slice).inputs[0]).shape.back();
  }
  if (block.scale >= 0) shape.squeezed = conv_at(graph, block.squeeze).out_channels;
  if (block.project >= 0) shape.out_channels = conv_at(graph, block.project).out_channels;
  return shape;
}

std::unique_ptr<Step> make_inverted_residual_step(const Model& model, const InvertedResidualBlock& block, Index batch) {
  return std::make_unique<InvertedResidualStep>(model, block, batch);
}

}  // namespace linnet::compiler
