#include <algorithm>
#include <cmath>

#include "training/image/operators.h"

namespace linnet::training {
namespace {

// Pillow's arithmetic: single precision for the sizes, 8.24 fixed point for the sums, 8 bits after each pass.
struct Box1d {
  Index radius;
  std::uint32_t inner, outer;  ///< weights of the pixels up to the radius, and of the two beyond
};

Box1d box_of(double radius, int passes) {
  const float sigma = static_cast<float>(radius);
  const float variance = sigma * sigma / static_cast<float>(passes);
  const float length = static_cast<float>(std::sqrt(12.0 * static_cast<double>(variance) + 1.0));
  const float whole = static_cast<float>(std::floor((static_cast<double>(length) - 1.0) / 2.0));
  float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
  part /= 6 * (variance - (whole + 1) * (whole + 1));
  const float box = whole + part;
  constexpr std::uint32_t one = 1 << 24;
  const Index reach = static_cast<Index>(box);
  const auto inner = static_cast<std::uint32_t>(static_cast<float>(one) / (box * 2 + 1));
  return {reach, inner, (one - static_cast<std::uint32_t>(reach * 2 + 1) * inner) / 2};
}

void blur_line(const std::vector<std::uint8_t>& from, std::vector<std::uint8_t>& to, const Box1d& box) {
  const Index size = static_cast<Index>(from.size());
  const auto at = [&](Index x) {
    return static_cast<std::uint32_t>(from[static_cast<std::size_t>(std::clamp<Index>(x, 0, size - 1))]);
  };
  std::uint32_t sum = 0;  // of the pixels within the radius
  for (Index x = -box.radius - 1; x < box.radius; ++x) sum += at(x);
  for (Index x = 0; x < size; ++x) {
    sum += at(x + box.radius) - at(x - box.radius - 1);
    const std::uint32_t value = sum * box.inner + (at(x - box.radius - 1) + at(x + box.radius + 1)) * box.outer;
    to[static_cast<std::size_t>(x)] = static_cast<std::uint8_t>((value + (1 << 23)) >> 24);
  }
}

// Blurs `count` lines of `size` pixels in place; `next` is from pixel to pixel.
void blur_lines(std::uint8_t* first, Index count, Index line_stride, Index size, Index next, const Box1d& box,
                int passes) {
  std::vector<std::uint8_t> line(static_cast<std::size_t>(size)), blurred(line.size());
  for (Index i = 0; i < count; ++i) {
    std::uint8_t* const begin = first + i * line_stride;
    for (Index x = 0; x < size; ++x) line[static_cast<std::size_t>(x)] = begin[x * next];
    for (int pass = 0; pass < passes; ++pass) {
      blur_line(line, blurred, box);
      line.swap(blurred);
    }
    for (Index x = 0; x < size; ++x) begin[x * next] = line[static_cast<std::size_t>(x)];
  }
}

}  // namespace

Image smooth(const Image& image) {
  Image result = image;
  const Index channels = image.channels;
  for (Index y = 1; y + 1 < image.height; ++y) {
    for (Index i = channels; i < (image.width - 1) * channels; ++i) {
      int sum = 4 * image.row(y)[i];
      for (Index row = y - 1; row <= y + 1; ++row)
        for (Index column = i - channels; column <= i + channels; column += channels) sum += image.row(row)[column];
      result.row(y)[i] = static_cast<std::uint8_t>((2 * sum + 13) / 26);
    }
  }
  return result;
}

Image gaussian_blur(const Image& image, double radius) {
  if (!(radius > 0)) return image;
  constexpr int passes = 3;
  const Box1d box = box_of(radius, passes);
  Image result = image;
  const Index channels = image.channels, width = image.width;
  for (Index channel = 0; channel < channels; ++channel) {
    std::uint8_t* const first = result.pixels.data() + channel;
    blur_lines(first, image.height, width * channels, width, channels, box, passes);
    blur_lines(first, width, channels, image.height, width * channels, box, passes);
  }
  return result;
}

}  // namespace linnet::training
