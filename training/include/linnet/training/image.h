// Pictures: decoding, resizing and cutting, bit for bit as Pillow does them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "linnet/model.h"
#include "linnet/types.h"

namespace linnet::training {

/// Pixels [height][width][channels], 8 bits each; 1 channel (grey) or 3 (RGB).
struct Image {
  Index height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels;

  Image() = default;
  Image(Index image_height, Index image_width, Index image_channels, std::uint8_t value = 0);

  const std::uint8_t* row(Index y) const { return pixels.data() + y * width * channels; }
  std::uint8_t* row(Index y) { return pixels.data() + y * width * channels; }
  bool operator==(const Image&) const = default;
};

/// Whether the EXIF orientation of a JPEG turns the picture. timm, torchvision's ImageFolder and Pillow do not turn it.
enum class Orientation : std::uint8_t { as_stored, as_tagged };

/// JPEG, PNG, PPM or PGM, recognised by content, as RGB. Transparency is dropped, no colour profile is applied, 16 bits
/// are cut to the high byte. Throws linnet::Error that names `name` for anything damaged, cut off or unknown.
Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name,
                   Orientation orientation = Orientation::as_stored);
Image read_image(const std::string& path, Orientation orientation = Orientation::as_stored);

/// The bytes of a PNG file.
std::string encode_png(const Image& image);

enum class Interpolation : std::uint8_t { bilinear, bicubic };

/// "bilinear" or "bicubic". Throws linnet::Error for other names.
Interpolation interpolation_from_name(const std::string& name);

/// Pillow's resize, with antialiasing, in whole-number arithmetic.
Image resize(const Image& image, Index height, Index width, Interpolation interpolation);

/// A rectangle of an image; it may reach over the edges.
struct Box {
  Index top = 0, left = 0, height = 0, width = 0;
  bool operator==(const Box&) const = default;
};

/// The box of an image. Pixels outside get `fill`, one value per channel (black if empty).
Image crop(const Image& image, const Box& box, const std::vector<std::uint8_t>& fill = {});

Image flip_horizontally(const Image& image);

/// 1 or 3 channels: copies grey, or weighs RGB as Pillow's mode "L" does.
Image with_channels(const Image& image, Index channels);

/// timm's evaluation transform. `scale_height` and `scale_width` are the sizes before the crop; equal for square
/// targets. The mode is one of Preprocessing::crop_mode; `fill` is the colour of the border of mode "border".
Image resize_and_crop(const Image& image, Index scale_height, Index scale_width, Index height, Index width,
                      Interpolation interpolation, const std::string& crop_mode,
                      const std::vector<std::uint8_t>& fill = {});

/// What a picture must become to be the input of a model: RGB or grey, resized, cut, 8 bits still. Apply
/// linnet::normalise to the result.
Image prepare_for_evaluation(const Image& image, const Preprocessing& preprocessing, Index height, Index width,
                             Index channels);

}  // namespace linnet::training
