#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace linnet {

struct AlignedDelete {
  void operator()(float* floats) const { ::operator delete (floats, std::align_val_t{64}); }
};

/// Memory that is allocated once and used for long: 64-byte aligned, not initialised, its pages there from the start.
/// Throws std::bad_alloc.
class LargeBlock {
 public:
  LargeBlock() = default;
  explicit LargeBlock(std::size_t bytes);

  float* data() const { return floats_.get(); }

 private:
  std::unique_ptr<float, AlignedDelete> floats_;
};

}  // namespace linnet
