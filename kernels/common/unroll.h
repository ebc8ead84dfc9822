#pragma once

/// Before a loop with a constant number of turns: unrolls it whole, so that arrays indexed by its counter can live in
/// registers.
#if defined(__clang__)
#define LINNET_UNROLL _Pragma("clang loop unroll(full)")
#else
#define LINNET_UNROLL _Pragma("GCC unroll 64")
#endif
