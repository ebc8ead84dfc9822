// The description of a network: plain data, built once, read by everyone (training, compiler, summary, files).
#pragma once

#include <string>
#include <vector>

#include "linnet/ops.h"
#include "linnet/tensor.h"

namespace linnet {

struct Node {
  std::string name;  ///< unique; the prefix of its parameters' names ("blocks.0.0.conv_dw")
  Op op;
  std::vector<int> inputs;  ///< indices of earlier nodes
  Shape shape;              ///< of the output, per sample: [height, width, channels] or [features]
};

/// Nodes in topological order; the first is the input.
struct Graph {
  std::string name;  ///< "mobilenetv2_100"
  std::vector<Node> nodes;
  std::vector<int> outputs = {};  ///< indices of the nodes whose values the network gives; empty: the last one alone

  const Node& input() const { return nodes.front(); }
  /// The only output, or the last of several.
  const Node& output() const {
    return outputs.empty() ? nodes.back() : nodes[static_cast<std::size_t>(outputs.back())];
  }
  /// `outputs`, or the index of the last node.
  std::vector<int> output_nodes() const;
};

enum class ParameterRole : std::uint8_t {
  weight,  ///< of a convolution or linear layer
  bias,
  gamma,  ///< a batch norm's ".weight"
  beta,   ///< a batch norm's ".bias"
  layer_scale,
  running_mean,
  running_var,
  counter,  ///< ".num_batches_tracked": a scalar, int64 in files, optional when loading
};

/// True for what an optimiser updates: all but running statistics and counters.
bool is_learnable(ParameterRole role);

struct Parameter {
  std::string name;  ///< state-dict name, "blocks.0.0.bn1.running_mean"
  Shape shape;       ///< reference layout
  ParameterRole role;
  int node;  ///< index of the owner
};

/// The parameters of one node / of all nodes in order. Derived from ops and shapes, never stored.
std::vector<Parameter> parameters(const Graph& graph, int node);
std::vector<Parameter> parameters(const Graph& graph);

/// The output shape of an op given its input shapes. Throws linnet::Error that names `node_name`, the op, what it
/// expected and what it found.
Shape infer_shape(const std::string& node_name, const Op& op, const std::vector<Shape>& inputs);

/// Recomputes every shape, for instance after the input size has changed. Checks the whole graph: topological order,
/// unique names, number of inputs, outputs that exist.
void infer_shapes(Graph& graph);

/// The same network for another input size. Throws linnet::Error if it is too small somewhere.
Graph with_input_size(Graph graph, Index height, Index width);

/// The part of a network that these nodes depend on, with their values, in this order, as its outputs. Names stay, so
/// that weights of the whole serve the part. Throws linnet::Error if there is no such node.
Graph cut_to_outputs(Graph graph, const std::vector<int>& outputs);

/// Top and left padding of a window on an axis of this size ...
Index padding_before(const Padding& padding, Index size, Index kernel, Index stride, Index dilation);
/// ... and its number of outputs (0 if none fits).
Index window_outputs(const Padding& padding, Index size, Index kernel, Index stride, Index dilation, bool ceil_mode);

/// JSON text of the graph, as it stands in model files, and back. Unknown ops and fields, missing fields and values
/// of a wrong type or range each give a linnet::Error with their place in the text.
std::string to_json(const Graph& graph);
Graph graph_from_json(const std::string& text);

/// Adds nodes one by one, inferring shapes as it goes. Returned integers are node indices.
class GraphBuilder {
 public:
  GraphBuilder(std::string name, Index height, Index width, Index channels);

  int input() const { return 0; }
  int add(std::string name, Op op, std::vector<int> inputs);
  const Op& op(int node) const { return graph_.nodes[static_cast<std::size_t>(node)].op; }
  const Shape& shape(int node) const { return graph_.nodes[static_cast<std::size_t>(node)].shape; }
  Index channels(int node) const { return shape(node).back(); }

  /// The finished graph; the last node added is its output.
  Graph finish() &&;

 private:
  Graph graph_;
};

}  // namespace linnet
