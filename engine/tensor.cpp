#include "linnet/tensor.h"

#include <algorithm>
#include <limits>
#include <new>

#include "engine/mapped_file.h"
#include "engine/storage.h"
#include "linnet/error.h"

namespace linnet {

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (const Index extent : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(extent);
  }
  return text + "]";
}

Index element_count(const Shape& shape) {
  constexpr Index most = std::numeric_limits<Index>::max() / static_cast<Index>(sizeof(float));
  Index count = 1;
  for (const Index extent : shape) {
    if (extent < 0) throw Error("shape " + to_string(shape) + " has a negative extent");
    if (extent > 0 && count > most / extent) throw Error("shape " + to_string(shape) + " has too many values");
    count *= extent;
  }
  return count;
}

Tensor::Tensor(Shape shape) : shape_(std::move(shape)), size_(element_count(shape_)) {
  try {
    storage_ = allocate_storage(static_cast<std::size_t>(size_));
  } catch (const std::bad_alloc&) {
    throw Error("tensor " + to_string(shape_) + ": no memory for " + std::to_string(size_) + " values");
  }
}

Tensor::Tensor(Shape shape, std::shared_ptr<float> storage)
    : shape_(std::move(shape)), size_(element_count(shape_)), storage_(std::move(storage)) {}

Tensor::Tensor(Shape shape, const std::shared_ptr<MappedFile>& file, std::size_t offset)
    : shape_(std::move(shape)),
      size_(element_count(shape_)),
      storage_(file, reinterpret_cast<float*>(file->begin() + offset)),
      file_(file.get()) {}

Tensor Tensor::zeros(Shape shape) { return full(std::move(shape), 0.0f); }

Tensor Tensor::full(Shape shape, float value) {
  Tensor result(std::move(shape));
  std::fill_n(result.data(), result.size(), value);
  return result;
}

Tensor Tensor::from(Shape shape, const std::vector<float>& values) {
  if (static_cast<std::size_t>(element_count(shape)) != values.size())
    throw Error("tensor " + to_string(shape) + ": expected " + std::to_string(element_count(shape)) +
                " values, found " + std::to_string(values.size()));
  Tensor result(std::move(shape));
  std::copy(values.begin(), values.end(), result.data());
  return result;
}

void Tensor::keep_pages() { file_->keep_pages(); }

void Tensor::drop_pages() const {
  if (file_ != nullptr) file_->drop_pages();
}

Tensor Tensor::reshaped(Shape shape) const {
  if (element_count(shape) != size_)
    throw Error("reshape: expected a shape of " + std::to_string(size_) + " values for " + to_string(shape_) +
                ", found " + to_string(shape));
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

Tensor Tensor::clone() const {
  if (empty()) return {};
  Tensor result(shape_);
  std::copy_n(data(), size_, result.data());
  return result;
}

}  // namespace linnet
