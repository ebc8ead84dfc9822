// The register tile of tile.h in AArch64 assembly: 5 to 8 rows of two vectors.
//
// A compiler that has 16 sums and 16 operands in 32 registers moves some of them about, loads operands one by one, and
// just before they are used. Here four vectors are one load, and what a step needs is loaded during the one before it:
// 69 instructions for 64 multiply-adds where the rows lie in blocks, 75 elsewhere.
//
// Included by .inl files only; see kernels/simd/simd.h.
#pragma once

#include "kernels/pointwise/tile.h"

namespace linnet::kernels::LINNET_ISA {

/// How the assembly reads its left operand. Strides are in floats.
enum class Rows {
  apart,     ///< four steps of a row lie side by side, rows `stride` floats apart
  in_blocks  ///< four steps of a row, then those of the next row, the next four steps `stride` floats behind these
};

template <Index height, Index vectors>
constexpr bool has_assembly = vectors == 2 && height >= 5 && height <= 8;

// Operand r of four steps of the depth is v<r>, for r < 8; step k of the right operand is v<8 + 2k> and v<9 + 2k>; the
// sums of row r are the compiler's %<2r> and %<2r + 1>.
// clang-format off
#define LINNET_IF(condition, text) ".if " condition "\n" text ".endif\n"
#define LINNET_ADD(k, b0, b1, sum0, sum1, row)             \
  "fmla %" #sum0 ".4s, v" #b0 ".4s, v" #row ".s[" #k "]\n" \
  "fmla %" #sum1 ".4s, v" #b1 ".4s, v" #row ".s[" #k "]\n"
#define LINNET_ADD_FIRST_ROWS(k, b0, b1)                        \
  LINNET_ADD(k, b0, b1, 0, 1, 0) LINNET_ADD(k, b0, b1, 2, 3, 1) \
  LINNET_ADD(k, b0, b1, 4, 5, 2) LINNET_ADD(k, b0, b1, 6, 7, 3)
#define LINNET_ADD_LAST_ROWS(k, b0, b1)                         \
  LINNET_ADD(k, b0, b1, 8, 9, 4)                                \
  LINNET_IF("%c[height] > 5", LINNET_ADD(k, b0, b1, 10, 11, 5)) \
  LINNET_IF("%c[height] > 6", LINNET_ADD(k, b0, b1, 12, 13, 6)) \
  LINNET_IF("%c[height] > 7", LINNET_ADD(k, b0, b1, 14, 15, 7))
#define LINNET_STEP(k, b0, b1) LINNET_ADD_FIRST_ROWS(k, b0, b1) LINNET_ADD_LAST_ROWS(k, b0, b1)
#define LINNET_LOAD_FIRST_ROWS                     \
  ".if %c[in_blocks]\n"                            \
  "ld1 {v0.4s - v3.4s}, [%[rows]], #64\n"          \
  ".else\n"                                        \
  "ldr q0, [%[rows]], #16\n ldr q1, [x9], #16\n"   \
  "ldr q2, [x10], #16\n ldr q3, [x11], #16\n"      \
  ".endif\n"
#define LINNET_LOAD_LAST_ROWS                                                    \
  ".if %c[in_blocks]\n"                                                          \
  LINNET_IF("%c[height] == 5", "ld1 {v4.4s}, [%[rows]], %[stride]\n")            \
  LINNET_IF("%c[height] == 6", "ld1 {v4.4s - v5.4s}, [%[rows]], %[stride]\n")    \
  LINNET_IF("%c[height] == 7", "ld1 {v4.4s - v6.4s}, [%[rows]], %[stride]\n")    \
  LINNET_IF("%c[height] == 8", "ld1 {v4.4s - v7.4s}, [%[rows]], %[stride]\n")    \
  ".else\n"                                                                      \
  "ldr q4, [x12], #16\n"                                                         \
  LINNET_IF("%c[height] > 5", "ldr q5, [x13], #16\n")                            \
  LINNET_IF("%c[height] > 6", "ldr q6, [x14], #16\n")                            \
  LINNET_IF("%c[height] > 7", "ldr q7, [x15], #16\n")                            \
  ".endif\n"
#define LINNET_LOAD_RIGHT(first, last)                  \
  "ld1 {v" #first ".4s - v" #last ".4s}, [%[b]], #64\n" \
  LINNET_IF("%c[fetches]", "prfm pldl2keep, [%[b], %[ahead]]\n")
#define LINNET_FOUR_STEPS                                                                               \
  LINNET_STEP(0, 8, 9) LINNET_STEP(1, 10, 11) LINNET_LOAD_RIGHT(8, 11)                                  \
  LINNET_STEP(2, 12, 13) LINNET_ADD_FIRST_ROWS(3, 14, 15) LINNET_LOAD_FIRST_ROWS                        \
  LINNET_ADD_LAST_ROWS(3, 14, 15) LINNET_LOAD_LAST_ROWS LINNET_LOAD_RIGHT(12, 15)
#define LINNET_START(sum0, sum1, offset) "ldp %q" #sum0 ", %q" #sum1 ", [%[start], #" #offset "]\n"
// clang-format on

/// sum[r][v] = start[r][v], a vector, + the sum over k < depth of rows[r][k] * b[k][v], in the order of k. The depth is
/// a multiple of four and not 0. With `fetches`, what lies `ahead` floats behind b is fetched on the way.
template <Rows layout, bool fetches, Index height>
LINNET_INLINE void multiply_rows(Tile<height, 2>& tile, const float* rows, Index stride, const float* b, Index depth,
                                 const float* start, Index ahead) {
  constexpr bool in_blocks = layout == Rows::in_blocks;
  // From the last load of a block to the first of the next one.
  const Index step = (in_blocks ? stride - 16 : stride) * static_cast<Index>(sizeof(float));
  Register s[16];
  // clang-format off
  asm volatile(
      LINNET_START(0, 1, 0) LINNET_START(2, 3, 32) LINNET_START(4, 5, 64) LINNET_START(6, 7, 96) LINNET_START(8, 9, 128)
      LINNET_IF("%c[height] > 5", LINNET_START(10, 11, 160)) LINNET_IF("%c[height] > 6", LINNET_START(12, 13, 192))
      LINNET_IF("%c[height] > 7", LINNET_START(14, 15, 224))
      LINNET_IF("%c[in_blocks] == 0", "add x9, %[rows], %[stride]\n add x10, x9, %[stride]\n add x11, x10, %[stride]\n"
                   "add x12, x11, %[stride]\n"
                   LINNET_IF("%c[height] > 5", "add x13, x12, %[stride]\n")
                   LINNET_IF("%c[height] > 6", "add x14, x13, %[stride]\n")
                   LINNET_IF("%c[height] > 7", "add x15, x14, %[stride]\n"))
      LINNET_LOAD_RIGHT(8, 11) LINNET_LOAD_FIRST_ROWS LINNET_LOAD_LAST_ROWS LINNET_LOAD_RIGHT(12, 15)
      "subs %[depth], %[depth], #4\n"
      "b.eq 3f\n"
      "tbnz %[depth], #2, 2f\n"
      "1:\n"
      LINNET_FOUR_STEPS
      "2:\n"
      "subs %[depth], %[depth], #8\n"
      LINNET_FOUR_STEPS
      "b.gt 1b\n"
      "3:\n"
      LINNET_STEP(0, 8, 9) LINNET_STEP(1, 10, 11) LINNET_STEP(2, 12, 13) LINNET_STEP(3, 14, 15)
      : "=&w"(s[0]), "=&w"(s[1]), "=&w"(s[2]), "=&w"(s[3]), "=&w"(s[4]), "=&w"(s[5]), "=&w"(s[6]), "=&w"(s[7]),
        "=&w"(s[8]), "=&w"(s[9]), "=&w"(s[10]), "=&w"(s[11]), "=&w"(s[12]), "=&w"(s[13]), "=&w"(s[14]), "=&w"(s[15]),
        [rows] "+r"(rows), [b] "+r"(b), [depth] "+r"(depth)
      : [stride] "r"(step), [start] "r"(start), [ahead] "r"(ahead * static_cast<Index>(sizeof(float))),
        [height] "i"(static_cast<int>(height)), [in_blocks] "i"(in_blocks ? 1 : 0), [fetches] "i"(fetches ? 1 : 0)
      : "x9", "x10", "x11", "x12", "x13", "x14", "x15", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",
        "v10", "v11", "v12", "v13", "v14", "v15", "memory", "cc");
  // clang-format on
  unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
    tile.sum[r][0] = s[2 * r];
    tile.sum[r][1] = s[2 * r + 1];
  });
}

#undef LINNET_IF
#undef LINNET_ADD
#undef LINNET_ADD_FIRST_ROWS
#undef LINNET_ADD_LAST_ROWS
#undef LINNET_STEP
#undef LINNET_LOAD_FIRST_ROWS
#undef LINNET_LOAD_LAST_ROWS
#undef LINNET_LOAD_RIGHT
#undef LINNET_FOUR_STEPS
#undef LINNET_START

/// One step, whose left operands are a lane of `rows`.
template <Index lane, Index height>
LINNET_INLINE void add_lanes(Tile<height, 2>& tile, const Register (&rows)[height], const float* b) {
  Register operand[2];
  load_vectors(b, operand);
  unroll<height>([&](auto r) LINNET_INLINE_LAMBDA {
    add_lane_product<lane>(tile.sum[r][0], rows[r], operand[0]);
    add_lane_product<lane>(tile.sum[r][1], rows[r], operand[1]);
  });
}

/// Adds the 1 to 3 steps that four do not divide. Rows apart have at least four floats: these are their last ones.
template <Rows layout, Index height>
LINNET_INLINE void add_rest(Tile<height, 2>& tile, const float* rows, Index stride, const float* b, Index rest) {
  constexpr Index width = 2 * lanes;
  Register a[height];
  unroll<height>([&](auto r) LINNET_INLINE_LAMBDA { a[r] = load_register(rows + r * stride); });
  if constexpr (layout == Rows::in_blocks) {
    add_lanes<0>(tile, a, b);
    if (rest > 1) add_lanes<1>(tile, a, b + width);
    if (rest > 2) add_lanes<2>(tile, a, b + 2 * width);
  } else {
    if (rest > 2) add_lanes<1>(tile, a, b + (rest - 3) * width);
    if (rest > 1) add_lanes<2>(tile, a, b + (rest - 2) * width);
    add_lanes<3>(tile, a, b + (rest - 1) * width);
  }
}

}  // namespace linnet::kernels::LINNET_ISA
