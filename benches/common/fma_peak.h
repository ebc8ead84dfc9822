// What this CPU's multiply-adders do when nothing else holds them up: the peak that convolutions are read against.
#pragma once

#include <vector>

#include "linnet/cpu.h"

namespace linnet::bench {

struct FmaLoop {
  Isa isa;
  double operations;  ///< floating-point operations of one call
  float (*run)(float value);
};

/// Of the instruction sets of this architecture that have vectors, supported by this CPU or not.
std::vector<FmaLoop> fma_loops();

/// The best of some rounds, a fraction of a second in all, in GFLOP/s; 0 for an instruction set without such a loop.
double fma_peak(Isa isa, int threads);

}  // namespace linnet::bench
