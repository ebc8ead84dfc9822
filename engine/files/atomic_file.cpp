#include "engine/files/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>

#include "engine/files/quote.h"
#include "linnet/error.h"
#include "linnet/safetensors.h"

namespace linnet::files {
namespace {

/// A name beside `target` that no other thread or process is likely to use; O_EXCL settles the rest.
std::string temporary_name(const std::string& target) {
  static std::atomic<unsigned> counter{0};
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return target + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++) + "-" +
         std::to_string(now % 1000000);
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : path_(path), target_(path) {
  if (path.empty()) {
    throw Error("cannot write a file without a name");
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) {
      throw Error("cannot write " + in_quotes(path_) + ": it exists and is not a regular file");
    }
    std::error_code error;
    target_ = std::filesystem::canonical(path, error).string();
    if (error) {
      fail("resolve", error.value());
    }
  }
  constexpr int attempts = 100;
  for (int attempt = 0; attempt < attempts && descriptor_ < 0; ++attempt) {
    temporary_ = temporary_name(target_);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST && errno != EINTR) {
      break;
    }
  }
  if (descriptor_ < 0) {
    const int reason = errno;
    temporary_.clear();
    fail("create a file beside", reason);
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
  if (!temporary_.empty()) {
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::write(const void* data, std::size_t size) {
  constexpr std::size_t largest_write = std::size_t{1} << 30;
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor_, bytes, std::min(size, largest_write));
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      fail("write", errno);
    }
    if (written == 0) {
      fail("write", ENOSPC);
    }
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  while (::fsync(descriptor_) != 0) {
    if (errno != EINTR) {
      fail("sync", errno);
    }
  }
  // The descriptor is gone after close(), even where it reports an error.
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0 && errno != EINTR) {
    fail("close", errno);
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail("rename a new file to", errno);
  }
  temporary_.clear();
  sync_folder();
}

void AtomicFile::sync_folder() const {
  const std::string parent = std::filesystem::path(target_).parent_path().string();
  const std::string folder = parent.empty() ? "." : parent;
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    fail("open the folder of", errno);
  }
  int result = 0;
  do {
    result = ::fsync(descriptor);
  } while (result != 0 && errno == EINTR);
  const int reason = result != 0 ? errno : 0;
  ::close(descriptor);
  // Some file systems cannot sync a folder and say so with EINVAL.
  if (reason != 0 && reason != EINVAL && reason != ENOTSUP) {
    fail("sync the folder of", reason);
  }
}

void AtomicFile::fail(const char* action, int reason) const {
  throw Error(std::string("cannot ") + action + " " + in_quotes(path_) + ": " +
              std::generic_category().message(reason));
}

}  // namespace linnet::files

namespace linnet {

void write_file_atomically(const std::string& path, const void* data, std::size_t size) {
  files::AtomicFile file(path);
  file.write(data, size);
  file.commit();
}

}  // namespace linnet
