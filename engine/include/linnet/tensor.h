// A dense float32 array with shared storage.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "linnet/types.h"

namespace linnet {

/// Extents, outermost first. Activations are [batch, height, width, channels], weights are in the reference (PyTorch)
/// layout, [out, in / groups, kernel height, kernel width]. The empty shape is a scalar.
using Shape = std::vector<Index>;

/// "[1, 224, 224, 3]"
std::string to_string(const Shape& shape);

/// The product of the extents. Throws linnet::Error on a negative extent or an overflow.
Index element_count(const Shape& shape);

class MappedFile;

/// A dense row-major float32 tensor. Copies share storage, as in PyTorch; clone() copies the values. The storage is
/// 64-byte aligned when Linnet allocated it. A default-constructed tensor holds nothing and is `empty()`.
class Tensor {
 public:
  Tensor() = default;

  /// Allocates; the values are not initialised.
  explicit Tensor(Shape shape);

  /// Uses storage that somebody else allocated (a caller's buffer, say) and keeps it alive.
  Tensor(Shape shape, std::shared_ptr<float> storage);

  /// Uses the values that begin at byte `offset`, a multiple of 4, of a mapped file (engine/mapped_file.h).
  Tensor(Shape shape, const std::shared_ptr<MappedFile>& file, std::size_t offset);

  static Tensor zeros(Shape shape);
  static Tensor full(Shape shape, float value);
  /// Throws linnet::Error if the number of values is not that of the shape.
  static Tensor from(Shape shape, const std::vector<float>& values);

  bool empty() const { return storage_ == nullptr; }
  const Shape& shape() const { return shape_; }
  Index dimension(std::size_t axis) const { return shape_[axis]; }
  Index size() const { return size_; }
  /// For writing. Values of a mapped file (load_model) are written to the process's own copy, which every tensor that
  /// shares the storage sees; the file does not change.
  float* data() {
    if (file_ != nullptr) keep_pages();
    return storage_.get();
  }
  const float* data() const { return storage_.get(); }

  /// Whether another tensor uses the same storage; if not, its holder may overwrite it.
  bool is_shared() const { return storage_.use_count() > 1; }

  /// The same storage seen in another shape of equal size. Throws linnet::Error otherwise.
  Tensor reshaped(Shape shape) const;
  Tensor clone() const;

  /// Whether the values lie in a mapped file.
  bool is_mapped() const { return file_ != nullptr; }

  /// If the values lie in a mapped file that nobody has asked to write to, gives the memory of the whole file back to
  /// the system; values that are looked at later are read again. Does nothing otherwise.
  void drop_pages() const;

 private:
  void keep_pages();

  Shape shape_;
  Index size_ = 0;
  std::shared_ptr<float> storage_;
  MappedFile* file_ = nullptr;  ///< that the storage is a part of
};

}  // namespace linnet
