// Scratch of the calling thread for functions that have no workspace of their own (gradients).
#pragma once

#include <cstddef>

namespace linnet::kernels {

/// 64-byte aligned floats, taken from a stack that each thread keeps and that only grows: after the first pass of a
/// training step nothing is allocated and no page is touched for the first time. Released in reverse order.
class Scratch {
 public:
  explicit Scratch(std::size_t floats);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  float* data() const { return data_; }

 private:
  float* data_;
};

}  // namespace linnet::kernels
