// Dot products of rows of the input and rows of the weights, several of both at a time.
//
// A weight is read once for several rows of the input, and at one row once altogether. Every dot product is summed in
// the same order whatever the tile it is computed in.

#include "kernels/common/unroll.h"
#include "kernels/linear/linear.h"
#include "kernels/simd/activation.h"
#include "kernels/simd/simd.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

/// Dot products computed at a time: they and their operands fit 16 registers.
constexpr Index products_at_a_time = 8;

template <Index rows, Index outputs>
void dot_products(const LinearArgs& args, Index row, Index output) {
  const Index size = args.in_features;
  const float* x = args.input + row * size;
  const float* w = args.weights + output * size;
  Vec sums[rows][outputs];
  LINNET_UNROLL
  for (Index r = 0; r < rows; ++r) {
    LINNET_UNROLL
    for (Index o = 0; o < outputs; ++o) sums[r][o] = Vec(0.0f);
  }
  const auto add = [&](auto&& load_operand) __attribute__((always_inline)) {
    Vec values[rows];
    LINNET_UNROLL
    for (Index r = 0; r < rows; ++r) values[r] = load_operand(x + r * size);
    LINNET_UNROLL
    for (Index o = 0; o < outputs; ++o) {
      const Vec weights = load_operand(w + o * size);
      LINNET_UNROLL
      for (Index r = 0; r < rows; ++r) sums[r][o] = multiply_add(values[r], weights, sums[r][o]);
    }
    x += lanes;
    w += lanes;
  };
  Index i = 0;
  for (; i + lanes <= size; i += lanes) add([](const float* p) { return load(p); });
  if (i < size) add([left = size - i](const float* p) { return load_partial(p, left); });
  LINNET_UNROLL
  for (Index r = 0; r < rows; ++r) {
    LINNET_UNROLL
    for (Index o = 0; o < outputs; ++o) {
      const float bias = args.bias ? args.bias[output + o] : 0.0f;
      args.output[(row + r) * args.out_features + output + o] = sum(sums[r][o]) + bias;
    }
  }
}

template <Index rows, Index outputs>
LINNET_INLINE void run_outputs(const LinearArgs& args, Index row, Range range) {
  Index output = range.begin;
  for (; output + outputs <= range.end; output += outputs) dot_products<rows, outputs>(args, row, output);
  if constexpr (outputs > 1) {
    if (output < range.end) run_outputs<rows, outputs / 2>(args, row, {output, range.end});
  }
}

/// All rows for outputs whose weights stay in the cache meanwhile.
void run_rows(const LinearArgs& args, Range outputs) {
  Index row = 0;
  for (; row + 4 <= args.rows; row += 4) run_outputs<4, products_at_a_time / 4>(args, row, outputs);
  for (; row + 2 <= args.rows; row += 2) run_outputs<2, products_at_a_time / 2>(args, row, outputs);
  for (; row < args.rows; ++row) run_outputs<1, products_at_a_time>(args, row, outputs);
}

void run(const LinearArgs& args, Range outputs) {
  constexpr Index outputs_per_block = 32;
  for (Index begin = outputs.begin; begin < outputs.end; begin += outputs_per_block) {
    const Index end = begin + outputs_per_block < outputs.end ? begin + outputs_per_block : outputs.end;
    run_rows(args, {begin, end});
  }
  if (args.activation == Activation::none) return;
  with_activation(args.activation, [&](auto tag) {
    for (Index r = 0; r < args.rows; ++r) {
      float* row = args.output + r * args.out_features;
      Index o = outputs.begin;
      for (; o + lanes <= outputs.end; o += lanes) store(row + o, activate<tag.activation>(load(row + o)));
      const Index left = outputs.end - o;
      if (left > 0) store_partial(row + o, activate<tag.activation>(load_partial(row + o, left)), left);
    }
  });
}

void column_sums(const float* values, Index stride, Range rows, Range columns, float* sums) {
  Index c = columns.begin;
  for (; c + 4 * lanes <= columns.end; c += 4 * lanes) {
    Vec total[4] = {Vec(0.0f), Vec(0.0f), Vec(0.0f), Vec(0.0f)};
    for (Index r = rows.begin; r < rows.end; ++r) {
      const float* p = values + r * stride + c;
      LINNET_UNROLL
      for (Index v = 0; v < 4; ++v) total[v] = total[v] + load(p + v * lanes);
    }
    LINNET_UNROLL
    for (Index v = 0; v < 4; ++v) store(sums + c + v * lanes, total[v]);
  }
  for (; c < columns.end; c += lanes) {
    const Index left = columns.end - c;
    Vec total(0.0f);
    for (Index r = rows.begin; r < rows.end; ++r) {
      const float* p = values + r * stride + c;
      total = total + (left < lanes ? load_partial(p, left) : load(p));
    }
    if (left < lanes) {
      store_partial(sums + c, total, left);
    } else {
      store(sums + c, total);
    }
  }
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
