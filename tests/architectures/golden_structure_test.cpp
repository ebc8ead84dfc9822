// The structure of every network against every golden file: names, shapes and order of the state dict, and the counts.
#include <gtest/gtest.h>

#include <iostream>

#include "golden/golden.h"
#include "golden_networks.h"
#include "linnet/summary.h"

namespace linnet {
namespace {

TEST(GoldenStructure, EveryNetworkHasTheReferencesStateDictAndCounts) {
  const GoldenNetworks found = find_golden_networks();
  found.print(std::cout);
  ASSERT_GE(found.known.size(), 10u);
  for (const std::string& path : found.known) {
    const golden::Network expected = golden::read_network(path);
    SCOPED_TRACE(expected.name);
    const Graph graph = build_golden_network(expected);
    const Shape input = {expected.height, expected.width, 3};
    EXPECT_EQ(graph.name, expected.name);
    EXPECT_EQ(graph.input().shape, input);
    EXPECT_EQ(graph.output().shape, Shape{expected.classes});

    const Summary counts = summary(graph);
    EXPECT_EQ(counts.parameters, expected.parameters);
    EXPECT_EQ(counts.run_stats, expected.run_stats);
    EXPECT_EQ(counts.tensors, expected.tensors);
    EXPECT_EQ(counts.macs, expected.macs);

    const std::vector<Parameter> found_parameters = parameters(graph);
    ASSERT_EQ(found_parameters.size(), expected.state_dict.size());
    for (std::size_t i = 0; i < found_parameters.size(); ++i) {
      ASSERT_EQ(found_parameters[i].name, expected.state_dict[i].name) << "entry " << i;
      ASSERT_EQ(found_parameters[i].shape, expected.state_dict[i].shape) << found_parameters[i].name;
      ASSERT_EQ(found_parameters[i].role == ParameterRole::counter, expected.state_dict[i].dtype == "I64");
    }
    for (const Node& node : graph.nodes) {
      if (const auto* norm = std::get_if<op::BatchNorm>(&node.op)) {
        ASSERT_EQ(expected.bn_epsilon, std::vector<double>{std::stod(std::to_string(norm->epsilon))}) << node.name;
      }
    }
  }
}

TEST(GoldenStructure, EveryTrainingRunHasTheReferencesStateDict) {
  const GoldenNetworks found = find_golden_networks("train_");
  found.print(std::cout);
  ASSERT_GE(found.known.size(), 3u);
  for (const std::string& path : found.known) {
    const golden::Training expected = golden::read_training(path);
    SCOPED_TRACE(expected.name);
    const Graph graph = build_golden_network(expected, "train_");
    EXPECT_EQ(summary(graph).parameters, expected.parameters);
    const std::vector<Parameter> found_parameters = parameters(graph);
    ASSERT_EQ(found_parameters.size(), expected.state_dict.size());
    for (std::size_t i = 0; i < found_parameters.size(); ++i) {
      ASSERT_EQ(found_parameters[i].name, expected.state_dict[i].name) << "entry " << i;
      ASSERT_EQ(found_parameters[i].shape, expected.state_dict[i].shape) << found_parameters[i].name;
    }
  }
}

}  // namespace
}  // namespace linnet
