#include "kernels/pointwise/scratch.h"

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

namespace linnet::kernels {
namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t smallest_block = std::size_t{1} << 16;

struct Delete {
  void operator()(float* block) const { ::operator delete (block, std::align_val_t{alignment}); }
};

struct Block {
  std::unique_ptr<float, Delete> floats;
  std::size_t size = 0;
};

/// One block per nesting depth; each grows to the largest size asked for at its depth.
struct Stack {
  std::vector<Block> blocks;
  std::size_t depth = 0;
};

thread_local Stack stack;

}  // namespace

Scratch::Scratch(std::size_t floats) {
  if (stack.depth == stack.blocks.size()) stack.blocks.emplace_back();
  Block& block = stack.blocks[stack.depth];
  if (block.size < floats) {
    const std::size_t size = std::max(floats, smallest_block);
    block.floats.reset();
    block.size = 0;
    block.floats.reset(static_cast<float*>(::operator new (size * sizeof(float), std::align_val_t{alignment})));
    block.size = size;
  }
  data_ = block.floats.get();
  ++stack.depth;
}

Scratch::~Scratch() { --stack.depth; }

}  // namespace linnet::kernels
