// What each pass and each step group changes, what it leaves alone, and that it can be switched off.
#include "engine/compile/pass.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "compiled_graphs.h"
#include "linnet/compile.h"
#include "linnet/error.h"
#include "sketch.h"

namespace linnet {
namespace {

using test::count;
using test::Sketch;

/// The graph that some passes give. Their weights may still have to be scaled.
Model passed_by(std::initializer_list<const char*> names, Model model) {
  compiler::Network network{model.graph, model.weights};
  for (const compiler::Pass& pass : compiler::passes()) {
    for (const char* name : names) {
      if (std::string(name) == pass.name) network = pass.run(std::move(network));
    }
  }
  model.graph = std::move(network.graph);
  model.weights = std::move(network.weights);
  return model;
}

Model handmade(const std::string& name) {
  for (Graph& graph : test::handmade_graphs()) {
    if (graph.name == name) return test::random_model(std::move(graph), 1);
  }
  throw Error("no graph " + name);
}

std::vector<std::string> kernels_of(const Model& model, std::vector<std::string> disabled = {}) {
  std::vector<std::string> kernels;
  for (const PlanStep& step : compile(model, {.disabled_passes = std::move(disabled)})->steps()) {
    kernels.push_back(step.kernel);
  }
  return kernels;
}

long times(const std::vector<std::string>& kernels, const std::string& kernel) {
  return std::count(kernels.begin(), kernels.end(), kernel);
}

/// Where a pass shows itself: steps of this kernel are in the plan only with it (or only without it).
struct Trace {
  const char* pass;
  const char* graph;
  const char* kernel;
  bool appears;
};

constexpr Trace traces[] = {
    {"remove_training_nodes", "inverted_residuals", "add", false},  // sums behind dropped paths
    {"merge_equal_nodes", "activated_apart", "activate", false},
    {"activate_before_concat", "activated_apart", "activate", false},
    {"fold_batch_norm", "inverted_residuals", "scale_shift", false},
    {"fuse_activation", "inverted_residuals", "activate", false},
    {"fuse_residual", "inverted_residuals", "add", false},
    {"fuse_inverted_residual", "inverted_residuals", "inverted_residual_se", true},
    {"fuse_interleave", "joined_branches", "interleave", true},
    {"fuse_conv_concat", "joined_branches", "conv_concat", true},
};

TEST(Passes, EachIsSeenInAPlanAndCanBeSwitchedOff) {
  const std::vector<std::string> names = pass_names();
  ASSERT_EQ(names.size(), std::size(traces) + 1);
  EXPECT_EQ(names.back(), "split_batch");  // see SplitBatch
  for (std::size_t i = 0; i < std::size(traces); ++i) {
    const Trace& trace = traces[i];
    SCOPED_TRACE(trace.pass);
    ASSERT_EQ(trace.pass, names[i]) << "in the order in which they run";
    const Model model = handmade(trace.graph);
    const long with = times(kernels_of(model), trace.kernel);
    const long without = times(kernels_of(model, {trace.pass}), trace.kernel);
    EXPECT_GT(trace.appears ? with : without, 0);
    EXPECT_EQ(trace.appears ? without : with, 0);
  }
}

/// Large maps of few channels, then small ones of many: first picture by picture, then all together.
TEST(Passes, SplitBatch) {
  Sketch s("split", 40, 40, 3);
  const int last = s.conv(s.conv(0, 32), 8, 3, 8);
  s.classify(s.conv(s.conv(last, 200), 300), 5);
  const Model model = test::random_model(std::move(s).finish(), 1);
  const auto times = [&](Index batch, std::vector<std::string> disabled) {
    std::vector<Index> found;
    for (const PlanStep& step : compile(model, {.batch = batch, .disabled_passes = std::move(disabled)})->steps()) {
      EXPECT_EQ(step.shape.front() * step.times, batch) << step.name;
      found.push_back(step.times);
    }
    return found;
  };
  EXPECT_EQ(times(4, {}), (std::vector<Index>{4, 4, 4, 1, 1, 1}));
  EXPECT_EQ(times(4, {"split_batch"}), std::vector<Index>(6, 1));
  EXPECT_EQ(times(1, {}), std::vector<Index>(6, 1));
  // The arena holds one picture of the large maps.
  EXPECT_LT(compile(model, {.batch = 4})->arena_bytes(),
            compile(model, {.batch = 4, .disabled_passes = {"split_batch"}})->arena_bytes() / 2);
}

TEST(Passes, RemoveTrainingNodes) {
  const Model before = handmade("inverted_residuals");
  const Model after = passed_by({"remove_training_nodes"}, before);
  EXPECT_EQ(count<op::Dropout>(after.graph), 0);
  EXPECT_EQ(count<op::DropPath>(after.graph), 0);
  EXPECT_EQ(after.graph.nodes.size(), before.graph.nodes.size() - 3);
}

TEST(Passes, MergeEqualNodes) {
  const Model before = handmade("activated_apart"), after = passed_by({"merge_equal_nodes"}, before);
  EXPECT_EQ(count<op::Activate>(before.graph), 4);
  EXPECT_EQ(count<op::Activate>(after.graph), 2);  // of the map, and of the joined parts
  EXPECT_EQ(count<op::Conv2d>(after.graph), count<op::Conv2d>(before.graph));
  EXPECT_EQ(after.weights.size(), before.weights.size());

  // What stands behind equal nodes is equal, too; another kind is not, and layers with weights never are.
  Sketch s("twins", 6, 6, 3);
  const int x = s.conv(0, 4);
  const auto branch = [&](Activation activation) {
    return s.add(op::GlobalAveragePool{}, {s.activate(x, activation)});
  };
  const int a = branch(Activation::relu), b = branch(Activation::relu), c = branch(Activation::relu6);
  s.classify(s.sum(s.sum(s.conv(a, 4), s.conv(b, 4)), c), 2);
  const Model twins = passed_by({"merge_equal_nodes"}, test::random_model(std::move(s).finish(), 1));
  EXPECT_EQ(count<op::Activate>(twins.graph), 2);
  EXPECT_EQ(count<op::GlobalAveragePool>(twins.graph), 2 + 1);  // and the one before the classifier
  EXPECT_EQ(count<op::Conv2d>(twins.graph), 3);
}

TEST(Passes, ActivateBeforeConcat) {
  Model model = passed_by({"activate_before_concat"}, handmade("activated_apart"));
  EXPECT_EQ(count<op::Activate>(model.graph), 3 + 3);
  for (const Node& node : model.graph.nodes) {
    if (!std::holds_alternative<op::Concat>(node.op)) continue;
    for (const int part : node.inputs) {
      const Node& input = model.graph.nodes[static_cast<std::size_t>(part)];
      EXPECT_TRUE(std::holds_alternative<op::Activate>(input.op)) << input.name;
    }
  }
  // Somebody else reads the joined parts as they are.
  Sketch s("read_twice", 6, 6, 3);
  const int joined = s.add(op::Concat{}, {s.conv(0, 2), s.conv(0, 2)});
  s.classify(s.sum(s.activate(joined, Activation::relu), joined), 2);
  model = passed_by({"activate_before_concat"}, test::random_model(std::move(s).finish(), 1));
  EXPECT_EQ(count<op::Activate>(model.graph), 1);
}

TEST(Passes, FoldBatchNorm) {
  Model model = passed_by({"remove_training_nodes", "fold_batch_norm"}, handmade("inverted_residuals"));
  EXPECT_EQ(count<op::BatchNorm>(model.graph), 0);
  EXPECT_EQ(count<op::Conv2d>(model.graph), 1 + 2 * 5);  // none was added
  for (const Node& node : model.graph.nodes) {
    if (const auto* conv = std::get_if<op::Conv2d>(&node.op)) {
      EXPECT_TRUE(conv->bias) << node.name;
    }
  }

  // Only the last of the five in this graph follows a layer that nobody else reads.
  model = handmade("batch_norms_alone");
  const int convolutions = count<op::Conv2d>(model.graph);
  model = passed_by({"fold_batch_norm"}, model);
  EXPECT_EQ(count<op::BatchNorm>(model.graph), 0);
  EXPECT_EQ(count<op::Conv2d>(model.graph), convolutions + 5);
  EXPECT_TRUE(std::get<op::Linear>(model.graph.output().op).bias);
}

TEST(Passes, FuseActivation) {
  Model model =
      passed_by({"remove_training_nodes", "fold_batch_norm", "fuse_activation"}, handmade("inverted_residuals"));
  EXPECT_EQ(count<op::Activate>(model.graph), 0);
  model = passed_by({"fuse_activation"}, handmade("inverted_residuals"));
  EXPECT_EQ(count<op::Activate>(model.graph), 5);  // those behind a batch norm
  // A convolution that somebody else reads too, and the network's input, stay as they are.
  model = passed_by({"fuse_activation"}, handmade("residuals"));
  EXPECT_EQ(count<op::Activate>(model.graph), 1);
  model = passed_by({"fuse_activation"}, handmade("input_used_often"));
  EXPECT_EQ(count<op::Activate>(model.graph), 2);
}

TEST(Passes, FuseResidual) {
  const auto fused = [](const Model& model) {
    int found = 0;
    for (const Node& node : model.graph.nodes) {
      const auto* conv = std::get_if<op::Conv2d>(&node.op);
      found += conv != nullptr && conv->residual ? 1 : 0;
    }
    return found;
  };
  Model model =
      passed_by({"remove_training_nodes", "fold_batch_norm", "fuse_residual"}, handmade("inverted_residuals"));
  EXPECT_EQ(count<op::Add>(model.graph), 0);
  EXPECT_EQ(fused(model), 2);
  // Dropped paths stand between the convolution and the sum.
  EXPECT_EQ(fused(passed_by({"fold_batch_norm", "fuse_residual"}, handmade("inverted_residuals"))), 0);

  model = passed_by({"fold_batch_norm", "fuse_activation", "fuse_residual"}, handmade("residuals"));
  // Read twice; doubled; before a batch norm; two depthwise ones.
  EXPECT_EQ(count<op::Add>(model.graph), 5);
  EXPECT_EQ(fused(model), 5);
}

/// The nodes of each step of this kernel.
std::vector<std::vector<std::string>> groups_of(const Graph& graph, const std::string& kernel) {
  std::vector<std::vector<std::string>> groups;
  for (const PlanStep& step : compile(test::random_model(graph, 1))->steps()) {
    if (step.kernel == kernel) groups.push_back(step.nodes);
  }
  return groups;
}

using Groups = std::vector<std::vector<std::string>>;

TEST(Passes, FuseInvertedResidual) {
  enum class Wish { nothing, read_between, read_expanded, dilated, gate_elsewhere, output_between };
  const auto block = [](Wish wish) {
    Sketch s("block", 9, 9, 8);
    const int expanded = s.conv(0, 16);
    op::Conv2d filter{.out_channels = 16, .kernel = 3, .groups = 16, .padding = {.amount = 1}};
    if (wish == Wish::dilated) filter.dilation = 2;
    const int filtered = s.add(filter, {expanded});
    const int pooled = s.add(op::GlobalAveragePool{}, {wish == Wish::gate_elsewhere ? expanded : filtered});
    const int gate = s.activate(s.conv(s.activate(s.conv(pooled, 4), Activation::relu), 16), Activation::sigmoid);
    int x = s.conv(s.add(op::ScaleChannels{}, {filtered, gate}), 8);
    if (wish == Wish::read_between) x = s.sum(x, s.conv(filtered, 8));
    if (wish == Wish::read_expanded) x = s.sum(x, s.conv(expanded, 8));
    s.classify(x, 2);
    Graph graph = std::move(s).finish();
    if (wish == Wish::output_between) graph.outputs = {filtered, static_cast<int>(graph.nodes.size()) - 1};
    return graph;
  };
  const Groups whole = groups_of(block(Wish::nothing), "inverted_residual_se");
  ASSERT_EQ(whole.size(), 1u);
  EXPECT_EQ(whole[0].size(), 7u) << "expansion, depthwise, pool, squeeze, excite, scale, projection";
  for (const Wish wish : {Wish::read_between, Wish::dilated, Wish::gate_elsewhere, Wish::output_between}) {
    EXPECT_TRUE(groups_of(block(wish), "inverted_residual_se").empty()) << static_cast<int>(wish);
  }
  // An expansion that others read, too, is not part of the block; the rest still is.
  const Groups rest = groups_of(block(Wish::read_expanded), "inverted_residual_se");
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].size(), 6u);
}

TEST(Passes, FuseInterleave) {
  enum class Wish { nothing, unequal_halves, three_groups, read_between, three_parts, slice_read_twice };
  const auto unit = [](Wish wish) {
    Sketch s("unit", 5, 5, 12);
    const Index half = wish == Wish::unequal_halves ? 8 : 6;
    const int left = s.add(op::SliceChannels{0, half}, {0});
    const int right = s.activate(s.conv(0, 12 - half), Activation::silu);
    std::vector<int> parts{left, right};
    if (wish == Wish::three_parts) parts = {s.conv(0, 2), s.conv(0, 4), right};
    const int joined = s.add(op::Concat{}, parts);
    int x = s.add(op::ChannelShuffle{wish == Wish::three_groups ? 3 : 2}, {joined});
    if (wish == Wish::read_between) x = s.sum(x, joined);
    if (wish == Wish::slice_read_twice) x = s.sum(s.conv(x, 6), left);
    s.classify(x, 2);
    return std::move(s).finish();
  };
  const Groups whole = groups_of(unit(Wish::nothing), "interleave");
  ASSERT_EQ(whole.size(), 1u);
  EXPECT_EQ(whole[0].size(), 3u) << "slice, concatenation, shuffle";
  for (const Wish wish : {Wish::unequal_halves, Wish::three_groups, Wish::read_between, Wish::three_parts}) {
    EXPECT_TRUE(groups_of(unit(wish), "interleave").empty()) << static_cast<int>(wish);
  }
  const Groups without_slice = groups_of(unit(Wish::slice_read_twice), "interleave");
  ASSERT_EQ(without_slice.size(), 1u);
  EXPECT_EQ(without_slice[0].size(), 2u);
}

TEST(Passes, FuseConvConcat) {
  enum class Wish { nothing, read_twice, not_a_convolution, depthwise, residual };
  const auto unit = [](Wish wish) {
    Sketch s("unit", 6, 5, 4);
    const int wide = wish == Wish::depthwise ? s.depthwise(0) : s.conv(0, 4, 3, 1, 1, true);
    int narrow = s.conv(0, 4);
    if (wish == Wish::not_a_convolution) narrow = s.sum(0, 0);
    if (wish == Wish::residual) narrow = s.sum(narrow, 0);
    int x = s.add(op::Concat{}, {wide, narrow});
    if (wish == Wish::read_twice) x = s.sum(s.conv(x, 4), wide);
    s.classify(x, 2);
    return std::move(s).finish();
  };
  const Groups whole = groups_of(unit(Wish::nothing), "conv_concat");
  ASSERT_EQ(whole.size(), 1u);
  EXPECT_EQ(whole[0].size(), 3u);
  for (const Wish wish : {Wish::read_twice, Wish::not_a_convolution, Wish::depthwise, Wish::residual}) {
    EXPECT_TRUE(groups_of(unit(wish), "conv_concat").empty()) << static_cast<int>(wish);
  }
}

}  // namespace
}  // namespace linnet
