// Graphs and helpers for the tests of the compiler and of sessions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "linnet/compile.h"
#include "linnet/model.h"

namespace linnet::test {

/// Weights in sensible ranges, batch-norm statistics away from their defaults.
Model random_model(Graph graph, std::uint64_t seed);

std::vector<float> random_values(Index size, std::uint64_t seed);

/// Compiles, runs once in a fresh session of options.threads, returns the output, or several one behind the other.
std::vector<float> run_plan(const Model& model, const CompileOptions& options, const std::vector<float>& input);

std::vector<float> random_input(const Model& model, Index batch, std::uint64_t seed);

/// max |a - b| / max |b|
double relative_difference(const std::vector<float>& a, const std::vector<float>& b);

/// Small networks that between them use every op in every way that the compiler treats differently.
std::vector<Graph> handmade_graphs();

/// Ops that apply an activation or add a residual already, and so can take neither another one nor a batch norm. Only
/// the compiler makes such graphs; training models refuse them.
Graph fused_before();

/// Blocks, two of them behind first convolutions, that run row by row because their maps of 147,936 values do not stay
/// in second-level caches of up to 2 MB.
Graph large_maps();

/// Any ops on any earlier nodes.
Graph random_graph(std::uint64_t seed);

/// Units as real networks have them (blocks with and without squeeze-and-excite, shuffles, groups, attention, pools,
/// branches) on maps of odd sizes, up to 90 pixels wide; some have several outputs.
Graph random_network(std::uint64_t seed);

/// How many nodes hold the op.
template <class Wanted>
int count(const Graph& graph) {
  int found = 0;
  for (const Node& node : graph.nodes) found += std::holds_alternative<Wanted>(node.op) ? 1 : 0;
  return found;
}

}  // namespace linnet::test
