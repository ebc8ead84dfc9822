# xsimd 8: SIMD batches
linnet_headers(xsimd xsimd/xsimd.hpp URL https://github.com/xtensor-stack/xsimd/archive/8.1.0.tar.gz
               SHA256 d52551360d37709675237d2a0418e28f70995b5b7cdad7c674626bcfbbf48328 SUBFOLDER include)
