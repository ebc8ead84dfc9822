#include "engine/large_block.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace linnet {
namespace {

/// One call costs less than a fault per page. Huge pages would cost less still, but the first program to get them can
/// wait for tens of milliseconds, and runs are no faster on them.
void touch_pages(void* memory, std::size_t bytes) {
#ifdef MADV_POPULATE_WRITE
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(memory), first = (begin + page - 1) / page * page;
  const std::uintptr_t end = (begin + bytes) / page * page;
  if (first < end) ::madvise(reinterpret_cast<void*>(first), end - first, MADV_POPULATE_WRITE);
#else
  static_cast<void>(memory), static_cast<void>(bytes);
#endif
}

}  // namespace

LargeBlock::LargeBlock(std::size_t bytes) {
  floats_.reset(static_cast<float*>(::operator new (bytes, std::align_val_t{64})));
  touch_pages(floats_.get(), bytes);
}

}  // namespace linnet
