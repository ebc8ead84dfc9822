#include "kernels/conv/conv.h"

#include "convolution_oracle.h"
#include "kernels/common/scalar_activation.h"
#include "kernels/conv/patches.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels::test::conv_test {
namespace {

using Patches = VariantTest<ConvKernels>;
INSTANTIATE_TEST_SUITE_P(Kernels, Patches, every(conv_variants()), variant_name<ConvKernels>);

TEST_P(Patches, MatchTheReference) {
  for (const ConvolutionShape& shape : convolution_shapes(1)) {
    for (const Index stride : {shape.in_channels, shape.in_channels + 3}) {
      SCOPED_TRACE(describe(shape));
      const Window& window = shape.window;
      const Guarded input(spread(random_floats(window.in_pixels() * shape.in_channels, 1), shape.in_channels, stride));
      PatchGrid grid = patch_grid(window, input.data(), stride, shape.in_channels);
      for (const Range positions :
           {Range{0, window.out_pixels()}, Range{window.out_pixels() / 3, window.out_pixels()}, Range{1, 1}}) {
        Guarded patches(positions.size() * grid.patch_size(), 1), expected(patches.size());
        kernels().gather(grid, positions, patches.data());
        scalar::conv_kernels.gather(grid, positions, expected.data());
        ASSERT_TRUE(near(patches, expected, 0));
      }
    }
  }
}

TEST(Conv, ForwardMatchesDoubleLoops) {
  ThreadPool pool(1);
  unsigned count = 0;
  for (const ConvolutionShape& shape : convolution_shapes(1)) {
    SCOPED_TRACE(describe(shape));
    const ConvolutionOracle oracle(shape);
    const Window& w = shape.window;
    const Index in_stride = shape.in_channels + count % 2, out_stride = shape.out_channels + count % 3;
    const Activation activation = ++count % 2 == 0 ? Activation::none : Activation::relu6;
    const std::vector<float> bias = random_floats(shape.out_channels, 5);
    const std::vector<float> residual = random_floats(w.out_pixels() * shape.out_channels, 6);
    std::vector<float> expected = oracle.output;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] = scalar::activate(
          activation, expected[i] + bias[i % static_cast<std::size_t>(shape.out_channels)] + residual[i]);
    }
    const Guarded input(spread(oracle.input, shape.in_channels, in_stride), 1);
    Guarded output(spread(residual, shape.out_channels, out_stride), 3);
    Guarded weights(static_cast<Index>(conv_packed_size(shape.in_channels, shape.out_channels, w.kernel_area())));
    conv_pack(oracle.weights.data(), shape.in_channels, shape.out_channels, w.kernel_area(), weights.data());
    Guarded workspace(static_cast<Index>(conv_workspace_size(w, shape.in_channels, shape.out_channels, 1)));
    conv(pool, {w,
                shape.in_channels,
                shape.out_channels,
                input.data(),
                in_stride,
                weights.data(),
                output.data(),
                out_stride,
                {bias.data(), output.data(), out_stride, activation},
                workspace.data()});
    EXPECT_TRUE(near(output, Guarded(spread(expected, shape.out_channels, out_stride)), 1e-4));
    EXPECT_TRUE(weights.intact());
    EXPECT_TRUE(workspace.intact());
  }
}

TEST(Conv, GradientsMatchDoubleLoops) {
  ThreadPool pool(1);
  for (const ConvolutionShape& shape : convolution_shapes(1)) {
    SCOPED_TRACE(describe(shape));
    const ConvolutionOracle oracle(shape);
    Guarded input_gradient(static_cast<Index>(oracle.input.size()), 1);
    conv_input_gradient(pool, {shape.window, shape.in_channels, shape.out_channels, oracle.output_gradient.data(),
                               oracle.weights.data(), input_gradient.data()});
    EXPECT_TRUE(near(input_gradient, Guarded(oracle.input_gradient), 1e-4));
    Guarded weight_gradient(static_cast<Index>(oracle.weights.size()), 1);
    conv_weight_gradient(pool, {shape.window, shape.in_channels, shape.out_channels, oracle.input.data(),
                                oracle.output_gradient.data(), weight_gradient.data()});
    EXPECT_TRUE(near(weight_gradient, Guarded(oracle.weight_gradient), 1e-4));
  }
}

TEST(Conv, SameBitsForAnyNumberOfThreads) {
  const Index in = 12, out = 40;
  const Window w{2, 41, 37, 21, 19, 3, 3, 2, 1, 1, 1};
  const ConvolutionOracle oracle({w, 1, in, out});
  Guarded weights(static_cast<Index>(conv_packed_size(in, out, 9)));
  conv_pack(oracle.weights.data(), in, out, 9, weights.data());
  std::vector<float> first_output, first_input_gradient, first_weight_gradient;
  for (int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    Guarded workspace(static_cast<Index>(conv_workspace_size(w, in, out, threads)));
    std::vector<float> output(oracle.output.size()), input_gradient(oracle.input.size()),
        weight_gradient(oracle.weights.size());
    conv(pool, {w, in, out, oracle.input.data(), in, weights.data(), output.data(), out, {}, workspace.data()});
    conv_input_gradient(pool,
                        {w, in, out, oracle.output_gradient.data(), oracle.weights.data(), input_gradient.data()});
    conv_weight_gradient(pool,
                         {w, in, out, oracle.input.data(), oracle.output_gradient.data(), weight_gradient.data()});
    EXPECT_TRUE(workspace.intact());
    EXPECT_TRUE(near(output, oracle.output, 1e-4));
    EXPECT_TRUE(near(input_gradient, oracle.input_gradient, 1e-4));
    EXPECT_TRUE(near(weight_gradient, oracle.weight_gradient, 1e-3));
    if (threads == 1) {
      first_output = output;
      first_input_gradient = input_gradient;
      first_weight_gradient = weight_gradient;
    }
    EXPECT_TRUE(identical(output, first_output));
    EXPECT_TRUE(identical(input_gradient, first_input_gradient));
    EXPECT_TRUE(identical(weight_gradient, first_weight_gradient));
  }
}

}  // namespace
}  // namespace linnet::kernels::test::conv_test
