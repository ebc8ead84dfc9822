#include "kernels/inverted_residual/inverted_residual.h"

#include "kernel_test.h"
#include "kernels/common/scalar_activation.h"
#include "kernels/conv/conv.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/pointwise/pointwise.h"
#include "linnet/thread_pool.h"
#include "window_shapes.h"

namespace linnet::kernels::test::inverted_residual_test {
namespace {

constexpr std::size_t small_cache = 256 * 1024, large_cache = std::size_t{1} << 30;

struct Case {
  Window window;
  Index in_channels, channels, out_channels, squeezed;
  bool expands, residual;
};

std::string describe(const Case& c) {
  return test::describe(c.window, c.channels) + ", from " + std::to_string(c.in_channels) + " to " +
         std::to_string(c.out_channels) + ", squeezed " + std::to_string(c.squeezed) + (c.expands ? ", expands" : "") +
         (c.residual ? ", residual" : "");
}

/// Both ways to cut a block (by_rows needs many pixels), every part left out, odd sizes, every kernel and stride.
std::vector<Case> cases() {
  const auto window = [](Index batch, Index height, Index width, Index kernel, Index stride, Padding padding) {
    return make_window({batch, height, width, kernel, kernel, stride}, padding);
  };
  const Window small = window(2, 7, 9, 3, 1, Padding::symmetric), tiny = window(1, 1, 1, 3, 1, Padding::symmetric);
  const Window strided = window(1, 9, 8, 5, 2, Padding::same), seven = window(1, 10, 11, 7, 1, Padding::symmetric);
  const Window large = window(1, 65, 61, 3, 1, Padding::symmetric),
               large_strided = window(2, 97, 90, 5, 2, Padding::same);
  const Window narrow = window(1, 30, 24, 3, 1, Padding::none);
  return {
      {small, 5, 30, 12, 0, true, true},
      {small, 5, 30, 12, 7, true, true},
      {small, 19, 19, 0, 0, false, false},
      {small, 5, 30, 0, 0, true, false},
      {tiny, 40, 70, 33, 3, true, false},
      {strided, 6, 50, 9, 4, true, false},
      {strided, 33, 33, 40, 0, false, false},
      {seven, 3, 20, 5, 0, true, true},
      {large, 6, 40, 10, 0, true, true},
      {large, 6, 40, 10, 5, true, false},
      {large, 35, 35, 17, 0, false, true},
      {large, 36, 36, 0, 0, false, false},
      {large_strided, 4, 43, 11, 0, true, false},
      {large_strided, 43, 43, 8, 6, false, true},
      {narrow, 7, 150, 20, 0, true, false},
      {window(1, 8, 8, 3, 1, Padding::symmetric), 16, 600, 130, 9, true, false},
  };
}

/// One layer's reference weights, [outputs][inputs].
struct Dense {
  Dense(Index outputs, Index depth, unsigned seed)
      : inputs(depth),
        weights(random_floats(outputs * depth, seed, -0.5f, 0.5f)),
        bias(random_floats(outputs, seed + 1)) {}

  std::vector<double> operator()(const std::vector<double>& x, Activation activation,
                                 const std::vector<double>* residual = nullptr) const {
    const auto outputs = static_cast<Index>(bias.size()), pixels = static_cast<Index>(x.size()) / inputs;
    std::vector<double> y(static_cast<std::size_t>(pixels * outputs));
    for (Index p = 0; p < pixels; ++p) {
      for (Index o = 0; o < outputs; ++o) {
        double sum = double{bias[static_cast<std::size_t>(o)]};
        for (Index i = 0; i < inputs; ++i) {
          sum +=
              x[static_cast<std::size_t>(p * inputs + i)] * double{weights[static_cast<std::size_t>(o * inputs + i)]};
        }
        const auto at = static_cast<std::size_t>(p * outputs + o);
        if (residual) sum += (*residual)[at];
        y[at] = double{scalar::activate(activation, static_cast<float>(sum))};
      }
    }
    return y;
  }

  /// Aligned, as packed weights must be.
  Guarded packed() const {
    const auto outputs = static_cast<Index>(bias.size());
    std::vector<float> values(pointwise_packed_size(inputs, outputs));
    pointwise_pack(weights.data(), inputs, 1, inputs, outputs, values.data());
    return Guarded(values);
  }

  Index inputs;
  std::vector<float> weights, bias;
};

struct Block {
  explicit Block(const Case& c)
      : shape{.window = c.window,
              .in_channels = c.in_channels,
              .channels = c.channels,
              .out_channels = c.out_channels,
              .squeezed = c.squeezed,
              .expands = c.expands,
              .input_stride = c.in_channels + 3},
        expand(c.channels, c.in_channels, 1),
        squeeze(c.squeezed, c.channels, 3),
        excite(c.channels, c.squeezed, 5),
        project(c.out_channels, c.channels, 7),
        expand_packed(expand.packed()),
        project_packed(project.packed()),
        input(random_floats(c.window.in_pixels() * shape.input_stride, 9), 1),
        filters(random_floats(c.channels * c.window.kernel_area(), 10)),
        filter_bias(random_floats(c.channels, 11)) {
    const Index lanes = pointwise_kernels().lanes, padded = (c.channels + lanes - 1) / lanes * lanes;
    filters_packed.resize(static_cast<std::size_t>(padded * c.window.kernel_area()));
    depthwise_pack_blocks(filters.data(), c.channels, c.window.kernel_area(), lanes, filters_packed.data());
    bias_packed = filter_bias;
    bias_packed.resize(static_cast<std::size_t>(padded));
    const Index out_channels = c.out_channels != 0 ? c.out_channels : c.channels;
    output_size = c.window.out_pixels() * out_channels;
    if (c.residual) residual = random_floats(output_size, 12);

    args.input = input.data();
    args.expand = {expand_packed.data(), expand.bias.data(), Activation::hard_swish};
    args.depthwise = {filters_packed.data(), bias_packed.data(), Activation::relu6};
    args.squeeze = {squeeze.weights.data(), squeeze.bias.data(), Activation::relu};
    args.excite = {excite.weights.data(), excite.bias.data(), Activation::sigmoid};
    args.project = project_packed.data();
    args.epilogue = {project.bias.data(), c.residual ? residual.data() : nullptr, out_channels, Activation::relu};
  }

  std::vector<float> run(int threads, std::size_t cache_bytes) {
    const InvertedResidualPlan plan = plan_inverted_residual(shape, cache_bytes);
    EXPECT_TRUE(fits(plan));
    ThreadPool pool(threads);
    Guarded output(output_size, 1), workspace(static_cast<Index>(inverted_residual_workspace_size(plan, threads)));
    args.output = output.data();
    args.workspace = workspace.data();
    inverted_residual(pool, plan, args);
    EXPECT_TRUE(output.intact());
    EXPECT_TRUE(workspace.intact());
    return output.values();
  }

  std::vector<float> expected() const {
    const Window& w = shape.window;
    std::vector<double> x;
    for (Index i = 0; i < w.in_pixels() * shape.in_channels; ++i) {
      x.push_back(double{input.data()[i / shape.in_channels * shape.input_stride + i % shape.in_channels]});
    }
    if (shape.expands) x = expand(x, Activation::hard_swish);
    std::vector<double> map(static_cast<std::size_t>(w.out_pixels() * shape.channels));
    for (std::size_t i = 0; i < map.size(); ++i) map[i] = double{filter_bias[i % filter_bias.size()]};
    for_each_product(w, [&](Index out, Index in, Index tap) {
      for (Index c = 0; c < shape.channels; ++c) {
        map[static_cast<std::size_t>(out * shape.channels + c)] +=
            x[static_cast<std::size_t>(in * shape.channels + c)] *
            double{filters[static_cast<std::size_t>(c * w.kernel_area() + tap)]};
      }
    });
    for (double& value : map) value = std::clamp(value, 0.0, 6.0);
    if (shape.squeezed != 0) gate(map);
    if (shape.out_channels != 0) {
      const std::vector<double> added(residual.begin(), residual.end());
      map = project(map, Activation::relu, residual.empty() ? nullptr : &added);
    }
    return {map.begin(), map.end()};
  }

  void gate(std::vector<double>& map) const {
    const Window& w = shape.window;
    const Index pixels = w.out_height * w.out_width;
    for (Index image = 0; image < w.batch; ++image) {
      const auto at = [&](Index p, Index c) {
        return static_cast<std::size_t>((image * pixels + p) * shape.channels + c);
      };
      std::vector<double> means(static_cast<std::size_t>(shape.channels));
      for (Index c = 0; c < shape.channels; ++c) {
        for (Index p = 0; p < pixels; ++p)
          means[static_cast<std::size_t>(c)] += map[at(p, c)] / static_cast<double>(pixels);
      }
      const std::vector<double> gates = excite(squeeze(means, Activation::relu), Activation::sigmoid);
      for (Index p = 0; p < pixels; ++p) {
        for (Index c = 0; c < shape.channels; ++c) map[at(p, c)] *= gates[static_cast<std::size_t>(c)];
      }
    }
  }

  InvertedResidualShape shape;
  Dense expand, squeeze, excite, project;
  Guarded expand_packed, project_packed, input;
  std::vector<float> filters, filter_bias, filters_packed, bias_packed, residual;
  Index output_size = 0;
  InvertedResidualArgs args;
};

/// A convolution and a block behind it are the same as both in one.
TEST(InvertedResidual, StemInPlaceOfTheExpansion) {
  for (const Index squeezed : {0, 6}) {
    const Window stem = make_window({2, 131, 127, 3, 3, 2}, Padding::symmetric);
    const Window window = make_window({2, stem.out_height, stem.out_width, 3, 3, 1}, Padding::symmetric);
    Block block({window, 44, 44, 19, squeezed, false, false});
    const Index inputs = 3;
    const std::vector<float> picture = random_floats(stem.in_pixels() * inputs, 20);
    const std::vector<float> filters = random_floats(44 * inputs * 9, 21), bias = random_floats(44, 22);
    std::vector<float> values(conv_packed_size(inputs, 44, 9));
    conv_pack(filters.data(), inputs, 44, 9, values.data());
    const Guarded packed(values);

    ThreadPool pool(2);
    Guarded workspace(static_cast<Index>(conv_workspace_size(stem, inputs, 44, 2)));
    std::vector<float> between(static_cast<std::size_t>(stem.out_pixels() * 44));
    conv(pool, {stem,
                inputs,
                44,
                picture.data(),
                inputs,
                packed.data(),
                between.data(),
                44,
                {bias.data(), nullptr, 0, Activation::hard_swish},
                workspace.data()});
    block.shape.input_stride = 44;
    block.args.input = between.data();
    const std::vector<float> expected = block.run(1, small_cache);

    block.shape.in_channels = block.shape.input_stride = inputs;
    block.shape.has_stem = true;
    block.shape.stem = stem;
    EXPECT_FALSE(fits(plan_inverted_residual(block.shape, large_cache)));
    block.args.input = picture.data();
    block.args.expand = {packed.data(), bias.data(), Activation::hard_swish};
    for (const int threads : {1, 2, 3}) EXPECT_TRUE(identical(block.run(threads, small_cache), expected));
  }
}

/// With a cache that holds any map and one that holds few: by blocks, and by rows where a row is long enough.
TEST(InvertedResidual, MatchesDoubleLoopsWithTheSameBitsForAnyThreads) {
  int by_rows = 0;
  for (const Case& c : cases()) {
    SCOPED_TRACE(describe(c));
    Block block(c);
    const std::vector<float> expected = block.expected();
    for (const std::size_t cache : {small_cache, large_cache}) {
      by_rows += plan_inverted_residual(block.shape, cache).by_rows;
      const std::vector<float> output = block.run(1, cache);
      ASSERT_TRUE(near(output, expected, 1e-4, 1e-4));
      for (const int threads : {2, 3}) ASSERT_TRUE(identical(block.run(threads, cache), output));
    }
  }
  EXPECT_EQ(by_rows, 7);
}

}  // namespace
}  // namespace linnet::kernels::test::inverted_residual_test
