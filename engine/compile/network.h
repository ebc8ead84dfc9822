// A model on its way to a plan.
#pragma once

#include "linnet/model.h"

namespace linnet::compiler {

struct Network {
  Graph graph;
  Weights weights;
  /// Name of a weight -> [rows]: what its rows, one per output channel, are still to be multiplied with. That is done
  /// when they are packed, so that large weights never exist twice.
  Weights row_scales = {};
};

/// Numbers of a convolution or linear layer.
struct LayerWeights {
  Tensor weight;     ///< [rows][...]
  Tensor row_scale;  ///< [rows]; empty: 1
  Tensor bias;       ///< [rows], of the scaled weight; empty: 0

  const float* scale() const { return row_scale.data(); }
};

/// The weight "<node>.<suffix>". Throws linnet::Error if there is none.
const Tensor& weight_of(const Network& network, const Node& node, const char* suffix);

LayerWeights layer_weights(const Network& network, const Node& node);

/// values[row][...] * row_scale[row]; `values` itself if there is no scale.
Tensor scale_rows(const Tensor& values, const Tensor& row_scale);

}  // namespace linnet::compiler
