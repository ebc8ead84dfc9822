// Random numbers as a function of (seed, stream, index): the same bits on every machine, in any order, on any number
// of threads, and nothing to save when a run is interrupted.
#pragma once

#include <cstdint>

namespace linnet {

/// The finaliser of SplitMix64 (Steele, Lea, Flood, 2014): a bijection of 64-bit numbers that looks random.
constexpr std::uint64_t mix_bits(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// A stream of random numbers, addressed by index. `seed` names the run, `stream` whatever draws the numbers (an epoch,
/// a picture, a layer); streams of different (seed, stream) are independent. For more levels than two, mix:
/// CounterRandom(mix_bits(seed) + epoch, picture).
class CounterRandom {
 public:
  constexpr CounterRandom(std::uint64_t seed, std::uint64_t stream)
      : key_(mix_bits(mix_bits(seed + increment) + stream * increment)) {}

  /// 64 random bits.
  constexpr std::uint64_t bits(std::uint64_t index) const { return mix_bits(key_ + index * increment); }

  /// Uniform in [0, 1), a multiple of 2^-24: exact in float.
  constexpr float uniform(std::uint64_t index) const {
    return static_cast<float>(bits(index) >> 40) * (1.0f / 16777216.0f);
  }

  /// Uniform in [0, bound).
  constexpr std::uint32_t below(std::uint64_t index, std::uint32_t bound) const {
    return static_cast<std::uint32_t>(((bits(index) >> 32) * bound) >> 32);
  }

 private:
  static constexpr std::uint64_t increment = 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio, odd
  std::uint64_t key_;
};

}  // namespace linnet
