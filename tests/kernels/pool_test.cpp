#include "kernels/pool/pool.h"

#include <limits>

#include "kernel_test.h"
#include "linnet/thread_pool.h"
#include "window_shapes.h"

namespace linnet::kernels::test::pool_test {
namespace {

struct Shape {
  Window window;
  Index channels;
};

std::vector<Shape> shapes_without_dilation() {
  constexpr Index sizes[][3] = {{1, 3, 3}, {2, 7, 5}, {1, 8, 9}, {3, 4, 6}};
  constexpr Index kernels[][3] = {{2, 2, 2}, {3, 3, 1}, {3, 3, 2}, {2, 3, 1}, {5, 5, 3}};  // height, width, stride
  constexpr Index channels[] = {1, 3, 4, 7, 8, 9, 16, 17, 24, 37};
  std::vector<Shape> shapes;
  for (const auto& [batch, height, width] : sizes) {
    for (const auto& [kernel_height, kernel_width, stride] : kernels) {
      for (const Padding padding : {Padding::symmetric, Padding::same, Padding::none}) {
        const Window window = make_window({batch, height, width, kernel_height, kernel_width, stride}, padding);
        if (window.out_pixels() > 0) shapes.push_back({window, channels[shapes.size() % std::size(channels)]});
      }
    }
  }
  return shapes;
}

const Shape dilated{make_window({2, 9, 8, 3, 3, 2, 2}, Padding::none), 5};

std::size_t position(Index i) { return static_cast<std::size_t>(i); }

std::vector<float> to_floats(const std::vector<double>& values) { return {values.begin(), values.end()}; }

/// Rows are cut in the middle, so that ranges begin and end anywhere in an image.
template <class Function>
void in_two_ranges(Index rows, Function&& f) {
  const Index cut = rows / 2;
  if (cut > 0) f(Range{0, cut});
  f(Range{cut, rows});
}

struct MaxPoolResult {
  std::vector<float> output;
  std::vector<std::int32_t> positions;
};

MaxPoolResult expected_max(const Shape& shape, const float* input) {
  const Window& w = shape.window;
  const Index size = w.out_pixels() * shape.channels, map = w.in_height * w.in_width;
  MaxPoolResult result{std::vector<float>(position(size)), std::vector<std::int32_t>(position(size), -1)};
  for_each_product(w, [&](Index out, Index in, Index) {
    for (Index c = 0; c < shape.channels; ++c) {
      const std::size_t at = position(out * shape.channels + c);
      const float value = input[in * shape.channels + c], best = result.output[at];
      const bool first = result.positions[at] < 0;
      if (!first && (std::isnan(best) || !(value > best || std::isnan(value)))) continue;
      result.output[at] = value;
      result.positions[at] = static_cast<std::int32_t>(in % map);
    }
  });
  return result;
}

/// The inputs under each output, padding counted or not.
std::vector<double> window_counts(const Window& w, bool count_padding) {
  std::vector<double> counts(position(w.out_pixels()), count_padding ? static_cast<double>(w.kernel_area()) : 0.0);
  if (!count_padding) for_each_product(w, [&](Index out, Index, Index) { counts[position(out)] += 1.0; });
  return counts;
}

std::vector<float> expected_average(const Shape& shape, const float* input, bool count_padding) {
  std::vector<double> sums(position(shape.window.out_pixels() * shape.channels));
  const std::vector<double> counts = window_counts(shape.window, count_padding);
  for_each_product(shape.window, [&](Index out, Index in, Index) {
    for (Index c = 0; c < shape.channels; ++c) {
      sums[position(out * shape.channels + c)] +=
          static_cast<double>(input[in * shape.channels + c]) / counts[position(out)];
    }
  });
  return to_floats(sums);
}

std::vector<float> expected_average_gradient(const Shape& shape, const float* output_gradient, bool count_padding) {
  std::vector<double> sums(position(shape.window.in_pixels() * shape.channels));
  const std::vector<double> counts = window_counts(shape.window, count_padding);
  for_each_product(shape.window, [&](Index out, Index in, Index) {
    for (Index c = 0; c < shape.channels; ++c) {
      sums[position(in * shape.channels + c)] +=
          static_cast<double>(output_gradient[out * shape.channels + c]) / counts[position(out)];
    }
  });
  return to_floats(sums);
}

std::vector<float> expected_max_gradient(const Shape& shape, const std::vector<std::int32_t>& positions,
                                         const float* output_gradient) {
  const Window& w = shape.window;
  std::vector<double> sums(position(w.in_pixels() * shape.channels));
  for (Index out = 0; out < w.out_pixels(); ++out) {
    const Index map = out / (w.out_height * w.out_width) * w.in_height * w.in_width;
    for (Index c = 0; c < shape.channels; ++c) {
      const std::size_t at = position(out * shape.channels + c);
      sums[position((map + positions[at]) * shape.channels + c)] += static_cast<double>(output_gradient[at]);
    }
  }
  return to_floats(sums);
}

/// Values from a few levels, so that there are ties, and now and then a NaN or an infinity.
std::vector<float> awkward_floats(Index size, unsigned seed) {
  std::vector<float> values = random_floats(size, seed, -3.0f, 3.0f);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::round(values[i]);
    if (i % 41 == 7) values[i] = NAN;
    if (i % 43 == 9) values[i] = -std::numeric_limits<float>::infinity();
  }
  return values;
}

using Pool = VariantTest<PoolKernels>;
INSTANTIATE_TEST_SUITE_P(Kernels, Pool, every(pool_variants()), variant_name<PoolKernels>);

TEST_P(Pool, MaxAndItsGradient) {
  for (const Shape& shape : shapes_without_dilation()) {
    SCOPED_TRACE(describe(shape.window, shape.channels));
    const Window& window = shape.window;
    const Index out_size = window.out_pixels() * shape.channels;
    const Guarded input(awkward_floats(window.in_pixels() * shape.channels, 1), 1);
    const MaxPoolResult expected = expected_max(shape, input.data());
    for (const bool with_positions : {true, false}) {
      Guarded output(out_size, 3);
      std::vector<std::int32_t> positions(position(out_size + 1), -7);
      MaxPoolArgs args{window, shape.channels, input.data(), output.data(),
                       with_positions ? positions.data() : nullptr};
      in_two_ranges(window.batch * window.out_height, [&](Range rows) { kernels().max(args, rows); });
      ASSERT_TRUE(near(output, Guarded(expected.output), 0));
      ASSERT_EQ(positions.back(), -7);
      positions.pop_back();
      if (with_positions) {
        ASSERT_EQ(positions, expected.positions);
      }
    }
    const Guarded output_gradient(random_floats(out_size, 2), 1);
    Guarded input_gradient(input.size(), 2);
    const MaxPoolGradientArgs args{window, shape.channels, output_gradient.data(), expected.positions.data(),
                                   input_gradient.data()};
    in_two_ranges(window.batch * window.in_height, [&](Range rows) { kernels().max_gradient(args, rows); });
    ASSERT_TRUE(
        near(input_gradient, Guarded(expected_max_gradient(shape, expected.positions, output_gradient.data())), 1e-6));
  }
}

TEST_P(Pool, AverageAndItsGradient) {
  for (const Shape& shape : shapes_without_dilation()) {
    for (const bool count_padding : {false, true}) {
      SCOPED_TRACE(describe(shape.window, shape.channels) + (count_padding ? ", padding counted" : ""));
      const Window& window = shape.window;
      const Guarded input(random_floats(window.in_pixels() * shape.channels, 1), 1);
      Guarded output(window.out_pixels() * shape.channels, 3);
      const AveragePoolArgs args{window, shape.channels, input.data(), output.data(), count_padding};
      in_two_ranges(window.batch * window.out_height, [&](Range rows) { kernels().average(args, rows); });
      ASSERT_TRUE(near(output, Guarded(expected_average(shape, input.data(), count_padding)), 1e-6, 1e-6));

      const Guarded output_gradient(random_floats(output.size(), 2), 1);
      Guarded input_gradient(input.size(), 2);
      const AveragePoolGradientArgs gradient_args{window, shape.channels, output_gradient.data(), input_gradient.data(),
                                                  count_padding};
      in_two_ranges(window.batch * window.in_height,
                    [&](Range rows) { kernels().average_gradient(gradient_args, rows); });
      ASSERT_TRUE(near(input_gradient, Guarded(expected_average_gradient(shape, output_gradient.data(), count_padding)),
                       1e-6, 1e-6));
    }
  }
}

TEST_P(Pool, GlobalAverageAndItsGradient) {
  for (const auto& [pixels, channels] : {std::pair<Index, Index>{1, 3}, {49, 8}, {7, 37}, {200, 65}, {12544, 5}}) {
    SCOPED_TRACE(std::to_string(pixels) + " pixels of " + std::to_string(channels));
    const Guarded input(random_floats(pixels * channels, 1, 5.0f, 6.0f), 1);
    std::vector<double> means(position(channels));
    for (Index i = 0; i < input.size(); ++i) {
      means[position(i % channels)] += static_cast<double>(input.data()[i]) / static_cast<double>(pixels);
    }
    Guarded output(channels, 3);
    const Index cut = channels / 2;
    kernels().global_average(pixels, channels, {0, cut}, input.data(), output.data());
    kernels().global_average(pixels, channels, {cut, channels}, input.data(), output.data());
    ASSERT_TRUE(near(output, Guarded(to_floats(means)), 0, 5e-7));

    Guarded input_gradient(input.size(), 2), expected(input.size());
    in_two_ranges(pixels, [&, pixels = pixels, channels = channels](Range range) {
      kernels().global_average_gradient(pixels, channels, range, output.data(), input_gradient.data());
    });
    for (Index i = 0; i < input.size(); ++i) {
      expected.data()[i] = output.data()[i % channels] / static_cast<float>(pixels);
    }
    ASSERT_TRUE(near(input_gradient, expected, 0, 1e-6));
  }
}

/// All results of the drivers for one window, one after the other.
std::vector<float> run_all(ThreadPool& pool, const Shape& shape, const std::vector<float>& input,
                           const std::vector<float>& output_gradient) {
  const Window& window = shape.window;
  std::vector<float> all;
  const auto keep = [&all](const Guarded& tensor) {
    EXPECT_TRUE(tensor.intact());
    all.insert(all.end(), tensor.data(), tensor.data() + tensor.size());
  };
  Guarded output(static_cast<Index>(output_gradient.size())), gradient(static_cast<Index>(input.size()));
  std::vector<std::int32_t> positions(output_gradient.size());
  max_pool(pool, {window, shape.channels, input.data(), output.data(), positions.data()});
  keep(output);
  max_pool_gradient(pool, {window, shape.channels, output_gradient.data(), positions.data(), gradient.data()});
  keep(gradient);
  for (const bool count_padding : {false, true}) {
    average_pool(pool, {window, shape.channels, input.data(), output.data(), count_padding});
    keep(output);
    average_pool_gradient(pool, {window, shape.channels, output_gradient.data(), gradient.data(), count_padding});
    keep(gradient);
  }
  const Index pixels = window.in_height * window.in_width;
  Guarded means(window.batch * shape.channels);
  global_average_pool(pool, window.batch, pixels, shape.channels, input.data(), means.data());
  keep(means);
  global_average_pool_gradient(pool, window.batch, pixels, shape.channels, means.data(), gradient.data());
  keep(gradient);
  return all;
}

TEST(PoolDriver, AnyWindowOnAnyNumberOfThreads) {
  const Shape large{make_window({3, 30, 33, 3, 3, 2}, Padding::symmetric), 72};
  for (const Shape& shape : {dilated, large}) {
    SCOPED_TRACE(describe(shape.window, shape.channels));
    const std::vector<float> input = random_floats(shape.window.in_pixels() * shape.channels, 1);
    const std::vector<float> output_gradient = random_floats(shape.window.out_pixels() * shape.channels, 2);
    ThreadPool one(1);
    const std::vector<float> all = run_all(one, shape, input, output_gradient);

    std::vector<float> expected;
    const auto expect = [&expected](const std::vector<float>& values) {
      expected.insert(expected.end(), values.begin(), values.end());
    };
    const MaxPoolResult max = expected_max(shape, input.data());
    expect(max.output);
    expect(expected_max_gradient(shape, max.positions, output_gradient.data()));
    for (const bool count_padding : {false, true}) {
      expect(expected_average(shape, input.data(), count_padding));
      expect(expected_average_gradient(shape, output_gradient.data(), count_padding));
    }
    const Index pixels = shape.window.in_height * shape.window.in_width, batch = shape.window.batch;
    std::vector<double> means(position(batch * shape.channels)), gradient(input.size());
    for (std::size_t i = 0; i < input.size(); ++i) {
      const auto index = static_cast<Index>(i);
      const Index image = index / (pixels * shape.channels);
      means[position(image * shape.channels + index % shape.channels)] +=
          static_cast<double>(input[i]) / static_cast<double>(pixels);
    }
    for (std::size_t i = 0; i < input.size(); ++i) {
      const auto index = static_cast<Index>(i);
      gradient[i] = means[position(index / (pixels * shape.channels) * shape.channels + index % shape.channels)] /
                    static_cast<double>(pixels);
    }
    expect(to_floats(means));
    expect(to_floats(gradient));
    ASSERT_TRUE(near(all, expected, 1e-6, 1e-6));

    for (const int threads : {2, 3}) {
      ThreadPool pool(threads);
      ASSERT_TRUE(identical(run_all(pool, shape, input, output_gradient), all)) << threads << " threads";
    }
  }
}

}  // namespace
}  // namespace linnet::kernels::test::pool_test
