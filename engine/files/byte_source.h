// Where the bytes of a file come from: a file on disk, or memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/mapped_file.h"
#include "linnet/tensor.h"

namespace linnet::files {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  /// Copies bytes [offset, offset + count), which lie within the size. Throws linnet::Error if they cannot be read.
  virtual void read(std::uint64_t offset, void* destination, std::size_t count) const = 0;
  /// The values at `offset`, a multiple of 4, where they lie; empty if they must be read.
  virtual Tensor values(const Shape& /*shape*/, std::uint64_t /*offset*/) const { return {}; }
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
/// error.
class FileSource : public ByteSource {
 public:
  explicit FileSource(const std::string& path);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, void* destination, std::size_t count) const override;

 protected:
  int descriptor() const { return descriptor_; }

 private:
  [[noreturn]] void fail(const char* action, int reason) const;

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// Offers the values of a file where they lie. If the file shrinks while they are in use, looking at those that are
/// gone is a signal (SIGBUS).
class MappedSource final : public FileSource {
 public:
  explicit MappedSource(const std::string& path);
  Tensor values(const Shape& shape, std::uint64_t offset) const override;

 private:
  std::shared_ptr<MappedFile> file_;  ///< null where it cannot be mapped: values are read
};

}  // namespace linnet::files
