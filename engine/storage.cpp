#include "engine/storage.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <mutex>
#include <new>

namespace linnet {
namespace {

constexpr std::align_val_t alignment{64};
constexpr std::size_t smallest_kept = 64 * 1024;  // malloc itself reuses smaller blocks well

void* allocate_block(std::size_t bytes) { return ::operator new(bytes, alignment); }
void free_block(void* block) noexcept { ::operator delete(block, alignment); }

// Four size classes per power of two: at most a quarter of a block is unused, and tensors of nearly the same size share
// blocks. Class 4 * p + q holds blocks of (4 + q) * 2^(p - 2) bytes.
std::size_t class_of(std::size_t bytes) {
  const auto power = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 1;
  return 4 * power + (((bytes - 1) >> (power - 2)) & 3) + 1;
}
std::size_t bytes_of(std::size_t size_class) { return (4 + size_class % 4) << (size_class / 4 - 2); }

class Cache {
 public:
  void* allocate(std::size_t size_class) {
    const std::lock_guard lock(mutex_);
    const std::size_t bytes = bytes_of(size_class);
    live_ += bytes;
    if (Link* const block = kept_[size_class]) {
      kept_[size_class] = block->next;
      kept_bytes_ -= bytes;
      return block;
    }
    peak_ = std::max(peak_, live_);
    shrink(peak_ + peak_ / 2 - live_);
    try {
      return allocate_block(bytes);
    } catch (const std::bad_alloc&) {
      shrink(0);
    }
    try {
      return allocate_block(bytes);
    } catch (const std::bad_alloc&) {
      live_ -= bytes;
      throw;
    }
  }

  void release(void* memory, std::size_t size_class) noexcept {
    const std::lock_guard lock(mutex_);
    live_ -= bytes_of(size_class);
    kept_[size_class] = ::new (memory) Link{kept_[size_class]};
    kept_bytes_ += bytes_of(size_class);
    if (live_ == 0) {
      shrink(0);
      peak_ = 0;
    }
  }

  std::size_t kept_bytes() {
    const std::lock_guard lock(mutex_);
    return kept_bytes_;
  }

 private:
  struct Link {
    Link* next;
  };

  // Returns kept blocks to the system, the largest first, until at most `limit` bytes are kept.
  void shrink(std::size_t limit) noexcept {
    for (std::size_t size_class = kept_.size(); size_class-- > 0 && kept_bytes_ > limit;) {
      while (kept_[size_class] && kept_bytes_ > limit) {
        Link* const block = kept_[size_class];
        kept_[size_class] = block->next;
        kept_bytes_ -= bytes_of(size_class);
        free_block(block);
      }
    }
  }

  std::mutex mutex_;
  std::array<Link*, 4 * std::numeric_limits<std::size_t>::digits> kept_{};
  std::size_t kept_bytes_ = 0;
  std::size_t live_ = 0;
  std::size_t peak_ = 0;
};

// Never destroyed: tensors of static storage duration may be released after any destructor of ours.
Cache& cache() {
  static Cache& instance = *new Cache;
  return instance;
}

}  // namespace

std::shared_ptr<float> allocate_storage(std::size_t floats) {
  if (floats > static_cast<std::size_t>(PTRDIFF_MAX) / 2 / sizeof(float)) throw std::bad_alloc();
  const std::size_t bytes = std::max<std::size_t>(floats * sizeof(float), 1);
  if (bytes < smallest_kept) return {static_cast<float*>(allocate_block(bytes)), [](float* p) { free_block(p); }};
  const std::size_t size_class = class_of(bytes);
  return {static_cast<float*>(cache().allocate(size_class)),
          [size_class](float* p) { cache().release(p, size_class); }};
}

std::size_t kept_storage_bytes() { return cache().kept_bytes(); }

}  // namespace linnet
