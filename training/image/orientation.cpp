#include <algorithm>
#include <cstring>

#include "training/image/codecs.h"

namespace linnet::training {
namespace {

/// Numbers of a TIFF structure, in the byte order that it declares; reads beyond the end give 0.
class Tiff {
 public:
  explicit Tiff(std::span<const std::uint8_t> bytes) : bytes_(bytes), little_(!bytes.empty() && bytes[0] == 'I') {}

  std::uint32_t number(std::size_t offset, std::size_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) {
      return 0;
    }
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value = value << 8 | bytes_[offset + (little_ ? size - 1 - i : i)];
    }
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool little_;
};

}  // namespace

int exif_orientation(std::span<const std::uint8_t> marker) {
  static constexpr std::uint8_t signature[] = {'E', 'x', 'i', 'f', 0, 0};
  if (marker.size() < sizeof signature || std::memcmp(marker.data(), signature, sizeof signature) != 0) {
    return 1;
  }
  const Tiff tiff(marker.subspan(sizeof signature));
  if (tiff.number(2, 2) != 42) {
    return 1;
  }
  const std::size_t directory = tiff.number(4, 4);
  const std::size_t entries = tiff.number(directory, 2);
  constexpr std::size_t entry_bytes = 12;
  constexpr std::uint32_t orientation_tag = 0x0112;
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * entry_bytes;
    if (tiff.number(entry, 2) == orientation_tag) {
      const std::uint32_t value = tiff.number(entry + 8, 2);
      return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
  }
  return 1;
}

Image oriented(const Image& image, int exif_orientation) {
  if (exif_orientation == 1) {
    return image;
  }
  // Values 5 to 8 swap the axes; which ends the rows and columns are then read from is:
  const bool swapped = exif_orientation >= 5;
  const bool from_right =
      exif_orientation == 2 || exif_orientation == 3 || exif_orientation == 7 || exif_orientation == 8;
  const bool from_bottom =
      exif_orientation == 3 || exif_orientation == 4 || exif_orientation == 6 || exif_orientation == 7;
  Image result(swapped ? image.width : image.height, swapped ? image.height : image.width, image.channels);
  std::uint8_t* to = result.pixels.data();
  for (Index y = 0; y < result.height; ++y) {
    for (Index x = 0; x < result.width; ++x, to += image.channels) {
      const Index column = swapped ? y : x;
      const Index row = swapped ? x : y;
      const std::uint8_t* from = image.row(from_bottom ? image.height - 1 - row : row) +
                                 (from_right ? image.width - 1 - column : column) * image.channels;
      std::copy_n(from, image.channels, to);
    }
  }
  return result;
}

}  // namespace linnet::training
