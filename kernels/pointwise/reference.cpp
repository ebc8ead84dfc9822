#include "kernels/common/scalar_activation.h"
#include "kernels/pointwise/panels.h"
#include "kernels/pointwise/pointwise.h"

namespace linnet::kernels::scalar {
namespace {

constexpr Index lanes = 1;

float finish(const Epilogue& epilogue, Index row, Index channel, float sum) {
  if (epilogue.bias) sum += epilogue.bias[channel];
  if (epilogue.residual) sum += epilogue.residual[row * epilogue.residual_stride + channel];
  return activate(epilogue.activation, sum);
}

void run(const PointwiseArgs& args, const Segments& segments, Range rows, Range panels) {
  const Index piece = segments.size != 0 ? segments.size : args.in_channels;
  for (Index panel = panels.begin; panel < panels.end; ++panel) {
    const Index begin = panel_begin(panel, lanes);
    const Index width = panel_vectors(panel, args.out_channels, lanes) * lanes;
    const float* weights = args.weights + begin * args.in_channels;
    for (Index row = rows.begin; row < rows.end; ++row) {
      for (Index column = 0; column < width && begin + column < args.out_channels; ++column) {
        float sum = 0;
        for (Index k = 0; k < args.in_channels; ++k) {
          const float* segment = args.input + row * args.input_stride + k / piece * segments.stride;
          sum += segment[k % piece] * weights[k * width + column];
        }
        const OutputBlocks& blocks = args.blocks;
        float* output = args.output + (blocks.positions ? blocks.positions[row] : row * args.output_stride);
        output[(begin + column) * (blocks.stride != 0 ? blocks.stride : 1)] =
            finish(args.epilogue, row, begin + column, sum);
      }
    }
  }
}

void weight_gradient(const PointwiseWeightGradientArgs& args, const WeightGradientBlock& block) {
  for (Index o = block.outputs.begin; o < block.outputs.end; ++o) {
    float* gradient = block.gradient + o * block.gradient_stride;
    for (Index i = block.inputs.begin; i < block.inputs.end; ++i) {
      float sum = 0;
      for (Index row = block.rows.begin; row < block.rows.end; ++row) {
        sum += args.output_gradient[row * args.output_gradient_stride + o] * args.input[row * args.input_stride + i];
      }
      gradient[i] = block.accumulate ? gradient[i] + sum : sum;
    }
  }
}

}  // namespace

const PointwiseKernels pointwise_kernels = {lanes, 1, run};
const PointwiseGradientKernels pointwise_gradient_kernels = {lanes, weight_gradient};

}  // namespace linnet::kernels::scalar
