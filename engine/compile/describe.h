// What a plan says about itself.
#pragma once

#include <string>

#include "linnet/graph.h"

namespace linnet::compiler {

/// "conv 3x3/2 depthwise +bias +relu6", "max_pool 3x3/2", "add +relu".
std::string describe(const Op& op);

}  // namespace linnet::compiler
