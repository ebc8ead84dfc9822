// Elementwise arithmetic and activations, for any vector width.
#include "kernels/elementwise/elementwise.h"
#include "kernels/simd/activation_gradient.h"

namespace linnet::kernels::LINNET_ISA {
namespace {

/// output[i] = operation(a[i])
template <class Operation>
LINNET_INLINE void map(Index size, const float* a, float* output, Operation operation) {
  Index i = 0;
  for (; i + lanes <= size; i += lanes) store(output + i, operation(load(a + i)));
  if (i < size) store_partial(output + i, operation(load_partial(a + i, size - i)), size - i);
}

/// output[i] = operation(a[i], b[i])
template <class Operation>
LINNET_INLINE void map(Index size, const float* a, const float* b, float* output, Operation operation) {
  Index i = 0;
  for (; i + lanes <= size; i += lanes) store(output + i, operation(load(a + i), load(b + i)));
  if (i < size) {
    const Index rest = size - i;
    store_partial(output + i, operation(load_partial(a + i, rest), load_partial(b + i, rest)), rest);
  }
}

void activate_array(Activation activation, Index size, const float* input, float* output) {
  with_activation(activation, [&](auto tag) {
    map(size, input, output, [](Vec x) { return activate<decltype(tag)::activation>(x); });
  });
}

void activate_gradient(Activation activation, Index size, const float* input, const float* output_gradient,
                       float* input_gradient) {
  with_activation(activation, [&](auto tag) {
    map(size, input, output_gradient, input_gradient,
        [](Vec x, Vec gradient) { return gradient * activation_derivative<decltype(tag)::activation>(x); });
  });
}

void add(Activation activation, Index size, const float* a, const float* b, float* output) {
  with_activation(activation, [&](auto tag) {
    map(size, a, b, output, [](Vec x, Vec y) { return activate<decltype(tag)::activation>(x + y); });
  });
}

void multiply(Index size, const float* a, const float* b, float* output) {
  map(size, a, b, output, [](Vec x, Vec y) { return x * y; });
}

void accumulate(Index size, float alpha, const float* x, float* y) {
  map(size, x, y, y, [factor = Vec(alpha)](Vec value, Vec sum) { return multiply_add(factor, value, sum); });
}

void scale_channels(Index pixels, Index channels, const float* input, const float* scale, float* output) {
  for (Index p = 0; p < pixels; ++p) {
    map(channels, input + p * channels, scale, output + p * channels, [](Vec x, Vec s) { return x * s; });
  }
}

void scale_channels_gradient(Index pixels, Index channels, const float* input, const float* scale,
                             const float* output_gradient, float* input_gradient, float* scale_gradient) {
  for (Index c = 0; c < channels; ++c) scale_gradient[c] = 0.0f;
  for (Index p = 0; p < pixels; ++p) {
    const float* x = input + p * channels;
    const float* g = output_gradient + p * channels;
    map(channels, g, scale, input_gradient + p * channels, [](Vec gradient, Vec s) { return gradient * s; });
    Index c = 0;
    for (; c + lanes <= channels; c += lanes) {
      store(scale_gradient + c, multiply_add(load(g + c), load(x + c), load(scale_gradient + c)));
    }
    if (c < channels) {
      const Index rest = channels - c;
      const Vec sum = load_partial(scale_gradient + c, rest);
      store_partial(scale_gradient + c, multiply_add(load_partial(g + c, rest), load_partial(x + c, rest), sum), rest);
    }
  }
}

}  // namespace
}  // namespace linnet::kernels::LINNET_ISA
