#include "kernels/pool/pool.h"

namespace linnet::kernels::scalar {
namespace {

/// The input rows or columns that the window at output position `o` covers, padding left out.
Range covered(Index o, Index kernel, Index stride, Index dilation, Index pad, Index size) {
  const Index start = o * stride - pad;
  const Index first_tap = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  const Index taps = size > start ? (size - start + dilation - 1) / dilation : 0;
  const Index last_tap = taps < kernel ? taps : kernel;
  return {start + first_tap * dilation, first_tap < last_tap ? start + (last_tap - 1) * dilation + 1 : start};
}

Index count(Range range, Index dilation) {
  return range.end > range.begin ? (range.end - range.begin + dilation - 1) / dilation : 0;
}

void max(const MaxPoolArgs& args, Range rows) {
  const Window& w = args.window;
  for (Index row = rows.begin; row < rows.end; ++row) {
    const Index image = row / w.out_height;
    const Range ys = covered(row % w.out_height, w.kernel_height, w.stride, w.dilation, w.pad_top, w.in_height);
    for (Index ox = 0; ox < w.out_width; ++ox) {
      const Range xs = covered(ox, w.kernel_width, w.stride, w.dilation, w.pad_left, w.in_width);
      for (Index c = 0; c < args.channels; ++c) {
        const float* map = args.input + image * w.in_height * w.in_width * args.channels + c;
        Index best = ys.begin * w.in_width + xs.begin;
        for (Index y = ys.begin; y < ys.end; y += w.dilation) {
          for (Index x = xs.begin; x < xs.end; x += w.dilation) {
            const float value = map[(y * w.in_width + x) * args.channels];
            const float highest = map[best * args.channels];
            if (value > highest || (value != value && highest == highest)) best = y * w.in_width + x;
          }
        }
        const Index at = (row * w.out_width + ox) * args.channels + c;
        args.output[at] = map[best * args.channels];
        if (args.positions) args.positions[at] = static_cast<std::int32_t>(best);
      }
    }
  }
}

/// Calls f(output pixel) for each window that covers input (iy, ix) of an image.
template <class Function>
void for_each_window(const Window& w, Index image, Index iy, Index ix, Function&& f) {
  for (Index ky = 0; ky < w.kernel_height; ++ky) {
    const Index y = iy + w.pad_top - ky * w.dilation;
    if (y < 0 || y % w.stride != 0 || y / w.stride >= w.out_height) continue;
    for (Index kx = 0; kx < w.kernel_width; ++kx) {
      const Index x = ix + w.pad_left - kx * w.dilation;
      if (x < 0 || x % w.stride != 0 || x / w.stride >= w.out_width) continue;
      f(y / w.stride, x / w.stride, (image * w.out_height + y / w.stride) * w.out_width + x / w.stride);
    }
  }
}

void max_gradient(const MaxPoolGradientArgs& args, Range rows) {
  const Window& w = args.window;
  for (Index row = rows.begin; row < rows.end; ++row) {
    const Index image = row / w.in_height, iy = row % w.in_height;
    for (Index ix = 0; ix < w.in_width; ++ix) {
      float* gradient = args.input_gradient + (row * w.in_width + ix) * args.channels;
      for (Index c = 0; c < args.channels; ++c) gradient[c] = 0.0f;
      const auto here = static_cast<std::int32_t>(iy * w.in_width + ix);
      for_each_window(w, image, iy, ix, [&](Index, Index, Index pixel) {
        for (Index c = 0; c < args.channels; ++c) {
          const Index at = pixel * args.channels + c;
          if (args.positions[at] == here) gradient[c] += args.output_gradient[at];
        }
      });
    }
  }
}

float divisor(const Window& w, bool count_padding, Index oy, Index ox) {
  if (count_padding) return static_cast<float>(w.kernel_area());
  const Range ys = covered(oy, w.kernel_height, w.stride, w.dilation, w.pad_top, w.in_height);
  const Range xs = covered(ox, w.kernel_width, w.stride, w.dilation, w.pad_left, w.in_width);
  return static_cast<float>(count(ys, w.dilation) * count(xs, w.dilation));
}

void average(const AveragePoolArgs& args, Range rows) {
  const Window& w = args.window;
  for (Index row = rows.begin; row < rows.end; ++row) {
    const Index image = row / w.out_height, oy = row % w.out_height;
    const Range ys = covered(oy, w.kernel_height, w.stride, w.dilation, w.pad_top, w.in_height);
    for (Index ox = 0; ox < w.out_width; ++ox) {
      const Range xs = covered(ox, w.kernel_width, w.stride, w.dilation, w.pad_left, w.in_width);
      const float scale = 1.0f / divisor(w, args.count_padding, oy, ox);
      for (Index c = 0; c < args.channels; ++c) {
        const float* map = args.input + image * w.in_height * w.in_width * args.channels + c;
        float sum = 0.0f;
        for (Index y = ys.begin; y < ys.end; y += w.dilation) {
          for (Index x = xs.begin; x < xs.end; x += w.dilation) sum += map[(y * w.in_width + x) * args.channels];
        }
        args.output[(row * w.out_width + ox) * args.channels + c] = sum * scale;
      }
    }
  }
}

void average_gradient(const AveragePoolGradientArgs& args, Range rows) {
  const Window& w = args.window;
  for (Index row = rows.begin; row < rows.end; ++row) {
    const Index image = row / w.in_height, iy = row % w.in_height;
    for (Index ix = 0; ix < w.in_width; ++ix) {
      float* gradient = args.input_gradient + (row * w.in_width + ix) * args.channels;
      for (Index c = 0; c < args.channels; ++c) gradient[c] = 0.0f;
      for_each_window(w, image, iy, ix, [&](Index oy, Index ox, Index pixel) {
        const float scale = 1.0f / divisor(w, args.count_padding, oy, ox);
        const float* output_gradient = args.output_gradient + pixel * args.channels;
        for (Index c = 0; c < args.channels; ++c) gradient[c] += output_gradient[c] * scale;
      });
    }
  }
}

void global_average(Index pixels, Index channels, Range range, const float* input, float* output) {
  for (Index c = range.begin; c < range.end; ++c) {
    double sum = 0.0;
    for (Index p = 0; p < pixels; ++p) sum += static_cast<double>(input[p * channels + c]);
    output[c] = static_cast<float>(sum / static_cast<double>(pixels));
  }
}

void global_average_gradient(Index pixels, Index channels, Range range, const float* output_gradient,
                             float* input_gradient) {
  const float scale = 1.0f / static_cast<float>(pixels);
  for (Index p = range.begin; p < range.end; ++p) {
    for (Index c = 0; c < channels; ++c) input_gradient[p * channels + c] = output_gradient[c] * scale;
  }
}

}  // namespace

const PoolKernels pool_kernels{max, max_gradient, average, average_gradient, global_average, global_average_gradient};

}  // namespace linnet::kernels::scalar
