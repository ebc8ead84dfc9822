#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>

#include "training/image/operators.h"

namespace linnet::training {
namespace {

using Matrix = std::array<double, 6>;

const std::uint8_t* pixel(const Image& image, Index y, Index x) { return image.row(y) + x * image.channels; }

// Whole-number positions; -1 for any below 0.
Index cut_off(double position) { return position < 0 ? -1 : static_cast<Index>(position); }

// Nearest pixels, as Pillow finds them: by adding up steps, of doubles where nothing turns, of 16.16 fixed point else.
void sample_straight(const Image& image, const Matrix& m, Image& result) {
  double y_from = m[5] + m[4] * 0.5;
  for (Index y = 0; y < result.height; ++y, y_from += m[4]) {
    const Index row = cut_off(y_from);
    double x_from = m[2] + m[0] * 0.5;
    for (Index x = 0; x < result.width; ++x, x_from += m[0]) {
      const Index column = cut_off(x_from);
      if (row >= 0 && row < image.height && column >= 0 && column < image.width)
        std::copy_n(pixel(image, row, column), image.channels, result.row(y) + x * image.channels);
    }
  }
}

void sample_nearest(const Image& image, const Matrix& m, Image& result) {
  const auto fixed = [](double value) { return static_cast<std::int64_t>(std::floor(value * 65536.0 + 0.5)); };
  std::int64_t x_line = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5), y_line = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
  for (Index y = 0; y < result.height; ++y, x_line += fixed(m[1]), y_line += fixed(m[4])) {
    std::int64_t x_from = x_line, y_from = y_line;
    for (Index x = 0; x < result.width; ++x, x_from += fixed(m[0]), y_from += fixed(m[3])) {
      const std::int64_t column = x_from >> 16, row = y_from >> 16;
      if (row >= 0 && row < image.height && column >= 0 && column < image.width)
        std::copy_n(pixel(image, static_cast<Index>(row), static_cast<Index>(column)), image.channels,
                    result.row(y) + x * image.channels);
    }
  }
}

double linear_between(double a, double b, double share) { return a + (b - a) * share; }

// Convolution with the cubic of a = -1.
double cubic_between(double v1, double v2, double v3, double v4, double share) {
  const double p2 = -v1 + v3, p3 = 2 * (v1 - v2) + v3 - v4, p4 = -v1 + v2 - v3 + v4;
  return v2 + share * (p2 + share * (p3 + share * p4));
}

// A picture whose edges go on beyond it.
struct Edgeless {
  const Image& image;
  Index channel;

  double at(Index y, Index x) const {
    return pixel(image, std::clamp<Index>(y, 0, image.height - 1), std::clamp<Index>(x, 0, image.width - 1))[channel];
  }
};

double bilinear_at(const Edgeless& from, Index y, Index x, double dy, double dx) {
  return linear_between(linear_between(from.at(y, x), from.at(y, x + 1), dx),
                        linear_between(from.at(y + 1, x), from.at(y + 1, x + 1), dx), dy);
}

double bicubic_at(const Edgeless& from, Index y, Index x, double dy, double dx) {
  double rows[4];
  for (Index i = 0; i < 4; ++i) {
    const Index row = y - 1 + i;
    rows[i] = cubic_between(from.at(row, x - 1), from.at(row, x), from.at(row, x + 1), from.at(row, x + 2), dx);
  }
  return cubic_between(rows[0], rows[1], rows[2], rows[3], dy);
}

void sample_smoothly(const Image& image, const Matrix& m, Sampling sampling, Image& result) {
  const auto value_at = sampling == Sampling::bicubic ? bicubic_at : bilinear_at;
  for (Index y = 0; y < result.height; ++y) {
    for (Index x = 0; x < result.width; ++x) {
      const double x_centre = static_cast<double>(x) + 0.5, y_centre = static_cast<double>(y) + 0.5;
      const double x_from = m[0] * x_centre + m[1] * y_centre + m[2];
      const double y_from = m[3] * x_centre + m[4] * y_centre + m[5];
      if (x_from < 0 || x_from >= static_cast<double>(image.width) || y_from < 0 ||
          y_from >= static_cast<double>(image.height))
        continue;
      const double left = std::floor(x_from - 0.5), top = std::floor(y_from - 0.5);
      for (Index channel = 0; channel < image.channels; ++channel) {
        const double value = value_at({image, channel}, static_cast<Index>(top), static_cast<Index>(left),
                                      y_from - 0.5 - top, x_from - 0.5 - left);
        result.row(y)[x * image.channels + channel] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
      }
    }
  }
}

// Python's round(value, 15): to the nearest decimal number.
double rounded_to_15_places(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.15f", value);
  return std::strtod(text, nullptr);
}

// By quarters, without interpolation.
Image turned(const Image& image, int quarters) {
  Image result = image;
  for (Index y = 0; y < image.height; ++y) {
    for (Index x = 0; x < image.width; ++x) {
      const Index row = quarters == 1 ? x : quarters == 2 ? image.height - 1 - y : image.height - 1 - x;
      const Index column = quarters == 1 ? image.width - 1 - y : quarters == 2 ? image.width - 1 - x : y;
      std::copy_n(pixel(image, row, column), image.channels, result.row(y) + x * image.channels);
    }
  }
  return result;
}

}  // namespace

Image flip_vertically(const Image& image) {
  Image result(image.height, image.width, image.channels);
  for (Index y = 0; y < image.height; ++y)
    std::copy_n(image.row(y), image.width * image.channels, result.row(image.height - 1 - y));
  return result;
}

Image affine(const Image& image, const Matrix& matrix, Sampling sampling, const std::vector<std::uint8_t>& fill) {
  Image result = crop(Image(0, 0, image.channels), {0, 0, image.height, image.width}, fill);
  if (sampling != Sampling::nearest) {
    sample_smoothly(image, matrix, sampling, result);
  } else if (matrix[1] == 0 && matrix[3] == 0) {
    sample_straight(image, matrix, result);
  } else {
    sample_nearest(image, matrix, result);
  }
  return result;
}

Image rotate(const Image& image, double degrees, Sampling sampling, const std::vector<std::uint8_t>& fill) {
  degrees = std::fmod(degrees, 360.0);
  if (degrees < 0) degrees += 360.0;
  if (degrees == 0) return image;
  const bool square = image.width == image.height;
  if (degrees == 180) return turned(image, 2);
  if (square && (degrees == 90 || degrees == 270)) return turned(image, degrees == 90 ? 1 : 3);
  const double angle = -degrees * (std::numbers::pi / 180);
  const double cosine = rounded_to_15_places(std::cos(angle)), sine = rounded_to_15_places(std::sin(angle));
  const double x = static_cast<double>(image.width) / 2, y = static_cast<double>(image.height) / 2;
  return affine(image, {cosine, sine, cosine * -x + sine * -y + x, -sine, cosine, -sine * -x + cosine * -y + y},
                sampling, fill);
}

}  // namespace linnet::training
