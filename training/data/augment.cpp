#include "training/data/augment.h"

#include <algorithm>
#include <cmath>

namespace linnet::training {
namespace {

Index rounded(double value) { return static_cast<Index>(std::nearbyint(value)); }

/// Uniform in 0, 1, ... last.
Index draw_index(const Uniform& draw, Index last) {
  return std::min(static_cast<Index>(draw() * static_cast<double>(last + 1)), last);
}

Box central_box(Index height, Index width, double ratio_min, double ratio_max) {
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  Index box_height = height;
  Index box_width = width;
  if (ratio < ratio_min) {
    box_height = rounded(static_cast<double>(width) / ratio_min);
  } else if (ratio > ratio_max) {
    box_width = rounded(static_cast<double>(height) * ratio_max);
  }
  return {(height - box_height) / 2, (width - box_width) / 2, box_height, box_width};
}

}  // namespace

Box random_resized_crop_box(Index height, Index width, const Augmentation& augmentation, const Uniform& draw) {
  const double area = static_cast<double>(height) * static_cast<double>(width);
  const double log_ratio_min = std::log(augmentation.ratio_min);
  const double log_ratio_max = std::log(augmentation.ratio_max);
  constexpr int attempts = 10;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const double box_area = area * (augmentation.area_min + (augmentation.area_max - augmentation.area_min) * draw());
    const double ratio = std::exp(log_ratio_min + (log_ratio_max - log_ratio_min) * draw());
    const Index box_width = rounded(std::sqrt(box_area * ratio));
    const Index box_height = rounded(std::sqrt(box_area / ratio));
    if (box_width >= 1 && box_height >= 1 && box_width <= width && box_height <= height) {
      const Index top = draw_index(draw, height - box_height);
      const Index left = draw_index(draw, width - box_width);
      return {top, left, box_height, box_width};
    }
  }
  return central_box(height, width, augmentation.ratio_min, augmentation.ratio_max);
}

Image augment(const Image& image, const Augmentation& augmentation, const Preprocessing& preprocessing, Index height,
              Index width, const Uniform& draw) {
  Image result;
  if (augmentation.random_resized_crop) {
    const Box box = random_resized_crop_box(image.height, image.width, augmentation, draw);
    result = resize(crop(image, box), height, width, interpolation_from_name(preprocessing.interpolation));
  } else {
    result = prepare_for_evaluation(image, preprocessing, height, width, image.channels);
  }
  if (const Index padding = augmentation.crop_padding; padding > 0) {
    const Index top = draw_index(draw, 2 * padding) - padding;
    const Index left = draw_index(draw, 2 * padding) - padding;
    result = crop(result, {top, left, height, width});
  }
  return draw() < augmentation.flip_probability ? flip_horizontally(result) : result;
}

}  // namespace linnet::training
