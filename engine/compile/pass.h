// The passes of the inference compiler: functions Model -> Model, run in the order of the table in pass.cpp.
//
// What every pass keeps: the weights are exactly the parameters of the graph, shapes are inferred, the first node is
// the input, the outputs are as many in the same order, every node is used, and the function that the network computes
// is the same.
#pragma once

#include <span>

#include "linnet/model.h"

namespace linnet::compiler {

struct Pass {
  const char* name;
  Model (*run)(Model model);
};

std::span<const Pass> passes();

/// Dropout and drop path do nothing at inference; without them convolutions and adds become neighbours.
Model remove_training_nodes(Model model);

/// Computes once what several nodes compute from the same inputs without weights: cells of NASNet activate the same
/// map each for itself.
Model merge_equal_nodes(Model model);

/// Activates the parts of a concatenation that nothing but an activation reads: the sums and convolutions that make
/// the parts can do that themselves.
Model activate_before_concat(Model model);

/// Puts a batch norm into the weights of the convolution or linear layer before it, if nobody else reads that. Any
/// other batch norm becomes a depthwise 1x1 convolution, which it is, and which the later passes understand.
Model fold_batch_norm(Model model);

/// Lets the convolution, linear layer or sum before an activation apply it to its own output.
Model fuse_activation(Model model);

/// Lets the convolution before a sum add the other summand: output = activation(conv + bias + residual).
Model fuse_residual(Model model);

}  // namespace linnet::compiler
