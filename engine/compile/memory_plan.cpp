#include "engine/compile/memory_plan.h"

#include <algorithm>
#include <numeric>

namespace linnet::compiler {
namespace {

using Sizes = std::vector<std::uint64_t>;

bool overlap(const BufferRequest& a, const BufferRequest& b) { return a.first <= b.last && b.first <= a.last; }

/// The lowest place that is free during the whole life of `wanted`. `placed` is sorted by offset.
std::uint64_t lowest_gap(std::span<const BufferRequest> requests, const Sizes& sizes, const Sizes& offsets,
                         const std::vector<std::size_t>& placed, std::size_t wanted) {
  std::uint64_t offset = 0;
  for (const std::size_t other : placed) {
    if (!overlap(requests[wanted], requests[other])) continue;
    if (offsets[other] >= offset + sizes[wanted]) break;
    offset = std::max(offset, offsets[other] + sizes[other]);
  }
  return offset;
}

/// Places the buffers one by one in the given order.
MemoryPlan place(std::span<const BufferRequest> requests, const Sizes& sizes, const std::vector<std::size_t>& order) {
  MemoryPlan plan;
  plan.offsets.resize(requests.size());
  std::vector<std::size_t> placed;
  for (const std::size_t buffer : order) {
    const std::uint64_t offset = lowest_gap(requests, sizes, plan.offsets, placed, buffer);
    plan.offsets[buffer] = offset;
    plan.size = std::max(plan.size, offset + sizes[buffer]);
    const auto higher = [&](std::uint64_t value, std::size_t other) { return value < plan.offsets[other]; };
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset, higher), buffer);
  }
  return plan;
}

std::uint64_t most_alive(std::span<const BufferRequest> requests, const Sizes& sizes) {
  std::uint64_t most = 0;
  for (const BufferRequest& at : requests) {  // the sum can only grow where a life begins
    std::uint64_t alive = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (requests[i].first <= at.first && at.first <= requests[i].last) alive += sizes[i];
    }
    most = std::max(most, alive);
  }
  return most;
}

}  // namespace

MemoryPlan plan_memory(std::span<const BufferRequest> requests, std::uint64_t alignment) {
  Sizes sizes;
  for (const BufferRequest& request : requests) {
    sizes.push_back((request.size + alignment - 1) / alignment * alignment);
  }
  const std::uint64_t lower_bound = most_alive(requests, sizes);

  // Large buffers first, or those that live long; then, as long as that leaves a gap, whatever ended highest goes
  // before all others. A few such rounds reach the lower bound for most networks.
  constexpr int rounds = 50;
  const auto larger = [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; };
  const auto longer = [&](std::size_t a, std::size_t b) {
    return requests[a].last - requests[a].first > requests[b].last - requests[b].first;
  };
  std::vector<std::size_t> by_size(requests.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(), larger);
  std::vector<std::size_t> by_life = by_size;
  std::stable_sort(by_life.begin(), by_life.end(), longer);
  MemoryPlan best = place(requests, sizes, by_size);
  for (std::vector<std::size_t>* order : {&by_size, &by_life}) {
    for (int round = 0; round < rounds && best.size > lower_bound; ++round) {
      const MemoryPlan plan = place(requests, sizes, *order);
      if (plan.size < best.size) best = plan;
      const auto highest = std::find_if(order->begin(), order->end(), [&](std::size_t buffer) {
        return plan.offsets[buffer] + sizes[buffer] == plan.size;
      });
      std::rotate(order->begin(), highest, highest + 1);
    }
  }
  best.lower_bound = lower_bound;
  return best;
}

}  // namespace linnet::compiler
