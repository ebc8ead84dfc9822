#include "engine/compile/inverted_residual_step.h"

#include "engine/compile/conv_steps.h"
#include "engine/compile/pack.h"
#include "engine/compile/rewrite.h"
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

Layer packed_layer(const Model& model, int node, Tensor (*pack)(const Tensor&)) {
  Layer layer = plain_layer(model, node);
  layer.weights = pack(layer.weights);
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
      : plan_(kernels::plan_inverted_residual(shape_of(model.graph, block, batch))) {
    depthwise_ = depthwise_layer(model, block.depthwise);
    if (block.expand >= 0) {
      expand_ = packed_layer(model, block.expand, shape().has_stem ? pack_dense : pack_pointwise);
    }
    if (block.slice >= 0) first_channel_ = std::get<op::SliceChannels>(node_at(model.graph, block.slice).op).begin;
    if (block.scale >= 0) {
      squeeze_ = plain_layer(model, block.squeeze);
      excite_ = plain_layer(model, block.excite);
    }
    if (block.project >= 0) {
      project_ = packed_layer(model, block.project, pack_pointwise);
      residual_ = conv_at(model.graph, block.project).residual;
    }
  }

  const char* kernel() const override {
    const bool projects = shape().out_channels != 0;
    if (shape().has_stem) return projects ? "stem_depthwise_pointwise" : "stem_depthwise";
    if (shape().squeezed != 0) return "inverted_residual_se";
    if (shape().expands) return projects ? "inverted_residual" : "pointwise_depthwise";
    return projects ? "depthwise_pointwise" : "depthwise_blocks";
  }
  std::size_t scratch_floats(int threads) const override {
    return kernels::inverted_residual_workspace_size(plan_, threads);
  }
  std::size_t weight_floats() const override {
    return expand_.floats() + depthwise_.floats() + squeeze_.floats() + excite_.floats() + project_.floats();
  }
  std::vector<int> overwritable_inputs() const override { return residual_ ? std::vector<int>{1} : std::vector<int>{}; }

  void run(ThreadPool& pool, const StepBuffers& buffers) const override {
    kernels::inverted_residual(pool, plan_,
                               {.input = buffers.inputs[0] + first_channel_,
                                .expand = expand_.view(),
                                .depthwise = depthwise_.view(),
                                .squeeze = squeeze_.view(),
                                .excite = excite_.view(),
                                .project = project_.weights.data(),
                                .epilogue = {.bias = project_.bias.data(),
                                             .residual = residual_ ? buffers.inputs[1] : nullptr,
                                             .residual_stride = shape().out_channels,
                                             .activation = project_.activation},
                                .output = buffers.output,
                                .workspace = buffers.scratch});
  }

 private:
  const kernels::InvertedResidualShape& shape() const { return plan_.shape; }

  kernels::InvertedResidualPlan plan_;
  Layer expand_, depthwise_, squeeze_, excite_, project_;
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
