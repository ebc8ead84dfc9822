// A register tile: `height` rows times `vectors` vectors of sums, and the loops over the depth that fill it.
//
// Included by .inl files only; see kernels/simd/simd.h. All loops over the tile are unrolled while compiling: the sums
// must be registers from the start, and the instructions per multiply-add few (KERNELS.md, section 7).
#pragma once

#include <utility>

#include "kernels/simd/simd.h"

namespace linnet::kernels::LINNET_ISA {

/// Rows of the tile for panels of one, two and three vectors: as many sums as the registers hold beside the operands.
#if defined(__AVX512F__)
constexpr Index tile_heights[] = {0, 8, 14, 9};
constexpr Index unrolled_steps = 4;
#elif defined(__AVX2__)
constexpr Index tile_heights[] = {0, 8, 6, 4};
constexpr Index unrolled_steps = 8;
#elif defined(__aarch64__)
constexpr Index tile_heights[] = {0, 8, 8, 6};
constexpr Index unrolled_steps = 4;
#else
constexpr Index tile_heights[] = {0, 8, 4, 3};
constexpr Index unrolled_steps = 4;
#endif

template <Index value>
struct Constant {
  constexpr operator Index() const { return value; }
};

template <class Function, Index... i>
LINNET_INLINE void unroll(Function&& f, std::integer_sequence<Index, i...>) {
  (f(Constant<i>{}), ...);
}

/// Calls f(0), f(1), ... f(count - 1), each with a constant.
template <Index count, class Function>
LINNET_INLINE void unroll(Function&& f) {
  unroll(f, std::make_integer_sequence<Index, count>{});
}

#define LINNET_INLINE_LAMBDA __attribute__((always_inline))

/// The innermost functions work on plain registers: tiles are instantiated by the dozen, and each layer of wrappers
/// would be compiled for every one of their instructions.
using Register = Vec::register_type;

LINNET_INLINE Register broadcast(const float* p) {
#if defined(__AVX512F__)
  return _mm512_set1_ps(*p);
#elif defined(__AVX2__)
  return _mm256_broadcast_ss(p);
#elif defined(__SSE2__)
  return _mm_set1_ps(*p);
#else
  return vdupq_n_f32(*p);
#endif
}

LINNET_INLINE Register load_register(const float* p) {
#if defined(__AVX512F__)
  return _mm512_loadu_ps(p);
#elif defined(__AVX2__)
  return _mm256_loadu_ps(p);
#elif defined(__SSE2__)
  return _mm_loadu_ps(p);
#else
  return vld1q_f32(p);
#endif
}

/// sum += a * b. GCC 12 moves the sums about between other forms of the instruction; one instruction of assembly has
/// but one form.
LINNET_INLINE void add_product(Register& sum, Register a, Register b) {
#if defined(__AVX2__)
  asm("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
#elif defined(__SSE2__)
  sum = _mm_add_ps(sum, _mm_mul_ps(a, b));
#elif defined(__aarch64__)
  asm("fmla %0.4s, %1.4s, %2.4s" : "+w"(sum) : "w"(a), "w"(b));
#else
  sum = vmlaq_f32(sum, a, b);
#endif
}

#if defined(__ARM_NEON)
/// sum += a[lane] * b.
template <Index lane>
LINNET_INLINE void add_lane_product(Register& sum, Register a, Register b) {
#if defined(__aarch64__)
  asm("fmla %0.4s, %2.4s, %1.s[%3]" : "+w"(sum) : "w"(a), "w"(b), "i"(static_cast<int>(lane)));
#else
  sum = vmlaq_lane_f32(sum, b, lane < 2 ? vget_low_f32(a) : vget_high_f32(a), lane % 2);
#endif
}
#endif

template <Index height, Index vectors>
struct Tile {
  Register sum[height][vectors];
};

/// `height` rows of floats, a stride apart: one pointer to every third row, so that few registers reach them all.
template <Index height>
class RowPointers {
 public:
  LINNET_INLINE RowPointers(const float* rows, Index stride) : stride_(stride) {
    unroll<count>([&](auto i) LINNET_INLINE_LAMBDA { pointers_[i] = rows + 3 * i * stride; });
  }
  template <Index row>
  LINNET_INLINE const float* at(Constant<row>) const {
    return pointers_[row / 3] + row % 3 * stride_;
  }
  LINNET_INLINE void advance(Index floats) {
    unroll<count>([&](auto i) LINNET_INLINE_LAMBDA { pointers_[i] += floats; });
  }
  /// Keeps the compiler from precomputing sums of the stride and of constants, which no register is left for: an
  /// address is a pointer, one or two strides, and a constant.
  LINNET_INLINE void keep_addresses_simple() { asm("" : "+r"(stride_)); }

 private:
  static constexpr Index count = (height + 2) / 3;
  const float* pointers_[count];
  Index stride_;
};

template <Index vectors>
LINNET_INLINE void load_vectors(const float* p, Register (&values)[vectors]) {
  unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { values[v] = load_register(p + v * lanes); });
}

/// `steps` steps of the depth: row r of the left matrix at rows.at(r), the right one at `b`, a vector row per step.
template <Index steps, Index height, Index vectors>
LINNET_INLINE void add_steps(Tile<height, vectors>& tile, RowPointers<height>& rows, const float*& b) {
#if defined(__ARM_NEON)
  if constexpr (steps == 4) {
    Register a[height];
    unroll<height>([&](auto r) LINNET_INLINE_LAMBDA { a[r] = load_register(rows.at(r)); });
    unroll<4>([&](auto k) LINNET_INLINE_LAMBDA {
      Register operand[vectors];
      load_vectors(b + k * vectors * lanes, operand);
      unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
        unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { add_lane_product<k>(tile.sum[r][v], a[r], operand[v]); });
      });
    });
    rows.advance(4);
    b += 4 * vectors * lanes;
    return;
  }
#endif
  unroll<steps>([&](auto k) LINNET_INLINE_LAMBDA {
    rows.keep_addresses_simple();
    Register operand[vectors];
    load_vectors(b + k * vectors * lanes, operand);
    unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
      const Register a = broadcast(rows.at(r) + k);
      unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { add_product(tile.sum[r][v], a, operand[v]); });
    });
  });
  rows.advance(steps);
  b += steps * vectors * lanes;
}

/// Nothing is wanted ahead of time.
struct NoPrefetch {
  LINNET_INLINE void step() {}
};

/// Fetches the next panel while this one is multiplied: the weights of a whole network do not fit a cache near the
/// core, and without this every panel would begin by waiting. Four tiles fetch a panel; the others leave the cache
/// alone. Behind the last panel is what the memory allocator has put there; fetching it does no harm.
class Prefetch {
 public:
  LINNET_INLINE Prefetch(const float* panel, Index floats) : next_(panel), end_(panel + floats) {}
  LINNET_INLINE void step() {
    constexpr Index line = 16;
    if (next_ >= end_) return;
    __builtin_prefetch(next_, 0, 2);
    __builtin_prefetch(next_ + line, 0, 2);
    next_ += 2 * line;
  }
  /// Whether anything was left to fetch. The caller does all of it.
  LINNET_INLINE bool take_all() {
    const bool any = next_ < end_;
    next_ = end_;
    return any;
  }

 private:
  const float *next_, *end_;
};

/// sum[r] += sum over k < depth of rows[r][k] * b[k], in the order of k. The rows skip `jump` floats after each
/// `lanes`.
template <Index height, Index vectors, class Ahead>
LINNET_INLINE void add_rows(Tile<height, vectors>& tile, const float* a, Index stride, Index jump, const float* b,
                            Index depth, Ahead& ahead) {
  RowPointers<height> rows(a, stride);
  Index left = lanes;
  for (; depth >= unrolled_steps; depth -= unrolled_steps) {
    add_steps<unrolled_steps>(tile, rows, b);
    ahead.step();
    left -= unrolled_steps;
    if (left == 0) {
      rows.advance(jump);
      left = lanes;
    }
  }
#pragma GCC unroll 1
  for (; depth > 0; --depth) add_steps<1>(tile, rows, b);
}

/// One step of an outer product: `height` floats at `a`, `vectors` vectors at `b`.
template <Index height, Index vectors>
LINNET_INLINE void add_outer_step(Tile<height, vectors>& tile, const float* a, const float* b) {
  Register operand[vectors];
  load_vectors(b, operand);
#if defined(__ARM_NEON)
  constexpr Index by_lane = height / 4 * 4;
  unroll<height / 4>([&](auto group) LINNET_INLINE_LAMBDA {
    const Register values = load_register(a + group * 4);
    unroll<4>([&](auto lane) LINNET_INLINE_LAMBDA {
      unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA {
        add_lane_product<lane>(tile.sum[group * 4 + lane][v], values, operand[v]);
      });
    });
  });
#else
  constexpr Index by_lane = 0;
#endif
  unroll<height - by_lane>([&](auto r) LINNET_INLINE_LAMBDA {
    const Register value = broadcast(a + by_lane + r);
    unroll<vectors>([&](auto v) LINNET_INLINE_LAMBDA { add_product(tile.sum[by_lane + r][v], value, operand[v]); });
  });
}

/// sum[r] += sum over k < depth of a[k * a_step + r] * b[k * b_step], in the order of k.
template <Index height, Index vectors>
LINNET_INLINE void add_outer(Tile<height, vectors>& tile, const float* a, Index a_step, const float* b, Index b_step,
                             Index depth) {
  for (; depth >= 4; depth -= 4) {
    unroll<4>([&](auto k) LINNET_INLINE_LAMBDA { add_outer_step(tile, a + k * a_step, b + k * b_step); });
    a += 4 * a_step;
    b += 4 * b_step;
  }
#pragma GCC unroll 1
  for (; depth > 0; --depth) {
    add_outer_step(tile, a, b);
    a += a_step;
    b += b_step;
  }
}

}  // namespace linnet::kernels::LINNET_ISA
