#include "kernels/winograd/multiply.inl"
#include "kernels/winograd/transform.inl"

namespace linnet::kernels::sse2 {

const WinogradKernels winograd_kernels = {lanes, tile_heights[2], transform_input, multiply, transform_output};

}  // namespace linnet::kernels::sse2
