// Cutting work into chunks, by its shape alone.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/common/range.h"

namespace linnet::kernels {

inline Index divide_up(Index a, Index b) { return (a + b - 1) / b; }

/// Part `part` of [0, size) cut into `parts` parts whose sizes differ by one at most.
inline Range split(Index size, Index parts, Index part) {
  const Index base = size / parts, rest = size % parts;
  const Index begin = part * base + std::min(part, rest);
  return {begin, begin + base + (part < rest ? 1 : 0)};
}

/// Multiply-adds that make a chunk worth handing to a thread: tens of microseconds.
constexpr std::int64_t chunk_work = 1 << 20;

/// The number of chunks for so many multiply-adds, at most `limit`.
inline Index chunk_count(std::int64_t work, Index limit) {
  const std::int64_t chunks = (work + chunk_work / 2) / chunk_work;
  return static_cast<Index>(std::clamp<std::int64_t>(chunks, 1, std::max<Index>(limit, 1)));
}

/// How a product of [rows][depth] and [depth][columns] is cut: every chunk reads one operand as a whole, so that should
/// be the smaller one.
struct ProductCut {
  bool by_panels;
  Index chunks;
};

inline ProductCut cut_product(Index rows, Index depth, Index columns, Index panels, Index tile_rows) {
  const std::int64_t work = std::int64_t{rows} * depth * columns;
  if (rows <= columns) return {true, chunk_count(work, panels)};
  // Some tiles for each pass over the weights, unless these stay in the first-level cache.
  constexpr Index few_weights = 8 * 1024, fewest_tiles = 4;
  const Index tiles = divide_up(rows, tile_rows);
  return {false, chunk_count(work, depth * columns <= few_weights ? tiles : tiles / fewest_tiles)};
}

}  // namespace linnet::kernels
