// Pooling, vectors of channels at a time. Gradients gather: each input collects from the windows that cover it.
// Windows have no dilation here.
#pragma once

#include <stdint.h>

#include "kernels/pool/pool.h"
#include "kernels/simd/simd.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

using Positions = xsimd::batch<int32_t, Arch>;

/// A position as it travels beside floats, so that one comparison can select both.
LINNET_INLINE Vec position_bits(Index position) {
  return xsimd::bitwise_cast<Vec>(Positions(static_cast<int32_t>(position)));
}

/// A vector of channels: all lanes, or what is left.
struct WholeVector {
  LINNET_INLINE Vec read(const float* p) const { return load(p); }
  LINNET_INLINE void write(float* p, Vec v) const { store(p, v); }
  LINNET_INLINE Positions read(const int32_t* p) const { return Positions::load_unaligned(p); }
  LINNET_INLINE void write(int32_t* p, Positions v) const { v.store_unaligned(p); }
};
struct PartialVector {
  Index count;
  LINNET_INLINE Vec read(const float* p) const { return load_partial(p, count); }
  LINNET_INLINE void write(float* p, Vec v) const { store_partial(p, v, count); }
  LINNET_INLINE Positions read(const int32_t* p) const {
    alignas(64) int32_t values[lanes] = {};
    for (Index i = 0; i < count; ++i) values[i] = p[i];
    return Positions::load_aligned(values);
  }
  LINNET_INLINE void write(int32_t* p, Positions v) const {
    alignas(64) int32_t values[lanes];
    v.store_aligned(values);
    for (Index i = 0; i < count; ++i) p[i] = values[i];
  }
};

/// Calls body(c, vector) for each vector of channels in the range.
template <class Body>
LINNET_INLINE void for_each_vector(Range channels, Body&& body) {
  Index c = channels.begin;
  for (; c + lanes <= channels.end; c += lanes) body(c, WholeVector{});
  if (c < channels.end) body(c, PartialVector{channels.end - c});
}

/// The input rows (or columns) under output position o, padding left out.
LINNET_INLINE Range covered(Index o, Index kernel, Index stride, Index pad, Index size) {
  const Index start = o * stride - pad;
  return {start < 0 ? 0 : start, start + kernel < size ? start + kernel : size};
}

/// The output rows (or columns) whose windows cover input position i.
LINNET_INLINE Range covering(Index i, Index kernel, Index stride, Index pad, Index size) {
  const Index last = (i + pad) / stride, before = i + pad - kernel;
  return {before < 0 ? 0 : before / stride + 1, last + 1 < size ? last + 1 : size};
}

/// Calls body(pixel, map, rows, columns) for each output pixel of these rows: what its window covers, and where the
/// image's map begins.
template <class Body>
LINNET_INLINE void for_each_output(const Window& w, Range output_rows, Body&& body) {
  for (Index row = output_rows.begin; row < output_rows.end; ++row) {
    const Index image = row / w.out_height;
    const Range rows = covered(row - image * w.out_height, w.kernel_height, w.stride, w.pad_top, w.in_height);
    for (Index ox = 0; ox < w.out_width; ++ox) {
      body(row * w.out_width + ox, image * w.in_height * w.in_width, rows,
           covered(ox, w.kernel_width, w.stride, w.pad_left, w.in_width));
    }
  }
}

/// Calls body(pixel, map, rows, columns) for each input pixel of these rows: the outputs that cover it, and where the
/// image's outputs begin.
template <class Body>
LINNET_INLINE void for_each_input(const Window& w, Range input_rows, Body&& body) {
  for (Index row = input_rows.begin; row < input_rows.end; ++row) {
    const Index image = row / w.in_height;
    const Range rows = covering(row - image * w.in_height, w.kernel_height, w.stride, w.pad_top, w.out_height);
    for (Index ix = 0; ix < w.in_width; ++ix) {
      body(row * w.in_width + ix, image * w.out_height * w.out_width, rows,
           covering(ix, w.kernel_width, w.stride, w.pad_left, w.out_width));
    }
  }
}

void max_values(const MaxPoolArgs& args, Range output_rows) {
  const Window w = args.window;
  const Index channels = args.channels;
  const float* const input = args.input;
  float* const output = args.output;
  for_each_output(
      w, output_rows, [=](Index pixel, Index map, Range rows, Range columns) __attribute__((always_inline)) {
        for_each_vector(
            {0, channels}, [=](Index c, auto vector) __attribute__((always_inline)) {
              const float* row = input + (map + rows.begin * w.in_width + columns.begin) * channels + c;
              Vec best = vector.read(row);
              auto numbers = best == best;  // a NaN is noted beside the maximum, which on x86 would lose it
              for (Index y = rows.begin; y < rows.end; ++y, row += w.in_width * channels) {
                const float* p = row;
                for (Index x = columns.begin; x < columns.end; ++x, p += channels) {
                  const Vec value = vector.read(p);
                  numbers = numbers & (value == value);
                  best = xsimd::max(best, value);
                }
              }
              vector.write(output + pixel * channels + c, xsimd::select(numbers, best, Vec(__builtin_nanf(""))));
            });
      });
}

void max_positions(const MaxPoolArgs& args, Range output_rows) {
  const Window w = args.window;
  const Index channels = args.channels;
  const float* const input = args.input;
  float* const output = args.output;
  int32_t* const positions = args.positions;
  for_each_output(
      w, output_rows, [=](Index pixel, Index map, Range rows, Range columns) __attribute__((always_inline)) {
        for_each_vector(
            {0, channels}, [=](Index c, auto vector) __attribute__((always_inline)) {
              const float* values = input + map * channels + c;
              const Index first = rows.begin * w.in_width + columns.begin;
              Vec best = vector.read(values + first * channels);
              Vec best_position = position_bits(first);
              for (Index y = rows.begin; y < rows.end; ++y) {
                for (Index x = columns.begin; x < columns.end; ++x) {
                  const Index position = y * w.in_width + x;
                  const Vec value = vector.read(values + position * channels);
                  // Not (value <= best) is true of a greater value and of a NaN on either side.
                  const auto wins = !(value <= best) & (best == best);
                  best = xsimd::select(wins, value, best);
                  best_position = xsimd::select(wins, position_bits(position), best_position);
                }
              }
              vector.write(output + pixel * channels + c, best);
              vector.write(positions + pixel * channels + c, xsimd::bitwise_cast<Positions>(best_position));
            });
      });
}

void max(const MaxPoolArgs& args, Range output_rows) {
  if (args.positions) {
    max_positions(args, output_rows);
  } else {
    max_values(args, output_rows);
  }
}

void max_gradient(const MaxPoolGradientArgs& args, Range input_rows) {
  const Window w = args.window;
  const Index channels = args.channels;
  const float* const output_gradient = args.output_gradient;
  const int32_t* const positions = args.positions;
  float* const input_gradient = args.input_gradient;
  for_each_input(
      w, input_rows, [=](Index pixel, Index map, Range rows, Range columns) __attribute__((always_inline)) {
        const Positions here(static_cast<int32_t>(pixel % (w.in_height * w.in_width)));
        for_each_vector(
            {0, channels}, [=](Index c, auto vector) __attribute__((always_inline)) {
              Vec sum(0.0f);
              for (Index oy = rows.begin; oy < rows.end; ++oy) {
                for (Index ox = columns.begin; ox < columns.end; ++ox) {
                  const Index at = (map + oy * w.out_width + ox) * channels + c;
                  const auto mine = vector.read(positions + at) == here;
                  const auto gradient = xsimd::bitwise_cast<Positions>(vector.read(output_gradient + at));
                  sum += xsimd::bitwise_cast<Vec>(xsimd::select(mine, gradient, Positions(0)));
                }
              }
              vector.write(input_gradient + pixel * channels + c, sum);
            });
      });
}

void average(const AveragePoolArgs& args, Range output_rows) {
  const Window w = args.window;
  const Index channels = args.channels;
  const float* const input = args.input;
  float* const output = args.output;
  const bool count_padding = args.count_padding;
  for_each_output(
      w, output_rows, [=](Index pixel, Index map, Range rows, Range columns) __attribute__((always_inline)) {
        const Index count = count_padding ? w.kernel_height * w.kernel_width : rows.size() * columns.size();
        const Vec scale(1.0f / static_cast<float>(count));
        for_each_vector(
            {0, channels}, [=](Index c, auto vector) __attribute__((always_inline)) {
              Vec sum(0.0f);
              for (Index y = rows.begin; y < rows.end; ++y) {
                const float* values = input + (map + y * w.in_width + columns.begin) * channels + c;
                for (Index x = 0; x < columns.size(); ++x) sum += vector.read(values + x * channels);
              }
              vector.write(output + pixel * channels + c, sum * scale);
            });
      });
}

void average_gradient(const AveragePoolGradientArgs& args, Range input_rows) {
  const Window w = args.window;
  const Index channels = args.channels;
  const float* const output_gradient = args.output_gradient;
  float* const input_gradient = args.input_gradient;
  const bool count_padding = args.count_padding;
  for_each_input(
      w, input_rows, [=](Index pixel, Index map, Range rows, Range columns) __attribute__((always_inline)) {
        for_each_vector(
            {0, channels}, [=](Index c, auto vector) __attribute__((always_inline)) {
              Vec sum(0.0f);
              for (Index oy = rows.begin; oy < rows.end; ++oy) {
                const Index height = covered(oy, w.kernel_height, w.stride, w.pad_top, w.in_height).size();
                for (Index ox = columns.begin; ox < columns.end; ++ox) {
                  const Index width = covered(ox, w.kernel_width, w.stride, w.pad_left, w.in_width).size();
                  const Index count = count_padding ? w.kernel_height * w.kernel_width : height * width;
                  const Vec scale(1.0f / static_cast<float>(count));
                  const Vec gradient = vector.read(output_gradient + (map + oy * w.out_width + ox) * channels + c);
                  sum = multiply_add(gradient, scale, sum);
                }
              }
              vector.write(input_gradient + pixel * channels + c, sum);
            });
      });
}

/// Pixels are summed in runs, and the runs then, so that the error stays small however many there are.
constexpr Index run_pixels = 64;

/// `vectors` vectors of channels from c on.
template <Index vectors, class Vector>
LINNET_INLINE void global_average_vectors(Index pixels, Index channels, Index c, const float* input, float* output,
                                          Vector vector) {
  Vec total[vectors];
  for (Index v = 0; v < vectors; ++v) total[v] = Vec(0.0f);
  for (Index begin = 0; begin < pixels; begin += run_pixels) {
    const Index end = begin + run_pixels < pixels ? begin + run_pixels : pixels;
    Vec sum[vectors];
    for (Index v = 0; v < vectors; ++v) sum[v] = Vec(0.0f);
    for (Index p = begin; p < end; ++p) {
      for (Index v = 0; v < vectors; ++v) sum[v] += vector.read(input + p * channels + c + v * lanes);
    }
    for (Index v = 0; v < vectors; ++v) total[v] += sum[v];
  }
  const Vec scale(1.0f / static_cast<float>(pixels));
  for (Index v = 0; v < vectors; ++v) vector.write(output + c + v * lanes, total[v] * scale);
}

void global_average(Index pixels, Index channels, Range range, const float* input, float* output) {
  constexpr Index wide = 4;  // enough sums side by side to hide the latency of additions
  Index c = range.begin;
  for (; c + wide * lanes <= range.end; c += wide * lanes) {
    global_average_vectors<wide>(pixels, channels, c, input, output, WholeVector{});
  }
  for_each_vector(
      {c, range.end}, [=](Index at, auto vector) __attribute__((always_inline)) {
        global_average_vectors<1>(pixels, channels, at, input, output, vector);
      });
}

void global_average_gradient(Index pixels, Index channels, Range range, const float* output_gradient,
                             float* input_gradient) {
  const Vec scale(1.0f / static_cast<float>(pixels));
  for (Index p = range.begin; p < range.end; ++p) {
    for_each_vector(
        {0, channels}, [=](Index c, auto vector) __attribute__((always_inline)) {
          vector.write(input_gradient + p * channels + c, vector.read(output_gradient + c) * scale);
        });
  }
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
