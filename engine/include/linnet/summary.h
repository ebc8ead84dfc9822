// Parameters, multiply-adds and activation sizes of a network, per layer and in all.
#pragma once

#include <string>
#include <vector>

#include "linnet/graph.h"

namespace linnet {

/// Counting rules: `parameters` are learnable values; `run_stats` the values in running means and variances; `tensors`
/// the entries of the state dict, counters included; `macs` multiply-adds of convolutions and linear layers at batch 1.
struct LayerSummary {
  std::string name;
  std::string op;
  Shape shape;
  Index parameters = 0;
  Index macs = 0;
  Index activation_bytes = 0;  ///< of the output, float32
};

struct Summary {
  std::vector<LayerSummary> layers;
  Index parameters = 0;
  Index run_stats = 0;
  Index tensors = 0;
  Index macs = 0;
  Index activation_bytes = 0;
};

Summary summary(const Graph& graph);

}  // namespace linnet
