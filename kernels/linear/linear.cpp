#include "kernels/linear/linear.h"

#include <algorithm>
#include <cstdint>

#include "kernels/pointwise/pointwise.h"
#include "kernels/pointwise/scratch.h"
#include "kernels/pointwise/split.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels {
namespace {

const LinearKernels& linear_kernels() {
  static const LinearKernels& kernels = select(linear_variants());
  return kernels;
}

}  // namespace

std::span<const Variant<LinearKernels>> linear_variants() {
  static constexpr Variant<LinearKernels> variants[] = {
#define LINNET_VARIANT(isa) {Isa::isa, &isa::linear_kernels},
#include "kernels/linear/variants.inc"
  };
  return variants;
}

void linear(ThreadPool& pool, const LinearArgs& args) {
  // With few rows the time goes into reading the weights, as long as into some multiply-adds with each.
  constexpr Index reading = 8;
  const LinearKernels& kernels = linear_kernels();
  const std::int64_t work = std::int64_t{args.in_features} * args.out_features * std::max(args.rows, reading);
  const Index chunks = chunk_count(work, args.out_features, pool.threads());
  pool.run(chunks, [&](Index chunk, int) { kernels.run(args, split(args.out_features, chunks, chunk)); });
}

void linear_input_gradient(ThreadPool& pool, Index rows, Index in_features, Index out_features,
                           const float* output_gradient, const float* weights, float* input_gradient) {
  const Scratch packed(pointwise_packed_size(out_features, in_features));
  pointwise_pack(weights, 1, in_features, out_features, in_features, packed.data());
  PointwiseArgs product;
  product.rows = rows;
  product.in_channels = out_features;
  product.out_channels = in_features;
  product.input = output_gradient;
  product.input_stride = out_features;
  product.weights = packed.data();
  product.output = input_gradient;
  product.output_stride = in_features;
  pointwise(pool, product);
}

void linear_weight_gradient(ThreadPool& pool, Index rows, Index in_features, Index out_features, const float* input,
                            const float* output_gradient, float* weight_gradient) {
  pointwise_weight_gradient(
      pool, {rows, in_features, out_features, input, in_features, output_gradient, out_features, weight_gradient});
}

void bias_gradient(ThreadPool& pool, Index rows, Index channels, const float* output_gradient, float* bias_gradient) {
  const LinearKernels& kernels = linear_kernels();
  const Index chunks = chunk_count(std::int64_t{rows} * channels, 64);
  const Scratch sums(static_cast<std::size_t>(chunks * channels));
  pool.run(chunks, [&](Index chunk, int) {
    kernels.column_sums(output_gradient, channels, split(rows, chunks, chunk), {0, channels},
                        sums.data() + chunk * channels);
  });
  std::fill_n(bias_gradient, channels, 0.0f);
  for (Index chunk = 0; chunk < chunks; ++chunk) {
    for (Index c = 0; c < channels; ++c) bias_gradient[c] += sums.data()[chunk * channels + c];
  }
}

}  // namespace linnet::kernels
