#include "kernels/common/scalar_activation.h"
#include "kernels/winograd/points.h"
#include "kernels/winograd/tiles.h"

namespace linnet::kernels::scalar {
namespace {

using namespace winograd_points;

constexpr Index size = WinogradTiles::size, window = WinogradTiles::window;
constexpr float square_sum = near2 + far2, square_product = near2 * far2;

constexpr float of_inputs[window][window] = {
    {square_product, 0, -square_sum, 0, 1, 0}, {0, -near* far2, -far2, near, 1, 0},
    {0, near* far2, -far2, -near, 1, 0},       {0, -far* near2, -near2, far, 1, 0},
    {0, far* near2, -near2, -far, 1, 0},       {0, square_product, 0, -square_sum, 0, 1},
};
constexpr float of_products[size][window] = {
    {1, 1, 1, 1, 1, 0},
    {0, near, -near, far, -far, 0},
    {0, near2, near2, far2, far2, 0},
    {0, near3, -near3, far3, -far3, 1},
};

/// matrix * values * transposed matrix
template <Index rows>
void transform(const float (&matrix)[rows][window], const float (&values)[window][window],
               float (&result)[rows][rows]) {
  for (Index y = 0; y < rows; ++y) {
    for (Index x = 0; x < rows; ++x) {
      float sum = 0;
      for (Index i = 0; i < window; ++i) {
        for (Index j = 0; j < window; ++j) sum += matrix[y][i] * values[i][j] * matrix[x][j];
      }
      result[y][x] = sum;
    }
  }
}

/// Calls f(image, first row, first column).
template <class Function>
void for_each_tile(const Window& w, Range range, Function&& f) {
  const WinogradTiles tiles(w);
  for (Index tile = range.begin; tile < range.end; ++tile) {
    f(tile / (tiles.rows * tiles.columns), tile / tiles.columns % tiles.rows * size, tile % tiles.columns * size);
  }
}

void transform_input(const ConvArgs& args, Range tiles, const float*, float* transforms) {
  const Window& w = args.window;
  const Index step = winograd_point_stride(tiles.size(), args.in_channels);
  for_each_tile(w, tiles, [&](Index image, Index row, Index column) {
    for (Index c = 0; c < args.in_channels; ++c) {
      float pixels[window][window] = {}, result[window][window];
      for (Index y = 0; y < window; ++y) {
        for (Index x = 0; x < window; ++x) {
          const Index in_y = row - w.pad_top + y, in_x = column - w.pad_left + x;
          if (in_y < 0 || in_y >= w.in_height || in_x < 0 || in_x >= w.in_width) continue;
          pixels[y][x] = args.input[((image * w.in_height + in_y) * w.in_width + in_x) * args.input_stride + c];
        }
      }
      transform(of_inputs, pixels, result);
      for (Index i = 0; i < WinogradTiles::points; ++i) {
        transforms[i * step + c] = result[i / window][i % window];
      }
    }
    transforms += args.in_channels;
  });
}

void multiply(const WinogradProduct& product) {
  const Index depth = product.in_channels, width = product.vectors;
  for (Index point = 0; point < WinogradTiles::points; ++point) {
    const float* rows = product.transforms + point * winograd_point_stride(product.tiles, depth);
    const float* weights = product.weights + point * depth * width;
    float* products = product.products + point * winograd_point_stride(product.tiles, width);
    for (Index i = 0; i < product.tiles * width; ++i) {
      float sum = 0;
      for (Index k = 0; k < depth; ++k) sum += rows[i / width * depth + k] * weights[k * width + i % width];
      products[i] = sum;
    }
  }
}

void transform_output(const ConvArgs& args, Range tiles, Range channels, const float* products) {
  const Window& w = args.window;
  const Epilogue& epilogue = args.epilogue;
  const Index step = winograd_point_stride(tiles.size(), channels.size());
  for_each_tile(w, tiles, [&](Index image, Index row, Index column) {
    for (Index c = channels.begin; c < channels.end; ++c) {
      float values[window][window], result[size][size];
      for (Index i = 0; i < WinogradTiles::points; ++i) {
        values[i / window][i % window] = products[i * step + c - channels.begin];
      }
      transform(of_products, values, result);
      for (Index y = 0; y < size && row + y < w.out_height; ++y) {
        for (Index x = 0; x < size && column + x < w.out_width; ++x) {
          const Index pixel = (image * w.out_height + row + y) * w.out_width + column + x;
          float sum = result[y][x];
          if (epilogue.bias) sum += epilogue.bias[c];
          if (epilogue.residual) sum += epilogue.residual[pixel * epilogue.residual_stride + c];
          args.output[pixel * args.output_stride + c] = activate(epilogue.activation, sum);
        }
      }
    }
    products += channels.size();
  });
}

}  // namespace

const WinogradKernels winograd_kernels = {1, 1, transform_input, multiply, transform_output};

}  // namespace linnet::kernels::scalar
