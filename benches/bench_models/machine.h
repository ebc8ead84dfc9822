#pragma once

#include <string>

namespace linnet::bench {

/// What the figures were measured on, a few lines: CPU, instruction set, caches, cores, clock and governor.
std::string describe_machine();

}  // namespace linnet::bench
