// Transforms of inputs and outputs, vectors of channels at a time; see tiles.h and points.h.

#include "kernels/common/unroll.h"
#include "kernels/pointwise/tile.h"
#include "kernels/simd/activation.h"
#include "kernels/winograd/points.h"
#include "kernels/winograd/tiles.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

constexpr Index size = WinogradTiles::size, window = WinogradTiles::window;

/// One row or column of a tile's inputs.
LINNET_INLINE void transform_inputs(const Vec (&d)[6], Vec (&t)[6]) {
  using namespace winograd_points;
  const Vec even_near = multiply_add(d[2], Vec(-far2), d[4]), odd_near = multiply_add(d[1], Vec(-far2), d[3]);
  const Vec even_far = multiply_add(d[2], Vec(-near2), d[4]), odd_far = multiply_add(d[1], Vec(-near2), d[3]);
  const Vec square_sum(-(near2 + far2)), square_product(near2 * far2);
  t[0] = multiply_add(d[0], square_product, multiply_add(d[2], square_sum, d[4]));
  t[1] = multiply_add(odd_near, Vec(near), even_near);
  t[2] = multiply_add(odd_near, Vec(-near), even_near);
  t[3] = multiply_add(odd_far, Vec(far), even_far);
  t[4] = multiply_add(odd_far, Vec(-far), even_far);
  t[5] = multiply_add(d[1], square_product, multiply_add(d[3], square_sum, d[5]));
}

/// One row or column of a tile's products.
LINNET_INLINE void transform_products(const Vec (&m)[6], Vec (&t)[4]) {
  using namespace winograd_points;
  const Vec even_near = m[1] + m[2], odd_near = m[1] - m[2];
  const Vec even_far = m[3] + m[4], odd_far = m[3] - m[4];
  t[0] = m[0] + even_near + even_far;
  t[1] = multiply_add(odd_near, Vec(near), odd_far * Vec(far));
  t[2] = multiply_add(even_near, Vec(near2), even_far * Vec(far2));
  t[3] = multiply_add(odd_near, Vec(near3), multiply_add(odd_far, Vec(far3), m[5]));
}

/// A tile's place in its map.
struct Place {
  Index image, row, column;

  LINNET_INLINE Place(const WinogradTiles& tiles, Index tile)
      : image(tile / (tiles.rows * tiles.columns)),
        row(tile / tiles.columns % tiles.rows * size),
        column(tile % tiles.columns * size) {}
};

/// The pixels under a tile; those outside of the map are `zeros`.
struct Pixels {
  const float* at[window][window];

  LINNET_INLINE Pixels(const ConvArgs& args, const Place& place, const float* zeros) {
    const Window& w = args.window;
    for (Index y = 0; y < window; ++y) {
      const Index in_y = place.row - w.pad_top + y;
      const bool row_inside = in_y >= 0 && in_y < w.in_height;
      const float* row = args.input + (place.image * w.in_height + in_y) * w.in_width * args.input_stride;
      for (Index x = 0; x < window; ++x) {
        const Index in_x = place.column - w.pad_left + x;
        at[y][x] = row_inside && in_x >= 0 && in_x < w.in_width ? row + in_x * args.input_stride : zeros;
      }
    }
  }
};

/// Channels from `channel` on, as many as `load_channels` reads, to 36 vectors `step` floats apart.
template <class Load>
LINNET_INLINE void transform_pixels(const Pixels& pixels, Index channel, Load load_channels, float* to, Index step) {
  Vec columns[window][window];
  for (Index x = 0; x < window; ++x) {
    Vec d[6], t[6];
    LINNET_UNROLL
    for (Index y = 0; y < window; ++y) d[y] = load_channels(pixels.at[y][x] + channel);
    transform_inputs(d, t);
    LINNET_UNROLL
    for (Index y = 0; y < window; ++y) columns[y][x] = t[y];
  }
  for (Index y = 0; y < window; ++y, to += window * step) {
    Vec t[6];
    transform_inputs(columns[y], t);
    LINNET_UNROLL
    for (Index x = 0; x < window; ++x) store(to + x * step, t[x]);
  }
}

void transform_input(const ConvArgs& args, Range tiles, const float* zeros, float* transforms) {
  const WinogradTiles all(args.window);
  const Index channels = whole_vectors(args.in_channels, lanes), whole = args.in_channels / lanes * lanes;
  const Index step = winograd_point_stride(tiles.end - tiles.begin, channels), tail = args.in_channels - whole;
  for (Index tile = tiles.begin; tile < tiles.end; ++tile, transforms += channels) {
    const Pixels pixels(args, Place(all, tile), zeros);
    const auto load_tail = [=](const float* p) LINNET_INLINE_LAMBDA { return load_partial(p, tail); };
    for (Index c = 0; c < whole; c += lanes) transform_pixels(pixels, c, load, transforms + c, step);
    if (tail > 0) transform_pixels(pixels, whole, load_tail, transforms + whole, step);
  }
}

/// The outputs of a tile that lie inside of the map, for up to a vector of channels.
struct Outputs {
  float* output;          ///< the first
  const float* residual;  ///< beside it, or null
  Index rows, columns;
  Index output_row, residual_row;  ///< floats from one row to the next
};

LINNET_INLINE Outputs outputs_of(const ConvArgs& args, const Place& place) {
  const Window& w = args.window;
  const Epilogue& epilogue = args.epilogue;
  const Index pixel = (place.image * w.out_height + place.row) * w.out_width + place.column;
  const Index rows = w.out_height - place.row, columns = w.out_width - place.column;
  return {args.output + pixel * args.output_stride,
          epilogue.residual ? epilogue.residual + pixel * epilogue.residual_stride : nullptr,
          rows < size ? rows : size,
          columns < size ? columns : size,
          w.out_width * args.output_stride,
          w.out_width * epilogue.residual_stride};
}

/// One tile's products, 36 vectors `step` floats apart, to its outputs: `tail` channels, or a whole vector if that is
/// 0.
template <Activation activation>
LINNET_INLINE void finish(const ConvArgs& args, const Outputs& to, Index channel, Index tail, Vec bias,
                          const float* products, Index step) {
  Vec columns[size][window];
  for (Index x = 0; x < window; ++x) {
    Vec m[6], t[4];
    LINNET_UNROLL
    for (Index y = 0; y < window; ++y) m[y] = load(products + (y * window + x) * step);
    transform_products(m, t);
    LINNET_UNROLL
    for (Index y = 0; y < size; ++y) columns[y][x] = t[y];
  }
  for (Index y = 0; y < to.rows; ++y) {
    Vec values[4];
    transform_products(columns[y], values);
    float* output = to.output + y * to.output_row + channel;
    const float* residual = to.residual + y * to.residual_row + channel;
    LINNET_UNROLL
    for (Index x = 0; x < size; ++x) {
      if (x >= to.columns) continue;
      Vec value = values[x] + bias;
      if (to.residual) {
        const float* p = residual + x * args.epilogue.residual_stride;
        value = value + (tail == 0 ? load(p) : load_partial(p, tail));
      }
      value = activate<activation>(value);
      float* p = output + x * args.output_stride;
      tail == 0 ? store(p, value) : store_partial(p, value, tail);
    }
  }
}

void transform_output(const ConvArgs& args, Range tiles, Range channels, const float* products) {
  const WinogradTiles all(args.window);
  const Index count = channels.end - channels.begin, width = whole_vectors(count, lanes);
  const Index step = winograd_point_stride(tiles.end - tiles.begin, width);
  const float* bias = args.epilogue.bias;
  with_activation(args.epilogue.activation, [&](auto tag) {
    for (Index tile = tiles.begin; tile < tiles.end; ++tile, products += width) {
      const Outputs outputs = outputs_of(args, Place(all, tile));
      for (Index c = 0; c < count; c += lanes) {
        const Index channel = channels.begin + c, tail = count - c < lanes ? count - c : 0;
        Vec b(0.0f);
        if (bias) b = tail == 0 ? load(bias + channel) : load_partial(bias + channel, tail);
        finish<tag.activation>(args, outputs, channel, tail, b, products + c, step);
      }
    }
  });
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
