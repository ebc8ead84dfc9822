#include "kernels/common/scalar_activation.h"
#include "kernels/depthwise/depthwise.h"

namespace linnet::kernels::scalar {
namespace {

void forward(const DepthwiseArgs& args, Range rows) {
  const Window& window = args.window;
  const Index channels = args.channels;
  for (Index row = rows.begin; row < rows.end; ++row) {
    const Index image = row / window.out_height, oy = row % window.out_height;
    for (Index ox = 0; ox < window.out_width; ++ox) {
      const Index pixel = row * window.out_width + ox;
      float* output = args.output + pixel * channels;
      const float* residual =
          args.epilogue.residual ? args.epilogue.residual + pixel * args.epilogue.residual_stride : nullptr;
      for (Index c = 0; c < channels; ++c) {
        float sum = args.epilogue.bias ? args.epilogue.bias[c] : 0.0f;
        for (Index ky = 0; ky < window.kernel_height; ++ky) {
          const Index iy = oy * window.stride - window.pad_top + ky * window.dilation;
          if (iy < 0 || iy >= window.in_height) continue;
          for (Index kx = 0; kx < window.kernel_width; ++kx) {
            const Index ix = ox * window.stride - window.pad_left + kx * window.dilation;
            if (ix < 0 || ix >= window.in_width) continue;
            sum += args.input[((image * window.in_height + iy) * window.in_width + ix) * channels + c] *
                   args.weights[(ky * window.kernel_width + kx) * channels + c];
          }
        }
        if (residual) sum += residual[c];
        output[c] = activate(args.epilogue.activation, sum);
      }
    }
  }
}

void input_gradient(const DepthwiseInputGradientArgs& args, Range rows) {
  const Window& window = args.window;
  const Index channels = args.channels;
  for (Index row = rows.begin; row < rows.end; ++row) {
    const Index image = row / window.in_height, iy = row % window.in_height;
    for (Index ix = 0; ix < window.in_width; ++ix) {
      float* gradient = args.input_gradient + (row * window.in_width + ix) * channels;
      for (Index c = 0; c < channels; ++c) gradient[c] = 0.0f;
      for (Index ky = 0; ky < window.kernel_height; ++ky) {
        const Index y = iy + window.pad_top - ky * window.dilation;
        if (y < 0 || y % window.stride != 0 || y / window.stride >= window.out_height) continue;
        for (Index kx = 0; kx < window.kernel_width; ++kx) {
          const Index x = ix + window.pad_left - kx * window.dilation;
          if (x < 0 || x % window.stride != 0 || x / window.stride >= window.out_width) continue;
          const Index pixel = (image * window.out_height + y / window.stride) * window.out_width + x / window.stride;
          const float* output_gradient = args.output_gradient + pixel * channels;
          const float* weights = args.weights + (ky * window.kernel_width + kx) * channels;
          for (Index c = 0; c < channels; ++c) gradient[c] += output_gradient[c] * weights[c];
        }
      }
    }
  }
}

void weight_gradient(const DepthwiseWeightGradientArgs& args, Range rows, float* sums) {
  const Window& window = args.window;
  const Index channels = args.channels;
  for (Index i = 0; i < window.kernel_area() * channels; ++i) sums[i] = 0.0f;
  for (Index row = rows.begin; row < rows.end; ++row) {
    const Index image = row / window.out_height, oy = row % window.out_height;
    for (Index ky = 0; ky < window.kernel_height; ++ky) {
      const Index iy = oy * window.stride - window.pad_top + ky * window.dilation;
      if (iy < 0 || iy >= window.in_height) continue;
      for (Index kx = 0; kx < window.kernel_width; ++kx) {
        float* sum = sums + (ky * window.kernel_width + kx) * channels;
        for (Index ox = 0; ox < window.out_width; ++ox) {
          const Index ix = ox * window.stride - window.pad_left + kx * window.dilation;
          if (ix < 0 || ix >= window.in_width) continue;
          const float* input = args.input + ((image * window.in_height + iy) * window.in_width + ix) * channels;
          const float* output_gradient = args.output_gradient + (row * window.out_width + ox) * channels;
          for (Index c = 0; c < channels; ++c) sum[c] += output_gradient[c] * input[c];
        }
      }
    }
  }
}

void block(const DepthwiseBlockArgs& args) {
  float total = 0;
  for (Index y = 0; y < args.rows; ++y) {
    for (Index x = 0; x < args.width; ++x) {
      float sum = args.bias[0];
      for (Index ky = 0; ky < args.kernel; ++ky) {
        const float* row = args.input + (args.slot + y * args.stride + ky) % args.ring * args.input_row;
        for (Index kx = 0; kx < args.kernel; ++kx) {
          sum += row[x * args.stride + kx] * args.weights[ky * args.kernel + kx];
        }
      }
      const float value = activate(args.activation, sum);
      args.output[y * args.output_row + x * args.output_pixel] = value;
      total += value;
    }
  }
  if (args.sums) *args.sums = total;
}

void to_blocks(const ToBlocksArgs& args) {
  for (Index c = 0; c < args.channels; ++c) {
    for (Index i = 0; i < args.count; ++i) args.blocks[c * args.block_stride + i] = args.pixels[i * args.stride + c];
  }
}

}  // namespace

const DepthwiseBlockKernels depthwise_block_kernels{block, to_blocks};
const DepthwiseKernels depthwise_kernels{forward, input_gradient, weight_gradient};

}  // namespace linnet::kernels::scalar
