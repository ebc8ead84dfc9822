// A file whose values tensors use where they lie.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>

namespace linnet {

/// Mapped privately: a page is read when somebody first looks at it, and is the process's own once somebody has written
/// to it.
class MappedFile {
 public:
  /// The first `size` bytes of an open file, which may be closed afterwards. Null where the system cannot map it.
  static std::shared_ptr<MappedFile> map(int descriptor, std::size_t size);

  MappedFile(void* begin, std::size_t size) : begin_(static_cast<char*>(begin)), size_(size) {}
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  char* begin() const { return begin_; }

  /// Whoever is about to write says so; from then on pages are kept.
  void keep_pages();

  /// Gives the memory back to the system, unless pages are to be kept; what is looked at later is read again.
  void drop_pages();

 private:
  char* begin_;
  std::size_t size_;
  std::atomic<bool> kept_{false};
  std::mutex mutex_;  ///< pages are not dropped while somebody decides to write
};

}  // namespace linnet
