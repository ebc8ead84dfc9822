#include <algorithm>

#include "kernels/conv/convolution.h"
#include "kernels/conv/tiles.h"
#include "kernels/inverted_residual/inverted_residual.h"
#include "kernels/pointwise/panels.h"
#include "kernels/pointwise/split.h"
#include "linnet/cpu.h"

namespace linnet::kernels {
namespace {

/// What should fit into a first-level cache beside the input and the weights.
constexpr Index near_floats = 16 * 1024 / sizeof(float);

Index aligned(Index floats) { return static_cast<Index>(aligned_size(floats)); }

Index cache_floats(std::size_t bytes) {
  constexpr std::size_t usual = 512 * 1024;
  if (bytes == 0) bytes = cpu_info().l2_bytes;
  return static_cast<Index>((bytes != 0 ? bytes : usual) / sizeof(float));
}

std::vector<std::int32_t> positions_of(const InvertedResidualPlan& plan) {
  std::vector<std::int32_t> positions;
  for (Index y = 0; y < plan.shape.window.in_height; ++y) {
    for (Index x = 0; x < plan.shape.window.in_width; ++x) {
      positions.push_back(static_cast<std::int32_t>(y * plan.row + x * plan.lanes));
    }
  }
  return positions;
}

}  // namespace

InvertedResidualPlan plan_inverted_residual(const InvertedResidualShape& shape, std::size_t cache_bytes) {
  const Window& window = shape.window;
  const Index quarter_cache = cache_floats(cache_bytes) / 4;
  InvertedResidualPlan plan;
  plan.shape = shape;
  plan.lanes = pointwise_kernels().lanes;
  plan.blocks = vector_count(shape.channels, plan.lanes);
  const Index width =
      std::max((window.out_width - 1) * window.stride + window.kernel_width, window.pad_left + window.in_width);
  plan.row = width * plan.lanes;
  const Index row_outputs = window.out_width * plan.blocks * plan.lanes;
  const Index map = window.out_height * row_outputs;
  const Index weights = (shape.expands ? shape.in_channels * shape.channels : 0) + shape.channels * shape.out_channels;

  // A row must fill the projection's tiles; all weights are read once per row.
  constexpr Index fewest_pixels = 20;
  const bool rows_pay = window.out_width >= fewest_pixels && map > quarter_cache && weights <= quarter_cache;
  // Positions in a buffer for the whole map are 32-bit numbers.
  constexpr std::int64_t largest_map = 1 << 30;
  plan.by_rows = rows_pay || std::int64_t{window.in_height + window.kernel_height} * plan.row > largest_map;
  plan.keeps_map = shape.out_channels != 0 && (!plan.by_rows || shape.squeezed != 0);
  plan.map = plan.keeps_map ? aligned(map) : 0;
  const Index panels = panel_count(shape.channels, plan.lanes);
  plan.ring = plan.by_rows ? window.kernel_height
                           : std::max((window.out_height - 1) * window.stride + window.kernel_height,
                                      window.pad_top + window.in_height);
  const Index block = plan.ring * plan.row;
  plan.group = 2 * std::clamp<Index>(near_floats / (2 * block), 1, std::max<Index>(panels, 1));
  if (plan.by_rows) {
    if (!shape.expands) plan.group = 2 * std::max<Index>(panels, 1);  // the input is then read in one direction
    plan.expanded = plan.blocks * block;
    plan.row_map = plan.keeps_map || shape.out_channels == 0 ? 0 : row_outputs;
  } else {
    plan.expanded = (plan.group + 1) * block;
  }
  plan.groups = std::max<Index>(1, divide_up(panels * 2, plan.group));
  if (shape.has_stem)
    plan.stem_rows = aligned(convolution_row_size({shape.stem, 1, shape.in_channels, shape.channels}));
  plan.expanded = aligned(plan.expanded);
  plan.row_map = aligned(plan.row_map);
  if (shape.squeezed != 0) {
    const Index padded = plan.blocks * plan.lanes;
    plan.row_sums = aligned((plan.by_rows ? window.out_height : 1) * padded);
    plan.gates = aligned(2 * padded + shape.squeezed);
    if (shape.out_channels < window.out_height * window.out_width) {
      plan.gated_weights = aligned(static_cast<Index>(pointwise_packed_size(shape.channels, shape.out_channels)));
    }
  }
  if (!plan.by_rows && shape.expands) plan.positions = positions_of(plan);
  return plan;
}

bool fits(const InvertedResidualPlan& plan) { return !plan.shape.has_stem || (plan.by_rows && plan.stem_rows > 0); }

std::size_t inverted_residual_workspace_size(const InvertedResidualPlan& plan, int threads) {
  return static_cast<std::size_t>(threads) * static_cast<std::size_t>(plan.per_thread()) +
         static_cast<std::size_t>(plan.map + plan.row_sums + plan.gates + plan.gated_weights);
}

}  // namespace linnet::kernels
