// A file that appears under its name all at once or not at all.
#pragma once

#include <cstddef>
#include <string>

namespace linnet::files {

/// Collects bytes in a new file beside `path`; commit() syncs it and renames it to `path`. Without a commit the
/// new file is removed. Every failure is a linnet::Error that names the path and the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void commit();

 private:
  [[noreturn]] void fail(const char* action, int reason) const;
  void sync_folder() const;

  std::string path_;       ///< as given, for messages
  std::string target_;     ///< with symbolic links resolved
  std::string temporary_;  ///< empty once renamed
  int descriptor_ = -1;
};

}  // namespace linnet::files
