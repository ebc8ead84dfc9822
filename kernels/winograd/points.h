// The numbers of F(4, 3): polynomials are interpolated at 0, near, -near, far, -far and infinity.
//
// With 0, 1, -1, 2, -2 the largest error is four to five times that of these; all their powers are exact in a float.
#pragma once

namespace linnet::kernels::winograd_points {

constexpr float near = 0.75f, far = 1.5f;
constexpr float near2 = near * near, far2 = far * far;
constexpr float near3 = near2 * near, far3 = far2 * far;

}  // namespace linnet::kernels::winograd_points
