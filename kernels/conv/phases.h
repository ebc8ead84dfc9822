// The gradient of a convolution's input as forward convolutions over the output gradient.
//
// Input row y receives from kernel row ky of output row (y + pad - ky * dilation) / stride where that is whole. For the
// input rows of one residue (phase) modulo the stride these kernel rows are an arithmetic progression, and output rows
// move on by one as y moves by a stride: an ordinary convolution with some of the taps. Columns are the same. So
// nothing is scattered, every input pixel is written once, and no tap is multiplied by a stride's zeros.
#pragma once

#include <numeric>
#include <vector>

#include "kernels/common/window.h"
#include "kernels/pointwise/split.h"

namespace linnet::kernels {

/// One residue along one axis.
struct AxisPhase {
  Index begin = 0;         ///< the first input coordinate; the next ones follow a stride apart
  Index count = 0;         ///< of them
  Index source = 0;        ///< output coordinate that tap 0 of the first one reads
  Index taps = 0;          ///< may be 0: these inputs have no gradient
  Index kernel_begin = 0;  ///< kernel coordinate of tap 0; taps descend, so that sources ascend
  Index kernel_step = 0;
};

/// All residues. Tap t has kernel coordinate kernel_begin - t * kernel_step and reads output coordinate
/// source + t * source_step (+ i for the i-th input coordinate of the phase).
inline Index phase_source_step(Index stride, Index dilation) { return dilation / std::gcd(stride, dilation); }

inline std::vector<AxisPhase> axis_phases(Index in_size, Index kernel, Index stride, Index dilation, Index pad) {
  const Index kernel_step = stride / std::gcd(stride, dilation);
  std::vector<AxisPhase> phases;
  for (Index begin = 0; begin < std::min(stride, in_size); ++begin) {
    AxisPhase phase;
    phase.begin = begin;
    phase.count = divide_up(in_size - begin, stride);
    phase.kernel_step = kernel_step;
    for (Index k = 0; k < std::min(kernel, kernel_step); ++k) {
      if ((begin + pad - k * dilation) % stride != 0) continue;
      phase.taps = divide_up(kernel - k, kernel_step);
      phase.kernel_begin = k + (phase.taps - 1) * kernel_step;
      phase.source = (begin + pad - phase.kernel_begin * dilation) / stride;
    }
    phases.push_back(phase);
  }
  return phases;
}

}  // namespace linnet::kernels
