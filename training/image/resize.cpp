// Pillow's resize: two passes of one-dimensional filters in whole numbers, rounded to 8 bits in between.
#include <algorithm>
#include <cmath>
#include <vector>

#include "linnet/error.h"
#include "linnet/training/image.h"

namespace linnet::training {
namespace {

constexpr int precision = 22;  // bits after the point of a weight

double triangle(double x) {
  x = std::fabs(x);
  return x < 1 ? 1 - x : 0;
}

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1) {
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  }
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/// Which inputs make up one output, and by how much.
struct Window {
  Index first = 0;
  std::vector<std::int32_t> weights;
};

std::vector<Window> windows(Index input_size, Index output_size, Interpolation interpolation) {
  const bool bicubic = interpolation == Interpolation::bicubic;
  const double scale = static_cast<double>(input_size) / static_cast<double>(output_size);
  const double stretch = std::max(scale, 1.0);
  const double support = (bicubic ? 2.0 : 1.0) * stretch;
  std::vector<Window> result(static_cast<std::size_t>(output_size));
  std::vector<double> weights;
  for (Index output = 0; output < output_size; ++output) {
    const double centre = (static_cast<double>(output) + 0.5) * scale;
    const Index first = std::max<Index>(static_cast<Index>(centre - support + 0.5), 0);
    const Index last = std::min(static_cast<Index>(centre + support + 0.5), input_size);
    weights.clear();
    double sum = 0;
    for (Index input = first; input < last; ++input) {
      const double x = (static_cast<double>(input) - centre + 0.5) * (1.0 / stretch);
      weights.push_back(bicubic ? cubic(x) : triangle(x));
      sum += weights.back();
    }
    Window& window = result[static_cast<std::size_t>(output)];
    window.first = first;
    for (const double weight : weights) {
      const double fixed = (sum != 0 ? weight / sum : weight) * (1 << precision);
      window.weights.push_back(static_cast<std::int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5));
    }
  }
  return result;
}

std::uint8_t rounded(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> precision, 0, 255)); }

template <int Channels>
void resize_row(const std::uint8_t* from, std::uint8_t* to, const std::vector<Window>& columns) {
  for (const Window& window : columns) {
    std::int32_t sums[Channels];
    std::fill_n(sums, Channels, 1 << (precision - 1));
    const std::uint8_t* pixel = from + window.first * Channels;
    for (const std::int32_t weight : window.weights) {
      for (int channel = 0; channel < Channels; ++channel) {
        sums[channel] += weight * pixel[channel];
      }
      pixel += Channels;
    }
    for (int channel = 0; channel < Channels; ++channel) {
      *to++ = rounded(sums[channel]);
    }
  }
}

Image resize_width(const Image& image, Index width, Interpolation interpolation) {
  if (width == image.width) {
    return image;
  }
  const std::vector<Window> columns = windows(image.width, width, interpolation);
  Image result(image.height, width, image.channels);
  for (Index y = 0; y < image.height; ++y) {
    if (image.channels == 3) {
      resize_row<3>(image.row(y), result.row(y), columns);
    } else {
      resize_row<1>(image.row(y), result.row(y), columns);
    }
  }
  return result;
}

Image resize_height(const Image& image, Index height, Interpolation interpolation) {
  if (height == image.height) {
    return image;
  }
  const std::vector<Window> rows = windows(image.height, height, interpolation);
  Image result(height, image.width, image.channels);
  const Index values = image.width * image.channels;
  std::vector<std::int32_t> sums(static_cast<std::size_t>(values));
  for (Index y = 0; y < height; ++y) {
    const Window& window = rows[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), 1 << (precision - 1));
    const std::uint8_t* from = image.row(window.first);
    for (const std::int32_t weight : window.weights) {
      for (Index x = 0; x < values; ++x) {
        sums[static_cast<std::size_t>(x)] += weight * from[x];
      }
      from += values;
    }
    std::transform(sums.begin(), sums.end(), result.row(y), rounded);
  }
  return result;
}

}  // namespace

Interpolation interpolation_from_name(const std::string& name) {
  if (name == "bilinear") {
    return Interpolation::bilinear;
  }
  if (name == "bicubic") {
    return Interpolation::bicubic;
  }
  throw Error("unknown interpolation '" + name + "', expected bilinear or bicubic");
}

Image resize(const Image& image, Index height, Index width, Interpolation interpolation) {
  if (height < 1 || width < 1 || image.height < 1 || image.width < 1 || (image.channels != 1 && image.channels != 3)) {
    throw Error("resize: cannot make " + std::to_string(height) + " x " + std::to_string(width) + " pixels of " +
                std::to_string(image.height) + " x " + std::to_string(image.width) + " pixels with " +
                std::to_string(image.channels) + " channels");
  }
  // Pillow's choice of the cheaper order; the two differ by a level here and there.
  const bool height_first = height < image.height && image.height - height > 2 * (image.width - width);
  return height_first ? resize_width(resize_height(image, height, interpolation), width, interpolation)
                      : resize_height(resize_width(image, width, interpolation), height, interpolation);
}

}  // namespace linnet::training
