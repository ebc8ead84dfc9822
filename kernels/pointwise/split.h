// Cutting work into chunks.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/common/range.h"
#include "kernels/pointwise/panels.h"

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

/// The number of chunks for so many multiply-adds, at most `limit`: for sums whose bits depend on the cut.
inline Index chunk_count(std::int64_t work, Index limit) {
  const std::int64_t chunks = (work + chunk_work / 2) / chunk_work;
  return static_cast<Index>(std::clamp<std::int64_t>(chunks, 1, std::max<Index>(limit, 1)));
}

/// The same where the cut does not change what is computed: none for one thread; for several, small enough that a
/// thread which is held up leaves its share to the others. A region costs a third of a microsecond.
inline Index chunk_count(std::int64_t work, Index limit, int threads) {
  constexpr std::int64_t least_work = 1 << 18, chunks_per_thread = 8;
  if (threads <= 1) return 1;
  const std::int64_t chunks = std::min((work + least_work / 2) / least_work, chunks_per_thread * threads);
  return static_cast<Index>(std::clamp<std::int64_t>(chunks, 1, std::max<Index>(limit, 1)));
}

/// How a product of [rows][depth] and [depth][columns] is cut into chunks of rows or of panels: every chunk reads the
/// other operand as a whole, so that should be the smaller one.
class ProductCut {
 public:
  ProductCut(Index rows, Index depth, Index columns, Index lanes, Index tile_rows, int threads)
      : rows_(rows), tile_rows_(tile_rows), panels_(panel_count(columns, lanes)), by_panels_(rows <= columns) {
    // Some tiles for each pass over the weights, unless these stay in the first-level cache.
    constexpr Index few_weights = 8 * 1024, fewest_tiles = 4;
    const Index most = by_panels_ ? panels_ : depth * columns <= few_weights ? tiles() : tiles() / fewest_tiles;
    chunks_ = chunk_count(std::int64_t{rows} * depth * columns, most, threads);
  }

  bool by_panels() const { return by_panels_; }
  Index chunks() const { return chunks_; }
  Range panels(Index chunk) const { return by_panels_ ? split(panels_, chunks_, chunk) : Range{0, panels_}; }
  Range rows(Index chunk) const {
    if (by_panels_) return {0, rows_};
    const Range part = split(tiles(), chunks_, chunk);
    return {part.begin * tile_rows_, std::min(part.end * tile_rows_, rows_)};
  }

 private:
  Index tiles() const { return divide_up(rows_, tile_rows_); }

  Index rows_, tile_rows_, panels_;
  bool by_panels_;
  Index chunks_;
};

}  // namespace linnet::kernels
