#include <algorithm>
#include <vector>

#include "kernels/batch_norm/partial_sums.h"
#include "kernels/common/chunks.h"
#include "kernels/conv_norm/conv_norm.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/pointwise/scratch.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

Index divide_up(Index a, Index b) { return (a + b - 1) / b; }

/// An image cut into bands of output rows, and the rows of both maps that each band has to do with.
class Bands {
 public:
  explicit Bands(const Window& window, Index channels) : window_(window), bands_(window.out_height, grain(channels)) {}

  Index count() const { return bands_.count(); }
  Range outputs(Index band) const { return bands_[band]; }

  /// Input rows under the band's windows.
  Range inputs_under(Index band) const {
    const Range rows = outputs(band);
    const Index begin = rows.begin * window_.stride - window_.pad_top;
    const Index end = (rows.end - 1) * window_.stride - window_.pad_top + window_.kernel_height;
    return {std::max<Index>(begin, 0), std::min(end, window_.in_height)};
  }

  /// The band's share of all input rows; may be empty.
  Range own_inputs(Index band) const {
    const Range rows = outputs(band);
    const bool is_last = band + 1 == count();
    const auto limit = [&](Index row) { return std::min(row * window_.stride, window_.in_height); };
    return {limit(rows.begin), is_last ? window_.in_height : limit(rows.end)};
  }

  /// Output rows whose windows meet these input rows.
  Range outputs_over(Range inputs) const {
    const Index first = inputs.begin + window_.pad_top - window_.kernel_height + 1;
    const Index begin = first <= 0 ? 0 : divide_up(first, window_.stride);
    const Index end = (inputs.end - 1 + window_.pad_top) / window_.stride + 1;
    return {std::min(begin, window_.out_height), std::min(end, window_.out_height)};
  }

  /// The most rows of either map that a band touches.
  Index most_rows() const {
    const Index height = divide_up(window_.out_height, count());
    return (height + 1) * window_.stride + 2 * window_.kernel_height;
  }

  /// The same convolution between some rows of one image.
  Window between(Range inputs, Range outputs) const {
    Window part = window_;
    part.batch = 1;
    part.in_height = inputs.size();
    part.out_height = outputs.size();
    part.pad_top = window_.pad_top + inputs.begin - outputs.begin * window_.stride;
    return part;
  }

 private:
  Index grain(Index channels) const {
    constexpr Index floats = 1 << 16;
    const Index rows = floats / std::max<Index>(1, window_.in_width * channels);
    return std::max<Index>(1, rows / window_.stride);
  }

  Window window_;
  Chunks bands_;
};

/// Computed rows of one image. Bands come from top to bottom: rows that the last one had are kept.
class Rows {
 public:
  Rows(float* memory, Index row_size) : memory_(memory), row_size_(row_size) {}

  /// Calls make(rows, to) for those of `wanted` that are not there yet.
  template <class Make>
  void advance(Range wanted, Make&& make) {
    const Index kept = std::max<Index>(0, there_.end - wanted.begin);
    if (kept > 0 && wanted.begin > there_.begin) {
      const float* from = at(wanted.begin);
      std::copy(from, from + kept * row_size_, memory_);
    }
    if (kept < wanted.size()) make(Range{wanted.begin + kept, wanted.end}, memory_ + kept * row_size_);
    there_ = {wanted.begin, std::max(wanted.end, wanted.begin + kept)};
  }
  const float* at(Index row) const { return memory_ + (row - there_.begin) * row_size_; }

 private:
  float* memory_;
  Index row_size_;
  Range there_;
};

const DepthwiseKernels& depthwise_kernels() {
  static const DepthwiseKernels& kernels = select(depthwise_variants());
  return kernels;
}

/// Rows of an image's input as the convolution reads them: where they lie, or normalised.
class Input {
 public:
  Input(const Window& window, Index channels, const float* image, const Norm* norm, float* memory)
      : width_(window.in_width),
        channels_(channels),
        image_(image),
        norm_(norm),
        rows_(memory, window.in_width * channels) {}

  void advance(Range wanted) {
    if (norm_ == nullptr) return;
    rows_.advance(wanted, [&](Range fresh, float* to) {
      batch_norm_kernels().normalise(channels_, {0, fresh.size() * width_}, *norm_, raw(fresh.begin), to);
    });
  }
  const float* at(Index row) const { return norm_ == nullptr ? raw(row) : rows_.at(row); }
  const float* raw(Index row) const { return image_ + row * width_ * channels_; }

 private:
  Index width_, channels_;
  const float* image_;
  const Norm* norm_;
  Rows rows_;
};

std::size_t room(Index rows, Index row_size) { return static_cast<std::size_t>(rows * row_size); }

}  // namespace

bool depthwise_norm_pays(const Window& window, Index channels) {
  constexpr Index floats_in_cache = 1 << 20;
  return depthwise_is_specialised(window) && (window.in_pixels() + window.out_pixels()) * channels > floats_in_cache;
}

void depthwise_norm(ThreadPool& pool, const Window& window, Index channels, const ConvNormArgs& args) {
  const Index in_row = window.in_width * channels, out_row = window.out_width * channels;
  const Bands bands(window, channels);
  PartialSums moments(window.batch * bands.count(), channels);
  std::vector<double> counts(static_cast<std::size_t>(moments.chunks()));
  pool.run(window.batch, [&](Index image, int) {
    const Scratch scratch(room(args.input_norm == nullptr ? 0 : bands.most_rows(), in_row));
    Input input(window, channels, args.input + image * window.in_height * in_row, args.input_norm, scratch.data());
    for (Index band = 0; band < bands.count(); ++band) {
      const Range outputs = bands.outputs(band), inputs = bands.inputs_under(band);
      input.advance(inputs);
      float* output = args.output + (image * window.out_height + outputs.begin) * out_row;
      depthwise_kernels().forward({.window = bands.between(inputs, outputs),
                                   .channels = channels,
                                   .input = input.at(inputs.begin),
                                   .weights = args.weights,
                                   .output = output,
                                   .epilogue = {}},
                                  {0, outputs.size()});
      const Index piece = image * bands.count() + band, pixels = outputs.size() * window.out_width;
      batch_norm_kernels().moments(channels, {0, pixels}, output, moments.first(piece), moments.second(piece));
      counts[static_cast<std::size_t>(piece)] = static_cast<double>(pixels);
    }
  });
  join_moments(moments, counts, args.epsilon, {args.mean, args.variance, args.inverse_std});
}

void depthwise_norm_gradient(ThreadPool& pool, const Window& window, Index channels, const ConvNormGradientArgs& args) {
  const Index in_row = window.in_width * channels, out_row = window.out_width * channels;
  const Index area = window.kernel_area(), size = area * channels;
  const Bands bands(window, channels);
  const BatchNormGradientArgs output_norm{.rows = window.out_pixels(), .channels = channels, .norm = args.output_norm};
  const BatchNormMeans means(output_norm, args.output_sums);
  PartialSums input_sums(args.input_sums != nullptr ? window.batch * bands.count() : 0, channels);
  std::vector<float> weight_sums(static_cast<std::size_t>(window.batch * size));

  pool.run(window.batch, [&](Index image, int) {
    const Scratch input_scratch(room(args.input_norm == nullptr ? 0 : bands.most_rows(), in_row));
    const Scratch gradient_scratch(room(bands.most_rows(), out_row)), sums_scratch(room(1, size));
    Input input(window, channels, args.input + image * window.in_height * in_row, args.input_norm,
                input_scratch.data());
    Rows gradient(gradient_scratch.data(), out_row);
    for (Index band = 0; band < bands.count(); ++band) {
      const Range outputs = bands.outputs(band), under = bands.inputs_under(band), own = bands.own_inputs(band);
      const Range over = own.size() > 0 ? bands.outputs_over(own) : outputs;
      gradient.advance({std::min(outputs.begin, over.begin), std::max(outputs.end, over.end)},
                       [&](Range fresh, float* to) {
                         const Index begin = (image * window.out_height + fresh.begin) * out_row;
                         BatchNormGradientArgs part = output_norm;
                         part.input = args.output + begin;
                         part.output_gradient = args.output_gradient + begin;
                         part.input_gradient = to;
                         batch_norm_kernels().input_gradient(part, means.view(), {0, fresh.size() * window.out_width});
                       });

      input.advance(under);
      float* sums = sums_scratch.data();
      depthwise_kernels().weight_gradient({.window = bands.between(under, outputs),
                                           .channels = channels,
                                           .input = input.at(under.begin),
                                           .output_gradient = gradient.at(outputs.begin)},
                                          {0, outputs.size()}, sums);
      float* image_sums = weight_sums.data() + image * size;
      for (Index i = 0; i < size; ++i) image_sums[i] += sums[i];

      if (args.input_gradient == nullptr || own.size() == 0) continue;
      float* input_gradient = args.input_gradient + (image * window.in_height + own.begin) * in_row;
      depthwise_kernels().input_gradient({.window = bands.between(own, over),
                                          .channels = channels,
                                          .output_gradient = gradient.at(over.begin),
                                          .weights = args.weights,
                                          .input_gradient = input_gradient},
                                         {0, own.size()});
      if (args.input_sums == nullptr) continue;
      const BatchNormGradientArgs part{.channels = channels,
                                       .input = input.raw(own.begin),
                                       .output_gradient = input_gradient,
                                       .norm = *args.input_norm};
      const Index piece = image * bands.count() + band;
      batch_norm_kernels().gradient_sums(part, {0, own.size() * window.in_width}, input_sums.first(piece),
                                         input_sums.second(piece));
    }
  });

  for (Index image = 1; image < window.batch; ++image) {
    for (Index i = 0; i < size; ++i)
      weight_sums[static_cast<std::size_t>(i)] += weight_sums[static_cast<std::size_t>(image * size + i)];
  }
  for (Index c = 0; c < channels; ++c) {
    for (Index tap = 0; tap < area; ++tap) {
      args.weight_gradient[c * area + tap] = weight_sums[static_cast<std::size_t>(tap * channels + c)];
    }
  }
  if (args.input_sums != nullptr) input_sums.add_up(args.input_sums);
}

}  // namespace linnet::kernels
