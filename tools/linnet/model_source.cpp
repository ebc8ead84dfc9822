#include "model_source.h"

#include <filesystem>

#include "linnet/architectures.h"
#include "linnet/error.h"

namespace linnet::tools {

Graph graph_from(const std::string& name_or_file, const std::vector<Index>& feature_strides) {
  const bool file = name_or_file.find('/') != std::string::npos || name_or_file.ends_with(".safetensors") ||
                    std::filesystem::exists(name_or_file);
  if (!file) return architectures::build(name_or_file, {.feature_strides = feature_strides});
  if (!feature_strides.empty())
    throw Error(name_or_file + ": feature strides need the name of a network, found a file");
  return load_model(name_or_file).graph;
}

std::string describe(const Graph& graph) {
  return graph.name + ", input " + to_string(graph.input().shape) + ", output" + outputs_of(graph);
}

std::string outputs_of(const Graph& graph) {
  std::string text;
  for (const int output : graph.output_nodes())
    text += " " + to_string(graph.nodes[static_cast<std::size_t>(output)].shape);
  return text;
}

std::shared_ptr<const Plan> plan_of(const Graph& graph, const CompileOptions& options) {
  Model model{.graph = graph, .weights = {}, .preprocessing = {}, .labels = {}};
  for (const Parameter& parameter : parameters(graph)) {
    model.weights.emplace(parameter.name, Tensor::zeros(parameter.shape));
  }
  return compile(model, options);
}

}  // namespace linnet::tools
