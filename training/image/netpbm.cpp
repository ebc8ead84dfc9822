#include <algorithm>

#include "linnet/error.h"
#include "training/image/codecs.h"

namespace linnet::training {
namespace {

bool is_space(std::uint8_t letter) { return letter == ' ' || (letter >= '\t' && letter <= '\r'); }

/// The numbers of the header, with white space and comments between them.
class Header {
 public:
  explicit Header(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint64_t number(const char* what) {
    skip_space();
    std::uint64_t value = 0;
    const std::size_t begin = position_;
    constexpr std::uint64_t largest = 1000000000;
    while (position_ < bytes_.size() && bytes_[position_] >= '0' && bytes_[position_] <= '9' && value < largest) {
      value = value * 10 + bytes_[position_++] - '0';
    }
    if (position_ == begin || position_ == bytes_.size() || !is_space(bytes_[position_])) {
      throw Error(std::string("damaged PPM or PGM: no ") + what + " at byte " + std::to_string(begin));
    }
    return value;
  }

  /// What follows the single white space behind the last number.
  std::span<const std::uint8_t> rest() const { return bytes_.subspan(position_ + 1); }

 private:
  void skip_space() {
    while (position_ < bytes_.size() && (is_space(bytes_[position_]) || bytes_[position_] == '#')) {
      if (bytes_[position_] == '#') {
        while (position_ < bytes_.size() && bytes_[position_] != '\n') {
          ++position_;
        }
      } else {
        ++position_;
      }
    }
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 2;
};

}  // namespace

Image decode_netpbm(std::span<const std::uint8_t> bytes) {
  const Index channels = bytes[1] == '6' ? 3 : 1;
  Header header(bytes);
  const std::uint64_t width = header.number("width");
  const std::uint64_t height = header.number("height");
  const std::uint64_t white = header.number("largest value");
  check_picture_size(width, height);
  if (white < 1 || white > 65535) {
    throw Error("damaged PPM or PGM: the largest value is " + std::to_string(white) + ", expected 1 to 65535");
  }
  const std::size_t value_bytes = white > 255 ? 2 : 1;
  const std::span<const std::uint8_t> values = header.rest();
  const std::uint64_t needed = width * height * static_cast<std::uint64_t>(channels) * value_bytes;
  if (values.size() < needed) {
    throw Error("damaged PPM or PGM: expected " + std::to_string(needed) + " bytes of pixels, found " +
                std::to_string(values.size()));
  }
  Image image(static_cast<Index>(height), static_cast<Index>(width), channels);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    if (white == 255 || white == 65535) {
      image.pixels[i] = values[i * value_bytes];
    } else {
      const unsigned value = value_bytes == 1 ? values[i] : values[2 * i] * 256u + values[2 * i + 1];
      image.pixels[i] = static_cast<std::uint8_t>(std::min<std::uint64_t>((value * 510u + white) / (2 * white), 255));
    }
  }
  return with_channels(image, 3);
}

}  // namespace linnet::training
