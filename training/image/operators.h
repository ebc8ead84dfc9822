// Changes of colours and shape, bit for bit as Pillow does them (tests/training/operators_test.cpp). Pictures of one
// channel are grey: what only moves colours leaves them as they are.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "linnet/training/image.h"

namespace linnet::training {

/// The mean of the pictures as a colour of the picture, to fill with.
std::vector<std::uint8_t> mean_colour(const Preprocessing& preprocessing);

/// What prepare_for_evaluation cuts its centre from.
Image scaled_for_evaluation(const Image& image, const Preprocessing& preprocessing, Index height, Index width);

// colour.cpp: blends base + factor * (image - base), cut off to whole numbers; factor 1 gives the picture, 0 the base.

Image adjust_brightness(const Image& image, double factor);  ///< base: black
Image adjust_contrast(const Image& image, double factor);    ///< base: the mean of the grey picture
Image adjust_saturation(const Image& image, double factor);  ///< base: the grey picture
Image adjust_sharpness(const Image& image, double factor);   ///< base: the smoothed picture
/// Turns the hue by `turn` of the circle, in [-0.5, 0.5], in steps of 1/255; 0 is not quite the same picture.
Image adjust_hue(const Image& image, double turn);
/// The grey picture, with as many channels.
Image to_grey(const Image& image);

// lookup.cpp: a table from value to value.

Image autocontrast(const Image& image);  ///< stretches each channel to 0..255; one of a single value stays
Image equalize(const Image& image);      ///< flattens the histogram of each channel
Image invert(const Image& image);
Image posterize(const Image& image, int bits);         ///< keeps the highest `bits` of each value, 0 to 8
Image solarize(const Image& image, double threshold);  ///< inverts values from there on
Image solarize_add(const Image& image, int amount);    ///< adds to values below 128, up to 255

// geometry.cpp

enum class Sampling : std::uint8_t { nearest, bilinear, bicubic };

Image flip_vertically(const Image& image);
/// The output pixel at (x, y) is the input at (a x + b y + c, d x + e y + f), matrix {a, b, c, d, e, f}, positions
/// being those of pixel centres (0.5, 0.5). What lies outside gets `fill`, one value per channel (black if empty).
Image affine(const Image& image, const std::array<double, 6>& matrix, Sampling sampling,
             const std::vector<std::uint8_t>& fill = {});
/// Counter-clockwise about the centre; the size stays.
Image rotate(const Image& image, double degrees, Sampling sampling, const std::vector<std::uint8_t>& fill = {});

// filters.cpp

/// Pillow's SMOOTH: 1 1 1 / 1 5 1 / 1 1 1 over 13; the pixels at the edge stay.
Image smooth(const Image& image);
/// Three box blurs in each direction (Gwosdek et al. 2011, "Theoretical foundations of Gaussian convolution by extended
/// box filtering").
Image gaussian_blur(const Image& image, double radius);

}  // namespace linnet::training
