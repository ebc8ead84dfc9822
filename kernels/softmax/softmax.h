// Softmax over dense rows, and its gradient. The row maximum is subtracted first. Output may be the input.
#pragma once

#include <span>

#include "kernels/dispatch/dispatch.h"
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

/// One instruction set's share of the work: single-threaded, on as many rows as it is given.
struct SoftmaxKernels {
  void (*softmax)(Index rows, Index size, const float* input, float* output);
  void (*softmax_gradient)(Index rows, Index size, const float* output, const float* output_gradient,
                           float* input_gradient);
  void (*log_softmax)(Index rows, Index size, const float* input, float* output);
};

#define LINNET_VARIANT(isa)                    \
  namespace isa {                              \
  extern const SoftmaxKernels softmax_kernels; \
  }
#include "kernels/softmax/variants.inc"

std::span<const Variant<SoftmaxKernels>> softmax_variants();

}  // namespace linnet::kernels
