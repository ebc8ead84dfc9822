// The gradient of the weights: outer products of output gradients and inputs, summed over rows in register tiles.
//
// Rows are taken in blocks. Operands that are read often are first copied to where they are dense: rows a large power
// of two apart would share a few sets of the cache.

#include "kernels/pointwise/columns.h"
#include "kernels/pointwise/pointwise.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

/// Columns of a matrix that are read row by row.
struct Operand {
  const float* values;
  Index step;  ///< from one row to the next
};

/// Copies `width` floats of each row; a copied row is a whole number of vectors, filled up with zeros.
LINNET_INLINE void copy_rows(const Operand& source, Index rows, Index width, float* copy, Index step) {
  for (Index row = 0; row < rows; ++row) {
    const float* from = source.values + row * source.step;
    float* to = copy + row * step;
    Index c = 0;
    for (; c + lanes <= width; c += lanes) store(to + c, load(from + c));
    if (c < width) store(to + c, load_partial(from + c, width - c));
  }
}

template <Index height, Index vectors>
void add_block(const Operand& a, const Operand& b, Index rows, float* gradient, Index stride, Index tail,
               bool accumulate) {
  Tile<height, vectors> tile;
  for_each_sum(tile, [](Vec) LINNET_INLINE_LAMBDA { return Vec(0.0f); });
  add_outer(tile, a.values, a.step, b.values, b.step, rows);
  if (accumulate) {
    unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
      Vec before[vectors];
      load_columns(gradient + r * stride, tail, before);
      unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { tile.sum[r][v] = Vec(tile.sum[r][v]) + before[v]; });
    });
  }
  store_tile(tile, gradient, stride, tail);
}

/// Tiles of `height` outputs from `begin` on, then lower ones.
template <Index height, Index vectors>
LINNET_INLINE void add_tiles(const Operand& a, const Operand& b, Index rows, Index begin, Index outputs,
                             float* gradient, Index stride, Index tail, bool accumulate) {
  for (; outputs - begin >= height; begin += height) {
    add_block<height, vectors>({a.values + begin, a.step}, b, rows, gradient + begin * stride, stride, tail,
                               accumulate);
  }
  if constexpr (height > 1) {
    add_tiles<(height > 4 ? 4 : height / 2), vectors>(a, b, rows, begin, outputs, gradient, stride, tail, accumulate);
  }
}

/// All outputs for one panel of inputs. Few heights of tiles, as each has to be compiled.
template <Index vectors>
void add_panel(const Operand& a, const Operand& b, Index rows, Index outputs, float* gradient, Index stride, Index tail,
               bool accumulate) {
  constexpr Index height = tile_heights[vectors] < 8 ? tile_heights[vectors] : 8;
  add_tiles<height, vectors>(a, b, rows, 0, outputs, gradient, stride, tail, accumulate);
}

/// One block of rows, some inputs.
void add_rows_block(const Operand& output_gradient, const Operand& input, Index rows, Index outputs, Index inputs,
                    float* gradient, Index stride, bool accumulate, float* scratch) {
  constexpr Index width = 2 * lanes;
  for (Index begin = 0; begin < inputs; begin += width) {
    const Index used = inputs - begin < width ? inputs - begin : width;
    const bool narrow = used <= lanes;
    Operand b{input.values + begin, input.step};
    if (used % lanes != 0 || outputs > 2 * tile_heights[2]) {
      const Index step = narrow ? lanes : width;
      copy_rows(b, rows, used, scratch, step);
      b = {scratch, step};
    }
    if (narrow) {
      add_panel<1>(output_gradient, b, rows, outputs, gradient + begin, stride, used % lanes, accumulate);
    } else {
      add_panel<2>(output_gradient, b, rows, outputs, gradient + begin, stride, used % lanes, accumulate);
    }
  }
}

void weight_gradient(const PointwiseWeightGradientArgs& args, const WeightGradientBlock& block) {
  const Index outputs = block.outputs.end - block.outputs.begin, inputs = block.inputs.end - block.inputs.begin;
  float* gradient = block.gradient + block.outputs.begin * block.gradient_stride + block.inputs.begin;
  float* input_scratch = block.scratch;
  float* output_scratch = input_scratch + weight_gradient_rows * 2 * lanes;
  // An odd number of cache lines, so that the rows of a column spread over all sets.
  const Index output_step = (outputs + 31) / 32 * 32 + 16;

  bool accumulate = block.accumulate;
  Index begin = block.rows.begin;
  do {
    const Index rows = block.rows.end - begin < weight_gradient_rows ? block.rows.end - begin : weight_gradient_rows;
    Operand output_gradient{args.output_gradient + begin * args.output_gradient_stride + block.outputs.begin,
                            args.output_gradient_stride};
    const Operand input{args.input + begin * args.input_stride + block.inputs.begin, args.input_stride};
    if (inputs > 6 * lanes) {
      copy_rows(output_gradient, rows, outputs, output_scratch, output_step);
      output_gradient = {output_scratch, output_step};
    }
    add_rows_block(output_gradient, input, rows, outputs, inputs, gradient, block.gradient_stride, accumulate,
                   input_scratch);
    accumulate = true;
    begin += rows;
  } while (begin < block.rows.end);
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
