#include "kernels/common/scalar_activation.h"
#include "kernels/linear/linear.h"

namespace linnet::kernels::scalar {
namespace {

void run(const LinearArgs& args, Range outputs) {
  for (Index row = 0; row < args.rows; ++row) {
    const float* input = args.input + row * args.in_features;
    for (Index o = outputs.begin; o < outputs.end; ++o) {
      const float* weights = args.weights + o * args.in_features;
      float sum = 0;
      for (Index i = 0; i < args.in_features; ++i) sum += input[i] * weights[i];
      if (args.bias) sum += args.bias[o];
      args.output[row * args.out_features + o] = activate(args.activation, sum);
    }
  }
}

void column_sums(const float* values, Index stride, Range rows, Range columns, float* sums) {
  for (Index c = columns.begin; c < columns.end; ++c) sums[c] = 0;
  for (Index row = rows.begin; row < rows.end; ++row) {
    for (Index c = columns.begin; c < columns.end; ++c) sums[c] += values[row * stride + c];
  }
}

}  // namespace

const LinearKernels linear_kernels = {run, column_sums};

}  // namespace linnet::kernels::scalar
