// How output channels are cut into panels: packing and kernels share this plan, a pure function of the shape.
//
// A panel is two vectors wide, the last one is one, two or three wide, so that no vector count leaves a vector idle.
// Packed weights are [panel][in_channels][panel width]; the channels beyond the last are 0.
#pragma once

#include "linnet/types.h"

namespace linnet::kernels {

/// Rows that a weight gradient sums in registers before it adds to memory.
constexpr Index weight_gradient_rows = 128;

__attribute__((always_inline)) inline Index vector_count(Index channels, Index lanes) {
  return (channels + lanes - 1) / lanes;
}

__attribute__((always_inline)) inline Index panel_count(Index channels, Index lanes) {
  const Index vectors = vector_count(channels, lanes);
  return vectors < 2 ? vectors : vectors / 2;
}

__attribute__((always_inline)) inline Index panel_begin(Index panel, Index lanes) { return panel * 2 * lanes; }

__attribute__((always_inline)) inline Index panel_vectors(Index panel, Index channels, Index lanes) {
  const bool last = panel + 1 == panel_count(channels, lanes);
  return last ? vector_count(channels, lanes) - 2 * panel : 2;
}

}  // namespace linnet::kernels
