#pragma once

#include "kernels/common/range.h"

namespace linnet::kernels {

/// [0, total) cut into ranges of equal size (give or take one), each of about `grain` units. The cut depends on these
/// two numbers alone, never on the number of threads, so that sums combined in chunk order are always the same bits.
class Chunks {
 public:
  Chunks(Index total, Index grain) : total_(total), count_(grain < 1 ? total : (total + grain - 1) / grain) {}

  Index count() const { return count_; }
  Range operator[](Index chunk) const { return {start(chunk), start(chunk + 1)}; }

 private:
  Index start(Index chunk) const {
    const Index size = total_ / count_, larger = total_ % count_;
    return chunk * size + (chunk < larger ? chunk : larger);
  }

  Index total_;
  Index count_;
};

}  // namespace linnet::kernels
