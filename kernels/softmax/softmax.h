// Softmax over dense rows, and its gradient. The row maximum is subtracted first. Output may be the input.
#pragma once

#include "linnet/types.h"

namespace linnet {
class ThreadPool;
}

namespace linnet::kernels {

/// output[r][i] = exp(input[r][i]) / sum over j of exp(input[r][j])
void softmax(ThreadPool& pool, Index rows, Index size, const float* input, float* output);

/// input_gradient[r][i] = y[r][i] * (g[r][i] - sum over j of g[r][j] * y[r][j]), y = `output` of the forward pass.
void softmax_gradient(ThreadPool& pool, Index rows, Index size, const float* output, const float* output_gradient,
                      float* input_gradient);

/// output[r][i] = input[r][i] - log(sum over j of exp(input[r][j]))
void log_softmax(ThreadPool& pool, Index rows, Index size, const float* input, float* output);

}  // namespace linnet::kernels
