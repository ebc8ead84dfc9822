// Passes over rows of channels. A few rows at a time, so that what belongs to a channel is loaded once for them.
#pragma once

#include "kernels/batch_norm/batch_norm.h"
#include "kernels/simd/activation_gradient.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

constexpr Index row_group = 4;

/// Floats are summed over runs of this many rows, runs in double: nearly the speed of one and the accuracy of the
/// other.
constexpr Index run_rows = 64;

constexpr Index pivot_rows = 16;
constexpr Index channel_block = 256;

/// A vector of channels: all lanes, or what is left.
struct WholeVector {
  LINNET_INLINE Vec read(const float* p) const { return load(p); }
  LINNET_INLINE void write(float* p, Vec v) const { store(p, v); }
};
struct PartialVector {
  Index count;
  LINNET_INLINE Vec read(const float* p) const { return load_partial(p, count); }
  LINNET_INLINE void write(float* p, Vec v) const { store_partial(p, v, count); }
};

/// Calls body(c, vector) for each vector of channels in the range.
template <class Body>
LINNET_INLINE void for_each_vector(Range channels, Body&& body) {
  Index c = channels.begin;
  for (; c + lanes <= channels.end; c += lanes) body(c, WholeVector{});
  if (c < channels.end) body(c, PartialVector{channels.end - c});
}

/// Calls body(rows, c, vector) for each vector of channels of each few rows.
template <class Body>
LINNET_INLINE void for_each_group(Range rows, Range channels, Body&& body) {
  for (Index row = rows.begin; row < rows.end; row += row_group) {
    const Range group{row, row + row_group < rows.end ? row + row_group : rows.end};
    for_each_vector(
        channels, [&](Index c, auto vector) __attribute__((always_inline)) { body(group, c, vector); });
  }
}

template <Activation activation>
void scale_shift_rows(Index channels, Range rows, const float* input, const float* scale, const float* shift,
                      float* output) {
  for_each_group(
      rows, {0, channels}, [=](Range group, Index c, auto vector) __attribute__((always_inline)) {
        const Vec a = vector.read(scale + c), b = vector.read(shift + c);
        for (Index i = group.begin * channels + c; i < group.end * channels; i += channels) {
          vector.write(output + i, activate<activation>(multiply_add(vector.read(input + i), a, b)));
        }
      });
}

void scale_shift(Index channels, Range rows, const float* input, const float* scale, const float* shift,
                 Activation activation, float* output) {
  with_activation(activation, [=](auto tag) {
    scale_shift_rows<decltype(tag)::activation>(channels, rows, input, scale, shift, output);
  });
}

/// Adds `run` to `total`, a float to a double per channel.
LINNET_INLINE void add_run(const float* run, Index size, double* total) {
  for (Index i = 0; i < size; ++i) total[i] += static_cast<double>(run[i]);
}

/// Clears a block's sums, with the lanes that pad its last vector.
LINNET_INLINE void clear(float* values, Index size) {
  for (Index i = 0; i < size; i += lanes) store(values + i, Vec(0.0f));
}

void moments_of_block(Index channels, Range rows, Range block, const float* input, double* mean, double* squares) {
  alignas(64) float pivot[channel_block], sum[channel_block], square[channel_block];
  const Index size = block.size();
  mean += block.begin;
  squares += block.begin;
  // Differences from a pivot near the mean, so that a mean far larger than the deviation does not swallow it.
  const Range first{rows.begin, rows.size() < pivot_rows ? rows.end : rows.begin + pivot_rows};
  clear(pivot, size);
  for_each_group(
      first, block, [&](Range group, Index c, auto vector) __attribute__((always_inline)) {
        Vec total = load(pivot + c - block.begin);
        for (Index row = group.begin; row < group.end; ++row) total += vector.read(input + row * channels + c);
        store(pivot + c - block.begin, total);
      });
  for (Index i = 0; i < size; ++i) {
    pivot[i] /= static_cast<float>(first.size());
    mean[i] = squares[i] = 0.0;
  }
  for (Index begin = rows.begin; begin < rows.end; begin += run_rows) {
    const Range run{begin, begin + run_rows < rows.end ? begin + run_rows : rows.end};
    clear(sum, size);
    clear(square, size);
    for_each_group(
        run, block, [&](Range group, Index c, auto vector) __attribute__((always_inline)) {
          const Index at = c - block.begin;
          const Vec center = load(pivot + at);
          Vec total = load(sum + at), total_square = load(square + at);
          for (Index row = group.begin; row < group.end; ++row) {
            const Vec difference = vector.read(input + row * channels + c) - center;
            total += difference;
            total_square = multiply_add(difference, difference, total_square);
          }
          store(sum + at, total);
          store(square + at, total_square);
        });
    add_run(sum, size, mean);
    add_run(square, size, squares);
  }
  const double count = static_cast<double>(rows.size());
  for (Index i = 0; i < size; ++i) {
    const double from_pivot = mean[i] / count;
    const double around_mean = squares[i] - mean[i] * from_pivot;
    mean[i] = static_cast<double>(pivot[i]) + from_pivot;
    squares[i] = around_mean > 0.0 ? around_mean : 0.0;
  }
}

void moments(Index channels, Range rows, const float* input, double* mean, double* squares) {
  for (Index begin = 0; begin < channels; begin += channel_block) {
    const Index end = begin + channel_block < channels ? begin + channel_block : channels;
    moments_of_block(channels, rows, {begin, end}, input, mean, squares);
  }
}

/// What the passes know of a vector of channels.
struct Channels {
  Vec mean, inverse_std, gamma, beta;

  template <class Vector>
  LINNET_INLINE static Channels read(const Norm& norm, Index c, Vector vector) {
    return {vector.read(norm.mean + c), vector.read(norm.inverse_std + c), vector.read(norm.gamma + c),
            vector.read(norm.beta + c)};
  }
  LINNET_INLINE Vec normalised(Vec x) const { return (x - mean) * inverse_std; }
  /// What the activation is applied to: the same bits in the forward and the backward pass.
  LINNET_INLINE Vec affine(Vec normalised) const { return multiply_add(gamma, normalised, beta); }
};

template <Activation activation>
void normalise_rows(Index channels, Range rows, const Norm& shared_norm, const float* input, float* output) {
  const Norm norm = shared_norm;  // a copy that stores cannot alias
  for_each_group(
      rows, {0, channels}, [&](Range group, Index c, auto vector) __attribute__((always_inline)) {
        const Channels of = Channels::read(norm, c, vector);
        for (Index i = group.begin * channels + c; i < group.end * channels; i += channels) {
          vector.write(output + i, activate<activation>(of.affine(of.normalised(vector.read(input + i)))));
        }
      });
}

void normalise(Index channels, Range rows, const Norm& norm, const float* input, float* output) {
  with_activation(norm.activation,
                  [&](auto tag) { normalise_rows<decltype(tag)::activation>(channels, rows, norm, input, output); });
}

template <Activation activation>
void gradient_sums_of_block(const BatchNormGradientArgs& args, Range rows, Range block, double* gradient,
                            double* product) {
  alignas(64) float sum[channel_block], sum_product[channel_block];
  for (Index c = block.begin; c < block.end; ++c) gradient[c] = product[c] = 0.0;
  for (Index begin = rows.begin; begin < rows.end; begin += run_rows) {
    const Range run{begin, begin + run_rows < rows.end ? begin + run_rows : rows.end};
    clear(sum, block.size());
    clear(sum_product, block.size());
    for_each_group(
        run, block, [&](Range group, Index c, auto vector) __attribute__((always_inline)) {
          const Channels channels = Channels::read(args.norm, c, vector);
          const Index at = c - block.begin;
          Vec total = load(sum + at), total_product = load(sum_product + at);
          for (Index row = group.begin; row < group.end; ++row) {
            const Index i = row * args.channels + c;
            const Vec normalised = channels.normalised(vector.read(args.input + i));
            const Vec g =
                vector.read(args.output_gradient + i) * activation_derivative<activation>(channels.affine(normalised));
            total += g;
            total_product = multiply_add(g, normalised, total_product);
          }
          store(sum + at, total);
          store(sum_product + at, total_product);
        });
    add_run(sum, block.size(), gradient + block.begin);
    add_run(sum_product, block.size(), product + block.begin);
  }
}

void gradient_sums(const BatchNormGradientArgs& args, Range rows, double* gradient, double* product) {
  with_activation(args.norm.activation, [&](auto tag) {
    for (Index begin = 0; begin < args.channels; begin += channel_block) {
      const Index end = begin + channel_block < args.channels ? begin + channel_block : args.channels;
      gradient_sums_of_block<decltype(tag)::activation>(args, rows, {begin, end}, gradient, product);
    }
  });
}

template <Activation activation>
void input_gradient_rows(const BatchNormGradientArgs& shared_args, const BatchNormGradientMeans& means, Range rows) {
  const BatchNormGradientArgs args = shared_args;  // a copy that stores cannot alias
  for_each_group(
      rows, {0, args.channels}, [&](Range group, Index c, auto vector) __attribute__((always_inline)) {
        const Channels channels = Channels::read(args.norm, c, vector);
        const Vec scale = channels.gamma * channels.inverse_std;
        const Vec mean_gradient = vector.read(means.gradient + c), mean_product = vector.read(means.product + c);
        for (Index row = group.begin; row < group.end; ++row) {
          const Index i = row * args.channels + c;
          const Vec normalised = channels.normalised(vector.read(args.input + i));
          const Vec g =
              vector.read(args.output_gradient + i) * activation_derivative<activation>(channels.affine(normalised));
          vector.write(args.input_gradient + i, scale * (g - mean_gradient - normalised * mean_product));
        }
      });
}

void input_gradient(const BatchNormGradientArgs& args, const BatchNormGradientMeans& means, Range rows) {
  with_activation(args.norm.activation,
                  [&](auto tag) { input_gradient_rows<decltype(tag)::activation>(args, means, rows); });
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
