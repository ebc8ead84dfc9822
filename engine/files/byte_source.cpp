// Offsets of large files need 64 bits on 32-bit machines too.
#define _FILE_OFFSET_BITS 64

#include "engine/files/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <system_error>

#include "engine/files/quote.h"
#include "linnet/error.h"

namespace linnet::files {

void MemorySource::read(std::uint64_t offset, void* destination, std::size_t count) const {
  if (count > 0) {
    std::memcpy(destination, data_ + offset, count);
  }
}

FileSource::FileSource(const std::string& path) : path_(path) {
  do {
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) {
    fail("open", errno);
  }
  struct stat status {};
  const int result = ::fstat(descriptor_, &status);
  const int reason = errno;
  if (result != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    if (result != 0) {
      fail("examine", reason);
    }
    throw Error("cannot read " + in_quotes(path_) + ": it is not a regular file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

FileSource::~FileSource() { ::close(descriptor_); }

void FileSource::read(std::uint64_t offset, void* destination, std::size_t count) const {
  constexpr std::size_t largest_read = std::size_t{1} << 30;
  char* bytes = static_cast<char*>(destination);
  while (count > 0) {
    const ssize_t found = ::pread(descriptor_, bytes, std::min(count, largest_read), static_cast<off_t>(offset));
    if (found < 0) {
      if (errno == EINTR) {
        continue;
      }
      fail("read", errno);
    }
    if (found == 0) {
      throw Error("cannot read " + in_quotes(path_) + ": it ended at byte " + std::to_string(offset) +
                  " while being read; its size was " + std::to_string(size_));
    }
    bytes += found;
    offset += static_cast<std::uint64_t>(found);
    count -= static_cast<std::size_t>(found);
  }
}

MappedSource::MappedSource(const std::string& path) : FileSource(path) {
  if (size() > 0 && size() <= std::numeric_limits<std::size_t>::max()) {
    file_ = MappedFile::map(descriptor(), static_cast<std::size_t>(size()));
  }
}

Tensor MappedSource::values(const Shape& shape, std::uint64_t offset) const {
  return file_ == nullptr ? Tensor() : Tensor(shape, file_, static_cast<std::size_t>(offset));
}

void FileSource::fail(const char* action, int reason) const {
  throw Error(std::string("cannot ") + action + " " + in_quotes(path_) + ": " +
              std::generic_category().message(reason));
}

}  // namespace linnet::files
