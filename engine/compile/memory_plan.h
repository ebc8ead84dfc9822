// Where in one block of memory each intermediate tensor lives.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace linnet::compiler {

/// A buffer that holds something from the start of step `first` to the end of step `last`.
struct BufferRequest {
  std::uint64_t size = 0;  ///< in any unit
  int first = 0, last = 0;
};

struct MemoryPlan {
  std::vector<std::uint64_t> offsets;  ///< one per request, multiples of the alignment
  std::uint64_t size = 0;
  std::uint64_t lower_bound = 0;  ///< the most that is alive at one step: no plan can be smaller
};

/// Buffers whose lifetimes overlap get disjoint places.
MemoryPlan plan_memory(std::span<const BufferRequest> requests, std::uint64_t alignment);

}  // namespace linnet::compiler
