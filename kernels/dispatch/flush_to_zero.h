// Denormal numbers cost up to a hundred times a normal operation on some CPUs and mean nothing to a neural net.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace linnet::kernels {

/// Treats denormal floats as zero, in operands and results, in the thread that owns it, as long as it lives.
class FlushToZero {
 public:
  FlushToZero() : saved_(read()) { write(saved_ | bits); }
  ~FlushToZero() { write(saved_); }
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;

 private:
#if defined(__x86_64__)
  using Mode = unsigned int;
  static constexpr Mode bits = 0x8040;  // FTZ and DAZ
  static Mode read() { return _mm_getcsr(); }
  static void store(Mode mode) { _mm_setcsr(mode); }
#elif defined(__aarch64__)
  using Mode = std::uint64_t;
  static constexpr Mode bits = Mode{1} << 24;  // FZ
  static Mode read() {
    Mode mode;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void store(Mode mode) { asm volatile("msr fpcr, %0" : : "r"(mode) : "memory"); }
#elif defined(__arm__)
  using Mode = std::uint32_t;
  static constexpr Mode bits = Mode{1} << 24;  // FZ
  static Mode read() {
    Mode mode;
    asm volatile("vmrs %0, fpscr" : "=r"(mode));
    return mode;
  }
  static void store(Mode mode) { asm volatile("vmsr fpscr, %0" : : "r"(mode) : "memory"); }
#else
  using Mode = int;
  static constexpr Mode bits = 0;
  static Mode read() { return 0; }
  static void store(Mode) {}
#endif
  /// Writing the register drains the pipeline, reading it does not.
  static void write(Mode mode) {
    if (((read() ^ mode) & bits) != 0) store(mode);
  }

  Mode saved_;
};

}  // namespace linnet::kernels
