// Softmax over rows, for any vector width.
#include <math.h>

#include "kernels/simd/activation.h"
#include "kernels/softmax/softmax.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

/// The largest value; if one is NaN, NaN or another value.
LINNET_INLINE float row_maximum(Index size, const float* input) {
  if (size < lanes) {
    float result = input[0];
    for (Index i = 1; i < size; ++i) result = input[i] > result ? input[i] : result;
    return result;
  }
  // The last vector overlaps the one before it.
  Vec highest = load(input + size - lanes);
  for (Index i = 0; i + lanes <= size; i += lanes) highest = max(load(input + i), highest);
  return maximum(highest);
}

/// Sum of exp(input[i] - shift); use(i, vector, count) sees the terms.
template <class Use>
LINNET_INLINE float sum_of_exponentials(Index size, const float* input, float shift, Use use) {
  Vec total(0.0f);
  Index i = 0;
  for (; i + lanes <= size; i += lanes) {
    const Vec term = exp_negative(Vec(shift) - load(input + i));
    use(i, term, lanes);
    total = total + term;
  }
  if (i < size) {
    const Vec term = exp_negative(Vec(shift) - load_partial(input + i, size - i));
    use(i, term, size - i);
    total = total + first_lanes(term, size - i);
  }
  return sum(total);
}

void softmax(Index rows, Index size, const float* input, float* output) {
  for (Index row = 0; row < rows; ++row, input += size, output += size) {
    const float total =
        sum_of_exponentials(size, input, row_maximum(size, input), [output](Index i, Vec term, Index count) {
          if (count == lanes) {
            store(output + i, term);
          } else {
            store_partial(output + i, term, count);
          }
        });
    const Vec factor(1.0f / total);
    Index i = 0;
    for (; i + lanes <= size; i += lanes) store(output + i, load(output + i) * factor);
    if (i < size) store_partial(output + i, load_partial(output + i, size - i) * factor, size - i);
  }
}

void softmax_gradient(Index rows, Index size, const float* output, const float* output_gradient,
                      float* input_gradient) {
  for (Index row = 0; row < rows; ++row, output += size, output_gradient += size, input_gradient += size) {
    Vec total(0.0f);
    Index i = 0;
    for (; i + lanes <= size; i += lanes) total = multiply_add(load(output + i), load(output_gradient + i), total);
    if (i < size) {
      total = multiply_add(load_partial(output + i, size - i), load_partial(output_gradient + i, size - i), total);
    }
    const Vec product(sum(total));
    for (i = 0; i + lanes <= size; i += lanes) {
      store(input_gradient + i, load(output + i) * (load(output_gradient + i) - product));
    }
    if (i < size) {
      const Vec gradient = load_partial(output_gradient + i, size - i);
      store_partial(input_gradient + i, load_partial(output + i, size - i) * (gradient - product), size - i);
    }
  }
}

void log_softmax(Index rows, Index size, const float* input, float* output) {
  for (Index row = 0; row < rows; ++row, input += size, output += size) {
    const float highest = row_maximum(size, input);
    const float total = sum_of_exponentials(size, input, highest, [](Index, Vec, Index) {});
    // The maximum is subtracted first: it may be large, and the logarithm small beside it.
    const Vec shift(highest), logarithm(::logf(total));
    Index i = 0;
    for (; i + lanes <= size; i += lanes) store(output + i, load(input + i) - shift - logarithm);
    if (i < size) store_partial(output + i, load_partial(input + i, size - i) - shift - logarithm, size - i);
  }
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
