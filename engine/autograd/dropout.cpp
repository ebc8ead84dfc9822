// Dropout and stochastic depth. Nothing is saved for the way back: the random numbers are drawn again.
#include <bit>

#include "engine/autograd/checks.h"
#include "linnet/autograd_ops.h"
#include "linnet/random.h"

namespace linnet::autograd {
namespace {

/// output = input where the random number of its group of `group` consecutive values says keep, scaled; else 0.
void drop(const CounterRandom& random, float rate, Index group, const Tensor& input, Tensor& output, ThreadPool& pool) {
  constexpr Index chunk = 1 << 14;
  const float scale = 1.0f / (1.0f - rate);
  const float* from = input.data();
  float* to = output.data();
  pool.run((input.size() + chunk - 1) / chunk, [&](Index index, int) {
    const Index end = std::min(input.size(), (index + 1) * chunk);
    Index i = index * chunk;
    for (Index g = i / group; i < end; ++g) {
      // A branch would be guessed wrong half of the time.
      const std::uint32_t mask = random.uniform(static_cast<std::uint64_t>(g)) < rate ? 0u : ~0u;
      for (const Index group_end = std::min(end, (g + 1) * group); i < group_end; ++i)
        to[i] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(scale * from[i]) & mask);
    }
  });
}

Variable drop_groups(const char* operation, const Variable& x, float rate, Index group, std::uint64_t seed,
                     std::uint64_t stream, ThreadPool& pool) {
  if (!(rate >= 0.0f && rate < 1.0f))
    throw Error(std::string(operation) + ": expected a rate in [0, 1), found " + std::to_string(rate));
  if (rate == 0.0f) return x;
  const CounterRandom random(seed, stream);
  Tensor output(x.shape());
  drop(random, rate, group, x.value(), output, pool);
  return Variable::record(operation, std::move(output), {x}, [=, &pool](const Tensor& gradient) {
    Tensor result = reuse_or_allocate(gradient);
    drop(random, rate, group, gradient, result, pool);
    return std::vector<Tensor>{result};
  });
}

}  // namespace

Variable dropout(const Variable& x, float rate, std::uint64_t seed, std::uint64_t stream, ThreadPool& pool) {
  return drop_groups("dropout", x, rate, 1, seed, stream, pool);
}

Variable drop_path(const Variable& x, float rate, std::uint64_t seed, std::uint64_t stream, ThreadPool& pool) {
  return drop_groups("drop_path", x, rate, std::max<Index>(element_count(sample_shape(x)), 1), seed, stream, pool);
}

}  // namespace linnet::autograd
