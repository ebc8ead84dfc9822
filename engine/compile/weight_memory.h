// The weights of a plan as its kernels read them, in one block of memory.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "engine/compile/network.h"
#include "engine/large_block.h"

namespace linnet::compiler {

class WeightMemory;

/// Room in the memory; what it holds is there once that is filled.
class PackedWeights {
 public:
  PackedWeights() = default;
  inline const float* data() const;  ///< 64-byte aligned; null: no room was asked for

 private:
  friend class WeightMemory;
  PackedWeights(const WeightMemory* memory, std::size_t offset) : memory_(memory), offset_(offset) {}

  const WeightMemory* memory_ = nullptr;
  std::size_t offset_ = 0;
};

/// First every step asks for room, then all of it is allocated at once and filled. Model weights are read one after the
/// other, each once, and the pages of a mapped file that held them are given back on the way.
class WeightMemory {
 public:
  using Pack = std::function<void(const LayerWeights& layer, float* packed)>;

  WeightMemory() = default;
  WeightMemory(const WeightMemory&) = delete;
  WeightMemory& operator=(const WeightMemory&) = delete;

  /// `pack` is called by fill() and writes this many floats.
  PackedWeights add(std::size_t floats, LayerWeights layer, Pack pack);
  /// Room for a copy; none for an empty tensor.
  PackedWeights add(const Tensor& values);
  /// Counts values that a step reads where they lie, and returns them.
  Tensor share(Tensor values);

  void fill();

  /// Of all of these.
  std::size_t floats() const { return room_ + shared_; }

 private:
  friend class PackedWeights;
  struct Piece {
    std::size_t offset;
    LayerWeights layer;
    Pack pack;
  };

  std::vector<Piece> pieces_;  ///< that are to be packed
  std::size_t room_ = 0, shared_ = 0;
  LargeBlock block_;
};

inline const float* PackedWeights::data() const {
  return memory_ == nullptr ? nullptr : memory_->block_.data() + offset_;
}

}  // namespace linnet::compiler
