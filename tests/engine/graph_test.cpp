#include "linnet/graph.h"

#include <gtest/gtest.h>

#include <array>
#include <tuple>

#include "error_message.h"
#include "linnet/error.h"

namespace linnet {
namespace {

using test::message_of;

constexpr Padding same{Padding::Rule::same, 0};
constexpr Padding symmetric(Index amount) { return {Padding::Rule::symmetric, amount}; }

TEST(Window, SamePaddingFollowsTheSizeOfTheInput) {
  // size, kernel, stride, dilation -> before, after, outputs
  constexpr std::array<Index, 7> cases[] = {
      {224, 3, 2, 1, 0, 1, 112}, {225, 3, 2, 1, 1, 1, 113}, {224, 5, 2, 1, 1, 2, 112}, {225, 5, 2, 1, 2, 2, 113},
      {7, 3, 1, 1, 1, 1, 7},     {7, 2, 1, 1, 0, 1, 7},     {8, 1, 2, 1, 0, 0, 4},     {9, 3, 1, 2, 2, 2, 9},
      {10, 3, 2, 2, 1, 2, 5},    {1, 3, 2, 1, 1, 1, 1},     {331, 3, 2, 1, 1, 1, 166},
  };
  for (const auto& [size, kernel, stride, dilation, before, after, outputs] : cases) {
    SCOPED_TRACE(to_string(Shape{size, kernel, stride, dilation}));
    EXPECT_EQ(padding_before(same, size, kernel, stride, dilation), before);
    EXPECT_EQ(window_outputs(same, size, kernel, stride, dilation, false), outputs);
    // What lies behind the last window's reach follows from the two.
    const Index span = (kernel - 1) * dilation + 1;
    EXPECT_EQ(std::max<Index>((outputs - 1) * stride + span - before - size, 0), after);
  }
}

TEST(Window, SymmetricPaddingCountsWindowsAsPyTorchDoes) {
  // size, kernel, stride, padding -> floor, ceil
  constexpr std::array<Index, 6> cases[] = {
      {109, 3, 2, 0, 54, 54}, {54, 3, 2, 0, 26, 27},  {56, 3, 2, 0, 27, 28},    {28, 3, 2, 0, 13, 14},
      {27, 3, 2, 0, 13, 13},  {112, 3, 2, 1, 56, 57}, {4, 2, 3, 1, 2, 2},       {3, 3, 1, 0, 1, 1},
      {2, 3, 1, 0, 0, 0},     {3, 2, 2, 1, 2, 2},     {224, 7, 2, 0, 109, 110},
  };
  for (const auto& [size, kernel, stride, padding, floor_count, ceil_count] : cases) {
    SCOPED_TRACE(to_string(Shape{size, kernel, stride, padding}));
    EXPECT_EQ(padding_before(symmetric(padding), size, kernel, stride, 1), padding);
    EXPECT_EQ(window_outputs(symmetric(padding), size, kernel, stride, 1, false), floor_count);
    EXPECT_EQ(window_outputs(symmetric(padding), size, kernel, stride, 1, true), ceil_count);
  }
}

/// A graph with every operation, and every field away from its default.
Graph every_op() {
  GraphBuilder builder("every \"op\" ü", 19, 23, 6);
  int x = builder.add("conv",
                      op::Conv2d{.out_channels = 12,
                                 .kernel = 3,
                                 .stride = 2,
                                 .dilation = 2,
                                 .groups = 3,
                                 .padding = same,
                                 .bias = true,
                                 .activation = Activation::relu6,
                                 .residual = false,
                                 .initial = Initial::glorot_uniform},
                      {builder.input()});
  x = builder.add("norm", op::BatchNorm{1e-3f, 0.01f, 0.0f, 0.125f}, {x});
  const int activated = builder.add("act", op::Activate{Activation::hard_swish}, {x});
  x = builder.add("add", op::Add{Activation::relu}, {x, activated});
  const int pool = builder.add("pool", op::GlobalAveragePool{}, {x});
  x = builder.add("scale", op::ScaleChannels{}, {x, pool});
  const int max_pool =
      builder.add("max_pool", op::MaxPool{.kernel = 3, .stride = 1, .padding = symmetric(1), .ceil_mode = true}, {x});
  const int average_pool = builder.add(
      "average_pool",
      op::AveragePool{.kernel = 3, .stride = 1, .padding = symmetric(1), .ceil_mode = true, .count_padding = true},
      {x});
  x = builder.add("concat", op::Concat{}, {max_pool, average_pool});
  x = builder.add("shuffle", op::ChannelShuffle{4}, {x});
  x = builder.add("slice", op::SliceChannels{3, 11}, {x});
  const int branch = builder.add("drop_path", op::DropPath{0.25f}, {x});
  x = builder.add("project", op::Conv2d{.out_channels = 8, .activation = Activation::gelu, .residual = true},
                  {x, branch});
  x = builder.add("pad", op::ZeroPad{.top = 2, .left = -1, .bottom = -2, .right = 1}, {x});
  x = builder.add("layer_scale", op::LayerScale{0.5f}, {x});
  const int blurred = builder.add("blur", op::BlurPool{}, {x});
  const int key = builder.add("key", op::SliceChannels{0, 2}, {blurred});
  x = builder.add("attention", op::MultiQueryAttention{4}, {x, key, key});
  x = builder.add("flatten", op::Flatten{}, {x});
  x = builder.add("dropout", op::Dropout{0.1f}, {x});
  x = builder.add(
      "linear",
      op::Linear{
          .out_features = 5, .bias = false, .activation = Activation::silu, .initial = Initial::truncated_fan_out},
      {x});
  builder.add("softmax", op::Softmax{}, {x});
  return std::move(builder).finish();
}

bool are_equal(const Graph& a, const Graph& b) {
  if (a.name != b.name || a.nodes.size() != b.nodes.size()) return false;
  for (std::size_t i = 0; i < a.nodes.size(); ++i) {
    const auto tie = [](const Node& n) { return std::tie(n.name, n.op, n.inputs, n.shape); };
    if (tie(a.nodes[i]) != tie(b.nodes[i])) return false;
  }
  return true;
}

TEST(Graph, InfersTheShapeOfEveryOperation) {
  const Graph graph = every_op();
  const std::vector<Shape> expected = {
      {19, 23, 6},  {10, 12, 12}, {10, 12, 12}, {10, 12, 12}, {10, 12, 12}, {1, 1, 12},  {10, 12, 12}, {10, 12, 12},
      {10, 12, 12}, {10, 12, 24}, {10, 12, 24}, {10, 12, 8},  {10, 12, 8},  {10, 12, 8}, {10, 12, 8},  {10, 12, 8},
      {5, 6, 8},    {5, 6, 2},    {10, 12, 8},  {960},        {960},        {5},         {5},
  };
  ASSERT_EQ(graph.nodes.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(graph.nodes[i].shape, expected[i]) << graph.nodes[i].name;
}

TEST(Graph, ListsParametersInTheOrderOfAStateDict) {
  std::vector<std::string> found;
  for (const Parameter& parameter : parameters(every_op()))
    found.push_back(parameter.name + to_string(parameter.shape));
  const std::vector<std::string> expected = {
      "conv.weight" + to_string({12, 2, 3, 3}),
      "conv.bias" + to_string({12}),
      "norm.weight" + to_string({12}),
      "norm.bias" + to_string({12}),
      "norm.running_mean" + to_string({12}),
      "norm.running_var" + to_string({12}),
      "norm.num_batches_tracked" + to_string(Shape{}),
      "project.weight" + to_string({8, 8, 1, 1}),
      "layer_scale.gamma" + to_string({8}),
      "linear.weight" + to_string({5, 960}),
  };
  EXPECT_EQ(found, expected);
}

TEST(Graph, ResizesOnlyNetworksThatAllowIt) {
  GraphBuilder builder("net", 8, 8, 3);
  builder.add("stem", op::Conv2d{.out_channels = 4, .kernel = 5, .stride = 2}, {0});
  builder.add("pool", op::GlobalAveragePool{}, {1});
  const Graph graph = std::move(builder).finish();
  EXPECT_EQ(with_input_size(graph, 11, 5).nodes[1].shape, (Shape{4, 1, 4}));
  EXPECT_EQ(message_of([&] { with_input_size(graph, 11, 4); }),
            "conv2d \"stem\": expected an input that holds a window of 5 with padding 0, found " +
                to_string({11, 4, 3}) + ", which is too small");
}

TEST(Graph, RefusesOperationsThatDoNotFitTheirInputs) {
  const Shape image{8, 8, 6}, other{8, 8, 4}, small{2, 2, 6}, features{10};
  struct Case {
    Op op;
    std::vector<Shape> inputs;
    std::string complaint;
  };
  const Case cases[] = {
      {op::Conv2d{.out_channels = 4}, {}, "expected 1 inputs, found 0"},
      {op::ZeroPad{.top = -8}, {image}, "larger than what is cut off"},
      {op::ZeroPad{.left = 9, .right = -8}, {image}, "larger than what is cut off"},
      {op::BlurPool{}, {features}, "[height, width, channels]"},
      {op::MultiQueryAttention{4}, {image, other, other}, "multiple of 4 heads"},
      {op::MultiQueryAttention{3}, {image, other, other}, "one shape with 2 channels"},
      {op::MultiQueryAttention{3}, {image, image}, "expected 3 inputs"},
      {op::Conv2d{.out_channels = 4}, {features}, "[height, width, channels]"},
      {op::Conv2d{.out_channels = 0}, {image}, "positive kernel"},
      {op::Conv2d{.out_channels = 4, .kernel = 0}, {image}, "positive kernel"},
      {op::Conv2d{.out_channels = 4, .stride = 0}, {image}, "positive kernel"},
      {op::Conv2d{.out_channels = 4, .kernel = 3}, {small}, "too small"},
      {op::Conv2d{.out_channels = 4, .groups = 4}, {image}, "multiples of 4 groups"},
      {op::Conv2d{.out_channels = 4, .groups = 3}, {image}, "multiples of 3 groups"},
      {op::Conv2d{.out_channels = 1 << 24, .kernel = 64}, {{64, 64, 16}}, "2^31 weights"},
      {op::Conv2d{.out_channels = 4, .residual = true}, {image}, "expected 2 inputs"},
      {op::Conv2d{.out_channels = 4, .residual = true}, {image, image}, "a residual input of shape"},
      {op::Add{}, {image, other}, "two inputs of one shape"},
      {op::ScaleChannels{}, {image, {1, 1, 4}}, "a gate of shape"},
      {op::MaxPool{.kernel = 2, .stride = 2, .padding = symmetric(2)}, {image}, "half the kernel"},
      {op::AveragePool{.kernel = 3, .stride = 0}, {image}, "positive kernel"},
      {op::Linear{.out_features = 4}, {image}, "[features]"},
      {op::Linear{.out_features = 0}, {features}, "at least one output"},
      {op::ChannelShuffle{4}, {image}, "multiple of 4 groups"},
      {op::ChannelShuffle{0}, {image}, "multiple of 0 groups"},
      {op::Concat{}, {}, "at least one input"},
      {op::Concat{}, {image, small}, "one height and width"},
      {op::SliceChannels{2, 7}, {image}, "range of channels"},
      {op::SliceChannels{3, 3}, {image}, "range of channels"},
      {op::Softmax{}, {image}, "[features]"},
      {op::Input{0, 8, 3}, {}, "positive extents"},
      {op::Input{65536, 65536, 3}, {}, "2^31 values"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.complaint);
    const std::string message = message_of([&] { infer_shape("the_node", test.op, test.inputs); });
    EXPECT_NE(message.find(test.complaint), std::string::npos) << message;
    EXPECT_EQ(message.find(std::string(op_name(test.op)) + " \"the_node\": expected "), 0u) << message;
  }
}

TEST(Graph, ChecksTheGraphAsAWhole) {
  const Graph good = every_op();
  Graph graph = good;
  graph.nodes[3].name = "norm";
  EXPECT_NE(message_of([&] { infer_shapes(graph); }).find("node 3 (\"norm\"): the name is taken"), std::string::npos);
  graph = good;
  graph.nodes[3].inputs[0] = 3;
  EXPECT_NE(message_of([&] { infer_shapes(graph); }).find("an earlier node as input, found 3"), std::string::npos);
  graph = good;
  graph.nodes[3].inputs[0] = -1;
  message_of([&] { infer_shapes(graph); });
  graph = good;
  graph.nodes.erase(graph.nodes.begin());
  message_of([&] { infer_shapes(graph); });
  graph.nodes.clear();
  message_of([&] { infer_shapes(graph); });
  GraphBuilder builder("net", 4, 4, 3);
  message_of([&] { builder.add("late", op::Activate{}, {1}); });
  message_of([&] {
    builder.add("second", op::Input{4, 4, 3}, {});
    std::move(builder).finish();
  });
}

TEST(GraphJson, ComesBackAsItWent) {
  const Graph graph = every_op();
  const std::string text = to_json(graph);
  const Graph back = graph_from_json(text);
  EXPECT_TRUE(are_equal(graph, back));
  EXPECT_EQ(to_json(back), text);
  EXPECT_NE(text.find("\"epsilon\":0.001,"), std::string::npos) << "floats in their shortest form";
}

/// `text` with the first `from` replaced.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t place = text.find(from);
  if (place == std::string::npos) throw std::logic_error("the text has no " + from);
  return text.replace(place, from.size(), to);
}

TEST(GraphJson, RefusesWhatIsWrongAndSaysWhere) {
  const std::string good =
      R"({"version":2,"name":"n","nodes":[)"
      R"({"name":"input","op":"input","inputs":[],"height":8,"width":8,"channels":3},)"
      R"({"name":"c","op":"conv2d","inputs":[0],"out_channels":4,"kernel":3,"stride":1,"dilation":1,"groups":1,)"
      R"("padding":1,"bias":false,"activation":"none","residual":false,"initial":"he_uniform"},)"
      R"({"name":"b","op":"batch_norm","inputs":[1],"epsilon":1e-05,"momentum":0.1,"initial_gamma":0,)"
      R"("initial_beta":0}],"outputs":[2]})";
  EXPECT_EQ(graph_from_json(good).nodes.size(), 3u);
  struct Case {
    std::string from, to, complaint;
  };
  const Case cases[] = {
      {R"("kernel":3)", R"("kernel":0)", "node 1, field \"kernel\": expected a number from"},
      {R"("kernel":3)", R"("kernel":-3)", "field \"kernel\""},
      {R"("kernel":3)", R"("kernel":3.0)", "expected a whole number, found 3.0"},
      {R"("kernel":3)", R"("kernel":"3")", "expected a whole number"},
      {R"("kernel":3)", R"("kernel":null)", "expected a whole number, found null"},
      {R"("kernel":3)", R"("kernel":4294967299)", "field \"kernel\""},
      {R"("kernel":3)", R"("kernel":18446744073709551615)", "field \"kernel\""},
      {R"("kernel":3)", R"("kernel":100000000000000000000000)", "field \"kernel\""},
      {R"("kernel":3)", R"("kernel":3,"kernel":3)", "'kernel' stands twice"},
      {R"("kernel":3)", R"("kernel":3,"depth":3)", "unknown field 'depth'"},
      {R"("kernel":3,)", "", "\"kernel\" is missing"},
      {R"("kernel":3)", R"("kernel":[[[3]]])", "nested too deeply"},
      {R"("out_channels":4)", R"("out_channels":2147483648)", "field \"out_channels\""},
      {R"("padding":1)", R"("padding":-1)", "field \"padding\""},
      {R"("padding":1)", R"("padding":"valid")", "field \"padding\""},
      {R"("bias":false)", R"("bias":0)", "expected true or false, found 0"},
      {R"("none")", R"("swoosh")", "field \"activation\""},
      {R"("none")", "1", "field \"activation\""},
      {R"("conv2d")", R"("conv3d")", "field \"op\""},
      {R"("conv2d")", "7", "field \"op\""},
      {R"("conv2d")", R"("input")", "\"height\" is missing"},
      {R"([0])", "[1]", "node 1, field \"inputs\""},
      {R"([0])", "[-1]", "field \"inputs\""},
      {R"([0])", "[4294967296]", "field \"inputs\""},
      {R"([0])", "[0,0]", "expected 1 inputs, found 2"},
      {R"([0])", "0", "expected a list"},
      {R"([0])", R"([{"a":{"b":1}}])", "nested too deeply"},
      {R"("epsilon":1e-05)", R"("epsilon":1e999)", "not valid JSON"},
      {R"("epsilon":1e-05)", R"("epsilon":NaN)", "not valid JSON"},
      {R"("epsilon":1e-05)", R"("epsilon":-1)", "field \"epsilon\""},
      {R"("epsilon":1e-05)", R"("epsilon":0)", "field \"epsilon\""},
      {R"("momentum":0.1)", R"("momentum":2)", "field \"momentum\""},
      {R"("height":8)", R"("height":65537)", "field \"height\""},
      {R"("height":8,"width":8)", R"("height":65536,"width":65536)", "2^31 values"},
      {R"("height":8)", R"("height":1)", ""},
      {R"("name":"b")", R"("name":"c")", "the name is taken"},
      {R"("name":"b")", R"("name":"")", "field \"name\""},
      {R"("name":"b")", R"("name":"\u0000")", "field \"name\""},
      {R"("name":"b")", "\"name\":\"\xff\"", "not valid JSON"},
      {R"("name":"b",)", "", "\"name\" is missing"},
      {R"("version":2)", R"("version":3)", "field \"version\""},
      {R"("version":2)", R"("version":0)", "field \"version\""},
      {R"("version":2)", R"("version":1)", "unknown field 'initial'"},
      {R"("version":2,)", "", "\"version\" is missing"},
      {R"("he_uniform")", R"("uniform")", "expected the name of an initial distribution, found 'uniform'"},
      {R"(,"initial":"he_uniform")", "", "\"initial\" is missing"},
      {R"("initial_gamma":0)", R"("initial_gamma":2)", "field \"initial_gamma\""},
      {R"("name":"n")", R"("name":["n"])", "field \"name\""},
      {R"({"version")", R"({"extra":1,"version")", "unknown field 'extra'"},
      {"[2]}", "[2]", "not valid JSON"},
      {"[2]}", "[2]}}", "not valid JSON"},
      {R"({"name":"input")", R"(5,{"name":"input")", "node 0: expected an object, found 5"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.from + " -> " + test.to);
    const std::string text = with(good, test.from, test.to);
    if (test.complaint.empty()) {
      EXPECT_NO_THROW(graph_from_json(text));
      continue;
    }
    const std::string message = message_of([&] { graph_from_json(text); });
    EXPECT_NE(message.find(test.complaint), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
  for (const char* text : {"", "null", "[]", "{}", "\"\"", "1", R"({"version":1,"name":"n","nodes":[]})",
                           R"({"version":1,"name":"n","nodes":{}})", R"({"version":1,"name":"n","nodes":3})"}) {
    SCOPED_TRACE(text);
    message_of([&] { graph_from_json(text); });
  }
  message_of([] { graph_from_json(std::string(1000000, '[')); });
  std::string many = R"({"version":1,"name":"n","nodes":[0)";
  for (int i = 0; i < 65536; ++i) many += ",0";
  EXPECT_NE(message_of([&] { graph_from_json(many + "]}"); }).find("found 65537"), std::string::npos);
}

TEST(GraphJson, ReadsItsFirstVersion) {
  const Graph graph = graph_from_json(
      R"({"version":1,"name":"n","nodes":[)"
      R"({"name":"input","op":"input","inputs":[],"height":8,"width":8,"channels":3},)"
      R"({"name":"c","op":"conv2d","inputs":[0],"out_channels":4,"kernel":3,"stride":1,"dilation":1,"groups":1,)"
      R"("padding":1,"bias":false,"activation":"none","residual":false},)"
      R"({"name":"b","op":"batch_norm","inputs":[1],"epsilon":1e-05,"momentum":0.1}]})");
  EXPECT_EQ(std::get<op::Conv2d>(graph.nodes[1].op).initial, Initial::normal_fan_out);
  EXPECT_EQ(std::get<op::BatchNorm>(graph.nodes[2].op), op::BatchNorm{});
  EXPECT_NE(to_json(graph).find("\"version\":2"), std::string::npos);
}

TEST(GraphJson, SurvivesDamageToEveryByte) {
  const std::string good = to_json(every_op());
  int survivors = 0;
  const std::string replacements("09-\"}e\0\xff", 8);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const std::size_t pick : {i % 8, (i * 5 + 3) % 8}) {
      std::string text = good;
      text[i] = replacements[pick];
      try {
        graph_from_json(text);
        ++survivors;
      } catch (const Error&) {
      }
    }
    if (i % 8 == 0) message_of([&] { graph_from_json(good.substr(0, i)); });
  }
  EXPECT_GT(survivors, 0) << "renamed nodes are harmless";
}

}  // namespace
}  // namespace linnet
