// A hash of bytes, for telling data apart; no protection against forgery.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "linnet/random.h"

namespace linnet::training {

/// Takes eight bytes at a time, each mixed in with the finaliser of SplitMix64.
class Fingerprint {
 public:
  void add(std::uint64_t value) { state_ = mix_bits(state_ ^ value) + 0x9E3779B97F4A7C15u; }

  void add(std::span<const std::uint8_t> bytes) {
    add(bytes.size());
    std::uint64_t word = 0;
    int filled = 0;
    for (const std::uint8_t byte : bytes) {
      word = word << 8 | byte;
      if (++filled % 8 == 0) add(word);
    }
    add(word);
  }

  void add(std::string_view text) { add(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())); }

  std::uint64_t value() const { return mix_bits(state_); }

 private:
  std::uint64_t state_ = 0;
};

}  // namespace linnet::training
