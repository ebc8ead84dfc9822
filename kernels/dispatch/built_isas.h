// The instruction sets that this build has kernels for (LINNET_ISAS; kernels/CMakeLists.txt defines LINNET_BUILT_*).
//
// LINNET_BUILT_VARIANT(avx2), a line of a variants.inc, is LINNET_VARIANT(avx2) in builds that have it, else nothing.
#pragma once

#define LINNET_BUILT_VARIANT(isa) LINNET_IF_BUILT_##isa(LINNET_VARIANT(isa))

#ifdef LINNET_BUILT_avx512
#define LINNET_IF_BUILT_avx512(...) __VA_ARGS__
#else
#define LINNET_IF_BUILT_avx512(...)
#endif
#ifdef LINNET_BUILT_avx2
#define LINNET_IF_BUILT_avx2(...) __VA_ARGS__
#else
#define LINNET_IF_BUILT_avx2(...)
#endif
#ifdef LINNET_BUILT_sse2
#define LINNET_IF_BUILT_sse2(...) __VA_ARGS__
#else
#define LINNET_IF_BUILT_sse2(...)
#endif
#ifdef LINNET_BUILT_neon
#define LINNET_IF_BUILT_neon(...) __VA_ARGS__
#else
#define LINNET_IF_BUILT_neon(...)
#endif
#ifdef LINNET_BUILT_neon32
#define LINNET_IF_BUILT_neon32(...) __VA_ARGS__
#else
#define LINNET_IF_BUILT_neon32(...)
#endif
