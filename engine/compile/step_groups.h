// Nodes that run as one step.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/compile/step.h"

namespace linnet::compiler {

/// Some nodes of a graph that has been through the passes. Nothing outside the group reads a node inside but its last.
struct StepGroup {
  std::vector<int> nodes;   ///< in topological order; the last one is the group's output
  std::vector<int> inputs;  ///< nodes outside, in the order in which the step takes them
  std::function<std::unique_ptr<Step>(const StepSource& source)> make;

  int last() const { return nodes.back(); }
};

/// Like a pass, but it decides what runs together and leaves the graph as it is.
struct GroupPass {
  const char* name;
  /// Adds groups of nodes that are not `taken` yet.
  void (*find)(const Graph& graph, const std::vector<bool>& taken, std::vector<StepGroup>& groups);
};

/// In the order in which they run.
std::span<const GroupPass> group_passes();

/// [slice ->] [expansion ->] depthwise convolution -> [squeeze-and-excite ->] [projection], the block of MobileNetV2
/// and of most networks after it.
void find_inverted_residuals(const Graph& graph, const std::vector<bool>& taken, std::vector<StepGroup>& groups);

/// Concatenation of two halves, the first perhaps a slice, and a shuffle with two groups: how a unit of ShuffleNetV2
/// ends.
void find_interleaves(const Graph& graph, const std::vector<bool>& taken, std::vector<StepGroup>& groups);

/// Convolutions that nothing but a concatenation reads: they write into its output.
void find_conv_concats(const Graph& graph, const std::vector<bool>& taken, std::vector<StepGroup>& groups);

/// Nodes by who reads them; -1: whoever gets the network's outputs.
class Readers {
 public:
  explicit Readers(const Graph& graph);

  const std::vector<int>& of(int node) const { return readers_[static_cast<std::size_t>(node)]; }
  /// The only reader, or -1 if there are others or it is no node.
  int only(int node) const { return of(node).size() == 1 ? of(node).front() : -1; }

 private:
  std::vector<std::vector<int>> readers_;
};

/// The op of a node, or null if it is another one or there is no such node.
template <class Candidate>
const Candidate* op_at(const Graph& graph, int node) {
  return node < 0 ? nullptr : std::get_if<Candidate>(&graph.nodes[static_cast<std::size_t>(node)].op);
}

}  // namespace linnet::compiler
