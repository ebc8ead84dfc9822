// The picture formats, one function each. All return RGB and throw linnet::Error with the reason alone; decode_image
// adds the name.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "linnet/training/image.h"

namespace linnet::training {

Image decode_jpeg(std::span<const std::uint8_t> bytes, Orientation orientation);
Image decode_png(std::span<const std::uint8_t> bytes);
Image decode_netpbm(std::span<const std::uint8_t> bytes);

/// Throws linnet::Error if a picture of this size is empty or too large to be meant.
void check_picture_size(std::uint64_t width, std::uint64_t height);

/// The EXIF orientation, 1 to 8, from the content of a JPEG's APP1 marker; 1 if there is none or it makes no sense.
int exif_orientation(std::span<const std::uint8_t> marker);

/// Turns and mirrors a picture so that its top is up.
Image oriented(const Image& image, int exif_orientation);

}  // namespace linnet::training
