#include "training/data/augment.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "linnet/error.h"
#include "training/data/policies.h"

namespace linnet::training {
namespace {

Index rounded(double value) { return static_cast<Index>(std::nearbyint(value)); }

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
  if (draw() < augmentation.flip_probability) result = flip_horizontally(result);
  if (augmentation.vertical_flip_probability > 0 && draw() < augmentation.vertical_flip_probability)
    result = flip_vertically(result);
  if (augmentation.policy.kind != "none")
    result = apply_policy(result, augmentation.policy, mean_colour(preprocessing), draw);
  return jitter_colours(result, augmentation, draw);
}

Image jitter_colours(const Image& image, const Augmentation& augmentation, const Uniform& draw) {
  const double amounts[] = {augmentation.brightness, augmentation.contrast, augmentation.saturation, augmentation.hue};
  constexpr Image (*adjustments[])(const Image&, double) = {adjust_brightness, adjust_contrast, adjust_saturation,
                                                            adjust_hue};
  constexpr std::size_t parts = 4, hue = 3;
  if (std::all_of(std::begin(amounts), std::end(amounts), [](double amount) { return amount == 0; })) return image;
  std::size_t order[parts] = {0, 1, 2, 3};
  for (std::size_t i = parts; i > 1; --i)
    std::swap(order[i - 1], order[static_cast<std::size_t>(draw_index(draw, static_cast<Index>(i) - 1))]);
  double factors[parts] = {};
  for (std::size_t part = 0; part < parts; ++part) {
    const double amount = amounts[part];
    if (amount == 0) continue;
    factors[part] =
        part == hue ? draw_between(draw, -amount, amount) : draw_between(draw, std::max(1 - amount, 0.0), 1 + amount);
  }
  Image result = image;
  for (const std::size_t part : order)
    if (amounts[part] != 0) result = adjustments[part](result, factors[part]);
  return result;
}

std::vector<Image> ten_crop(const Image& image, Index height, Index width) {
  if (image.height < height || image.width < width)
    throw Error("ten-crop: a picture of " + std::to_string(image.height) + " x " + std::to_string(image.width) +
                " pixels is smaller than the crops of " + std::to_string(height) + " x " + std::to_string(width));
  const Index bottom = image.height - height, right = image.width - width;
  const Index middle = rounded(static_cast<double>(bottom) / 2), centre = rounded(static_cast<double>(right) / 2);
  std::vector<Image> views;
  const auto add_crops = [&](const Image& from) {
    for (const auto& [top, left] :
         {std::pair<Index, Index>{0, 0}, {0, right}, {bottom, 0}, {bottom, right}, {middle, centre}})
      views.push_back(crop(from, {top, left, height, width}));
  };
  add_crops(image);
  add_crops(flip_horizontally(image));
  return views;
}

void check_augmentation(const Augmentation& augmentation, Index height, Index width) {
  const auto require = [](bool fulfilled, const std::string& what) {
    if (!fulfilled) throw Error("augmentation: " + what);
  };
  const auto require_share = [&require](const char* name, double value, double most = 1) {
    require(value >= 0 && value <= most,
            std::string(name) + " is " + std::to_string(value) + ", expected 0 to " + std::to_string(most));
  };
  require(augmentation.crop_padding >= 0 && augmentation.crop_padding <= std::max(height, width),
          "crop_padding is " + std::to_string(augmentation.crop_padding) + ", expected 0 to the size of the input");
  require_share("flip_probability", augmentation.flip_probability);
  require_share("vertical_flip_probability", augmentation.vertical_flip_probability);
  const auto require_areas = [&require](double least, double most) {
    require(least > 0 && least <= most && most <= 1, "areas from " + std::to_string(least) + " to " +
                                                         std::to_string(most) +
                                                         ", expected 0 < smallest <= largest <= 1");
  };
  require_areas(augmentation.area_min, augmentation.area_max);
  require(augmentation.ratio_min > 0 && augmentation.ratio_min <= augmentation.ratio_max,
          "aspect ratios from " + std::to_string(augmentation.ratio_min) + " to " +
              std::to_string(augmentation.ratio_max) + ", expected 0 < smallest <= largest");
  constexpr double much = 100;
  require_share("brightness", augmentation.brightness, much);
  require_share("contrast", augmentation.contrast, much);
  require_share("saturation", augmentation.saturation, much);
  require_share("hue", augmentation.hue, 0.5);
  const RandomErasing& erasing = augmentation.erasing;
  require_share("the probability of erasing", erasing.probability);
  require_areas(erasing.area_min, erasing.area_max);
  require_share("the ratio of erased boxes", erasing.ratio_min);
  require(erasing.ratio_min > 0 && erasing.count >= 1, "erasing needs a ratio above 0 and a count of 1 or more");
  require(erasing.fill == "zero" || erasing.fill == "colour" || erasing.fill == "noise",
          "unknown fill '" + erasing.fill + "' of erased boxes, expected zero, colour or noise");
  check_policy(augmentation.policy);
}

}  // namespace linnet::training
