#include "engine/compile/memory_plan.h"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "engine/compile/plan.h"
#include "linnet/architectures.h"
#include "linnet/summary.h"

namespace linnet::compiler {
namespace {

std::vector<BufferRequest> random_requests(unsigned seed) {
  std::mt19937 random(seed);
  const int steps = 1 + static_cast<int>(random() % 40);
  std::vector<BufferRequest> requests(random() % 60);
  for (BufferRequest& request : requests) {
    request.size = random() % 1000;
    request.first = static_cast<int>(random() % static_cast<unsigned>(steps));
    request.last = request.first + static_cast<int>(random() % 6);
  }
  return requests;
}

std::uint64_t most_alive(const std::vector<BufferRequest>& requests, std::uint64_t alignment) {
  std::uint64_t most = 0;
  for (int step = 0; step < 50; ++step) {
    std::uint64_t alive = 0;
    for (const BufferRequest& request : requests) {
      if (request.first > step || step > request.last) continue;
      alive += (request.size + alignment - 1) / alignment * alignment;
    }
    most = std::max(most, alive);
  }
  return most;
}

TEST(MemoryPlan, BuffersAliveTogetherAreDisjoint) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::vector<BufferRequest> requests = random_requests(seed);
    const MemoryPlan plan = plan_memory(requests, 16);
    ASSERT_EQ(plan.offsets.size(), requests.size());
    EXPECT_EQ(plan.lower_bound, most_alive(requests, 16));
    EXPECT_GE(plan.size, plan.lower_bound);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % 16, 0u);
      EXPECT_LE(plan.offsets[i] + requests[i].size, plan.size);
      for (std::size_t j = 0; j < i; ++j) {
        if (requests[i].first > requests[j].last || requests[j].first > requests[i].last) continue;
        const bool apart = plan.offsets[i] + requests[i].size <= plan.offsets[j] ||
                           plan.offsets[j] + requests[j].size <= plan.offsets[i];
        EXPECT_TRUE(apart) << "buffers " << j << " and " << i;
      }
    }
  }
}

TEST(MemoryPlan, AChainNeedsItsTwoLargestNeighbours) {
  const std::vector<BufferRequest> chain = {{64, 0, 1}, {96, 1, 2}, {32, 2, 3}, {128, 3, 4}, {16, 4, 5}};
  const MemoryPlan plan = plan_memory(chain, 16);
  EXPECT_EQ(plan.lower_bound, 160u);
  EXPECT_EQ(plan.size, 160u);
}

Model zero_model(Graph graph) {
  Model model;
  for (const Parameter& parameter : parameters(graph)) model.weights[parameter.name] = Tensor::zeros(parameter.shape);
  model.graph = std::move(graph);
  return model;
}

TEST(MemoryPlan, ArenaIsCloseToTheLowerBound) {
  int networks = 0;
  for (const architectures::Variant& variant : architectures::variants()) {
    const Model model = zero_model(architectures::build(variant.name));
    if (summary(model.graph).parameters > 4'000'000) continue;  // packing the weights of the large ones takes long
    SCOPED_TRACE(variant.name);
    const auto plan = compile(model, {.batch = 1, .threads = 2, .disabled_passes = {}});
    const auto bound = plan->implementation().arena_lower_bound * sizeof(float);
    EXPECT_LE(static_cast<double>(plan->arena_bytes()), 1.05 * static_cast<double>(bound));
    ++networks;
  }
  std::cout << networks << " networks\n";
}

}  // namespace
}  // namespace linnet::compiler
