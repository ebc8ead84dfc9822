#include "dot.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>
#include <vector>

namespace linnet::tools {
namespace {

/// In quotes, with what is special in DOT escaped. "\n" stays a line break.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

/// "blocks.2.0.conv_dw" -> "blocks.2.0", "cell_3.comb_iter_0.add" -> "cell_3", "conv_stem" -> "".
std::string block_of(const std::string& name) {
  std::vector<std::string> parts;
  std::istringstream stream(name);
  for (std::string part; std::getline(stream, part, '.');) parts.push_back(part);
  const auto is_number = [](const std::string& part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  };
  std::size_t used = 1;
  while (used < parts.size() && is_number(parts[used])) ++used;
  if (used >= parts.size()) return "";
  std::string block = parts[0];
  for (std::size_t i = 1; i < used; ++i) block += "." + parts[i];
  return block;
}

std::string window_text(Index kernel, Index stride) {
  const std::string size = std::to_string(kernel);
  return " " + size + "x" + size + (stride > 1 ? " / " + std::to_string(stride) : "");
}

/// What a person wants to know of an op: "conv 3x3 / 2, 32 -> 64".
std::string op_text(const Node& node, Index in_channels) {
  if (const auto* conv = std::get_if<op::Conv2d>(&node.op)) {
    const bool depthwise = conv->groups == in_channels && conv->groups == conv->out_channels && conv->groups > 1;
    std::string text = (depthwise ? "depthwise" : "conv") + window_text(conv->kernel, conv->stride);
    if (!depthwise && conv->groups > 1) text += ", " + std::to_string(conv->groups) + " groups";
    return text + ", " + std::to_string(in_channels) + (depthwise ? "" : " -> " + std::to_string(conv->out_channels));
  }
  if (const auto* linear = std::get_if<op::Linear>(&node.op)) {
    return "linear, " + std::to_string(in_channels) + " -> " + std::to_string(linear->out_features);
  }
  if (const auto* pool = std::get_if<op::MaxPool>(&node.op))
    return "max pool" + window_text(pool->kernel, pool->stride);
  if (const auto* pool = std::get_if<op::AveragePool>(&node.op)) {
    return "average pool" + window_text(pool->kernel, pool->stride);
  }
  if (const auto* activate = std::get_if<op::Activate>(&node.op)) return std::string(to_string(activate->activation));
  std::string text = op_name(node.op);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

/// Ops that change values one by one: they stand in the box of their input.
bool joins_input(const Op& op) {
  return std::holds_alternative<op::BatchNorm>(op) || std::holds_alternative<op::Activate>(op) ||
         std::holds_alternative<op::Dropout>(op) || std::holds_alternative<op::DropPath>(op) ||
         std::holds_alternative<op::LayerScale>(op) || std::holds_alternative<op::Flatten>(op);
}

}  // namespace

std::string to_dot(const Graph& graph) {
  const std::size_t count = graph.nodes.size();
  std::vector<int> readers(count);
  for (const Node& node : graph.nodes) {
    for (const int input : node.inputs) ++readers[static_cast<std::size_t>(input)];
  }
  std::vector<std::size_t> box(count);  // of each node: the node that it is drawn with
  std::vector<std::string> labels(count);
  std::map<std::string, std::vector<std::size_t>> blocks;
  std::vector<std::string> order;  // of the blocks
  for (std::size_t i = 0; i < count; ++i) {
    const Node& node = graph.nodes[i];
    const auto source = node.inputs.empty() ? i : static_cast<std::size_t>(node.inputs[0]);
    const Index channels = node.inputs.empty() ? 0 : graph.nodes[source].shape.back();
    const bool joins = joins_input(node.op) && readers[source] == 1 && source != 0;
    box[i] = joins ? box[source] : i;
    labels[box[i]] += (joins ? ", " : node.name + "\n") + op_text(node, channels);
    if (joins) continue;
    const std::string block = block_of(node.name);
    if (!blocks.contains(block)) order.push_back(block);
    blocks[block].push_back(i);
  }

  std::ostringstream out;
  out << "digraph " << quoted(graph.name) << " {\n  node [shape=box, style=rounded, fontname=Helvetica, fontsize=10];\n"
      << "  edge [fontname=Helvetica, fontsize=8, arrowsize=0.6];\n";
  for (const std::string& block : order) {
    const bool framed = !block.empty() && blocks[block].size() > 1;
    if (framed) {
      out << "  subgraph " << quoted("cluster_" + block) << " {\n    label=" << quoted(block)
          << "; fontname=Helvetica; fontsize=10; color=gray60;\n";
    }
    for (const std::size_t i : blocks[block]) out << "    n" << i << " [label=" << quoted(labels[i]) << "];\n";
    if (framed) out << "  }\n";
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (box[i] != i) continue;
    for (const int input : graph.nodes[i].inputs) {
      const auto source = static_cast<std::size_t>(input);
      const Shape& shape = graph.nodes[source].shape;
      out << "  n" << box[source] << " -> n" << i;
      if (shape != graph.nodes[i].shape || source == 0) out << " [label=" << quoted(to_string(shape)) << "]";
      out << ";\n";
    }
  }
  out << "}\n";
  return out.str();
}

}  // namespace linnet::tools
