#include "model_source.h"

#include <filesystem>

#include "linnet/architectures.h"

namespace linnet::tools {

Graph graph_from(const std::string& name_or_file) {
  const bool file = name_or_file.find('/') != std::string::npos || name_or_file.ends_with(".safetensors") ||
                    std::filesystem::exists(name_or_file);
  return file ? load_model(name_or_file).graph : architectures::build(name_or_file);
}

std::string describe(const Graph& graph) {
  return graph.name + ", input " + to_string(graph.input().shape) + ", output " + to_string(graph.output().shape);
}

}  // namespace linnet::tools
