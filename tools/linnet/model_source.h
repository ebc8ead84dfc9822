// A model as people name it on the command line: the name of a network, or a model file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "linnet/compile.h"
#include "linnet/model.h"

namespace linnet::tools {

/// The network behind a name, or the graph in a file. A file is what exists on disk or has a '/' or ".safetensors" in
/// its name. `feature_strides`: as in BuildOptions, for names alone.
Graph graph_from(const std::string& name_or_file, const std::vector<Index>& feature_strides = {});

/// A plan for the network with zeros for weights: for questions whose answer does not depend on them.
std::shared_ptr<const Plan> plan_of(const Graph& graph, const CompileOptions& options = {});

/// {"mobilenetv2_100", 224, 224, 3, 1000}: what a graph takes and gives, for messages.
std::string describe(const Graph& graph);

/// The shapes of the outputs, a space before each.
std::string outputs_of(const Graph& graph);

}  // namespace linnet::tools
