#include "training/data/operations.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "linnet/error.h"

namespace linnet::training {
namespace {

using Context = OperationContext;

Image shear_x(const Image& image, double factor, const Context& context) {
  return affine(image, {1, factor, 0, 0, 1, 0}, context.sampling, context.fill);
}
Image shear_y(const Image& image, double factor, const Context& context) {
  return affine(image, {1, 0, 0, factor, 1, 0}, context.sampling, context.fill);
}
/// Where the content comes from: a positive number moves it left.
Image shift_x(const Image& image, double pixels, const Context& context) {
  return affine(image, {1, 0, pixels, 0, 1, 0}, context.sampling, context.fill);
}
Image shift_y(const Image& image, double pixels, const Context& context) {
  return affine(image, {1, 0, 0, 0, 1, pixels}, context.sampling, context.fill);
}
Image turn(const Image& image, double degrees, const Context& context) {
  return rotate(image, degrees, context.sampling, context.fill);
}
/// Magnitudes beyond timm's usual limit ask for less than no bits.
Image keep_bits(const Image& image, double bits, const Context&) {
  return posterize(image, std::clamp(static_cast<int>(bits), 0, 8));
}
Image invert_above(const Image& image, double threshold, const Context&) { return solarize(image, threshold); }
Image stretch(const Image& image, double, const Context&) { return autocontrast(image); }
Image flatten(const Image& image, double, const Context&) { return equalize(image); }
Image negate(const Image& image, double, const Context&) { return invert(image); }

template <Image (*adjust)(const Image&, double)>
Image by_factor(const Image& image, double factor, const Context&) {
  return adjust(image, factor);
}

// timm: arguments from a level of 0 to 10.

double none(double, double) { return 0; }
double share_of(double level) { return level / 10; }
double whole(double value) { return std::trunc(value); }
template <int most_percent>
double up_to(double level, double sign) {
  return sign * (share_of(level) * (most_percent / 100.0));
}
double enhance(double level, double) { return share_of(level) * 1.8 + 0.1; }
double enhance_increasing(double level, double sign) { return std::max(0.1, 1.0 + sign * (share_of(level) * 0.9)); }
double posterize_bits(double level, double) { return whole(share_of(level) * 4); }
double solarize_threshold(double level, double) { return std::min(256.0, whole(share_of(level) * 256)); }

constexpr LevelOperation level_table[] = {
    {"AutoContrast", false, none, stretch},
    {"Equalize", false, none, flatten},
    {"Invert", false, none, negate},
    {"Rotate", true, up_to<3000>, turn},
    {"Posterize", false, posterize_bits, keep_bits},
    {"PosterizeIncreasing", false, [](double level, double) { return 4 - posterize_bits(level, 1); }, keep_bits},
    {"PosterizeOriginal", false, [](double level, double) { return 4 + posterize_bits(level, 1); }, keep_bits},
    {"Solarize", false, solarize_threshold, invert_above},
    {"SolarizeIncreasing", false, [](double level, double) { return 256 - solarize_threshold(level, 1); },
     invert_above},
    {"SolarizeAdd", false, [](double level, double) { return std::min(128.0, whole(share_of(level) * 110)); },
     [](const Image& image, double amount, const Context&) { return solarize_add(image, static_cast<int>(amount)); }},
    {"Color", false, enhance, by_factor<adjust_saturation>},
    {"ColorIncreasing", true, enhance_increasing, by_factor<adjust_saturation>},
    {"Contrast", false, enhance, by_factor<adjust_contrast>},
    {"ContrastIncreasing", true, enhance_increasing, by_factor<adjust_contrast>},
    {"Brightness", false, enhance, by_factor<adjust_brightness>},
    {"BrightnessIncreasing", true, enhance_increasing, by_factor<adjust_brightness>},
    {"Sharpness", false, enhance, by_factor<adjust_sharpness>},
    {"SharpnessIncreasing", true, enhance_increasing, by_factor<adjust_sharpness>},
    {"ShearX", true, up_to<30>, shear_x},
    {"ShearY", true, up_to<30>, shear_y},
    {"TranslateX", true, up_to<10000>, shift_x},
    {"TranslateY", true, up_to<10000>, shift_y},
    {"TranslateXRel", true, up_to<45>,
     [](const Image& image, double share, const Context& context) {
       return shift_x(image, share * static_cast<double>(image.width), context);
     }},
    {"TranslateYRel", true, up_to<45>,
     [](const Image& image, double share, const Context& context) {
       return shift_y(image, share * static_cast<double>(image.height), context);
     }},
    {"Desaturate", false, [](double level, double) { return 0.5 + share_of(level) * 0.5; },
     [](const Image& image, double share, const Context&) {
       return adjust_saturation(image, std::clamp(1 - share, 0.0, 1.0));
     }},
    {"GaussianBlur", false, [](double level, double) { return 0.1 + share_of(level) * 1.9; }, by_factor<gaussian_blur>},
    {"GaussianBlurRand", false, [](double level, double) { return share_of(level); },
     [](const Image& image, double factor, const Context& context) {
       return gaussian_blur(image, draw_between(context.draw, 0.1, 2 * factor));
     }},
};

// torchvision: magnitudes from one of `bins` equally spaced values.

/// One of torch.linspace(first, last, bins): steps in single precision, rounded once after multiplying and adding.
/// Whole-number arguments are cut off later, so that the last bit counts.
double spaced(double first, double last, int bin, int bins) {
  const float begin = static_cast<float>(first), end = static_cast<float>(last);
  const double step = static_cast<double>((end - begin) / static_cast<float>(bins - 1));
  const double value =
      bin < bins / 2 ? static_cast<double>(begin) + step * bin : static_cast<double>(end) - step * (bins - 1 - bin);
  return static_cast<double>(static_cast<float>(value));
}

double no_magnitude(BinRange, int, int, Index) { return 0; }
double shear_magnitude(BinRange range, int bin, int bins, Index) {
  return spaced(0, range == BinRange::trivial_augment ? 0.99 : 0.3, bin, bins);
}
double translate_magnitude(BinRange range, int bin, int bins, Index size) {
  return spaced(0, range == BinRange::trivial_augment ? 32 : 150.0 / 331.0 * static_cast<double>(size), bin, bins);
}
double rotate_magnitude(BinRange range, int bin, int bins, Index) {
  return spaced(0, range == BinRange::trivial_augment ? 135 : 30, bin, bins);
}
double enhance_magnitude(BinRange range, int bin, int bins, Index) {
  return spaced(0, range == BinRange::trivial_augment ? 0.99 : 0.9, bin, bins);
}
double posterize_magnitude(BinRange range, int bin, int bins, Index) {
  const double most = range == BinRange::trivial_augment ? 6 : 4;
  const float divisor = static_cast<float>((bins - 1) / most);
  return 8 - static_cast<double>(std::nearbyint(static_cast<float>(bin) / divisor));
}
double solarize_magnitude(BinRange, int bin, int bins, Index) { return spaced(255, 0, bin, bins); }

/// torchvision takes the factor of a shear through an angle in degrees and back.
double shear_angle(double factor) {
  constexpr double degree = std::numbers::pi / 180;
  return std::atan(factor) * (180 / std::numbers::pi) * degree;
}

template <Image (*adjust)(const Image&, double)>
Image by_change(const Image& image, double change, const Context&) {
  return adjust(image, 1 + change);
}

constexpr BinOperation bin_table[] = {
    {"Identity", false, no_magnitude, [](const Image& image, double, const Context&) { return image; }},
    {"ShearX", true, shear_magnitude,
     [](const Image& image, double factor, const Context& context) {
       return shear_x(image, std::tan(shear_angle(factor)), context);
     }},
    {"ShearY", true, shear_magnitude,
     [](const Image& image, double factor, const Context& context) {
       const double angle = shear_angle(factor);
       return shear_y(image, std::sin(angle) / std::cos(angle), context);
     }},
    {"TranslateX", true, translate_magnitude,
     [](const Image& image, double pixels, const Context& context) { return shift_x(image, -whole(pixels), context); }},
    {"TranslateY", true, translate_magnitude,
     [](const Image& image, double pixels, const Context& context) { return shift_y(image, -whole(pixels), context); }},
    {"Rotate", true, rotate_magnitude, turn},
    {"Brightness", true, enhance_magnitude, by_change<adjust_brightness>},
    {"Color", true, enhance_magnitude, by_change<adjust_saturation>},
    {"Contrast", true, enhance_magnitude, by_change<adjust_contrast>},
    {"Sharpness", true, enhance_magnitude, by_change<adjust_sharpness>},
    {"Posterize", false, posterize_magnitude, keep_bits},
    {"Solarize", false, solarize_magnitude, invert_above},
    {"AutoContrast", false, no_magnitude, stretch},
    {"Equalize", false, no_magnitude, flatten},
    {"Invert", false, no_magnitude, negate},
};

template <class Operation>
const Operation& find_operation(std::span<const Operation> operations, std::string_view name) {
  for (const Operation& operation : operations)
    if (operation.name == name) return operation;
  throw Error("augmentation: unknown operation '" + std::string(name) + "'");
}

}  // namespace

std::span<const LevelOperation> level_operations() { return level_table; }
const LevelOperation& find_level_operation(std::string_view name) { return find_operation(level_operations(), name); }

std::span<const BinOperation> bin_operations() { return bin_table; }
const BinOperation& find_bin_operation(std::string_view name) { return find_operation(bin_operations(), name); }

}  // namespace linnet::training
