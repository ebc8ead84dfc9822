#include "kernels/elementwise/elementwise.h"

#include <limits>

#include "linnet/thread_pool.h"
#include "tests/kernels/kernel_test.h"

namespace linnet::kernels::test::elementwise_test {
namespace {

using Elementwise = VariantTest<ElementwiseKernels>;
INSTANTIATE_TEST_SUITE_P(Kernels, Elementwise, every(elementwise_variants()), variant_name<ElementwiseKernels>);

constexpr Activation activations[] = {Activation::none,       Activation::relu,         Activation::relu6,
                                      Activation::hard_swish, Activation::hard_sigmoid, Activation::silu,
                                      Activation::sigmoid,    Activation::gelu};
constexpr Index sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 31, 33, 63, 65, 130};

/// The definitions of linnet/types.h in double.
double exact(Activation activation, double x) {
  const auto relu6 = [](double value) { return std::min(std::max(value, 0.0), 6.0); };
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::relu6:
      return relu6(x);
    case Activation::hard_swish:
      return x * relu6(x + 3) / 6;
    case Activation::hard_sigmoid:
      return relu6(x + 3) / 6;
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::gelu:
      return x * std::erfc(-x / std::sqrt(2.0)) / 2;
  }
  return 0;
}

double exact_derivative(Activation activation, double x) {
  const double s = 1 / (1 + std::exp(-x));
  switch (activation) {
    case Activation::none:
      return 1;
    case Activation::relu:
      return x > 0;
    case Activation::relu6:
      return x > 0 && x < 6;
    case Activation::hard_swish:
      return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5;
    case Activation::hard_sigmoid:
      return x > -3 && x < 3 ? 1.0 / 6 : 0;
    case Activation::silu:
      return s * (1 + x * (1 - s));
    case Activation::sigmoid:
      return s * (1 - s);
    case Activation::gelu:
      return std::erfc(-x / std::sqrt(2.0)) / 2 + x * std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0));
  }
  return 0;
}

/// Every region of the functions, their kinks, and far outside.
std::vector<float> interesting_values() {
  std::vector<float> values;
  for (int i = -4000; i <= 4000; ++i) values.push_back(static_cast<float>(i) * 0.0025f);
  for (int i = -1000; i <= 1000; ++i) values.push_back(static_cast<float>(i) * 0.1f);
  for (const float x : {0.0f, 3.0f, 6.0f, 1e-8f, 86.9f, 88.7f, 89.0f, 1000.0f, 1e30f}) {
    values.push_back(x);
    values.push_back(-x);
  }
  return values;
}

/// Calls f(size, offset) for sizes with every kind of tail, aligned and not.
template <class Function>
void for_each_size(Function&& f) {
  for (const Index size : sizes) {
    for (const Index offset : {0, 1, 3}) {
      SCOPED_TRACE("size " + std::to_string(size) + ", offset " + std::to_string(offset));
      f(size, offset);
    }
  }
}

TEST_P(Elementwise, ActivationsAreAccurate) {
  const Guarded input(interesting_values());
  for (const Activation activation : activations) {
    SCOPED_TRACE(to_string(activation));
    Guarded output(input.size()), expected(input.size());
    kernels().activate(activation, input.size(), input.data(), output.data());
    for (Index i = 0; i < input.size(); ++i) {
      expected.data()[i] = static_cast<float>(exact(activation, input.data()[i]));
    }
    EXPECT_TRUE(near(output, expected, activation == Activation::gelu ? 5e-7 : 3e-7, 4e-7));
  }
}

TEST_P(Elementwise, DerivativesAreAccurate) {
  const Guarded input(interesting_values());
  const Guarded gradient(random_floats(input.size(), 1, 0.5f, 2.0f));
  for (const Activation activation : activations) {
    SCOPED_TRACE(to_string(activation));
    Guarded output(input.size()), expected(input.size());
    kernels().activate_gradient(activation, input.size(), input.data(), gradient.data(), output.data());
    for (Index i = 0; i < input.size(); ++i) {
      const double x = input.data()[i];
      // Beyond these the products in floats are 0 * infinity, as in other frameworks.
      if (std::abs(x) > 1e18) {
        expected.data()[i] = output.data()[i];
        continue;
      }
      expected.data()[i] = static_cast<float>(gradient.data()[i] * exact_derivative(activation, x));
    }
    EXPECT_TRUE(near(output, expected, 2e-6, 1e-6));
  }
}

TEST_P(Elementwise, NanStaysNan) {
  for (const Activation activation : activations) {
    SCOPED_TRACE(to_string(activation));
    for (const Index size : {3, 40}) {
      const Guarded input(std::vector<float>(static_cast<std::size_t>(size), NAN));
      Guarded output(std::vector<float>(static_cast<std::size_t>(size), 1.0f));
      kernels().activate(activation, size, input.data(), output.data());
      for (const float value : output.values()) EXPECT_TRUE(std::isnan(value));
    }
  }
}

TEST_P(Elementwise, TailsAndAlignment) {
  const ElementwiseKernels& reference = *elementwise_variants().back().kernels;
  for_each_size([&](Index size, Index offset) {
    const Guarded a(random_floats(size, 1, -8, 8), offset), b(random_floats(size, 2, -8, 8), (offset + 2) % 5);
    for (const Activation activation : activations) {
      SCOPED_TRACE(to_string(activation));
      Guarded actual(size, offset), expected(size);
      kernels().activate(activation, size, a.data(), actual.data());
      reference.activate(activation, size, a.data(), expected.data());
      EXPECT_TRUE(near(actual, expected, 1e-6, 1e-6));
      kernels().activate_gradient(activation, size, a.data(), b.data(), actual.data());
      reference.activate_gradient(activation, size, a.data(), b.data(), expected.data());
      EXPECT_TRUE(near(actual, expected, 2e-5));
      kernels().add(activation, size, a.data(), b.data(), actual.data());
      reference.add(activation, size, a.data(), b.data(), expected.data());
      EXPECT_TRUE(near(actual, expected, 1e-6, 1e-6));
    }
    Guarded actual(size, offset), expected(size);
    kernels().multiply(size, a.data(), b.data(), actual.data());
    reference.multiply(size, a.data(), b.data(), expected.data());
    EXPECT_TRUE(near(actual, expected, 0));
    Guarded y(b.values(), offset), expected_y(b.values());
    kernels().accumulate(size, 0.3f, a.data(), y.data());
    reference.accumulate(size, 0.3f, a.data(), expected_y.data());
    EXPECT_TRUE(near(y, expected_y, 1e-6));
  });
}

TEST_P(Elementwise, InPlace) {
  for_each_size([&](Index size, Index offset) {
    const std::vector<float> x = random_floats(size, 1, -8, 8), g = random_floats(size, 2, -8, 8);
    const Guarded a(x, offset), b(g, offset);
    Guarded apart(size, offset);
    for (const Activation activation : activations) {
      SCOPED_TRACE(to_string(activation));
      Guarded in_place(x, offset);
      kernels().activate(activation, size, in_place.data(), in_place.data());
      kernels().activate(activation, size, a.data(), apart.data());
      EXPECT_TRUE(near(in_place, apart, 0));
      Guarded gradient(g, offset);
      kernels().activate_gradient(activation, size, a.data(), gradient.data(), gradient.data());
      kernels().activate_gradient(activation, size, a.data(), b.data(), apart.data());
      EXPECT_TRUE(near(gradient, apart, 0));
      Guarded sum(g, offset);
      kernels().add(activation, size, a.data(), sum.data(), sum.data());
      kernels().add(activation, size, a.data(), b.data(), apart.data());
      EXPECT_TRUE(near(sum, apart, 0));
    }
    Guarded product(x, offset);
    kernels().multiply(size, product.data(), b.data(), product.data());
    kernels().multiply(size, a.data(), b.data(), apart.data());
    EXPECT_TRUE(near(product, apart, 0));
  });
}

TEST_P(Elementwise, ScaleChannels) {
  const ElementwiseKernels& reference = *elementwise_variants().back().kernels;
  for_each_size([&](Index channels, Index offset) {
    for (const Index pixels : {0, 1, 5}) {
      const Guarded input(random_floats(pixels * channels, 1), offset), scale(random_floats(channels, 2), offset);
      const Guarded gradient(random_floats(pixels * channels, 3), offset);
      Guarded output(pixels * channels, offset), expected(pixels * channels);
      kernels().scale_channels(pixels, channels, input.data(), scale.data(), output.data());
      reference.scale_channels(pixels, channels, input.data(), scale.data(), expected.data());
      EXPECT_TRUE(near(output, expected, 0));
      Guarded in_place(input.values(), offset);
      kernels().scale_channels(pixels, channels, in_place.data(), scale.data(), in_place.data());
      EXPECT_TRUE(near(in_place, expected, 0));

      Guarded sums(channels, offset), expected_sums(channels);
      kernels().scale_channels_gradient(pixels, channels, input.data(), scale.data(), gradient.data(), output.data(),
                                        sums.data());
      reference.scale_channels_gradient(pixels, channels, input.data(), scale.data(), gradient.data(), expected.data(),
                                        expected_sums.data());
      EXPECT_TRUE(near(output, expected, 0));
      EXPECT_TRUE(near(sums, expected_sums, 2e-6));
    }
  });
}

TEST(ElementwiseDrivers, CoverEverythingWithTheSameBitsForAnyThreads) {
  const Index size = 100003;  // several chunks
  const std::vector<float> a = random_floats(size, 1, -8, 8), b = random_floats(size, 2, -8, 8);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    Guarded output(size);
    activate(pool, Activation::silu, size, a.data(), output.data());
    for (Index i = 0; i < size; ++i) {
      ASSERT_NEAR(output.data()[i], exact(Activation::silu, a[static_cast<std::size_t>(i)]), 2e-6);
    }
    activate_gradient(pool, Activation::silu, size, a.data(), b.data(), output.data());
    add(pool, size, output.data(), b.data(), Activation::relu, output.data());
    multiply(pool, size, output.data(), a.data(), output.data());
    accumulate(pool, size, 0.25f, b.data(), output.data());
    for (Index i = 0; i < size; ++i) {
      const double x = a[static_cast<std::size_t>(i)], y = b[static_cast<std::size_t>(i)];
      const double sum = std::max(y * exact_derivative(Activation::silu, x) + y, 0.0);
      ASSERT_NEAR(output.data()[i], sum * x + 0.25 * y, 1e-4);
    }
    EXPECT_TRUE(output.intact());
    if (results.empty()) {
      results.push_back(output.values());
    } else {
      EXPECT_TRUE(identical(output.values(), results.front()));
    }
  }
}

TEST(ElementwiseDrivers, ScaleChannelsOfEachImage) {
  struct Shape {
    Index batch, pixels, channels;
  };
  for (const auto& [batch, pixels, channels] :
       {Shape{1, 1, 5}, Shape{3, 49, 17}, Shape{2, 3000, 40}, Shape{5, 7, 20000}, Shape{2, 0, 3}, Shape{0, 4, 3}}) {
    SCOPED_TRACE(std::to_string(batch) + "x" + std::to_string(pixels) + "x" + std::to_string(channels));
    const Index size = batch * pixels * channels;
    const std::vector<float> x = random_floats(size, 1), scale = random_floats(batch * channels, 2);
    const std::vector<float> g = random_floats(size, 3);
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      Guarded output(size), input_gradient(size), scale_gradient(batch * channels);
      scale_channels(pool, batch, pixels, channels, x.data(), scale.data(), output.data());
      scale_channels_gradient(pool, batch, pixels, channels, x.data(), scale.data(), g.data(), input_gradient.data(),
                              scale_gradient.data());
      EXPECT_TRUE(output.intact() && input_gradient.intact() && scale_gradient.intact());
      results.push_back(scale_gradient.values());
      EXPECT_TRUE(identical(results.back(), results.front()));
      if (threads != 2) continue;
      std::vector<double> sums(static_cast<std::size_t>(batch * channels));
      for (Index i = 0; i < size; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const auto s = static_cast<std::size_t>(i / (pixels * channels) * channels + i % channels);
        ASSERT_EQ(output.data()[i], x[at] * scale[s]);
        ASSERT_EQ(input_gradient.data()[i], g[at] * scale[s]);
        sums[s] += static_cast<double>(g[at]) * static_cast<double>(x[at]);
      }
      for (std::size_t s = 0; s < sums.size(); ++s) ASSERT_NEAR(results.back()[s], sums[s], 1e-4);
    }
  }
}

}  // namespace
}  // namespace linnet::kernels::test::elementwise_test
