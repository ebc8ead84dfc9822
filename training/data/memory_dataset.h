#pragma once

#include <string>
#include <vector>

#include "linnet/training/dataset.h"
#include "training/data/fingerprint.h"

namespace linnet::training {

/// Decoded pictures in memory.
class MemoryDataset final : public Dataset {
 public:
  explicit MemoryDataset(std::vector<std::string> classes) : classes_(std::move(classes)) {}

  void add(Image image, int label, std::string name) {
    images_.push_back(std::move(image));
    labels_.push_back(label);
    names_.push_back(std::move(name));
  }

  Index size() const override { return static_cast<Index>(images_.size()); }
  const std::vector<std::string>& classes() const override { return classes_; }
  int label(Index index) const override { return labels_[static_cast<std::size_t>(index)]; }
  std::string name(Index index) const override { return names_[static_cast<std::size_t>(index)]; }
  Image read(Index index) const override { return images_[static_cast<std::size_t>(index)]; }
  std::uint64_t mark(Index index) const override {
    const Image& image = images_[static_cast<std::size_t>(index)];
    Fingerprint print;
    print.add(static_cast<std::uint64_t>(image.height));
    print.add(static_cast<std::uint64_t>(image.width));
    print.add(image.pixels);
    return print.value();
  }

 private:
  std::vector<std::string> classes_;
  std::vector<Image> images_;
  std::vector<int> labels_;
  std::vector<std::string> names_;
};

}  // namespace linnet::training
