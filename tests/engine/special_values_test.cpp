// NaN, infinities and denormal numbers, as session.h promises.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "compiled_graphs.h"
#include "linnet/session.h"
#include "sketch.h"

namespace linnet {
namespace {

using test::Sketch;

constexpr float infinity = std::numeric_limits<float>::infinity();

/// 'n' NaN, '+' and '-' the infinities, '.' a number: what does not depend on the order of a sum.
std::string classes_of(const std::vector<float>& values) {
  std::string classes;
  for (const float value : values) {
    classes += std::isnan(value) ? 'n' : value == infinity ? '+' : value == -infinity ? '-' : '.';
  }
  return classes;
}

/// Convolution as the textbook has it: what lies in the padding is not multiplied but left out.
std::vector<float> textbook(const Model& model, const std::vector<float>& input, Index batch) {
  const Graph& graph = model.graph;
  const auto& conv = std::get<op::Conv2d>(graph.output().op);
  const Shape &in = graph.input().shape, &out = graph.output().shape;
  const float* weights = model.weights.at(graph.output().name + ".weight").data();
  const Index group_inputs = in[2] / conv.groups, group_outputs = out[2] / conv.groups;
  std::vector<float> output;
  for (Index pixel = 0; pixel < batch * out[0] * out[1]; ++pixel) {
    const Index image = pixel / (out[0] * out[1]), y = pixel / out[1] % out[0], x = pixel % out[1];
    for (Index o = 0; o < out[2]; ++o) {
      double sum = 0;
      for (Index tap = 0; tap < conv.kernel * conv.kernel; ++tap) {
        const Index in_y = y * conv.stride + tap / conv.kernel * conv.dilation - conv.padding.amount;
        const Index in_x = x * conv.stride + tap % conv.kernel * conv.dilation - conv.padding.amount;
        if (in_y < 0 || in_y >= in[0] || in_x < 0 || in_x >= in[1]) continue;
        for (Index i = 0; i < group_inputs; ++i) {
          const Index channel = o / group_outputs * group_inputs + i;
          const Index place = ((image * in[0] + in_y) * in[1] + in_x) * in[2] + channel;
          sum += double{input[static_cast<std::size_t>(place)]} *
                 double{weights[(o * group_inputs + i) * conv.kernel * conv.kernel + tap]};
        }
      }
      output.push_back(static_cast<float>(sum));
    }
  }
  return output;
}

struct Convolution {
  const char* kernel;  ///< that the compiler chooses; without passes if that differs
  Index in, out, size = 3, stride = 1, groups = 1, dilation = 1;
};

constexpr Convolution convolutions[] = {
    {"pointwise", 7, 19, 1},
    {"pointwise", 33, 16, 1},
    {"conv", 3, 18, 3, 2},
    {"conv", 5, 9, 5},
    {"conv", 6, 8, 3, 1, 1, 2},
    {"conv", 9, 12, 1, 2},
    {"depthwise_blocks", 19, 19, 3, 1, 19},
    {"depthwise_blocks", 16, 16, 5, 2, 16},
    {"depthwise_blocks", 5, 5, 7, 1, 5},
    {"depthwise_reference", 9, 9, 3, 1, 9, 2},
    {"depthwise_reference", 6, 6, 1, 1, 6},
    {"grouped", 12, 18, 3, 1, 3},
    {"grouped", 10, 20, 1, 1, 2},
    {"winograd", 20, 36},
};

Model model_of(const Convolution& shape) {
  Sketch s("one", 14, 17, shape.in);
  s.add(op::Conv2d{.out_channels = shape.out,
                   .kernel = shape.size,
                   .stride = shape.stride,
                   .dilation = shape.dilation,
                   .groups = shape.groups,
                   .padding = {.amount = shape.size / 2}},
        {0});
  return test::random_model(std::move(s).finish(), 1);
}

/// A few of them, at the edges too, in the second picture.
std::vector<float> with_specials(const Model& model, std::vector<float> input, std::initializer_list<float> specials) {
  const std::size_t picture = input.size() / 2;
  std::size_t place = 1;
  for (const float special : specials) {
    input[picture + place % picture] = special;
    input[picture + (3 * place + 11) % picture] = special;
    place = place * 7 + picture / 3;
  }
  EXPECT_EQ(picture, static_cast<std::size_t>(element_count(model.graph.input().shape)));
  return input;
}

TEST(SpecialValues, ConvolutionsAreTheTextbooks) {
  for (const Convolution& shape : convolutions) {
    const Model model = model_of(shape);
    ASSERT_EQ(compile(model, {.disabled_passes = pass_names()})->steps().front().kernel, shape.kernel);
    const std::vector<float> plain = test::random_input(model, 2, 3);
    for (const auto specials :
         {std::initializer_list<float>{NAN}, {infinity}, {-infinity, infinity}, {NAN, infinity}}) {
      SCOPED_TRACE(std::string(shape.kernel) + " " + std::to_string(shape.size) + ", special " +
                   std::to_string(*specials.begin()));
      const std::vector<float> input = with_specials(model, plain, specials);
      const std::string expected = classes_of(textbook(model, input, 2));
      ASSERT_NE(expected.find_first_not_of('.'), std::string::npos);
      for (const auto& disabled : {std::vector<std::string>{}, pass_names()}) {
        const CompileOptions options{.batch = 2, .threads = 3, .disabled_passes = disabled};
        const std::string found = classes_of(test::run_plan(model, options, input));
        if (shape.kernel != std::string("winograd")) {
          EXPECT_EQ(found, expected);
          continue;
        }
        // A tile of 4x4 outputs is made of differences of all its inputs: a special one makes NaN of some outputs that
        // the textbook has as numbers or infinities, never a number of what is none, and nothing of other pictures.
        for (std::size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(expected[i] == '.' || found[i] != '.') << i;
        EXPECT_EQ(found.find_first_not_of('.') / (found.size() / 2), 1u);
      }
    }
  }
}

/// Of a network on two pictures, the second with specials: the first one's output is what it is without them.
void expect_the_first_picture_untouched(const std::vector<float>& found, const std::vector<float>& plain) {
  const auto half = static_cast<std::ptrdiff_t>(found.size() / 2);
  EXPECT_TRUE(std::equal(found.begin(), found.begin() + half, plain.begin()));
}

TEST(SpecialValues, NanReachesEveryLogit) {
  std::vector<Graph> graphs = test::handmade_graphs();
  graphs.push_back(test::large_maps());
  for (Graph& graph : graphs) {
    if (!std::holds_alternative<op::Linear>(graph.output().op)) continue;
    SCOPED_TRACE(graph.name);
    const Model model = test::random_model(std::move(graph), 1);
    const std::vector<float> plain = test::random_input(model, 2, 5);
    std::vector<float> input = plain;
    input[input.size() / 2 + input.size() / 4] = NAN;
    for (const auto& disabled : {std::vector<std::string>{}, pass_names()}) {
      const CompileOptions options{.batch = 2, .threads = 2, .disabled_passes = disabled};
      const std::vector<float> found = test::run_plan(model, options, input);
      expect_the_first_picture_untouched(found, test::run_plan(model, options, plain));
      for (std::size_t i = found.size() / 2; i < found.size(); ++i) EXPECT_TRUE(std::isnan(found[i])) << i;
    }
  }
}

/// Whether tiles of dense convolutions may spread special values, when pictures run together.
bool has_winograd(const Model& model) {
  const std::vector<PlanStep> steps = compile(model, {.batch = 2, .disabled_passes = pass_names()})->steps();
  return std::any_of(steps.begin(), steps.end(), [](const PlanStep& step) { return step.kernel == "winograd"; });
}

/// Whatever the passes did: NaN and infinity come out where they do without any pass.
TEST(SpecialValues, PassesDoNotMoveThem) {
  std::vector<Graph> graphs = test::handmade_graphs();
  graphs.push_back(test::large_maps());
  for (std::uint64_t seed = 0; seed < 60; ++seed) graphs.push_back(test::random_graph(seed));
  int with_specials_behind = 0;
  for (Graph& graph : graphs) {
    SCOPED_TRACE(graph.name);
    const Model model = test::random_model(std::move(graph), 1);
    if (has_winograd(model)) continue;
    const std::vector<float> plain = test::random_input(model, 2, 5);
    for (const float special : {NAN, infinity, -infinity}) {
      const std::vector<float> input = with_specials(model, plain, {special});
      const auto run = [&](std::vector<std::string> disabled) {
        return test::run_plan(model, {.batch = 2, .threads = 2, .disabled_passes = std::move(disabled)}, input);
      };
      const std::string expected = classes_of(run(pass_names()));
      EXPECT_EQ(classes_of(run({})), expected) << special;
      with_specials_behind += expected.find_first_not_of('.') != std::string::npos;
    }
  }
  EXPECT_GT(with_specials_behind, 100);
}

/// Convolutions, and with them whatever is behind: a denormal number counts as zero.
TEST(SpecialValues, DenormalsAreZeros) {
  for (Graph& graph : test::handmade_graphs()) {
    if (!std::holds_alternative<op::Conv2d>(graph.nodes[1].op) || graph.name == "input_used_often") continue;
    SCOPED_TRACE(graph.name);
    const Model model = test::random_model(std::move(graph), 1);
    std::vector<float> denormals = test::random_input(model, 2, 5);
    for (float& value : denormals) value *= 1e-38f;
    ASSERT_EQ(std::fpclassify(denormals[0]), FP_SUBNORMAL) << "the caller's own mode keeps them";
    const std::vector<float> zeros(denormals.size(), 0.0f);
    for (const auto& disabled : {std::vector<std::string>{}, pass_names()}) {
      const auto run = [&](const std::vector<float>& input, int threads) {
        return test::run_plan(model, {.batch = 2, .threads = threads, .disabled_passes = disabled}, input);
      };
      const std::vector<float> expected = run(zeros, 1);
      for (const int threads : {1, 2, 4}) EXPECT_EQ(run(denormals, threads), expected) << threads << " threads";
      volatile float smallest = std::numeric_limits<float>::min();
      EXPECT_GT(smallest * 0.5f, 0.0f) << "the caller's mode is back";
    }
  }
}

}  // namespace
}  // namespace linnet
