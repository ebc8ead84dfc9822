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

}  // namespace linnet::kernels
