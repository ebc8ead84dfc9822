#include "kernels/winograd/multiply.inl"
#include "kernels/winograd/transform.inl"

namespace linnet::kernels::avx512 {

const WinogradKernels winograd_kernels = {lanes, tile_heights[2], transform_input, multiply, transform_output};

}  // namespace linnet::kernels::avx512
