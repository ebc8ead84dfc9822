// Whatever the compiler does to a network, it computes the same: random networks and every family, with all passes and
// with some, on any threads, in any batch. tests/CMakeLists.txt runs these once for each instruction set.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <set>

#include "compiled_graphs.h"
#include "engine/compile/pass.h"
#include "engine/compile/split_batch.h"
#include "engine/compile/step_groups.h"
#include "linnet/architectures.h"
#include "linnet/cpu.h"
#include "linnet/random.h"

namespace linnet {
namespace {

constexpr double rounding = 2e-5;

/// Bit i set: pass i is left out.
std::vector<std::string> passes_out_of(unsigned bits) {
  std::vector<std::string> disabled;
  const std::vector<std::string> names = pass_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if ((bits >> i & 1u) != 0) disabled.push_back(names[i]);
  }
  return disabled;
}

std::string describe(const std::vector<std::string>& disabled) {
  std::string text = "without";
  for (const std::string& name : disabled) text += " " + name;
  return text;
}

bool has_the_same_ops(const Graph& a, const Graph& b) {
  return std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(),
                    [](const Node& left, const Node& right) { return left.op == right.op; });
}

/// The passes that find something to do in the network.
std::set<std::string> passes_that_act_on(const Model& model) {
  std::set<std::string> acting;
  compiler::Network network{model.graph, model.weights};
  for (const compiler::Pass& pass : compiler::passes()) {
    const Graph before = network.graph;
    network = pass.run(std::move(network));
    if (!has_the_same_ops(before, network.graph)) acting.insert(pass.name);
  }
  const std::vector<bool> taken(network.graph.nodes.size());
  for (const compiler::GroupPass& pass : compiler::group_passes()) {
    std::vector<compiler::StepGroup> groups;
    pass.find(network.graph, taken, groups);
    if (!groups.empty()) acting.insert(pass.name);
  }
  if (compiler::find_batch_split(network, {}) > 1) acting.insert("split_batch");
  return acting;
}

/// 200 networks, each with a batch of 1 to 5, on 1 to 4 threads, and with one of the 1024 choices of passes: what none
/// of them gives, and the same bits on another number of threads.
TEST(Equivalence, RandomNetworks) {
  const bool is_slow_machine = std::getenv("LINNET_TEST_MACS") != nullptr;  // emulators, sanitizers
  const unsigned networks = is_slow_machine ? 12 : 200;
  std::map<std::string, int> acts;
  std::set<std::string> ops;
  int several_outputs = 0;
  for (unsigned seed = 0; seed < networks; ++seed) {
    const Model model = test::random_model(test::random_network(seed), seed);
    const std::vector<std::string> disabled = passes_out_of(seed * 37 % 1024);
    SCOPED_TRACE(model.graph.name + " " + describe(disabled));
    const Index batch = 1 + static_cast<Index>(seed % 5);
    const int threads = 1 + static_cast<int>(seed / 5 % 4);
    const std::vector<float> input = test::random_input(model, batch, seed);
    const auto run = [&](std::vector<std::string> without, int on) {
      return test::run_plan(model, {.batch = batch, .threads = on, .disabled_passes = std::move(without)}, input);
    };
    const std::vector<float> expected = run(pass_names(), 1), found = run({}, threads);
    ASSERT_LT(test::relative_difference(found, expected), rounding);
    ASSERT_EQ(run({}, 1 + threads % 4), found);
    ASSERT_LT(test::relative_difference(run(disabled, threads), expected), rounding);
    for (const std::string& pass : passes_that_act_on(model)) ++acts[pass];
    for (const Node& node : model.graph.nodes) ops.insert(op_name(node.op));
    several_outputs += model.graph.outputs.size() > 1;
  }
  std::cout << networks << " networks on " << to_string(selected_isa()) << ", " << several_outputs
            << " with several outputs";
  for (const auto& [pass, count] : acts) std::cout << ", " << pass << " in " << count;
  std::cout << '\n';
  if (is_slow_machine) return;
  for (const std::string& name : pass_names()) EXPECT_GE(acts[name], 20) << name;
  EXPECT_EQ(ops.size(), std::variant_size_v<Op>) << "every op is somewhere among them";
  EXPECT_GE(several_outputs, 20);
}

TEST(Equivalence, LargeMaps) {
  const Model model = test::random_model(test::large_maps(), 1);
  const std::vector<float> input = test::random_input(model, 2, 2);
  const std::vector<float> expected = test::run_plan(model, {.batch = 2, .disabled_passes = pass_names()}, input);
  const std::vector<float> found = test::run_plan(model, {.batch = 2}, input);
  EXPECT_LT(test::relative_difference(found, expected), rounding);
  for (const int threads : {2, 3}) EXPECT_EQ(test::run_plan(model, {.batch = 2, .threads = threads}, input), found);
}

class Families : public ::testing::TestWithParam<const char*> {};

/// Each pass left out alone, and all others; then as many choices at random, but for the reference, which is slow. On
/// emulators and with sanitizers all passes together.
TEST_P(Families, AnyPasses) {
  const Model model = test::random_model(architectures::build(GetParam(), {.classes = 10}), 1);
  const std::vector<float> input = test::random_input(model, 2, 2);
  const auto run = [&](const std::vector<std::string>& without) {
    return test::run_plan(model, {.batch = 2, .threads = 2, .disabled_passes = without}, input);
  };
  const bool is_slow_machine = std::getenv("LINNET_TEST_MACS") != nullptr;
  const bool is_slow = selected_isa() == Isa::scalar || is_slow_machine;
  const auto passes = static_cast<unsigned>(pass_names().size());
  const unsigned all = (1u << passes) - 1;
  std::set<unsigned> choices{0};
  for (unsigned pass = 0; pass < passes && !is_slow_machine; ++pass) {
    choices.insert(1u << pass);
    if (!is_slow) choices.insert(all ^ 1u << pass);
  }
  const CounterRandom random(1, 0);
  for (std::uint32_t i = 0; !is_slow && choices.size() < 4 * passes; ++i) choices.insert(random.below(i, all));
  const std::vector<float> expected = run(pass_names());
  for (const unsigned bits : choices) {
    const std::vector<std::string> disabled = passes_out_of(bits);
    EXPECT_LT(test::relative_difference(run(disabled), expected), rounding) << describe(disabled);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Families,
                         ::testing::Values("mobilenetv1_025_32x32", "mobilenetv2_035_32x32",
                                           "mobilenetv3_small_050_32x32", "mobilenetv4_conv_small_035_32x32",
                                           "mobilenetv4_hybrid_medium_32x32", "efficientnet_lite0_32x32",
                                           "efficientnet_b0_32x32", "tf_efficientnetv2_b0_32x32",
                                           "shufflenetv1_g3_025_32x32", "shufflenet_v2_x0_5_32x32",
                                           "squeezenet1_1_32x32", "squeezenet1_0_complex_bypass_32x32",
                                           "nasnetamobile_32x32"),
                         [](const auto& family) { return std::string(family.param); });

}  // namespace
}  // namespace linnet
