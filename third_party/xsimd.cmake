# xsimd: SIMD batches (header only)
add_library(linnet_third_party_xsimd INTERFACE)
find_path(LINNET_XSIMD_INCLUDE_DIR xsimd/xsimd.hpp  REQUIRED)
target_include_directories(linnet_third_party_xsimd SYSTEM INTERFACE ${LINNET_XSIMD_INCLUDE_DIR})
