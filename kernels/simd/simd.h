// Vectors of floats for the instruction set that the including file is compiled for.
//
// Included only by files named after an instruction set (and by .inl files). Everything here lives in that instruction
// set's own namespace: a function that the compiler does not inline must never be shared with another one.
#pragma once

// xsimd's functions must be private to the instruction set too, so its namespace gets a name of its own in each file.
#define LINNET_JOIN_(a, b) a##b
#define LINNET_JOIN(a, b) LINNET_JOIN_(a, b)
#define xsimd LINNET_JOIN(linnet_xsimd_, LINNET_ISA)

// GCC 12 takes the "undefined" operands of its own AVX-512 intrinsics for uninitialised variables of ours.
#if defined(__AVX512F__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <xsimd/xsimd.hpp>

#include "linnet/types.h"

namespace linnet::kernels::LINNET_ISA {

#if defined(__AVX512F__)
using Arch = xsimd::avx512bw;
#elif defined(__AVX2__)
using Arch = xsimd::fma3<xsimd::avx2>;
#elif defined(__SSE2__)
using Arch = xsimd::sse2;
#elif defined(__aarch64__)
using Arch = xsimd::neon64;
#elif defined(__ARM_NEON)
using Arch = xsimd::neon;
#endif

using Vec = xsimd::batch<float, Arch>;
constexpr Index lanes = static_cast<Index>(Vec::size);

#define LINNET_INLINE inline __attribute__((always_inline))

LINNET_INLINE Vec load(const float* p) { return Vec::load_unaligned(p); }
LINNET_INLINE void store(float* p, Vec v) { v.store_unaligned(p); }

/// The first `count` < lanes floats; the other lanes are 0. Reads nothing beyond them.
LINNET_INLINE Vec load_partial(const float* p, Index count) {
#if defined(__AVX512F__)
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1u), p);
#elif defined(__AVX2__)
  const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), index));
#else
  alignas(16) float values[4] = {0, 0, 0, 0};
  for (Index i = 0; i < count; ++i) values[i] = p[i];
  return Vec::load_aligned(values);
#endif
}

/// Writes the first `count` < lanes floats and nothing beyond them.
LINNET_INLINE void store_partial(float* p, Vec v, Index count) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1u), v);
#elif defined(__AVX2__)
  const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), index), v);
#else
  alignas(16) float values[4];
  v.store_aligned(values);
  for (Index i = 0; i < count; ++i) p[i] = values[i];
#endif
}

/// a * b + c, fused where the instruction set can.
LINNET_INLINE Vec multiply_add(Vec a, Vec b, Vec c) { return xsimd::fma(a, b, c); }

/// Where one operand is NaN, x86 gives the second, Arm gives NaN.
LINNET_INLINE Vec min(Vec a, Vec b) { return xsimd::min(a, b); }
LINNET_INLINE Vec max(Vec a, Vec b) { return xsimd::max(a, b); }

/// The sum of all lanes, and the largest.
LINNET_INLINE float sum(Vec v) { return xsimd::hadd(v); }
LINNET_INLINE float maximum(Vec v) {
  alignas(64) float values[lanes];
  v.store_aligned(values);
  float result = values[0];
  for (Index i = 1; i < lanes; ++i) result = values[i] > result ? values[i] : result;
  return result;
}

/// The first `count` < lanes lanes; the others become 0.
LINNET_INLINE Vec first_lanes(Vec v, Index count) {
  alignas(64) float values[lanes];
  v.store_aligned(values);
  return load_partial(values, count);
}

}  // namespace linnet::kernels::LINNET_ISA
