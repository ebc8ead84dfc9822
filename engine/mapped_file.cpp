#include "engine/mapped_file.h"

#include <sys/mman.h>

namespace linnet {

std::shared_ptr<MappedFile> MappedFile::map(int descriptor, std::size_t size) {
  void* begin = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
  return begin == MAP_FAILED ? nullptr : std::make_shared<MappedFile>(begin, size);
}

MappedFile::~MappedFile() { ::munmap(begin_, size_); }

void MappedFile::keep_pages() {
  if (kept_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  kept_ = true;
}

void MappedFile::drop_pages() {
  const std::lock_guard lock(mutex_);
  if (!kept_) ::madvise(begin_, size_, MADV_DONTNEED);
}

}  // namespace linnet
