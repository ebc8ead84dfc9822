// What passes need to rewrite a graph.
#pragma once

#include <vector>

#include "engine/compile/network.h"

namespace linnet::compiler {

inline Node& node_at(Graph& graph, int index) { return graph.nodes[static_cast<std::size_t>(index)]; }
inline const Node& node_at(const Graph& graph, int index) { return graph.nodes[static_cast<std::size_t>(index)]; }

/// How often each node's value is read; whoever gets the network's outputs reads those.
std::vector<int> count_readers(const Graph& graph);

/// Lets the readers of `node`, which has one input, read that input instead.
void bypass(Graph& graph, int node);

/// Removes the nodes that no output depends on, and the weights that no node owns.
void remove_dead_nodes(Network& network);

/// y = x * scale + shift, per channel.
struct Affine {
  Tensor scale, shift;
};
bool is_affine(const Op& op);
/// Of a batch norm with its running statistics, or of a layer scale.
Affine affine_of(const Network& network, const Node& node);

}  // namespace linnet::compiler
