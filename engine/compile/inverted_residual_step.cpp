#include "engine/compile/inverted_residual_step.h"

#include <algorithm>

#include "engine/compile/conv_steps.h"
#include "engine/compile/pack.h"
#include "engine/compile/rewrite.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/pointwise/pointwise.h"

namespace linnet::compiler {
namespace {

/// A convolution's weights.
struct Layer {
  PackedWeights weights, bias;
  Activation activation = Activation::none;

  kernels::AffineWeights view() const { return {weights.data(), bias.data(), activation}; }
};

const op::Conv2d& conv_at(const Graph& graph, int node) { return std::get<op::Conv2d>(node_at(graph, node).op); }

using Pack = PackedWeights (*)(WeightMemory& memory, const LayerWeights& layer);

PackedWeights plain_bias(WeightMemory& memory, const LayerWeights& layer) { return memory.add(layer.bias); }

Layer packed_layer(const StepSource& source, int node, Pack weights, Pack bias = plain_bias) {
  const LayerWeights layer = layer_weights(source.network, node_at(source.graph(), node));
  return {weights(source.weights, layer), bias(source.weights, layer), conv_at(source.graph(), node).activation};
}

/// As they lie in the model.
PackedWeights copied(WeightMemory& memory, const LayerWeights& layer) {
  return memory.add(scale_rows(layer.weight, layer.row_scale));
}

/// Zeros for the channels that fill up the last block, or for all of them.
PackedWeights padded_bias(WeightMemory& memory, const LayerWeights& layer) {
  const Index lanes = kernels::pointwise_kernels().lanes;
  const Index padded = (layer.weight.dimension(0) + lanes - 1) / lanes * lanes;
  return memory.add(static_cast<std::size_t>(padded), {layer.bias, {}, {}},
                    [padded](const LayerWeights& source, float* packed) {
                      std::fill_n(packed, padded, 0.0f);
                      std::copy_n(source.weight.data(), source.weight.size(), packed);
                    });
}

class InvertedResidualStep final : public Step {
 public:
  InvertedResidualStep(const StepSource& source, const InvertedResidualBlock& block)
      : plan_(kernels::plan_inverted_residual(shape_of(source.graph(), block, source.batch))) {
    if (block.expand >= 0) {
      expand_ = packed_layer(source, block.expand, shape().has_stem ? pack_dense : pack_pointwise);
    }
    depthwise_ = packed_layer(source, block.depthwise, pack_depthwise_blocks, padded_bias);
    if (block.slice >= 0) first_channel_ = std::get<op::SliceChannels>(node_at(source.graph(), block.slice).op).begin;
    if (block.scale >= 0) {
      squeeze_ = packed_layer(source, block.squeeze, copied);
      excite_ = packed_layer(source, block.excite, copied);
    }
    if (block.project >= 0) {
      project_ = packed_layer(source, block.project, pack_pointwise);
      residual_ = conv_at(source.graph(), block.project).residual;
    }
  }

  const char* kernel() const override {
    const bool projects = shape().out_channels != 0;
    if (shape().has_stem) return projects ? "stem_depthwise_pointwise" : "stem_depthwise";
    if (shape().squeezed != 0) return "inverted_residual_se";
    if (shape().expands) return projects ? "inverted_residual" : "pointwise_depthwise";
    return projects ? "depthwise_pointwise" : "depthwise_blocks";
  }
  Isa isa() const override { return kernels::select_variant(kernels::depthwise_block_variants()).isa; }
  std::string tiling() const override {
    const std::string lanes = std::to_string(plan_.lanes);
    const std::string groups = std::to_string(std::min(plan_.group, plan_.blocks)) + " of " +
                               std::to_string(plan_.blocks) + " blocks [C/" + lanes + "][H][W][" + lanes +
                               "] at a time";
    return plan_.by_rows ? "by rows, " + std::to_string(plan_.ring) + " kept, " + groups : "whole maps, " + groups;
  }
  std::size_t scratch_floats(int threads) const override {
    return kernels::inverted_residual_workspace_size(plan_, threads);
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

std::unique_ptr<Step> make_inverted_residual_step(const StepSource& source, const InvertedResidualBlock& block) {
  return std::make_unique<InvertedResidualStep>(source, block);
}

}  // namespace linnet::compiler
