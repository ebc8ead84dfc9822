#include <algorithm>
#include <cstring>

#include "linnet/error.h"
#include "linnet/training/image.h"

namespace linnet::training {

Image::Image(Index image_height, Index image_width, Index image_channels, std::uint8_t value)
    : height(image_height),
      width(image_width),
      channels(image_channels),
      pixels(static_cast<std::size_t>(image_height * image_width * image_channels), value) {}

Image crop(const Image& image, const Box& box, const std::vector<std::uint8_t>& fill) {
  Image result(box.height, box.width, image.channels);
  if (!fill.empty()) {
    for (std::size_t i = 0; i < result.pixels.size(); ++i) {
      result.pixels[i] = fill[i % static_cast<std::size_t>(image.channels)];
    }
  }
  const Index left = std::max<Index>(box.left, 0);
  const Index right = std::min(box.left + box.width, image.width);
  const Index top = std::max<Index>(box.top, 0);
  const Index bottom = std::min(box.top + box.height, image.height);
  for (Index y = top; y < bottom && left < right; ++y) {
    std::memcpy(result.row(y - box.top) + (left - box.left) * image.channels, image.row(y) + left * image.channels,
                static_cast<std::size_t>((right - left) * image.channels));
  }
  return result;
}

Image flip_horizontally(const Image& image) {
  Image result(image.height, image.width, image.channels);
  for (Index y = 0; y < image.height; ++y) {
    const std::uint8_t* from = image.row(y);
    std::uint8_t* to = result.row(y) + (image.width - 1) * image.channels;
    for (Index x = 0; x < image.width; ++x, from += image.channels, to -= image.channels) {
      std::copy_n(from, image.channels, to);
    }
  }
  return result;
}

Image with_channels(const Image& image, Index channels) {
  if (image.channels == channels) {
    return image;
  }
  Image result(image.height, image.width, channels);
  const std::size_t pixels = static_cast<std::size_t>(image.height * image.width);
  if (image.channels == 1 && channels == 3) {
    for (std::size_t i = 0; i < pixels; ++i) {
      std::fill_n(&result.pixels[3 * i], 3, image.pixels[i]);
    }
  } else if (image.channels == 3 && channels == 1) {
    for (std::size_t i = 0; i < pixels; ++i) {
      const std::uint8_t* rgb = &image.pixels[3 * i];
      result.pixels[i] = static_cast<std::uint8_t>((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16);
    }
  } else {
    throw Error("a picture with " + std::to_string(image.channels) + " channels cannot become one with " +
                std::to_string(channels));
  }
  return result;
}

}  // namespace linnet::training
