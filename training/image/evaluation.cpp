#include <algorithm>
#include <cmath>

#include "linnet/error.h"
#include "linnet/training/image.h"

namespace linnet::training {
namespace {

/// To the nearest whole number, halves to the even one, as Python does.
Index rounded(double value) { return static_cast<Index>(std::nearbyint(value)); }

/// Where a crop of `size` begins on a side. A side that is too short is padded, the smaller half before it.
Index crop_begin(Index side, Index size) {
  return side < size ? -((size - side) / 2) : rounded(static_cast<double>(side - size) / 2);
}

struct Size {
  Index height = 0, width = 0;
};

Size size_before_crop(const Image& image, Size scale, bool square, const std::string& crop_mode) {
  const auto height = static_cast<double>(image.height);
  const auto width = static_cast<double>(image.width);
  if (crop_mode == "squash") {
    return scale;
  }
  if (crop_mode == "center" && square) {
    const Index shorter = std::min(image.height, image.width);
    const Index longer = std::max(image.height, image.width);
    if (scale.height == shorter) {
      return {image.height, image.width};
    }
    const auto scaled = static_cast<Index>(static_cast<double>(scale.height * longer) / static_cast<double>(shorter));
    return image.height <= image.width ? Size{scale.height, scaled} : Size{scaled, scale.width};
  }
  if (crop_mode != "center" && crop_mode != "border") {
    throw Error("unknown crop_mode '" + crop_mode + "', expected center, squash or border");
  }
  const double ratio_height = height / static_cast<double>(scale.height);
  const double ratio_width = width / static_cast<double>(scale.width);
  const double ratio =
      crop_mode == "center" ? std::min(ratio_height, ratio_width) : std::max(ratio_height, ratio_width);
  return {std::max<Index>(rounded(height / ratio), 1), std::max<Index>(rounded(width / ratio), 1)};
}

/// The size before the crop of a square picture. Without a size to resize to, the whole picture is seen.
Size scale_size(const Preprocessing& preprocessing, Index height, Index width) {
  const Index shorter = std::min(height, width);
  const Index scale = preprocessing.resize == 0 ? shorter : preprocessing.resize;
  return {scale * height / shorter, scale * width / shorter};
}

}  // namespace

Image resize_and_crop(const Image& image, Index scale_height, Index scale_width, Index height, Index width,
                      Interpolation interpolation, const std::string& crop_mode,
                      const std::vector<std::uint8_t>& fill) {
  const Size size = size_before_crop(image, {scale_height, scale_width}, height == width, crop_mode);
  const Image resized = resize(image, size.height, size.width, interpolation);
  const Box box{crop_begin(size.height, height), crop_begin(size.width, width), height, width};
  return crop(resized, box, crop_mode == "border" ? fill : std::vector<std::uint8_t>{});
}

std::vector<std::uint8_t> mean_colour(const Preprocessing& preprocessing) {
  std::vector<std::uint8_t> colour;
  for (const float mean : preprocessing.mean) {
    colour.push_back(static_cast<std::uint8_t>(std::clamp<Index>(rounded(255.0 * static_cast<double>(mean)), 0, 255)));
  }
  if (preprocessing.channel_order == "BGR") {
    std::reverse(colour.begin(), colour.end());
  }
  return colour;
}

Image prepare_for_evaluation(const Image& image, const Preprocessing& preprocessing, Index height, Index width,
                             Index channels) {
  const Image converted = with_channels(image, channels);
  if (preprocessing.resize == 0 && image.height == height && image.width == width) {
    return converted;
  }
  const Size scale = scale_size(preprocessing, height, width);
  return resize_and_crop(converted, scale.height, scale.width, height, width,
                         interpolation_from_name(preprocessing.interpolation), preprocessing.crop_mode,
                         mean_colour(preprocessing));
}

Image scaled_for_evaluation(const Image& image, const Preprocessing& preprocessing, Index height, Index width) {
  if (preprocessing.resize == 0 && image.height == height && image.width == width) {
    return image;
  }
  const Size size =
      size_before_crop(image, scale_size(preprocessing, height, width), height == width, preprocessing.crop_mode);
  return resize(image, size.height, size.width, interpolation_from_name(preprocessing.interpolation));
}

}  // namespace linnet::training
