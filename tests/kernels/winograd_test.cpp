#include "kernels/winograd/winograd.h"

#include "convolution_oracle.h"
#include "kernels/common/scalar_activation.h"
#include "kernels/pointwise/panels.h"
#include "kernels/winograd/tiles.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels::test::winograd_test {
namespace {

ConvolutionShape make_shape(Index batch, Index height, Index width, Index pad_top, Index pad_left, Index pad_end,
                            Index in, Index out) {
  const Window window{batch, height,  width,   height + pad_top + pad_end - 2, width + pad_left + pad_end - 2, 3, 3, 1,
                      1,     pad_top, pad_left};
  return {window, 1, in, out};
}

/// Those of the direct convolution, and more: overhanging tiles of every size, every number of vectors and tails.
std::vector<ConvolutionShape> shapes() {
  std::vector<ConvolutionShape> all;
  for (const ConvolutionShape& shape : convolution_shapes(1)) {
    if (winograd_fits(shape.window)) all.push_back(shape);
  }
  for (const Index channels : {1, 4, 7, 8, 15, 16, 24, 31, 40, 56}) {
    all.push_back(make_shape(1, 3 + channels % 5, 4 + channels % 7, channels % 3, 1, 1, channels, 60 - channels));
  }
  all.push_back(make_shape(2, 13, 14, 1, 1, 1, 33, 50));
  all.push_back(make_shape(1, 9, 7, 0, 0, 0, 5, 17));
  all.push_back(make_shape(1, 6, 6, 0, 0, 1, 16, 16));
  all.push_back(make_shape(1, 2, 2, 7, 9, 6, 3, 4));
  all.push_back(make_shape(0, 5, 5, 1, 1, 1, 3, 4));
  return all;
}

std::vector<float> finished(const ConvolutionOracle& oracle, Activation activation, const std::vector<float>& bias,
                            const std::vector<float>& residual) {
  std::vector<float> expected = oracle.output;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i] = scalar::activate(activation, expected[i] + bias[i % bias.size()] + residual[i]);
  }
  return expected;
}

using WinogradParts = VariantTest<WinogradKernels>;
INSTANTIATE_TEST_SUITE_P(Kernels, WinogradParts, every(winograd_variants()), variant_name<WinogradKernels>);

TEST_P(WinogradParts, MakeAConvolution) {
  unsigned count = 0;
  for (const ConvolutionShape& shape : shapes()) {
    SCOPED_TRACE(describe(shape));
    const ConvolutionOracle oracle(shape);
    const Index in = shape.in_channels, out = shape.out_channels, lanes = kernels().lanes;
    const auto activation = static_cast<Activation>(++count % 8);
    const std::vector<float> bias = random_floats(out, 5);
    const std::vector<float> residual = random_floats(shape.window.out_pixels() * out, 6);

    Guarded weights(static_cast<Index>(winograd_packed_size(kernels(), in, out)));
    winograd_pack(kernels(), oracle.weights.data(), in, out, weights.data());
    ASSERT_TRUE(weights.intact());
    const Guarded input(oracle.input, 1), zeros(std::vector<float>(static_cast<std::size_t>(in)), 2);
    Guarded output(residual, 3);
    const ConvArgs args{shape.window,  in,  out,
                        input.data(),  in,  nullptr,
                        output.data(), out, {bias.data(), output.data(), out, activation},
                        nullptr};

    const Index all = WinogradTiles(shape.window).count;
    for (const Range tiles : {Range{0, all / 3}, Range{all / 3, all}}) {
      Guarded transforms(36 * winograd_point_stride(tiles.size(), whole_vectors(in, lanes)));
      kernels().transform_input(args, tiles, zeros.data(), transforms.data());
      EXPECT_TRUE(transforms.intact());
      for (Index panel = 0; panel < panel_count(out, lanes); ++panel) {
        const Index begin = panel_begin(panel, lanes), vectors = panel_vectors(panel, out, lanes);
        Guarded products(36 * winograd_point_stride(tiles.size(), vectors * lanes));
        kernels().multiply(
            {tiles.size(), in, vectors, transforms.data(), weights.data() + 36 * in * begin, products.data()});
        EXPECT_TRUE(products.intact());
        kernels().transform_output(args, tiles, {begin, std::min(begin + vectors * lanes, out)}, products.data());
      }
    }
    EXPECT_TRUE(near(output, Guarded(finished(oracle, activation, bias, residual)), 1e-4));
  }
}

TEST(Winograd, MatchesDoubleLoops) {
  ThreadPool pool(2);
  unsigned count = 0;
  for (const ConvolutionShape& shape : shapes()) {
    SCOPED_TRACE(describe(shape));
    const ConvolutionOracle oracle(shape);
    const Window& w = shape.window;
    const Index in = shape.in_channels, out = shape.out_channels;
    const Index in_stride = in + count % 2, out_stride = out + count % 3;
    const Activation activation = ++count % 2 == 0 ? Activation::none : Activation::relu6;
    const std::vector<float> bias = random_floats(out, 5), residual = random_floats(w.out_pixels() * out, 6);
    const Guarded input(spread(oracle.input, in, in_stride), 1);
    Guarded output(spread(residual, out, out_stride), 3);
    Guarded weights(static_cast<Index>(winograd_packed_size(in, out)));
    winograd_pack(oracle.weights.data(), in, out, weights.data());
    Guarded workspace(static_cast<Index>(winograd_workspace_size(w, in, out, 2)));
    winograd(pool, {w,
                    in,
                    out,
                    input.data(),
                    in_stride,
                    weights.data(),
                    output.data(),
                    out_stride,
                    {bias.data(), output.data(), out_stride, activation},
                    workspace.data()});
    const std::vector<float> expected = finished(oracle, activation, bias, residual);
    EXPECT_TRUE(near(output, Guarded(spread(expected, out, out_stride)), 1e-4));
    EXPECT_TRUE(weights.intact());
    EXPECT_TRUE(workspace.intact());
  }
}

TEST(Winograd, RoundsLittleMoreThanADirectSum) {
  ThreadPool pool(1);
  for (const Index channels : {16, 64, 128}) {
    const ConvolutionShape shape = make_shape(1, 22, 25, 1, 1, 1, channels, 32);
    const ConvolutionOracle oracle(shape);
    Guarded weights(static_cast<Index>(winograd_packed_size(channels, 32)));
    Guarded workspace(static_cast<Index>(winograd_workspace_size(shape.window, channels, 32, 1)));
    winograd_pack(oracle.weights.data(), channels, 32, weights.data());
    std::vector<float> output(oracle.output.size());
    winograd(pool, {shape.window,
                    channels,
                    32,
                    oracle.input.data(),
                    channels,
                    weights.data(),
                    output.data(),
                    32,
                    {},
                    workspace.data()});
    float largest = 0;
    for (const float value : oracle.output) largest = std::max(largest, std::abs(value));
    EXPECT_TRUE(near(output, oracle.output, 4e-6 * largest)) << channels << " channels";
  }
}

TEST(Winograd, PaysOnWideMapsAndChannelsOnly) {
  const auto pays = [](Index size, Index in, Index out) {
    return winograd_pays(make_shape(1, size, size, 1, 1, 1, in, out).window, in, out);
  };
  EXPECT_TRUE(pays(54, 16, 64) && pays(13, 64, 256) && pays(112, 16, 16) && pays(7, 128, 128));
  EXPECT_FALSE(pays(112, 3, 32) || pays(3, 64, 64) || pays(13, 4, 4) || pays(0, 16, 16) || pays(9, 0, 9));
  Window window = make_shape(1, 54, 54, 1, 1, 1, 16, 64).window;
  window.stride = 2;
  EXPECT_FALSE(winograd_pays(window, 16, 64));
}

TEST(Winograd, SameBitsForAnyNumberOfThreads) {
  // Blocks of tiles and groups of panels, both several.
  const ConvolutionShape shape = make_shape(2, 19, 23, 1, 1, 1, 40, 200);
  const ConvolutionOracle oracle(shape);
  Guarded weights(static_cast<Index>(winograd_packed_size(40, 200)));
  winograd_pack(oracle.weights.data(), 40, 200, weights.data());
  std::vector<float> first;
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    Guarded workspace(static_cast<Index>(winograd_workspace_size(shape.window, 40, 200, threads)));
    std::vector<float> output(oracle.output.size());
    winograd(
        pool,
        {shape.window, 40, 200, oracle.input.data(), 40, weights.data(), output.data(), 200, {}, workspace.data()});
    EXPECT_TRUE(workspace.intact());
    EXPECT_TRUE(near(output, oracle.output, 1e-4));
    if (threads == 1) first = output;
    EXPECT_TRUE(identical(output, first));
  }
}

}  // namespace
}  // namespace linnet::kernels::test::winograd_test
