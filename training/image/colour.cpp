#include <algorithm>
#include <cmath>

#include "training/image/operators.h"

namespace linnet::training {
namespace {

std::uint8_t to_byte(int value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); }

// Pillow computes in single precision and cuts off.
Image blend(const Image& base, const Image& image, double factor) {
  if (factor == 0) return base;
  if (factor == 1) return image;
  const float share = static_cast<float>(factor);
  Image result = image;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const float from = static_cast<float>(base.pixels[i]);
    const float value = from + share * (static_cast<float>(image.pixels[i]) - from);
    result.pixels[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f));
  }
  return result;
}

struct Hsv {
  std::uint8_t hue, saturation, value;
};

Hsv to_hsv(const std::uint8_t* rgb) {
  const std::uint8_t r = rgb[0], g = rgb[1], b = rgb[2];
  const std::uint8_t largest = std::max({r, g, b}), smallest = std::min({r, g, b});
  if (largest == smallest) return {0, 0, largest};
  const float range = static_cast<float>(largest - smallest);
  const float saturation = range / static_cast<float>(largest);
  const float red = static_cast<float>(largest - r) / range, green = static_cast<float>(largest - g) / range,
              blue = static_cast<float>(largest - b) / range;
  float hue;
  if (r == largest) {
    hue = blue - green;
  } else if (g == largest) {
    hue = static_cast<float>(2.0 + static_cast<double>(red) - static_cast<double>(blue));
  } else {
    hue = static_cast<float>(4.0 + static_cast<double>(green) - static_cast<double>(red));
  }
  hue = static_cast<float>(std::fmod(static_cast<double>(hue) / 6.0 + 1.0, 1.0));
  return {to_byte(static_cast<int>(static_cast<double>(hue) * 255.0)),
          to_byte(static_cast<int>(static_cast<double>(saturation) * 255.0)), largest};
}

void to_rgb(const Hsv& hsv, std::uint8_t* rgb) {
  const std::uint8_t v = hsv.value;
  if (hsv.saturation == 0) {
    std::fill_n(rgb, 3, v);
    return;
  }
  const double position = static_cast<double>(static_cast<float>(hsv.hue)) * 6.0 / 255.0;
  const int sector = static_cast<int>(std::floor(position));
  const double rest = static_cast<double>(static_cast<float>(position - sector));
  const double saturation = static_cast<double>(static_cast<float>(static_cast<double>(hsv.saturation) / 255.0));
  const auto scaled = [v](double share) { return to_byte(static_cast<int>(std::round(v * share))); };
  const std::uint8_t p = scaled(1.0 - saturation), q = scaled(1.0 - saturation * rest),
                     t = scaled(1.0 - saturation * (1.0 - rest));
  const std::uint8_t sectors[6][3] = {{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v}, {t, p, v}, {v, p, q}};
  std::copy_n(sectors[sector % 6], 3, rgb);
}

}  // namespace

Image to_grey(const Image& image) { return with_channels(with_channels(image, 1), image.channels); }

Image adjust_brightness(const Image& image, double factor) {
  return blend(Image(image.height, image.width, image.channels), image, factor);
}

Image adjust_contrast(const Image& image, double factor) {
  const Image grey = with_channels(image, 1);
  std::int64_t sum = 0;
  for (const std::uint8_t value : grey.pixels) sum += value;
  const double mean = static_cast<double>(sum) / static_cast<double>(std::max<std::size_t>(grey.pixels.size(), 1));
  return blend(Image(image.height, image.width, image.channels, static_cast<std::uint8_t>(mean + 0.5)), image, factor);
}

Image adjust_saturation(const Image& image, double factor) {
  return image.channels == 1 ? image : blend(to_grey(image), image, factor);
}

Image adjust_sharpness(const Image& image, double factor) { return blend(smooth(image), image, factor); }

Image adjust_hue(const Image& image, double turn) {
  if (image.channels == 1) return image;
  const int steps = static_cast<int>(turn * 255);
  Image result = image;
  for (std::size_t i = 0; i < result.pixels.size(); i += 3) {
    Hsv hsv = to_hsv(&image.pixels[i]);
    hsv.hue = static_cast<std::uint8_t>(hsv.hue + steps);
    to_rgb(hsv, &result.pixels[i]);
  }
  return result;
}

}  // namespace linnet::training
