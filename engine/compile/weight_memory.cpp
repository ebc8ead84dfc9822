#include "engine/compile/weight_memory.h"

#include <algorithm>

namespace linnet::compiler {

PackedWeights WeightMemory::add(std::size_t floats, LayerWeights layer, Pack pack) {
  constexpr std::size_t alignment = 64 / sizeof(float);
  const std::size_t offset = room_;
  pieces_.push_back({offset, std::move(layer), std::move(pack)});
  room_ += (floats + alignment - 1) / alignment * alignment;
  return {this, offset};
}

PackedWeights WeightMemory::add(const Tensor& values) {
  if (values.empty()) return {};
  return add(static_cast<std::size_t>(values.size()), {values, {}, {}}, [](const LayerWeights& layer, float* copy) {
    std::copy_n(layer.weight.data(), layer.weight.size(), copy);
  });
}

Tensor WeightMemory::share(Tensor values) {
  shared_ += static_cast<std::size_t>(values.size());
  return values;
}

void WeightMemory::fill() {
  block_ = LargeBlock(room_ * sizeof(float));
  constexpr Index enough_to_drop = (1 << 20) / sizeof(float);
  Index looked_at = 0;
  Tensor mapped;
  for (const Piece& piece : pieces_) {
    piece.pack(piece.layer, block_.data() + piece.offset);
    if (!piece.layer.weight.is_mapped()) continue;
    mapped = piece.layer.weight;
    looked_at += mapped.size();
    if (looked_at < enough_to_drop) continue;
    mapped.drop_pages();
    looked_at = 0;
  }
  mapped.drop_pages();
  pieces_ = {};
}

}  // namespace linnet::compiler
