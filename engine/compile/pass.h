// The passes of the inference compiler: functions Network -> Network, run in the order of the table in pass.cpp.
//
// What every pass keeps: the weights are exactly the parameters of the graph, shapes are inferred, the first node is
// the input, the outputs are as many in the same order, every node is used, and the function that the network computes
// is the same.
#pragma once

#include <span>

#include "engine/compile/network.h"

namespace linnet::compiler {

struct Pass {
  const char* name;
  Network (*run)(Network network);
};

std::span<const Pass> passes();

/// Blur pools become the depthwise convolutions that they are. Always runs, before all others.
Network replace_blur_pools(Network network);

/// Dropout and drop path do nothing at inference; without them convolutions and adds become neighbours.
Network remove_training_nodes(Network network);

/// Computes once what several nodes compute from the same inputs without weights: cells of NASNet activate the same
/// map each for itself.
Network merge_equal_nodes(Network network);

/// Activates the parts of a concatenation that nothing but an activation reads: the sums and convolutions that make
/// the parts can do that themselves.
Network activate_before_concat(Network network);

/// Puts a batch norm into the bias and the row scales of the convolution or linear layer before it, if nobody else
/// reads that. Any other batch norm becomes a depthwise 1x1 convolution, which it is, and which the later passes
/// understand.
Network fold_batch_norm(Network network);

/// Lets the convolution, linear layer or sum before an activation apply it to its own output.
Network fuse_activation(Network network);

/// Lets the convolution before a sum add the other summand: output = activation(conv + bias + residual).
Network fuse_residual(Network network);

}  // namespace linnet::compiler
