// Parameters, multiply-adds and activation sizes of a network, per layer and in all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "linnet/graph.h"

namespace linnet {

/// Counting rules. `parameters`: learnable values, that is weights, biases, scales and shifts of batch norms.
/// `run_stats`: values in running means and variances; a file of weights holds both. `tensors`: entries of the state
/// dict, one counter (num_batches_tracked) per batch norm included. `macs`: multiply-adds of convolutions (those of
/// squeeze-and-excite too) and linear layers at batch 1; batch norms, activations, pools, sums and scalings count
/// nothing. 64 bits also where Index has 32.
struct LayerSummary {
  std::string name;
  std::string op;
  Shape shape;
  std::int64_t parameters = 0;
  std::int64_t run_stats = 0;
  std::int64_t tensors = 0;
  std::int64_t macs = 0;
  std::int64_t activation_bytes = 0;  ///< of the output, float32
};

struct Summary {
  std::vector<LayerSummary> layers;  ///< one per node
  std::int64_t parameters = 0;
  std::int64_t run_stats = 0;
  std::int64_t tensors = 0;
  std::int64_t macs = 0;
  std::int64_t activation_bytes = 0;  ///< of all outputs; a plan needs far less, as it reuses memory
};

Summary summary(const Graph& graph);

}  // namespace linnet
