#include "kernels/grouped/grouped.h"

#include "convolution_oracle.h"
#include "kernels/common/scalar_activation.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels::test::grouped_test {
namespace {

std::vector<ConvolutionShape> grouped_shapes() {
  std::vector<ConvolutionShape> shapes;
  for (Index groups : {2, 3, 8}) {
    for (const ConvolutionShape& shape : convolution_shapes(groups)) shapes.push_back(shape);
  }
  return shapes;
}

TEST(Grouped, ForwardMatchesDoubleLoops) {
  ThreadPool pool(1);
  unsigned count = 0;
  for (const ConvolutionShape& shape : grouped_shapes()) {
    SCOPED_TRACE(describe(shape));
    const ConvolutionOracle oracle(shape);
    const Window& w = shape.window;
    const Index in_stride = shape.in_channels + count % 2, out_stride = shape.out_channels + count % 3;
    const Activation activation = ++count % 2 == 0 ? Activation::none : Activation::relu;
    const std::vector<float> bias = random_floats(shape.out_channels, 5);
    const std::vector<float> residual = random_floats(w.out_pixels() * shape.out_channels, 6);
    std::vector<float> expected = oracle.output;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] = scalar::activate(
          activation, expected[i] + bias[i % static_cast<std::size_t>(shape.out_channels)] + residual[i]);
    }
    const Guarded input(spread(oracle.input, shape.in_channels, in_stride), 1);
    const Guarded residual_input(residual, 2);
    Guarded output(static_cast<Index>(spread(residual, shape.out_channels, out_stride).size()), 3);
    Guarded weights(
        static_cast<Index>(grouped_packed_size(shape.groups, shape.in_channels, shape.out_channels, w.kernel_area())));
    grouped_pack(oracle.weights.data(), shape.groups, shape.in_channels, shape.out_channels, w.kernel_area(),
                 weights.data());
    Guarded workspace(
        static_cast<Index>(grouped_workspace_size(w, shape.groups, shape.in_channels, shape.out_channels, 1)));
    grouped(pool, {w,
                   shape.groups,
                   shape.in_channels,
                   shape.out_channels,
                   input.data(),
                   in_stride,
                   weights.data(),
                   output.data(),
                   out_stride,
                   {bias.data(), residual_input.data(), shape.out_channels, activation},
                   workspace.data()});
    EXPECT_TRUE(near(output, Guarded(spread(expected, shape.out_channels, out_stride)), 1e-4));
    EXPECT_TRUE(weights.intact());
    EXPECT_TRUE(workspace.intact());
  }
}

TEST(Grouped, GradientsMatchDoubleLoops) {
  ThreadPool pool(1);
  for (const ConvolutionShape& shape : grouped_shapes()) {
    SCOPED_TRACE(describe(shape));
    const ConvolutionOracle oracle(shape);
    Guarded input_gradient(static_cast<Index>(oracle.input.size()), 1);
    grouped_input_gradient(pool, {shape.window, shape.groups, shape.in_channels, shape.out_channels,
                                  oracle.output_gradient.data(), oracle.weights.data(), input_gradient.data()});
    EXPECT_TRUE(near(input_gradient, Guarded(oracle.input_gradient), 1e-4));
    Guarded weight_gradient(static_cast<Index>(oracle.weights.size()), 1);
    grouped_weight_gradient(pool, {shape.window, shape.groups, shape.in_channels, shape.out_channels,
                                   oracle.input.data(), oracle.output_gradient.data(), weight_gradient.data()});
    EXPECT_TRUE(near(weight_gradient, Guarded(oracle.weight_gradient), 1e-4));
  }
}

TEST(Grouped, SameBitsForAnyNumberOfThreads) {
  const Index groups = 3, in = 60, out = 240;
  for (const Window& w : {Window{4, 28, 28, 28, 28}, Window{2, 28, 27, 14, 14, 3, 3, 2, 1, 1, 1}}) {
    const ConvolutionOracle oracle({w, groups, in, out});
    Guarded weights(static_cast<Index>(grouped_packed_size(groups, in, out, w.kernel_area())));
    grouped_pack(oracle.weights.data(), groups, in, out, w.kernel_area(), weights.data());
    std::vector<float> first_output, first_input_gradient, first_weight_gradient;
    for (int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      Guarded workspace(static_cast<Index>(grouped_workspace_size(w, groups, in, out, threads)));
      std::vector<float> output(oracle.output.size()), input_gradient(oracle.input.size()),
          weight_gradient(oracle.weights.size());
      grouped(pool,
              {w, groups, in, out, oracle.input.data(), in, weights.data(), output.data(), out, {}, workspace.data()});
      grouped_input_gradient(
          pool, {w, groups, in, out, oracle.output_gradient.data(), oracle.weights.data(), input_gradient.data()});
      grouped_weight_gradient(
          pool, {w, groups, in, out, oracle.input.data(), oracle.output_gradient.data(), weight_gradient.data()});
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
}

}  // namespace
}  // namespace linnet::kernels::test::grouped_test
