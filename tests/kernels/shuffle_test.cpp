#include "kernels/shuffle/shuffle.h"

#include <stdexcept>

#include "linnet/thread_pool.h"
#include "tests/kernels/kernel_test.h"

namespace linnet::kernels::test::shuffle_test {
namespace {

using Shuffle = VariantTest<ShuffleKernels>;
INSTANTIATE_TEST_SUITE_P(Kernels, Shuffle, every(shuffle_variants()), variant_name<ShuffleKernels>);

TEST_P(Shuffle, MovesEachChannelToItsPlace) {
  for (const Index groups : {1, 2, 3, 4, 5, 8, 11}) {
    for (const Index size : {1, 2, 3, 4, 7, 8, 13, 58}) {
      for (const Index rows : {0, 1, 3}) {
        SCOPED_TRACE(std::to_string(rows) + " rows, " + std::to_string(groups) + " groups of " + std::to_string(size));
        const Index channels = groups * size;
        const Guarded input(random_floats(rows * channels, 1), 1);
        Guarded output(rows * channels, 3), expected(rows * channels), back(rows * channels, 2);
        kernels().channel_shuffle(rows, channels, groups, input.data(), output.data());
        for (Index i = 0; i < rows * channels; ++i) {
          const Index row = i / channels, c = i % channels;
          expected.data()[row * channels + c % size * groups + c / size] = input.data()[i];
        }
        EXPECT_TRUE(near(output, expected, 0));
        kernels().channel_shuffle(rows, channels, size, output.data(), back.data());
        EXPECT_TRUE(near(back, input, 0)) << "the inverse";
      }
    }
  }
}

TEST_P(Shuffle, CopiesOnlyItsChannels) {
  for (const Index channels : {0, 1, 3, 4, 8, 9, 15, 16, 24, 33}) {
    for (const Index rows : {0, 1, 5}) {
      SCOPED_TRACE(std::to_string(rows) + " rows of " + std::to_string(channels));
      const Index input_stride = channels + 3, output_stride = channels + 6;
      const Guarded input(random_floats(rows * input_stride, 1));
      Guarded output(random_floats(rows * output_stride, 2)), expected(output.values());
      if (rows > 0) {
        kernels().copy_channels(rows, channels, input.data() + 2, input_stride, output.data() + 5, output_stride);
      }
      for (Index row = 0; row < rows; ++row) {
        for (Index c = 0; c < channels; ++c) {
          expected.data()[row * output_stride + 5 + c] = input.data()[row * input_stride + 2 + c];
        }
      }
      EXPECT_TRUE(near(output, expected, 0));
    }
  }
}

TEST_P(Shuffle, InterleavesTwoInputs) {
  for (const Index channels : {0, 1, 3, 4, 8, 17, 58}) {
    for (const Index rows : {0, 1, 5}) {
      SCOPED_TRACE(std::to_string(rows) + " rows of " + std::to_string(channels));
      const Index a_stride = channels + 3, b_stride = channels + 1;
      const Guarded a(random_floats(rows * a_stride, 1), 1), b(random_floats(rows * b_stride, 2), 2);
      Guarded output(2 * rows * channels, 1), expected(2 * rows * channels);
      kernels().interleave_channels(rows, channels, a.data(), a_stride, b.data(), b_stride, output.data());
      for (Index i = 0; i < rows * channels; ++i) {
        expected.data()[2 * i] = a.data()[i / channels * a_stride + i % channels];
        expected.data()[2 * i + 1] = b.data()[i / channels * b_stride + i % channels];
      }
      EXPECT_TRUE(near(output, expected, 0));
    }
  }
}

TEST(ShuffleDrivers, CoverEverything) {
  ThreadPool pool(2);
  const Index rows = 3001, channels = 116;
  const Guarded input(random_floats(rows * channels, 1));
  Guarded output(rows * channels), back(rows * channels), halves(rows * channels);
  channel_shuffle(pool, rows, channels, 2, input.data(), output.data());
  EXPECT_EQ(output.data()[1], input.data()[58]);
  channel_shuffle(pool, rows, channels, 58, output.data(), back.data());
  EXPECT_TRUE(near(back, input, 0));

  copy_channels(pool, rows, 58, input.data(), channels, halves.data() + 58, channels);
  copy_channels(pool, rows, 58, input.data() + 58, channels, halves.data(), channels);
  for (Index i = 0; i < rows * channels; ++i) {
    const Index c = i % channels;
    ASSERT_EQ(halves.data()[i], input.data()[c < 58 ? i + 58 : i - 58]);
  }
  EXPECT_TRUE(halves.intact());
  Guarded interleaved(rows * channels);
  interleave_channels(pool, rows, 58, input.data(), channels, input.data() + 58, channels, interleaved.data());
  EXPECT_TRUE(near(interleaved, output, 0));
  EXPECT_THROW(channel_shuffle(pool, 1, 10, 3, input.data(), output.data()), std::invalid_argument);
  EXPECT_THROW(channel_shuffle(pool, 1, 10, 0, input.data(), output.data()), std::invalid_argument);
  channel_shuffle(pool, 0, 4, 2, input.data(), output.data());
}

}  // namespace
}  // namespace linnet::kernels::test::shuffle_test
