#include "benches/common/fma_peak.h"

#include <algorithm>
#include <chrono>

#include "kernels/common/unroll.h"
#include "linnet/thread_pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace linnet::bench {
namespace {

constexpr int sums = 12;  // in flight: more than latency times throughput of any of these CPUs
constexpr int steps = 1000;

// The sums differ from each other, and each product from step to step: nothing can be left out.
#define LINNET_FMA_PEAK(isa, attribute, vector, zero, multiply_add) \
  attribute float isa##_steps(float value) {                        \
    vector total[sums];                                             \
    LINNET_UNROLL                                                   \
    for (int i = 0; i < sums; ++i) total[i] = zero + float(i);      \
    const vector x = zero + value;                                  \
    for (int step = 0; step < steps; ++step) {                      \
      LINNET_UNROLL                                                 \
      for (int i = 0; i < sums; ++i) total[i] = multiply_add;       \
    }                                                               \
    vector all = zero;                                              \
    LINNET_UNROLL                                                   \
    for (int i = 0; i < sums; ++i) all = all + total[i];            \
    return all[0];                                                  \
  }

#if defined(__x86_64__)
LINNET_FMA_PEAK(sse2, , __m128, _mm_setzero_ps(), _mm_add_ps(_mm_mul_ps(total[i], x), x))
LINNET_FMA_PEAK(avx2, __attribute__((target("avx2,fma"))), __m256, _mm256_setzero_ps(), _mm256_fmadd_ps(total[i], x, x))
#if defined(__clang__)
#define LINNET_AVX512 __attribute__((target("avx512f")))
#else
#define LINNET_AVX512 __attribute__((target("avx512f,prefer-vector-width=512")))
#endif
LINNET_FMA_PEAK(avx512, LINNET_AVX512, __m512, _mm512_setzero_ps(), _mm512_fmadd_ps(total[i], x, x))
#elif defined(__aarch64__)
LINNET_FMA_PEAK(neon, , float32x4_t, vdupq_n_f32(0), vfmaq_f32(x, total[i], x))
#elif defined(__ARM_NEON)
LINNET_FMA_PEAK(neon32, , float32x4_t, vdupq_n_f32(0), vmlaq_f32(x, total[i], x))
#endif

constexpr double operations(int lanes) { return 2.0 * sums * steps * lanes; }

}  // namespace

std::vector<FmaLoop> fma_loops() {
#if defined(__x86_64__)
  return {{Isa::avx512, operations(16), avx512_steps},
          {Isa::avx2, operations(8), avx2_steps},
          {Isa::sse2, operations(4), sse2_steps}};
#elif defined(__aarch64__)
  return {{Isa::neon, operations(4), neon_steps}};
#elif defined(__ARM_NEON)
  return {{Isa::neon32, operations(4), neon32_steps}};
#else
  return {};
#endif
}

double fma_peak(Isa isa, int threads) {
  using PeakClock = std::chrono::steady_clock;
  const std::vector<FmaLoop> loops = fma_loops();
  const auto loop = std::find_if(loops.begin(), loops.end(), [&](const FmaLoop& entry) { return entry.isa == isa; });
  if (loop == loops.end()) return 0;
  constexpr int rounds = 40, repeats = 100, fewest_rounds = 2;
  constexpr double longest = 0.3;  // seconds: slow cores and emulators need no more
  ThreadPool pool(threads);
  std::vector<float> results(static_cast<std::size_t>(threads));
  double best = 0, spent = 0;
  for (int round = 0; round < rounds && (round < fewest_rounds || spent < longest); ++round) {
    const PeakClock::time_point begin = PeakClock::now();
    pool.run(threads, [&](Index chunk, int) {
      float& result = results[static_cast<std::size_t>(chunk)];
      for (int i = 0; i < repeats; ++i) result += loop->run(1e-9f + result);
    });
    const double seconds = std::chrono::duration<double>(PeakClock::now() - begin).count();
    spent += seconds;
    best = std::max(best, threads * repeats * loop->operations / seconds);
  }
  return best * 1e-9;
}

}  // namespace linnet::bench
