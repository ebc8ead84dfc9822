#include "kernels/attention/attention.h"

#include <algorithm>
#include <cmath>

#include "kernels/pointwise/pointwise.h"
#include "kernels/pointwise/scratch.h"
#include "kernels/softmax/softmax.h"

namespace linnet::kernels {
namespace {

std::size_t padded(std::size_t floats) { return (floats + 15) / 16 * 16; }

/// output[r][o] = sum over i of input[r][i] * matrix[o * out_stride + i * in_stride]
struct Product {
  Index rows, in, out;
  const float* matrix;
  Index out_stride, in_stride;
  float factor = 1;  // of the matrix
};

void multiply(ThreadPool& pool, const Product& product, const float* input, float* output, float* packed) {
  pointwise_pack(product.matrix, product.out_stride, product.in_stride, product.in, product.out, packed);
  if (product.factor != 1) {
    const std::size_t size = pointwise_packed_size(product.in, product.out);
    std::transform(packed, packed + size, packed, [&](float x) { return x * product.factor; });
  }
  pointwise(pool, {.rows = product.rows,
                   .in_channels = product.in,
                   .out_channels = product.out,
                   .input = input,
                   .input_stride = product.in,
                   .weights = packed,
                   .output = output,
                   .output_stride = product.out,
                   .epilogue = {}});
}

/// output[o][i] = sum over rows of left[r][o] * right[r][i]
void multiply_transposed(ThreadPool& pool, Index rows, const float* left, Index outputs, const float* right,
                         Index inputs, float* output) {
  pointwise_weight_gradient(pool, {.rows = rows,
                                   .in_channels = inputs,
                                   .out_channels = outputs,
                                   .input = right,
                                   .input_stride = inputs,
                                   .output_gradient = left,
                                   .output_gradient_stride = outputs,
                                   .weight_gradient = output});
}

std::size_t packed_size(const AttentionShape& shape) {
  return padded(
      std::max(pointwise_packed_size(shape.depth, shape.keys), pointwise_packed_size(shape.keys, shape.depth)));
}

float score_factor(const AttentionShape& shape) { return 1 / std::sqrt(static_cast<float>(shape.depth)); }

}  // namespace

std::size_t attention_workspace_size(const AttentionShape& shape) {
  return packed_size(shape) + static_cast<std::size_t>(shape.scores());
}

void attention(ThreadPool& pool, const AttentionArgs& args) {
  const AttentionShape& shape = args.shape;
  const Index rows = shape.rows(), queries = rows * shape.depth, keys = shape.keys * shape.depth;
  float* packed = args.workspace;
  for (Index sample = 0; sample < shape.batch; ++sample) {
    float* scores = args.probabilities != nullptr ? args.probabilities + sample * shape.scores()
                                                  : args.workspace + packed_size(shape);
    multiply(pool,
             {.rows = rows,
              .in = shape.depth,
              .out = shape.keys,
              .matrix = args.key + sample * keys,
              .out_stride = shape.depth,
              .in_stride = 1,
              .factor = score_factor(shape)},
             args.query + sample * queries, scores, packed);
    softmax(pool, rows, shape.keys, scores, scores);
    multiply(pool,
             {.rows = rows,
              .in = shape.keys,
              .out = shape.depth,
              .matrix = args.value + sample * keys,
              .out_stride = 1,
              .in_stride = shape.depth},
             scores, args.output + sample * queries, packed);
  }
}

void attention_gradient(ThreadPool& pool, const AttentionGradientArgs& args) {
  const AttentionShape& shape = args.shape;
  const Index rows = shape.rows(), queries = rows * shape.depth, keys = shape.keys * shape.depth;
  const Scratch packed(packed_size(shape));
  const Scratch score_gradient(static_cast<std::size_t>(shape.scores()));
  const float factor = score_factor(shape);
  for (Index sample = 0; sample < shape.batch; ++sample) {
    const float* probabilities = args.probabilities + sample * shape.scores();
    const float* output_gradient = args.output_gradient + sample * queries;
    float* key_gradient = args.key_gradient + sample * keys;
    multiply_transposed(pool, rows, probabilities, shape.keys, output_gradient, shape.depth,
                        args.value_gradient + sample * keys);
    multiply(pool,
             {.rows = rows,
              .in = shape.depth,
              .out = shape.keys,
              .matrix = args.value + sample * keys,
              .out_stride = shape.depth,
              .in_stride = 1},
             output_gradient, score_gradient.data(), packed.data());
    softmax_gradient(pool, rows, shape.keys, probabilities, score_gradient.data(), score_gradient.data());
    multiply(pool,
             {.rows = rows,
              .in = shape.keys,
              .out = shape.depth,
              .matrix = args.key + sample * keys,
              .out_stride = 1,
              .in_stride = shape.depth,
              .factor = factor},
             score_gradient.data(), args.query_gradient + sample * queries, packed.data());
    multiply_transposed(pool, rows, score_gradient.data(), shape.keys, args.query + sample * queries, shape.depth,
                        key_gradient);
    std::transform(key_gradient, key_gradient + keys, key_gradient, [&](float x) { return x * factor; });
  }
}

}  // namespace linnet::kernels
