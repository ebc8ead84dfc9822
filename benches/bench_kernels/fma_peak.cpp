// What this CPU's multiply-adders do when nothing else holds them up: the peak that the convolutions are read against.
#include "benches/bench_kernels/bench.h"
#include "kernels/common/unroll.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace linnet::kernels::bench::fma_peak_bench {
namespace {

constexpr int sums = 12;  // in flight: more than latency times throughput of any of these CPUs
constexpr int steps = 1000;

#define LINNET_FMA_PEAK(isa, attribute, vector, zero, multiply_add) \
  attribute float isa##_steps(float value) {                        \
    vector total[sums];                                             \
    LINNET_UNROLL                                                   \
    for (int i = 0; i < sums; ++i) total[i] = zero;                 \
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
LINNET_FMA_PEAK(sse2, , __m128, _mm_setzero_ps(), _mm_add_ps(total[i], _mm_mul_ps(x, x)))
LINNET_FMA_PEAK(avx2, __attribute__((target("avx2,fma"))), __m256, _mm256_setzero_ps(), _mm256_fmadd_ps(x, x, total[i]))
LINNET_FMA_PEAK(avx512, __attribute__((target("avx512f,prefer-vector-width=512"))), __m512, _mm512_setzero_ps(),
                _mm512_fmadd_ps(x, x, total[i]))
#elif defined(__aarch64__)
LINNET_FMA_PEAK(neon, , float32x4_t, vdupq_n_f32(0), vfmaq_f32(total[i], x, x))
#elif defined(__ARM_NEON)
LINNET_FMA_PEAK(neon32, , float32x4_t, vdupq_n_f32(0), vmlaq_f32(total[i], x, x))
#endif

[[maybe_unused]] void register_peak(Isa isa, int lanes, float (*run)(float)) {
  if (!is_supported(isa)) return;
  benchmark::RegisterBenchmark(path({"fma_peak", to_string(isa)}).c_str(), [=](benchmark::State& state) {
    float value = 1e-9f;
    for (auto _ : state) {
      benchmark::DoNotOptimize(value);
      benchmark::DoNotOptimize(run(value));
    }
    count_operations(state, 2.0 * sums * steps * lanes);
  });
}

const bool registered = [] {
#if defined(__x86_64__)
  register_peak(Isa::avx512, 16, avx512_steps);
  register_peak(Isa::avx2, 8, avx2_steps);
  register_peak(Isa::sse2, 4, sse2_steps);
#elif defined(__aarch64__)
  register_peak(Isa::neon, 4, neon_steps);
#elif defined(__ARM_NEON)
  register_peak(Isa::neon32, 4, neon32_steps);
#endif
  return true;
}();

}  // namespace
}  // namespace linnet::kernels::bench::fma_peak_bench
