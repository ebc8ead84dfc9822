// Where the bytes of a file come from: a file on disk, or memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace linnet::files {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  /// Copies bytes [offset, offset + count), which lie within the size. Throws linnet::Error if they cannot be read.
  virtual void read(std::uint64_t offset, void* destination, std::size_t count) const = 0;
};

class MemorySource final : public ByteSource {
 public:
  MemorySource(const void* data, std::size_t size) : data_(static_cast<const char*>(data)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, void* destination, std::size_t count) const override;

 private:
  const char* data_;
  std::size_t size_;
};

/// Reads from disk on demand and so never sees more memory than was asked for; a file that shrinks meanwhile is an
/// error (mapped, it would be a signal).
class FileSource final : public ByteSource {
 public:
  explicit FileSource(const std::string& path);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, void* destination, std::size_t count) const override;

 private:
  [[noreturn]] void fail(const char* action, int reason) const;

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace linnet::files
