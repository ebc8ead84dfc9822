#include "engine/compile/pack.h"

#include "kernels/conv/conv.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/grouped/grouped.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/winograd/winograd.h"

namespace linnet::compiler {
namespace {

Index kernel_area(const Tensor& weight) { return weight.dimension(2) * weight.dimension(3); }

/// For kernels that do not scale while they pack: scales a copy of the layer first.
template <class Pack>
PackedWeights add_scaled(WeightMemory& memory, std::size_t floats, const LayerWeights& layer, Pack pack) {
  return memory.add(floats, layer, [pack](const LayerWeights& source, float* packed) {
    const Tensor weight = scale_rows(source.weight, source.row_scale);
    pack(weight.data(), packed);
  });
}

}  // namespace

PackedWeights pack_pointwise(WeightMemory& memory, const LayerWeights& layer) {
  const Index outputs = layer.weight.dimension(0), inputs = layer.weight.dimension(1);
  return memory.add(kernels::pointwise_packed_size(inputs, outputs), layer,
                    [=](const LayerWeights& source, float* packed) {
                      kernels::pointwise_pack(source.weight.data(), inputs, 1, inputs, outputs, packed, source.scale());
                    });
}

PackedWeights pack_depthwise(WeightMemory& memory, const LayerWeights& layer) {
  const Index channels = layer.weight.dimension(0), area = kernel_area(layer.weight);
  return add_scaled(memory, static_cast<std::size_t>(channels * area), layer, [=](const float* weight, float* packed) {
    kernels::depthwise_pack(weight, channels, area, packed);
  });
}

PackedWeights pack_depthwise_blocks(WeightMemory& memory, const LayerWeights& layer) {
  const Index channels = layer.weight.dimension(0), area = kernel_area(layer.weight);
  const Index lanes = kernels::pointwise_kernels().lanes, padded = (channels + lanes - 1) / lanes * lanes;
  return add_scaled(memory, static_cast<std::size_t>(padded * area), layer, [=](const float* weight, float* packed) {
    kernels::depthwise_pack_blocks(weight, channels, area, lanes, packed);
  });
}

PackedWeights pack_dense(WeightMemory& memory, const LayerWeights& layer) {
  const Index outputs = layer.weight.dimension(0), inputs = layer.weight.dimension(1), area = kernel_area(layer.weight);
  return add_scaled(
      memory, kernels::conv_packed_size(inputs, outputs, area), layer,
      [=](const float* weight, float* packed) { kernels::conv_pack(weight, inputs, outputs, area, packed); });
}

PackedWeights pack_winograd(WeightMemory& memory, const LayerWeights& layer) {
  const Index outputs = layer.weight.dimension(0), inputs = layer.weight.dimension(1);
  return add_scaled(
      memory, kernels::winograd_packed_size(inputs, outputs), layer,
      [=](const float* weight, float* packed) { kernels::winograd_pack(weight, inputs, outputs, packed); });
}

PackedWeights pack_grouped(WeightMemory& memory, const LayerWeights& layer, Index groups) {
  const Index outputs = layer.weight.dimension(0), inputs = layer.weight.dimension(1) * groups;
  const Index area = kernel_area(layer.weight);
  return add_scaled(memory, kernels::grouped_packed_size(groups, inputs, outputs, area), layer,
                    [=](const float* weight, float* packed) {
                      kernels::grouped_pack(weight, groups, inputs, outputs, area, packed);
                    });
}

}  // namespace linnet::compiler
