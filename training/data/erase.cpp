// timm's RandomErasing (Zhong et al. 2020, arXiv 1708.04896).
#include <cmath>

#include "training/data/augment.h"

namespace linnet::training {

std::optional<Box> erase_box(Index height, Index width, const RandomErasing& erasing, Index count,
                             const Uniform& draw) {
  const double area = static_cast<double>(height * width);
  const double log_ratio = std::log(erasing.ratio_min);
  constexpr int attempts = 10;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const double box_area = draw_between(draw, erasing.area_min, erasing.area_max) * area / static_cast<double>(count);
    const double ratio = std::exp(draw_between(draw, log_ratio, -log_ratio));
    const auto box_height = static_cast<Index>(std::nearbyint(std::sqrt(box_area * ratio)));
    const auto box_width = static_cast<Index>(std::nearbyint(std::sqrt(box_area / ratio)));
    if (box_height >= height || box_width >= width) continue;
    const Index top = draw_index(draw, height - box_height);
    const Index left = draw_index(draw, width - box_width);
    return Box{top, left, box_height, box_width};
  }
  return std::nullopt;
}

void erase(float* values, Index width, Index channels, const Box& box, const std::string& fill, const Uniform& draw) {
  std::vector<float> colour(static_cast<std::size_t>(channels), 0.0f);
  const auto draw_colour = [&] {
    for (float& value : colour) value = static_cast<float>(draw_normal(draw, 0, 1));
  };
  if (fill == "colour") draw_colour();
  for (Index y = box.top; y < box.top + box.height; ++y) {
    for (Index x = box.left; x < box.left + box.width; ++x) {
      if (fill == "noise") draw_colour();
      std::copy(colour.begin(), colour.end(), values + (y * width + x) * channels);
    }
  }
}

void erase_at_random(float* values, Index height, Index width, Index channels, const RandomErasing& erasing,
                     const Uniform& draw) {
  if (erasing.probability == 0 || draw() > erasing.probability) return;
  const Index count = erasing.count == 1 ? 1 : 1 + draw_index(draw, erasing.count - 1);
  for (Index i = 0; i < count; ++i)
    if (const std::optional<Box> box = erase_box(height, width, erasing, count, draw))
      erase(values, width, channels, *box, erasing.fill, draw);
}

}  // namespace linnet::training
