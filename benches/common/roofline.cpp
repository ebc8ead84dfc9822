#include "benches/common/roofline.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <map>
#include <vector>

#include "benches/common/fma_peak.h"

namespace linnet::bench {

double copy_speed(std::size_t working_set) {
  using CopyClock = std::chrono::steady_clock;
  constexpr std::size_t least = 4096, moved_per_round = 4 << 20;
  constexpr int rounds = 20;
  const std::size_t size = std::max(working_set / 2, least), copies = std::max<std::size_t>(moved_per_round / size, 1);
  // Apart by half a page and some: stores a page away from loads would hold these up.
  constexpr std::size_t apart = 2048 + 64;
  std::vector<char> memory(2 * size + apart, 1);
  char *from = memory.data(), *to = memory.data() + size + apart;
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    const CopyClock::time_point begin = CopyClock::now();
    for (std::size_t i = 0; i < copies; ++i) {
      std::memcpy(to, from, size);
      from[i % size] = to[size - 1];  // no copy is like the one before it
    }
    const double seconds = std::chrono::duration<double>(CopyClock::now() - begin).count();
    best = std::max(best, 2.0 * static_cast<double>(size * copies) / seconds);
  }
  return best * 1e-9;
}

double roofline_seconds(Isa isa, double operations, double bytes) {
  static std::map<Isa, double> peaks;
  static std::map<std::size_t, double> speeds;  // by working set, a power of two
  const auto peak = peaks.try_emplace(isa, 0);
  if (peak.second) peak.first->second = fma_peak(isa, 1);
  const std::size_t working_set = std::bit_ceil(static_cast<std::size_t>(bytes));
  const auto speed = speeds.try_emplace(working_set, 0);
  if (speed.second) speed.first->second = copy_speed(working_set);
  if (peak.first->second == 0) return 0;
  return 1e-9 * std::max(operations / peak.first->second, bytes / speed.first->second);
}

}  // namespace linnet::bench
