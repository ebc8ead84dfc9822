#include "linnet/compile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "compiled_graphs.h"
#include "engine/compile/pass.h"
#include "error_message.h"
#include "linnet/error.h"
#include "linnet/session.h"
#include "linnet/training_model.h"

namespace linnet {
namespace {

using test::message_of;

using test::relative_difference;
using test::run_plan;

constexpr double tolerance = 2e-5;

CompileOptions without(std::vector<std::string> disabled, Index batch = 1, int threads = 1) {
  return {.batch = batch, .threads = threads, .disabled_passes = std::move(disabled)};
}

Model handmade(const std::string& name) {
  for (Graph& graph : test::handmade_graphs()) {
    if (graph.name == name) return test::random_model(std::move(graph), 1);
  }
  throw Error("no graph " + name);
}

std::vector<Graph> trainable_graphs() {
  std::vector<Graph> graphs = test::handmade_graphs();
  for (std::uint64_t seed = 0; seed < 40; ++seed) graphs.push_back(test::random_graph(seed));
  return graphs;
}

std::vector<Graph> all_graphs() {
  std::vector<Graph> graphs = trainable_graphs();
  graphs.push_back(test::fused_before());
  return graphs;
}

TEST(Passes, KeepModelsValid) {
  for (Graph& graph : all_graphs()) {
    SCOPED_TRACE(graph.name);
    const Model model = test::random_model(std::move(graph), 2);
    const Shape output = model.graph.output().shape;
    compiler::Network network{model.graph, model.weights};
    for (const compiler::Pass& pass : compiler::passes()) {
      SCOPED_TRACE(pass.name);
      network = pass.run(std::move(network));
      EXPECT_NO_THROW(check_weights(network.graph, network.weights));
      for (const auto& [name, scale] : network.row_scales) {
        EXPECT_EQ(scale.shape(), Shape{network.weights.at(name).dimension(0)}) << name;
      }
      const std::vector<Node> before = network.graph.nodes;
      ASSERT_NO_THROW(infer_shapes(network.graph));
      for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(before[i].shape, network.graph.nodes[i].shape);
      EXPECT_EQ(network.graph.output().shape, output);
    }
  }
}

TEST(Passes, LeaveTheCallersWeightsAlone) {
  const Model model = handmade("inverted_residuals");
  Weights copy;
  for (const auto& [name, tensor] : model.weights) copy[name] = tensor.clone();
  compile(model);
  ASSERT_EQ(model.weights.size(), copy.size());
  for (const auto& [name, tensor] : model.weights) {
    EXPECT_TRUE(std::equal(tensor.data(), tensor.data() + tensor.size(), copy[name].data())) << name;
  }
}

/// Each pass alone, all but one, all, and none agree.
TEST(Passes, KeepResults) {
  const std::vector<std::string> names = pass_names();
  std::vector<std::vector<std::string>> choices = {{}};
  for (const std::string& name : names) {
    choices.push_back({name});
    std::vector<std::string> others;
    std::copy_if(names.begin(), names.end(), std::back_inserter(others), [&](const auto& n) { return n != name; });
    choices.push_back(others);
  }
  for (Graph& graph : all_graphs()) {
    SCOPED_TRACE(graph.name);
    const Model model = test::random_model(std::move(graph), 3);
    for (const Index batch : {1, 3}) {
      const std::vector<float> input = test::random_input(model, batch, 4);
      const std::vector<float> expected = run_plan(model, without(names, batch), input);
      for (const auto& disabled : choices) {
        std::string text;
        for (const std::string& name : disabled) text += " " + name;
        SCOPED_TRACE("without" + text);
        EXPECT_LT(relative_difference(run_plan(model, without(disabled, batch), input), expected), tolerance);
      }
    }
  }
}

TEST(Compile, MatchesTheTrainingModel) {
  ThreadPool pool(1);
  for (Graph& graph : trainable_graphs()) {
    SCOPED_TRACE(graph.name);
    const Model model = test::random_model(std::move(graph), 6);
    for (const Index batch : {1, 2}) {
      const std::vector<float> input = test::random_input(model, batch, 7);
      Shape shape{batch};
      shape.insert(shape.end(), model.graph.input().shape.begin(), model.graph.input().shape.end());
      TrainingModel reference(model.graph, model.weights);
      const autograd::Variable expected =
          reference.forward(Tensor::from(shape, input), TrainingModel::Mode::evaluation, 0, pool);
      const float* values = expected.value().data();
      EXPECT_LT(relative_difference(run_plan(model, without({}, batch, 2), input),
                                    std::vector<float>(values, values + expected.value().size())),
                tolerance);
    }
  }
}

TEST(Compile, DeadNodesAreLeftOut) {
  Model model = handmade("residuals");
  const auto plan = compile(model);
  Node dead = model.graph.nodes[1];
  dead.name = "dead";
  model.graph.nodes.insert(model.graph.nodes.end() - 1, dead);
  model.weights["dead.weight"] = model.weights.at(model.graph.nodes[1].name + ".weight");
  model.weights["dead.bias"] = model.weights.at(model.graph.nodes[1].name + ".bias");
  EXPECT_EQ(compile(model)->arena_bytes(), plan->arena_bytes());
  EXPECT_EQ(compile(model)->weight_bytes(), plan->weight_bytes());
}

TEST(Compile, PlanDescribesItself) {
  const Model model = handmade("residuals");
  const std::string text = compile(model, without({"split_batch"}, 2, 2))->to_string();
  for (const char* expected :
       {"residuals: ", "input [2, 8, 8, 4]", "output [2, 8, 8, 8]", "up to 2 threads; tensors are NHWC\n", " conv ",
        " pointwise ", " depthwise_blocks ", " grouped ", " add ", " scale_shift ", " input -> arena+",
        " -> output (4096 bytes)", "    conv 3x3 +residual +relu\n    ", "conv 3x3 depthwise", "conv 1x1 in 2 groups",
        "    tile ", "; weights ", "\narena, bytes from and to, and in which steps:\n", ".#"}) {
    EXPECT_NE(text.find(expected), std::string::npos) << expected << "\n" << text;
  }
  for (const PlanStep& step : compile(model)->steps()) {
    EXPECT_NE(text.find("\n" + step.name + " "), std::string::npos) << step.name;
    EXPECT_EQ(step.ops.size(), step.nodes.size());
    // What the depthwise kernels have no vectors for is computed plainly.
    EXPECT_TRUE(step.isa == selected_isa() || step.kernel == "depthwise_reference") << step.name;
  }
}

/// Buffers that live at the same time lie apart, all inside of the arena; the largest sum is the peak.
TEST(Compile, TheArenaMapIsThatOfThePlan) {
  for (Graph& graph : all_graphs()) {
    SCOPED_TRACE(graph.name);
    const auto plan = compile(test::random_model(std::move(graph), 1), without({}, 2, 2));
    const std::vector<PlanBuffer> buffers = plan->buffers();
    const int steps = static_cast<int>(plan->steps().size());
    std::vector<std::size_t> alive(plan->steps().size());
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      const PlanBuffer& a = buffers[i];
      EXPECT_LE(a.offset + a.bytes, plan->arena_bytes());
      EXPECT_TRUE(0 <= a.first_step && a.first_step <= a.last_step && a.last_step < steps) << a.name;
      for (int s = a.first_step; s <= a.last_step; ++s) alive[static_cast<std::size_t>(s)] += (a.bytes + 63) / 64 * 64;
      for (std::size_t j = 0; j < i; ++j) {
        const PlanBuffer& b = buffers[j];
        EXPECT_LE(b.offset, a.offset);
        const bool together = a.first_step <= b.last_step && b.first_step <= a.last_step;
        EXPECT_TRUE(!together || b.offset + b.bytes <= a.offset) << a.name << " and " << b.name;
      }
    }
    EXPECT_EQ(alive.empty() ? 0 : *std::max_element(alive.begin(), alive.end()), plan->peak_bytes());
  }
}

TEST(Compile, WideDenseConvolutionsGoInTiles) {
  std::map<std::string, int> kernels;
  for (const PlanStep& step : compile(handmade("wide_dense"))->steps()) ++kernels[step.kernel];
  EXPECT_GT(kernels["winograd"], 0);
  EXPECT_EQ(kernels["conv"], 0);
}

TEST(Compile, LinearWeightsAreShared) {
  Model model = handmade("inverted_residuals");
  const std::vector<float> input = test::random_input(model, 1, 5);
  const auto plan = compile(model);
  Session session(plan);
  std::vector<float> before(5), after(5);
  session.run(input, before);
  const std::string name = model.graph.output().name + ".weight";
  Tensor& weight = model.weights.at(name);
  std::fill(weight.data(), weight.data() + weight.size(), 0.0f);
  session.run(input, after);
  const Tensor& bias = model.weights.at(model.graph.output().name + ".bias");
  EXPECT_EQ(after, std::vector<float>(bias.data(), bias.data() + 5));
  EXPECT_NE(after, before);
}

TEST(Compile, RefusesWrongOptionsAndWeights) {
  Model model = handmade("residuals");
  EXPECT_EQ(message_of([&] { compile(model, without({}, 0)); }), "compile: batch must be at least 1, found 0");
  EXPECT_EQ(message_of([&] { compile(model, without({}, 1, 0)); }), "compile: threads must be at least 1, found 0");
  EXPECT_EQ(message_of([&] { compile(model, without({"fold_batchnorm"})); }),
            "compile: unknown pass 'fold_batchnorm' in disabled_passes; the passes are remove_training_nodes "
            "merge_equal_nodes "
            "activate_before_concat "
            "fold_batch_norm fuse_activation fuse_residual fuse_inverted_residual fuse_interleave "
            "fuse_conv_concat split_batch");
  const std::string missing = model.weights.begin()->first;
  model.weights.erase(missing);
  EXPECT_NE(message_of([&] { compile(model); }).find(missing), std::string::npos);
}

}  // namespace
}  // namespace linnet
