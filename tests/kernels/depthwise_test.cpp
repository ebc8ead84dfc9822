#include "kernels/depthwise/depthwise.h"

#include "kernel_test.h"
#include "kernels/common/scalar_activation.h"
#include "kernels/pointwise/pointwise.h"
#include "linnet/thread_pool.h"
#include "window_shapes.h"

namespace linnet::kernels::test::depthwise_test {
namespace {

constexpr Activation activations[] = {Activation::none,         Activation::relu, Activation::relu6,
                                      Activation::hard_swish,   Activation::silu, Activation::sigmoid,
                                      Activation::hard_sigmoid, Activation::gelu};

struct Shape {
  Window window;
  Index channels;
};

/// Windows of the specialised kernels: maps smaller and larger than a tile, each kernel, stride and padding, each kind
/// of channel tail.
std::vector<Shape> specialised_shapes() {
  constexpr Index sizes[][3] = {{1, 1, 1}, {1, 2, 3}, {2, 7, 7}, {1, 5, 9}, {1, 3, 21}, {3, 8, 4}};
  constexpr Index channels[] = {1, 3, 7, 8, 9, 16, 17, 24, 35};
  std::vector<Shape> shapes;
  for (const Index kernel : {3, 5, 7}) {
    for (const Index stride : {1, 2}) {
      for (const auto& [batch, height, width] : sizes) {
        for (const Padding padding : {Padding::symmetric, Padding::same, Padding::none}) {
          const Window window = make_window({batch, height, width, kernel, kernel, stride}, padding);
          if (window.out_pixels() > 0) shapes.push_back({window, channels[shapes.size() % std::size(channels)]});
        }
      }
    }
  }
  // Pixels a power of two apart, and more channels than a block.
  shapes.push_back({make_window({2, 6, 10, 3, 3, 1}, Padding::symmetric), 256});
  shapes.push_back({make_window({2, 7, 11, 3, 3, 2}, Padding::same), 256});
  shapes.push_back({make_window({1, 6, 9, 5, 5, 1}, Padding::same), 256});
  shapes.push_back({make_window({1, 5, 9, 3, 3, 1}, Padding::symmetric), 150});
  shapes.push_back({make_window({1, 12, 13, 5, 5, 2}, Padding::symmetric), 75});
  return shapes;
}

/// Windows that only the reference knows.
std::vector<Shape> other_shapes() {
  Window far_out = make_window({1, 5, 4, 3, 3, 1}, Padding::symmetric);  // the last windows meet padding alone
  far_out.out_height = 8;
  far_out.out_width = 9;
  return {
      {far_out, 9},
      {make_window({2, 9, 8, 3, 3, 1, 2}, Padding::symmetric), 5},
      {make_window({1, 8, 7, 2, 2, 2}, Padding::none), 9},
      {make_window({1, 8, 9, 4, 4, 1}, Padding::same), 6},
      {make_window({1, 10, 11, 3, 3, 3}, Padding::same), 4},
      {make_window({1, 6, 9, 1, 7, 1}, Padding::symmetric), 8},
      {make_window({1, 6, 9, 3, 5, 2}, Padding::same), 7},
      {make_window({1, 6, 6, 1, 1, 1}, Padding::none), 3},
      {make_window({1, 7, 7, 9, 9, 2}, Padding::same), 3},
  };
}

std::vector<float> pack(const std::vector<float>& weights, const Shape& shape) {
  std::vector<float> packed(weights.size());
  depthwise_pack(weights.data(), shape.channels, shape.window.kernel_area(), packed.data());
  return packed;
}

/// Tensors of a layer, some of them a float off any alignment.
struct Layer {
  explicit Layer(const Shape& s)
      : shape(s),
        input(random_floats(s.window.in_pixels() * s.channels, 1), 1),
        output_gradient(random_floats(s.window.out_pixels() * s.channels, 2), 3),
        weights(random_floats(s.window.kernel_area() * s.channels, 3)),
        packed(pack(weights, s), 1) {}

  std::size_t index(Index pixel, Index c) const { return static_cast<std::size_t>(pixel * shape.channels + c); }
  Index out_size() const { return shape.window.out_pixels() * shape.channels; }

  Shape shape;
  Guarded input, output_gradient;
  std::vector<float> weights;
  Guarded packed;
};

std::vector<float> to_floats(const std::vector<double>& values) { return {values.begin(), values.end()}; }

/// The sums of the forward pass, in double.
std::vector<double> expected_sums(const Layer& layer) {
  std::vector<double> sums(static_cast<std::size_t>(layer.out_size()));
  const Index area = layer.shape.window.kernel_area();
  for_each_product(layer.shape.window, [&](Index out, Index in, Index tap) {
    for (Index c = 0; c < layer.shape.channels; ++c) {
      sums[layer.index(out, c)] += static_cast<double>(layer.input.data()[layer.index(in, c)]) *
                                   static_cast<double>(layer.weights[static_cast<std::size_t>(c * area + tap)]);
    }
  });
  return sums;
}

std::vector<float> expected_input_gradient(const Layer& layer) {
  std::vector<double> sums(static_cast<std::size_t>(layer.input.size()));
  const Index area = layer.shape.window.kernel_area();
  for_each_product(layer.shape.window, [&](Index out, Index in, Index tap) {
    for (Index c = 0; c < layer.shape.channels; ++c) {
      sums[layer.index(in, c)] += static_cast<double>(layer.output_gradient.data()[layer.index(out, c)]) *
                                  static_cast<double>(layer.weights[static_cast<std::size_t>(c * area + tap)]);
    }
  });
  return to_floats(sums);
}

/// In the reference layout [channels][kernel_area].
std::vector<float> expected_weight_gradient(const Layer& layer) {
  std::vector<double> sums(layer.weights.size());
  const Index area = layer.shape.window.kernel_area();
  for_each_product(layer.shape.window, [&](Index out, Index in, Index tap) {
    for (Index c = 0; c < layer.shape.channels; ++c) {
      sums[static_cast<std::size_t>(c * area + tap)] +=
          static_cast<double>(layer.output_gradient.data()[layer.index(out, c)]) *
          static_cast<double>(layer.input.data()[layer.index(in, c)]);
    }
  });
  return to_floats(sums);
}

/// Rows are cut in the middle, so that ranges begin and end anywhere in an image.
template <class Function>
void in_two_ranges(Index rows, Function&& f) {
  const Index cut = rows / 2;
  if (cut > 0) f(Range{0, cut});
  f(Range{cut, rows});
}

using Depthwise = VariantTest<DepthwiseKernels>;
INSTANTIATE_TEST_SUITE_P(Kernels, Depthwise, every(depthwise_variants()), variant_name<DepthwiseKernels>);

TEST_P(Depthwise, ForwardWithEveryEpilogue) {
  const std::vector<Shape> shapes = specialised_shapes();
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Layer layer(shapes[i]);
    const Window& window = layer.shape.window;
    const Index channels = layer.shape.channels;
    const std::vector<double> sums = expected_sums(layer);
    const Activation activation = activations[i % std::size(activations)];
    const Guarded bias(random_floats(channels, 4), 2);
    for (const bool with_bias : {false, true}) {
      for (const int residual_kind : {0, 1, 2}) {  // none, a wider tensor, the output itself
        SCOPED_TRACE(describe(window, channels) + ", " + std::string(to_string(activation)) + ", bias " +
                     std::to_string(with_bias) + ", residual " + std::to_string(residual_kind));
        const Index residual_stride = residual_kind == 1 ? channels + 5 : channels;
        const Guarded residual(random_floats(window.out_pixels() * residual_stride, 5), 1);
        Guarded output(layer.out_size(), 1);
        if (residual_kind == 2) std::copy_n(residual.data(), residual.size(), output.data());
        Epilogue epilogue;
        epilogue.activation = activation;
        if (with_bias) epilogue.bias = bias.data();
        if (residual_kind != 0) epilogue.residual = residual_kind == 1 ? residual.data() : output.data();
        epilogue.residual_stride = residual_stride;
        const DepthwiseArgs args{window, channels, layer.input.data(), layer.packed.data(), output.data(), epilogue};
        in_two_ranges(window.batch * window.out_height, [&](Range rows) { kernels().forward(args, rows); });

        Guarded expected(layer.out_size());
        for (Index pixel = 0; pixel < window.out_pixels(); ++pixel) {
          for (Index c = 0; c < channels; ++c) {
            double sum = sums[layer.index(pixel, c)];
            if (with_bias) sum += static_cast<double>(bias.data()[c]);
            if (residual_kind != 0) sum += static_cast<double>(residual.data()[pixel * residual_stride + c]);
            expected.data()[layer.index(pixel, c)] = scalar::activate(activation, static_cast<float>(sum));
          }
        }
        ASSERT_TRUE(near(output, expected, 1e-5, 1e-5));
      }
    }
  }
}

/// Floats per pixel of a block.
Index lanes_of(Isa isa) {
  for (const auto& variant : pointwise_variants()) {
    if (variant.isa == isa) return variant.kernels->lanes;
  }
  return 0;
}

using DepthwiseBlock = VariantTest<DepthwiseBlockKernels>;
INSTANTIATE_TEST_SUITE_P(Kernels, DepthwiseBlock, every(depthwise_block_variants()),
                         variant_name<DepthwiseBlockKernels>);

TEST_P(DepthwiseBlock, OfARing) {
  const Index lanes = lanes_of(GetParam().isa);
  unsigned seed = 0;
  for (const Index kernel : {3, 5, 7}) {
    for (const Index stride : {1, 2}) {
      for (const Index width : {1, 2, 3, 4, 5, 7, 8, 9, 14, 17, 21}) {
        for (const Index rows : {1, 3}) {
          const Index ring = (rows - 1) * stride + kernel + static_cast<Index>(seed % 3), slot = seed++ % ring;
          const Index row = ((width - 1) * stride + kernel) * lanes;
          const Index channels = seed % 2 != 0 ? lanes : std::max<Index>(1, lanes - 3), pixel = lanes + 5;
          SCOPED_TRACE("kernel " + std::to_string(kernel) + ", stride " + std::to_string(stride) + ", width " +
                       std::to_string(width) + ", rows " + std::to_string(rows));
          const Guarded input(random_floats(ring * row, seed)), bias(random_floats(lanes, seed + 1));
          const std::vector<float> weights = random_floats(channels * kernel * kernel, seed + 2);
          std::vector<float> packed(static_cast<std::size_t>(lanes * kernel * kernel));
          depthwise_pack_blocks(weights.data(), channels, kernel * kernel, lanes, packed.data());
          Guarded output(rows * width * pixel), expected(rows * width * pixel);
          std::vector<float> sums(static_cast<std::size_t>(lanes), NAN);
          DepthwiseBlockArgs args;
          args.kernel = kernel;
          args.stride = stride;
          args.input = input.data();
          args.input_row = row;
          args.ring = ring;
          args.slot = slot;
          args.weights = packed.data();
          args.bias = bias.data();
          args.activation = activations[seed % std::size(activations)];
          args.rows = rows;
          args.width = width;
          args.output = output.data();
          args.output_row = width * pixel;
          args.output_pixel = pixel;
          args.channels = channels;
          if (channels == lanes) args.sums = sums.data();
          kernels().block(args);

          std::vector<double> totals(static_cast<std::size_t>(channels));
          for (Index y = 0; y < rows; ++y) {
            for (Index x = 0; x < width; ++x) {
              for (Index c = 0; c < channels; ++c) {
                double sum = double{bias.data()[c]};
                for (Index tap = 0; tap < kernel * kernel; ++tap) {
                  const Index in_row = (slot + y * stride + tap / kernel) % ring;
                  sum += double{input.data()[in_row * row + (x * stride + tap % kernel) * lanes + c]} *
                         double{weights[static_cast<std::size_t>(c * kernel * kernel + tap)]};
                }
                const float value = scalar::activate(args.activation, static_cast<float>(sum));
                expected.data()[(y * width + x) * pixel + c] = value;
                totals[static_cast<std::size_t>(c)] += double{value};
              }
            }
          }
          ASSERT_TRUE(near(output, expected, 1e-5, 1e-5));
          if (args.sums) {
            ASSERT_TRUE(near(sums, to_floats(totals), 1e-4, 1e-5));
          }
        }
      }
    }
  }
}

TEST_P(DepthwiseBlock, OfPixels) {
  const Index lanes = lanes_of(GetParam().isa);
  for (const Index channels : {Index{1}, lanes, lanes + 1, 3 * lanes}) {
    const Index count = 5, stride = channels + 2, block_stride = count * lanes + 3;
    const Index blocks = (channels + lanes - 1) / lanes;
    const Guarded pixels(random_floats((count - 1) * stride + channels, 1), 1);
    Guarded output((blocks - 1) * block_stride + count * lanes);
    kernels().to_blocks({pixels.data(), stride, count, channels, false, output.data(), block_stride});
    ASSERT_TRUE(output.intact());
    for (Index i = 0; i < count; ++i) {
      for (Index c = 0; c < channels; ++c) {
        ASSERT_EQ(output.data()[c / lanes * block_stride + i * lanes + c % lanes], pixels.data()[i * stride + c]);
      }
    }
  }
}

TEST_P(Depthwise, InputGradient) {
  for (const Shape& shape : specialised_shapes()) {
    SCOPED_TRACE(describe(shape.window, shape.channels));
    const Layer layer(shape);
    Guarded gradient(layer.input.size(), 1);
    const DepthwiseInputGradientArgs args{shape.window, shape.channels, layer.output_gradient.data(),
                                          layer.packed.data(), gradient.data()};
    in_two_ranges(shape.window.batch * shape.window.in_height,
                  [&](Range rows) { kernels().input_gradient(args, rows); });
    ASSERT_TRUE(near(gradient, Guarded(expected_input_gradient(layer)), 1e-5, 1e-5));
  }
}

TEST_P(Depthwise, WeightGradient) {
  for (const Shape& shape : specialised_shapes()) {
    SCOPED_TRACE(describe(shape.window, shape.channels));
    const Layer layer(shape);
    const Index area = shape.window.kernel_area();
    const DepthwiseWeightGradientArgs args{shape.window, shape.channels, layer.input.data(),
                                           layer.output_gradient.data(), nullptr};
    Guarded gradient(layer.packed.size());
    std::fill_n(gradient.data(), gradient.size(), 0.0f);
    in_two_ranges(shape.window.batch * shape.window.out_height, [&](Range rows) {
      Guarded sums(layer.packed.size(), 1);
      kernels().weight_gradient(args, rows, sums.data());
      ASSERT_TRUE(sums.intact());
      for (Index c = 0; c < shape.channels; ++c) {
        for (Index tap = 0; tap < area; ++tap) gradient.data()[c * area + tap] += sums.data()[tap * shape.channels + c];
      }
    });
    ASSERT_TRUE(near(gradient, Guarded(expected_weight_gradient(layer)), 2e-5, 1e-5));
  }
}

TEST(DepthwiseDriver, AnyWindowOnAnyNumberOfThreads) {
  std::vector<Shape> shapes = other_shapes();
  shapes.push_back({make_window({3, 30, 33, 3, 3, 1}, Padding::symmetric), 40});
  shapes.push_back({make_window({2, 31, 29, 5, 5, 2}, Padding::same), 48});
  for (const Shape& shape : shapes) {
    SCOPED_TRACE(describe(shape.window, shape.channels));
    const Layer layer(shape);
    const Guarded bias(random_floats(shape.channels, 4));
    std::vector<double> sums = expected_sums(layer);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] = std::max(0.0, sums[i] + static_cast<double>(bias.data()[i % static_cast<std::size_t>(shape.channels)]));
    }
    std::vector<float> first[3];
    for (const int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      Guarded output(layer.out_size()), input_gradient(layer.input.size()), weight_gradient(layer.packed.size());
      depthwise(pool, {shape.window,
                       shape.channels,
                       layer.input.data(),
                       layer.packed.data(),
                       output.data(),
                       {bias.data(), nullptr, 0, Activation::relu}});
      depthwise_input_gradient(pool, {shape.window, shape.channels, layer.output_gradient.data(), layer.packed.data(),
                                      input_gradient.data()});
      depthwise_weight_gradient(pool, {shape.window, shape.channels, layer.input.data(), layer.output_gradient.data(),
                                       weight_gradient.data()});
      if (threads == 1) {
        ASSERT_TRUE(near(output, Guarded(to_floats(sums)), 1e-5, 1e-5));
        ASSERT_TRUE(near(input_gradient, Guarded(expected_input_gradient(layer)), 1e-5, 1e-5));
        ASSERT_TRUE(near(weight_gradient, Guarded(expected_weight_gradient(layer)), 1e-4, 1e-5));
        first[0] = output.values();
        first[1] = input_gradient.values();
        first[2] = weight_gradient.values();
      } else {
        ASSERT_TRUE(identical(output.values(), first[0])) << threads << " threads";
        ASSERT_TRUE(identical(input_gradient.values(), first[1])) << threads << " threads";
        ASSERT_TRUE(identical(weight_gradient.values(), first[2])) << threads << " threads";
      }
    }
  }
}

TEST(DepthwiseDriver, EmptyBatchGivesZeroWeightGradient) {
  ThreadPool pool(1);
  Window window = make_window({0, 4, 4, 3, 3, 1}, Padding::symmetric);
  Guarded gradient(9 * 2);
  depthwise_weight_gradient(pool, {window, 2, nullptr, nullptr, gradient.data()});
  EXPECT_TRUE(identical(gradient.values(), std::vector<float>(18, 0.0f)));
}

}  // namespace
}  // namespace linnet::kernels::test::depthwise_test
