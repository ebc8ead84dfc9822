// What the published training codes draw first weights from.
#pragma once

#include "linnet/architectures.h"
#include "linnet/ops.h"

namespace linnet::architectures {

/// Of a network's layers; where one differs from these its builder says so.
struct InitialRule {
  Initial stem, conv, classifier;  ///< `classifier`: all linear layers, and a last convolution in place of one
  float beta = 0;                  ///< of batch norms
};

InitialRule initial_rule(Initialisation initialisation);

}  // namespace linnet::architectures
