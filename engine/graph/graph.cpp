// Building a graph and checking it as a whole.
#include "linnet/graph.h"

#include <unordered_set>
#include <utility>

#include "engine/graph/op_fields.h"
#include "linnet/error.h"

namespace linnet {

namespace {

std::string place(const Graph& graph, std::size_t index, const std::string& name) {
  return "graph \"" + graph.name + "\", node " + std::to_string(index) + " (\"" + name + "\")";
}

/// The shapes of the inputs of a node that stands, or will stand, at `index`.
std::vector<Shape> input_shapes(const Graph& graph, std::size_t index, const std::string& name,
                                const std::vector<int>& inputs) {
  std::vector<Shape> shapes;
  shapes.reserve(inputs.size());
  for (const int input : inputs) {
    if (input < 0 || static_cast<std::size_t>(input) >= index) {
      throw Error(place(graph, index, name) + ": expected the index of an earlier node as input, found " +
                  std::to_string(input));
    }
    shapes.push_back(graph.nodes[static_cast<std::size_t>(input)].shape);
  }
  return shapes;
}

void check_outputs(const Graph& graph, const std::vector<int>& outputs) {
  for (const int output : outputs) {
    if (output >= 0 && static_cast<std::size_t>(output) < graph.nodes.size()) continue;
    throw Error("graph \"" + graph.name + "\": expected outputs among its " + std::to_string(graph.nodes.size()) +
                " nodes, found node " + std::to_string(output));
  }
}

}  // namespace

std::vector<int> Graph::output_nodes() const {
  return outputs.empty() ? std::vector{static_cast<int>(nodes.size()) - 1} : outputs;
}

void infer_shapes(Graph& graph) {
  if (graph.nodes.empty()) throw Error("graph \"" + graph.name + "\": expected at least an input node, found none");
  if (graph.nodes.size() > limit::nodes) {
    throw Error("graph \"" + graph.name + "\": expected at most " + std::to_string(limit::nodes) + " nodes, found " +
                std::to_string(graph.nodes.size()));
  }
  std::unordered_set<std::string> names;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    if (node.name.empty()) throw Error(place(graph, i, node.name) + ": expected a name, found none");
    if (!names.insert(node.name).second) throw Error(place(graph, i, node.name) + ": the name is taken");
    if (std::holds_alternative<op::Input>(node.op) != (i == 0)) {
      throw Error(place(graph, i, node.name) + ": expected the first node, and no other, to be the input, found " +
                  op_name(node.op));
    }
    node.shape = infer_shape(node.name, node.op, input_shapes(graph, i, node.name, node.inputs));
  }
  check_outputs(graph, graph.outputs);
}

Graph cut_to_outputs(Graph graph, const std::vector<int>& outputs) {
  check_outputs(graph, outputs);
  std::vector<Node>& nodes = graph.nodes;
  std::vector<bool> alive(nodes.size());
  alive.front() = true;
  for (const int output : outputs) alive[static_cast<std::size_t>(output)] = true;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    if (!alive[i]) continue;
    for (const int input : nodes[i].inputs) alive[static_cast<std::size_t>(input)] = true;
  }

  std::vector<int> new_index(nodes.size());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!alive[i]) continue;
    for (int& input : nodes[i].inputs) input = new_index[static_cast<std::size_t>(input)];
    new_index[i] = static_cast<int>(kept);
    if (kept != i) nodes[kept] = std::move(nodes[i]);
    ++kept;
  }
  nodes.resize(kept);
  graph.outputs.clear();
  if (outputs.size() == 1) return graph;  // what is left of its nodes ends with it
  for (const int output : outputs) graph.outputs.push_back(new_index[static_cast<std::size_t>(output)]);
  return graph;
}

Graph with_input_size(Graph graph, Index height, Index width) {
  if (graph.nodes.empty() || !std::holds_alternative<op::Input>(graph.nodes.front().op)) {
    throw Error("graph \"" + graph.name + "\": expected an input node to resize, found none");
  }
  auto& input = std::get<op::Input>(graph.nodes.front().op);
  input.height = height;
  input.width = width;
  infer_shapes(graph);
  return graph;
}

GraphBuilder::GraphBuilder(std::string name, Index height, Index width, Index channels) {
  graph_.name = std::move(name);
  add("input", op::Input{height, width, channels}, {});
}

int GraphBuilder::add(std::string name, Op op, std::vector<int> inputs) {
  const std::size_t index = graph_.nodes.size();
  Shape shape = infer_shape(name, op, input_shapes(graph_, index, name, inputs));
  graph_.nodes.push_back({std::move(name), std::move(op), std::move(inputs), std::move(shape)});
  return static_cast<int>(index);
}

Graph GraphBuilder::finish() && {
  infer_shapes(graph_);
  return std::move(graph_);
}

}  // namespace linnet
