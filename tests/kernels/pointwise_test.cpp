#include "kernels/pointwise/pointwise.h"

#include <Eigen/Core>
#include <string>

#include "kernel_test.h"
#include "kernels/common/scalar_activation.h"
#include "kernels/pointwise/panels.h"
#include "kernels/pointwise/scratch.h"
#include "linnet/thread_pool.h"

namespace linnet::kernels::test::pointwise_test {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Rows of channels inside wider rows; what lies between them is NaN and must neither be read nor written.
struct Rows {
  Index rows, channels, stride;

  Index size() const { return rows == 0 ? 0 : (rows - 1) * stride + channels; }
  std::vector<float> random(unsigned seed) const {
    std::vector<float> values(static_cast<std::size_t>(size()), NAN);
    const std::vector<float> random = random_floats(rows * channels, seed);
    for (Index r = 0; r < rows; ++r) std::copy_n(random.data() + r * channels, channels, values.data() + r * stride);
    return values;
  }
  Matrix matrix(const float* values) const {
    Matrix result(rows, channels);
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < channels; ++c) result(r, c) = values[r * stride + c];
    }
    return result;
  }
  /// As `matrix`, with NaN between the rows.
  std::vector<float> floats(const Matrix& matrix) const {
    std::vector<float> values(static_cast<std::size_t>(size()), NAN);
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < channels; ++c) values[static_cast<std::size_t>(r * stride + c)] = float(matrix(r, c));
    }
    return values;
  }
};

Matrix dense(const std::vector<float>& values, Index rows, Index columns) {
  return Rows{rows, columns, columns}.matrix(values.data());
}

struct AlignedFloats {
  explicit AlignedFloats(std::size_t size) : storage(static_cast<Index>(size)) {}
  Guarded storage;
  float* data() { return storage.data(); }
};

struct Shape {
  Index rows, in, out;
};

std::string describe(const Shape& shape) {
  return std::to_string(shape.rows) + " x " + std::to_string(shape.in) + " -> " + std::to_string(shape.out);
}

constexpr Activation all_activations[] = {Activation::none,       Activation::relu,         Activation::relu6,
                                          Activation::hard_swish, Activation::hard_sigmoid, Activation::silu,
                                          Activation::sigmoid,    Activation::gelu};

/// A forward problem, and what it should give.
struct Forward {
  Forward(const PointwiseKernels& kernels, const Shape& shape, Index padding, Activation activation, bool bias,
          bool residual, bool in_place, Index offset)
      : in{shape.rows, shape.in, shape.in + padding},
        out{shape.rows, shape.out, shape.out + 2 * padding},
        res{shape.rows, shape.out, in_place ? out.stride : shape.out + padding},
        input(in.random(1), offset),
        output(out.size(), offset),
        residual_values(res.random(2), offset + 1),
        bias_values(random_floats(shape.out, 3), offset),
        packed(pointwise_packed_size(kernels, shape.in, shape.out)) {
    const std::vector<float> weights = random_floats(shape.in * shape.out, 4);
    pointwise_pack(kernels, weights.data(), shape.in, 1, shape.in, shape.out, packed.data());

    Matrix sums = in.matrix(input.data()) * dense(weights, shape.out, shape.in).transpose();
    if (bias) sums.rowwise() += dense(bias_values.values(), 1, shape.out).row(0);
    if (residual) sums += res.matrix(residual_values.data());
    for (Index i = 0; i < sums.size(); ++i) {
      sums.data()[i] = scalar::activate(activation, static_cast<float>(sums.data()[i]));
    }
    expected = out.floats(sums);

    args.rows = shape.rows;
    args.in_channels = shape.in;
    args.out_channels = shape.out;
    args.input = input.data();
    args.input_stride = in.stride;
    args.weights = packed.data();
    args.output = output.data();
    args.output_stride = out.stride;
    args.epilogue.activation = activation;
    if (bias) args.epilogue.bias = bias_values.data();
    if (residual) {
      args.epilogue.residual = residual_values.data();
      args.epilogue.residual_stride = res.stride;
    }
    if (residual && in_place) {
      std::copy_n(residual_values.data(), output.size(), output.data());
      args.epilogue.residual = output.data();
    }
  }

  testing::AssertionResult correct() const {
    return near(output, Guarded(expected), 2e-6 * std::sqrt(static_cast<double>(args.in_channels)), 2e-5);
  }

  Rows in, out, res;
  Guarded input, output, residual_values, bias_values;
  AlignedFloats packed;
  std::vector<float> expected;
  PointwiseArgs args;
};

using Pointwise = VariantTest<PointwiseKernels>;
INSTANTIATE_TEST_SUITE_P(Kernels, Pointwise, every(pointwise_variants()), variant_name<PointwiseKernels>);

TEST_P(Pointwise, MatchesEigenOnAnyShape) {
  unsigned count = 0;
  for (Index rows : {1, 2, 3, 5, 6, 7, 8, 13, 14, 15, 29, 50}) {
    for (Index in : {1, 2, 3, 4, 5, 8, 17, 27, 64}) {
      for (Index out : {1, 3, 4, 7, 8, 9, 16, 17, 24, 31, 32, 33, 40, 48, 50, 80}) {
        const Shape shape{rows, in, out};
        SCOPED_TRACE(describe(shape));
        const unsigned mix = count++;
        Forward forward(kernels(), shape, mix % 3 * 2, all_activations[mix % 3], mix % 2 == 0, mix % 5 < 2,
                        mix % 5 == 0, mix % 4);
        kernels().run(forward.args, {}, {0, rows}, {0, panel_count(out, kernels().lanes)});
        ASSERT_TRUE(forward.correct());
      }
    }
  }
}

TEST_P(Pointwise, AppliesEveryActivation) {
  for (Activation activation : all_activations) {
    for (Index out : {5, 32, 43}) {
      SCOPED_TRACE(std::string(to_string(activation)) + " to " + std::to_string(out));
      Forward forward(kernels(), {23, 48, out}, 1, activation, true, true, true, 1);
      kernels().run(forward.args, {}, {0, 23}, {0, panel_count(out, kernels().lanes)});
      EXPECT_TRUE(forward.correct());
    }
  }
}

TEST_P(Pointwise, RunsPartsOfTheWork) {
  const Index out = 6 * kernels().lanes + 3, panels = panel_count(out, kernels().lanes);
  Forward forward(kernels(), {41, 19, out}, 3, Activation::relu, true, false, false, 0);
  for (const Range rows : {Range{0, 1}, Range{1, 17}, Range{17, 41}, Range{41, 41}}) {
    for (Index panel = panels; panel-- > 0;) kernels().run(forward.args, {}, rows, {panel, panel + 1});
  }
  EXPECT_TRUE(forward.correct());
}

TEST_P(Pointwise, ReadsRowsInSegments) {
  const Index rows = 31, out = 22, count = 3, size = 9, step = 6, stride = step * rows + 7;
  // Rows overlap, as the windows of a convolution do.
  const Guarded input(random_floats(2 * stride + step * (rows - 1) + size, 1), 1);
  std::vector<float> copy;
  for (Index r = 0; r < rows; ++r) {
    for (Index s = 0; s < count; ++s) {
      const float* segment = input.data() + r * step + s * stride;
      copy.insert(copy.end(), segment, segment + size);
    }
  }
  Forward forward(kernels(), {rows, count * size, out}, 0, Activation::none, true, false, false, 0);
  const Range panels{0, panel_count(out, kernels().lanes)};
  forward.args.input = copy.data();
  kernels().run(forward.args, {}, {0, rows}, panels);
  const std::vector<float> expected = forward.output.values();
  forward.args.input = input.data();
  forward.args.input_stride = step;
  kernels().run(forward.args, {size, stride}, {0, rows}, panels);
  EXPECT_TRUE(near(forward.output, Guarded(expected), 1e-5));
}

TEST_P(Pointwise, ReadsAndWritesBlocks) {
  const Index lanes = kernels().lanes;
  for (const Shape& shape : {Shape{1, 1, 1},
                             {1, 9, 4 * 2 * lanes},
                             {7, 2 * lanes, lanes},
                             {29, 3 * lanes + 1, 2 * lanes + 1},
                             {14, 5, 5 * lanes - 1}}) {
    for (const Activation activation : {Activation::relu6, Activation::silu}) {
      SCOPED_TRACE(describe(shape));
      Forward plain(kernels(), shape, 0, activation, true, false, false, 0);
      const Range rows{0, shape.rows}, panels{0, panel_count(shape.out, lanes)};
      kernels().run(plain.args, {}, rows, panels);

      // The input in blocks of `lanes` channels.
      const Index in_blocks = vector_count(shape.in, lanes), in_stride = shape.rows * lanes;
      std::vector<float> input(static_cast<std::size_t>(in_blocks * in_stride), NAN);
      for (Index r = 0; r < shape.rows; ++r) {
        for (Index i = 0; i < shape.in; ++i) {
          input[static_cast<std::size_t>(i / lanes * in_stride + r * lanes + i % lanes)] =
              plain.input.data()[r * shape.in + i];
        }
      }
      // The output in blocks too, its rows in reverse.
      const Index out_blocks = vector_count(shape.out, lanes), out_stride = shape.rows * lanes;
      std::vector<std::int32_t> positions;
      for (Index r = 0; r < shape.rows; ++r) {
        positions.push_back(static_cast<std::int32_t>((shape.rows - 1 - r) * lanes));
      }
      for (const bool reversed : {false, true}) {
        Guarded output(out_blocks * out_stride);
        PointwiseArgs args = plain.args;
        args.input = input.data();
        args.input_stride = lanes;
        args.output = output.data();
        args.output_stride = lanes;
        args.blocks = {out_stride, reversed ? positions.data() : nullptr};
        kernels().run(args, {lanes, in_stride}, rows, panels);
        ASSERT_TRUE(output.intact());
        Guarded gathered(shape.rows * shape.out);
        for (Index r = 0; r < shape.rows; ++r) {
          const Index row = reversed ? shape.rows - 1 - r : r;
          for (Index o = 0; o < shape.out; ++o) {
            gathered.data()[r * shape.out + o] = output.data()[o / lanes * out_stride + row * lanes + o % lanes];
          }
        }
        ASSERT_TRUE(identical(gathered.values(), plain.output.values()));
      }
    }
  }
}

TEST_P(Pointwise, ResultDoesNotDependOnTheTile) {
  Forward whole(kernels(), {37, 129, 50}, 0, Activation::none, true, false, false, 0);
  Forward rows(kernels(), {37, 129, 50}, 0, Activation::none, true, false, false, 0);
  const Range panels{0, panel_count(50, kernels().lanes)};
  kernels().run(whole.args, {}, {0, 37}, panels);
  for (Index row = 0; row < 37; ++row) kernels().run(rows.args, {}, {row, row + 1}, panels);
  EXPECT_TRUE(identical(rows.output.values(), whole.output.values()));
}

using PointwiseGradient = VariantTest<PointwiseGradientKernels>;
INSTANTIATE_TEST_SUITE_P(Kernels, PointwiseGradient, every(pointwise_gradient_variants()),
                         variant_name<PointwiseGradientKernels>);

TEST_P(PointwiseGradient, MatchesEigen) {
  for (const Shape& shape : {Shape{1, 1, 1},
                             {2, 3, 5},
                             {127, 16, 24},
                             {128, 24, 16},
                             {129, 7, 31},
                             {300, 40, 6},
                             {64, 33, 33},
                             {400, 72, 50},
                             {0, 9, 10}}) {
    for (const bool accumulate : {false, true}) {
      SCOPED_TRACE(describe(shape) + (accumulate ? " added" : ""));
      const Rows in{shape.rows, shape.in, shape.in + 3}, out{shape.rows, shape.out, shape.out + 2};
      const Guarded input(in.random(1), 1), output_gradient(out.random(2), 2);
      const std::vector<float> before = random_floats(shape.in * shape.out, 3);
      const std::vector<float> fresh(before.size(), NAN);
      Guarded gradient(accumulate ? before : fresh, 3);
      const PointwiseWeightGradientArgs args{
          shape.rows, shape.in, shape.out, input.data(), in.stride, output_gradient.data(), out.stride, nullptr};
      AlignedFloats scratch(weight_gradient_scratch_size(kernels(), shape.out));
      // In four blocks, each summing the rows in two goes.
      for (const Range outputs : {Range{0, shape.out / 3}, Range{shape.out / 3, shape.out}}) {
        for (const Range inputs : {Range{0, shape.in / 2}, Range{shape.in / 2, shape.in}}) {
          WeightGradientBlock block{{0, shape.rows / 4}, outputs,       inputs, gradient.data(), shape.in,
                                    accumulate,          scratch.data()};
          kernels().weight_gradient(args, block);
          block.rows = {shape.rows / 4, shape.rows};
          block.accumulate = true;
          kernels().weight_gradient(args, block);
        }
      }
      Matrix expected = out.matrix(output_gradient.data()).transpose() * in.matrix(input.data());
      if (accumulate) expected += dense(before, shape.out, shape.in);
      EXPECT_TRUE(scratch.storage.intact());
      EXPECT_TRUE(near(gradient, Guarded(Rows{shape.out, shape.in, shape.in}.floats(expected)), 1e-4));
    }
  }
}

TEST(PointwiseDriver, SameBitsForAnyNumberOfThreads) {
  for (const Shape& shape :
       {Shape{3137, 24, 72}, {49, 160, 960}, {196, 96, 40}, {1, 1024, 1000}, {5, 3, 2}, {0, 8, 8}}) {
    SCOPED_TRACE(describe(shape));
    std::vector<float> first;
    for (int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      Forward forward(pointwise_kernels(), shape, 1, Activation::hard_swish, true, true, false, 0);
      pointwise(pool, forward.args);
      EXPECT_TRUE(forward.correct());
      if (threads == 1) first = forward.output.values();
      EXPECT_TRUE(identical(forward.output.values(), first));
    }
  }
}

TEST(PointwisePack, PanelsOfScaledRows) {
  for (const auto& variant : pointwise_variants()) {
    const PointwiseKernels& kernels = *variant.kernels;
    const Index lanes = kernels.lanes;
    for (const auto& [in, out] :
         {std::pair<Index, Index>{1, 1}, {3, 5}, {32, 16}, {33, 37}, {7, 3 * lanes}, {70, 130}}) {
      SCOPED_TRACE(std::string(to_string(variant.isa)) + " " + std::to_string(in) + " -> " + std::to_string(out));
      const std::vector<float> weights = random_floats(in * out, 1), scale = random_floats(out, 2);
      for (const bool scaled : {false, true}) {
        Guarded packed(static_cast<Index>(pointwise_packed_size(kernels, in, out)));
        pointwise_pack(kernels, weights.data(), in, 1, in, out, packed.data(), scaled ? scale.data() : nullptr);
        ASSERT_TRUE(packed.intact());
        const float* found = packed.data();
        for (Index panel = 0; panel < panel_count(out, lanes); ++panel) {
          const Index begin = panel_begin(panel, lanes), width = panel_vectors(panel, out, lanes) * lanes;
          for (Index i = 0; i < in; ++i) {
            for (Index o = begin; o < begin + width; ++o, ++found) {
              const float factor = scaled && o < out ? scale[std::size_t(o)] : 1.0f;
              ASSERT_EQ(*found, o < out ? weights[std::size_t(o * in + i)] * factor : 0.0f) << o << ", " << i;
            }
          }
        }
      }
    }
  }
}

TEST(PointwiseDriver, PacksTheTransposedMatrix) {
  const Index in = 13, out = 37;
  const std::vector<float> weights = random_floats(in * out, 1);
  std::vector<float> transposed(weights.size());
  for (Index o = 0; o < out; ++o) {
    for (Index i = 0; i < in; ++i) transposed[std::size_t(i * out + o)] = weights[std::size_t(o * in + i)];
  }
  std::vector<float> a(pointwise_packed_size(out, in), NAN), b(a.size(), NAN);
  pointwise_pack(weights.data(), 1, in, out, in, a.data());
  pointwise_pack(transposed.data(), out, 1, out, in, b.data());
  EXPECT_TRUE(identical(a, b));
}

TEST(PointwiseDriver, WeightGradientSameBitsForAnyNumberOfThreads) {
  for (const Shape& shape : {Shape{5000, 16, 24}, {3000, 64, 96}, {49, 320, 640}, {1, 10, 10}, {0, 4, 4}}) {
    SCOPED_TRACE(describe(shape));
    const Rows in{shape.rows, shape.in, shape.in}, out{shape.rows, shape.out, shape.out + 8};
    const std::vector<float> input = in.random(1), output_gradient = out.random(2);
    const Matrix expected = out.matrix(output_gradient.data()).transpose() * in.matrix(input.data());
    std::vector<float> first;
    for (int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      Guarded gradient(shape.in * shape.out, 1);
      pointwise_weight_gradient(pool, {shape.rows, shape.in, shape.out, input.data(), in.stride, output_gradient.data(),
                                       out.stride, gradient.data()});
      EXPECT_TRUE(near(gradient, Guarded(Rows{shape.out, shape.in, shape.in}.floats(expected)), 1e-3, 1e-4));
      if (threads == 1) first = gradient.values();
      EXPECT_TRUE(identical(gradient.values(), first));
    }
  }
}

TEST(PointwiseDriver, ScratchIsReusedAndNests) {
  float* first = nullptr;
  {
    const Scratch outer(1000), inner(100000);
    EXPECT_NE(outer.data(), inner.data());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(outer.data()) % 64, 0u);
    std::fill_n(inner.data(), 100000, 1.0f);
    first = outer.data();
  }
  EXPECT_EQ(Scratch(1000).data(), first);
}

}  // namespace
}  // namespace linnet::kernels::test::pointwise_test
