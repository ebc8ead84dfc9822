#include "kernels/softmax/softmax.h"

#include <limits>

#include "linnet/thread_pool.h"
#include "tests/kernels/kernel_test.h"

namespace linnet::kernels::test::softmax_test {
namespace {

using Softmax = VariantTest<SoftmaxKernels>;
INSTANTIATE_TEST_SUITE_P(Kernels, Softmax, every(softmax_variants()), variant_name<SoftmaxKernels>);

std::vector<float> exact_softmax(Index rows, Index size, const std::vector<float>& input, bool logarithm) {
  std::vector<float> output(input.size());
  for (Index row = 0; row < rows; ++row) {
    const auto begin = static_cast<std::size_t>(row * size), end = begin + static_cast<std::size_t>(size);
    double highest = -1e300, total = 0;
    for (std::size_t i = begin; i < end; ++i) highest = std::max<double>(highest, input[i]);
    for (std::size_t i = begin; i < end; ++i) total += std::exp(input[i] - highest);
    for (std::size_t i = begin; i < end; ++i) {
      const double x = input[i] - highest;
      output[i] = static_cast<float>(logarithm ? x - std::log(total) : std::exp(x) / total);
    }
  }
  return output;
}

TEST_P(Softmax, MatchesTheDefinition) {
  for (const Index size : {1, 2, 3, 5, 7, 8, 9, 10, 16, 17, 31, 33, 100, 1000}) {
    for (const Index rows : {0, 1, 3}) {
      for (const float range : {1.0f, 30.0f, 500.0f}) {
        SCOPED_TRACE(std::to_string(rows) + " rows of " + std::to_string(size) + " within " + std::to_string(range));
        const std::vector<float> values = random_floats(rows * size, 1, -range, range);
        const Guarded input(values, size % 4);
        Guarded output(rows * size, 1);
        kernels().softmax(rows, size, input.data(), output.data());
        EXPECT_TRUE(near(output, Guarded(exact_softmax(rows, size, values, false)), 1e-7, 4e-7));
        Guarded in_place(values, 3);
        kernels().softmax(rows, size, in_place.data(), in_place.data());
        EXPECT_TRUE(near(in_place, output, 0));

        Guarded logarithms(rows * size, 1);
        kernels().log_softmax(rows, size, input.data(), logarithms.data());
        EXPECT_TRUE(near(logarithms, Guarded(exact_softmax(rows, size, values, true)), 1e-6, 4e-7));
        Guarded log_in_place(values, 3);
        kernels().log_softmax(rows, size, log_in_place.data(), log_in_place.data());
        EXPECT_TRUE(near(log_in_place, logarithms, 0));

        const std::vector<float> g = random_floats(rows * size, 2);
        Guarded gradient(g, 2), expected(rows * size);
        kernels().softmax_gradient(rows, size, output.data(), gradient.data(), gradient.data());
        for (Index row = 0; row < rows; ++row) {
          double product = 0;
          for (Index i = row * size; i < (row + 1) * size; ++i) {
            product += static_cast<double>(output.data()[i]) * static_cast<double>(g[static_cast<std::size_t>(i)]);
          }
          for (Index i = row * size; i < (row + 1) * size; ++i) {
            expected.data()[i] = static_cast<float>(output.data()[i] * (g[static_cast<std::size_t>(i)] - product));
          }
        }
        EXPECT_TRUE(near(gradient, expected, 1e-6));
      }
    }
  }
}

TEST_P(Softmax, LargeAndInfiniteInputs) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const std::size_t size : {4u, 21u}) {
    std::vector<float> values(size, -infinity);
    values[1] = 3e38f;
    values[size - 1] = 3e38f;
    const Guarded input(values);
    Guarded output(input.size());
    kernels().softmax(1, input.size(), input.data(), output.data());
    for (std::size_t i = 0; i < size; ++i) {
      EXPECT_EQ(output.values()[i], i == 1 || i == size - 1 ? 0.5f : 0.0f);
    }
    values[2] = NAN;
    kernels().softmax(1, input.size(), Guarded(values).data(), output.data());
    for (const float value : output.values()) EXPECT_TRUE(std::isnan(value));
  }
}

TEST(SoftmaxDrivers, CoverEverythingWithTheSameBitsForAnyThreads) {
  for (const auto& [rows, size] : {std::pair<Index, Index>{1, 1000}, {5000, 10}, {70, 1001}, {0, 5}, {5, 0}}) {
    const std::vector<float> values = random_floats(rows * size, 1, -9, 9);
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      Guarded output(rows * size), logarithms(rows * size), gradient(rows * size);
      softmax(pool, rows, size, values.data(), output.data());
      log_softmax(pool, rows, size, values.data(), logarithms.data());
      softmax_gradient(pool, rows, size, output.data(), values.data(), gradient.data());
      EXPECT_TRUE(near(output, Guarded(exact_softmax(rows, size, values, false)), 1e-7, 1e-6));
      EXPECT_TRUE(near(logarithms, Guarded(exact_softmax(rows, size, values, true)), 1e-6, 1e-6));
      EXPECT_TRUE(gradient.intact());
      results.push_back(gradient.values());
      EXPECT_TRUE(identical(results.back(), results.front()));
    }
  }
}

}  // namespace
}  // namespace linnet::kernels::test::softmax_test
