// Forward and backward by pieces against the passes that they stand for, one after the other.
#include "kernels/conv_norm/conv_norm.h"

#include <memory>
#include <string>
#include <vector>

#include "kernel_test.h"
#include "kernels/depthwise/depthwise.h"
#include "kernels/pointwise/pointwise.h"
#include "linnet/thread_pool.h"
#include "window_shapes.h"

namespace linnet::kernels::test::conv_norm_test {
namespace {

std::size_t position(Index i) { return static_cast<std::size_t>(i); }

/// Parameters and statistics of a batch norm.
struct NormLayer {
  NormLayer(Index channels, unsigned seed, Activation with)
      : gamma(random_floats(channels, seed, 0.5f, 2.0f)),
        beta(random_floats(channels, seed + 1)),
        mean(random_floats(channels, seed + 2)),
        inverse_std(random_floats(channels, seed + 3, 0.5f, 2.0f)),
        activation(with) {}
  Norm norm() const { return {gamma.data(), beta.data(), mean.data(), inverse_std.data(), activation}; }

  std::vector<float> gamma, beta, mean, inverse_std;
  Activation activation;
};

/// `tolerance` is relative to the largest expected value.
template <class Value>
void expect_near(const std::vector<Value>& found, const std::vector<Value>& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  double largest = 0;
  for (const Value value : expected) largest = std::max(largest, std::abs(static_cast<double>(value)));
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(found[i]), static_cast<double>(expected[i]), tolerance * largest) << i;
  }
}

/// A convolution: its passes, which read maps that are normalised already, and the sweeps that stand for them.
class Convolution {
 public:
  virtual ~Convolution() = default;
  virtual Index in_rows() const = 0;
  virtual Index out_rows() const = 0;
  virtual Index in_channels() const = 0;
  virtual Index out_channels() const = 0;
  virtual Index weights() const = 0;
  virtual std::string describe() const = 0;

  virtual void forward(ThreadPool& pool, const float* input, const float* weights, float* output) const = 0;
  virtual void weight_gradient(ThreadPool& pool, const float* input, const float* output_gradient,
                               float* gradient) const = 0;
  virtual void input_gradient(ThreadPool& pool, const float* output_gradient, const float* weights,
                              float* gradient) const = 0;
  /// These pack args.weights.
  virtual void sweep(ThreadPool& pool, ConvNormArgs args) const = 0;
  virtual void sweep_back(ThreadPool& pool, ConvNormGradientArgs args) const = 0;
};

class Pointwise final : public Convolution {
 public:
  Pointwise(Index rows, Index inputs, Index outputs) : rows_(rows), inputs_(inputs), outputs_(outputs) {}
  Index in_rows() const override { return rows_; }
  Index out_rows() const override { return rows_; }
  Index in_channels() const override { return inputs_; }
  Index out_channels() const override { return outputs_; }
  Index weights() const override { return inputs_ * outputs_; }
  std::string describe() const override {
    return std::to_string(rows_) + " rows from " + std::to_string(inputs_) + " to " + std::to_string(outputs_);
  }

  void forward(ThreadPool& pool, const float* input, const float* weights, float* output) const override {
    multiply(pool, inputs_, outputs_, input, packed(weights, false), output);
  }
  void weight_gradient(ThreadPool& pool, const float* input, const float* output_gradient,
                       float* gradient) const override {
    pointwise_weight_gradient(pool, {.rows = rows_,
                                     .in_channels = inputs_,
                                     .out_channels = outputs_,
                                     .input = input,
                                     .input_stride = inputs_,
                                     .output_gradient = output_gradient,
                                     .output_gradient_stride = outputs_,
                                     .weight_gradient = gradient});
  }
  void input_gradient(ThreadPool& pool, const float* output_gradient, const float* weights,
                      float* gradient) const override {
    multiply(pool, outputs_, inputs_, output_gradient, packed(weights, true), gradient);
  }
  void sweep(ThreadPool& pool, ConvNormArgs args) const override {
    const std::vector<float> weights = packed(args.weights, false);
    args.weights = weights.data();
    pointwise_norm(pool, rows_, inputs_, outputs_, args);
  }
  void sweep_back(ThreadPool& pool, ConvNormGradientArgs args) const override {
    const std::vector<float> weights = packed(args.weights, true);
    args.weights = args.input_gradient != nullptr ? weights.data() : nullptr;
    pointwise_norm_gradient(pool, rows_, inputs_, outputs_, args);
  }

 private:
  std::vector<float> packed(const float* weights, bool transposed) const {
    const Index inputs = transposed ? outputs_ : inputs_, outputs = transposed ? inputs_ : outputs_;
    std::vector<float> result(pointwise_packed_size(inputs, outputs) + 16);
    pointwise_pack(weights, transposed ? 1 : inputs_, transposed ? inputs_ : 1, inputs, outputs, result.data());
    return result;
  }
  void multiply(ThreadPool& pool, Index inputs, Index outputs, const float* input, const std::vector<float>& weights,
                float* output) const {
    pointwise(pool, {.rows = rows_,
                     .in_channels = inputs,
                     .out_channels = outputs,
                     .input = input,
                     .input_stride = inputs,
                     .weights = weights.data(),
                     .output = output,
                     .output_stride = outputs,
                     .epilogue = {}});
  }

  Index rows_, inputs_, outputs_;
};

class Depthwise final : public Convolution {
 public:
  Depthwise(const WindowSize& shape, Padding padding, Index channels)
      : window_(make_window(shape, padding)), channels_(channels) {}
  Index in_rows() const override { return window_.in_pixels(); }
  Index out_rows() const override { return window_.out_pixels(); }
  Index in_channels() const override { return channels_; }
  Index out_channels() const override { return channels_; }
  Index weights() const override { return window_.kernel_area() * channels_; }
  std::string describe() const override { return test::describe(window_, channels_); }

  void forward(ThreadPool& pool, const float* input, const float* weights, float* output) const override {
    depthwise(pool, {.window = window_,
                     .channels = channels_,
                     .input = input,
                     .weights = weights,
                     .output = output,
                     .epilogue = {}});
  }
  void weight_gradient(ThreadPool& pool, const float* input, const float* output_gradient,
                       float* gradient) const override {
    depthwise_weight_gradient(pool, {.window = window_,
                                     .channels = channels_,
                                     .input = input,
                                     .output_gradient = output_gradient,
                                     .weight_gradient = gradient});
  }
  void input_gradient(ThreadPool& pool, const float* output_gradient, const float* weights,
                      float* gradient) const override {
    depthwise_input_gradient(pool, {.window = window_,
                                    .channels = channels_,
                                    .output_gradient = output_gradient,
                                    .weights = weights,
                                    .input_gradient = gradient});
  }
  void sweep(ThreadPool& pool, ConvNormArgs args) const override { depthwise_norm(pool, window_, channels_, args); }
  void sweep_back(ThreadPool& pool, ConvNormGradientArgs args) const override {
    depthwise_norm_gradient(pool, window_, channels_, args);
  }

 private:
  Window window_;
  Index channels_;
};

struct Case {
  std::shared_ptr<const Convolution> convolution;
  Activation input, output;
  bool has_input_norm;
};

std::vector<Case> cases() {
  const auto pointwise = [](Index rows, Index inputs, Index outputs) {
    return std::make_shared<Pointwise>(rows, inputs, outputs);
  };
  const auto depthwise = [](const WindowSize& shape, Padding padding, Index channels) {
    return std::make_shared<Depthwise>(shape, padding, channels);
  };
  std::vector<Case> all = {
      // Less and more than a piece, more pieces than sums of weight gradients, channels of every remainder.
      {pointwise(2, 3, 5), Activation::relu6, Activation::none, true},
      {pointwise(100, 24, 17), Activation::relu, Activation::relu6, false},
      {pointwise(997, 40, 33), Activation::hard_swish, Activation::relu, true},
      {pointwise(2500, 16, 96), Activation::none, Activation::silu, true},
      {pointwise(23000, 5, 9), Activation::relu6, Activation::relu6, true},
      // One band and many, bands of one row, inputs that no window meets.
      {depthwise({2, 1, 1, 3, 3, 1}, Padding::symmetric, 5), Activation::relu6, Activation::none, true},
      {depthwise({1, 9, 30, 3, 3, 1}, Padding::none, 17), Activation::relu, Activation::silu, false},
      {depthwise({1, 12, 700, 3, 3, 1}, Padding::symmetric, 130), Activation::relu6, Activation::relu6, true},
  };
  for (const Index kernel : {3, 5, 7}) {
    for (const Index stride : {1, 2}) {
      for (const Padding padding : {Padding::symmetric, Padding::same}) {
        all.push_back(
            {depthwise({2, 41, 53, kernel, kernel, stride}, padding, 40), Activation::silu, Activation::relu, true});
        all.push_back(
            {depthwise({1, 70, 75, kernel, kernel, stride}, padding, 24), Activation::none, Activation::relu6, true});
      }
    }
  }
  return all;
}

struct Forward {
  std::vector<float> output, mean, variance, inverse_std;
};
struct Backward {
  std::vector<float> weight_gradient, input_gradient;
  std::vector<double> input_sums;
};

class Step {
 public:
  explicit Step(const Case& c)
      : c_(*c.convolution),
        has_input_norm_(c.has_input_norm),
        input_(random_floats(c_.in_rows() * c_.in_channels(), 1, -3.0f, 5.0f)),
        weights_(random_floats(c_.weights(), 2)),
        output_gradient_(random_floats(c_.out_rows() * c_.out_channels(), 3)),
        input_layer_(c_.in_channels(), 10, c.input),
        output_layer_(c_.out_channels(), 20, c.output) {}

  Forward by_pieces(ThreadPool& pool) const {
    const Norm norm = input_layer_.norm();
    Forward result = room();
    c_.sweep(pool, {.input = input_.data(),
                    .input_norm = has_input_norm_ ? &norm : nullptr,
                    .weights = weights_.data(),
                    .output = result.output.data(),
                    .mean = result.mean.data(),
                    .variance = result.variance.data(),
                    .inverse_std = result.inverse_std.data()});
    return result;
  }

  Forward by_passes(ThreadPool& pool) const {
    Forward result = room();
    c_.forward(pool, normalised_input(pool).data(), weights_.data(), result.output.data());
    batch_norm_statistics(pool, {.rows = c_.out_rows(),
                                 .channels = c_.out_channels(),
                                 .input = result.output.data(),
                                 .mean = result.mean.data(),
                                 .variance = result.variance.data(),
                                 .inverse_std = result.inverse_std.data()});
    return result;
  }

  Backward gradients_by_pieces(ThreadPool& pool, const std::vector<float>& products, bool wants_input) const {
    const Norm norm = input_layer_.norm();
    const std::vector<double> sums = output_sums(pool, products);
    const bool wants_sums = wants_input && has_input_norm_;
    Backward result = gradient_room();
    c_.sweep_back(pool, {.input = input_.data(),
                         .input_norm = has_input_norm_ ? &norm : nullptr,
                         .output = products.data(),
                         .output_norm = output_layer_.norm(),
                         .output_gradient = output_gradient_.data(),
                         .output_sums = sums.data(),
                         .weights = weights_.data(),
                         .weight_gradient = result.weight_gradient.data(),
                         .input_gradient = wants_input ? result.input_gradient.data() : nullptr,
                         .input_sums = wants_sums ? result.input_sums.data() : nullptr});
    return result;
  }

  Backward gradients_by_passes(ThreadPool& pool, const std::vector<float>& products) const {
    std::vector<float> product_gradient(products.size());
    BatchNormGradientArgs args = output_args(products);
    args.input_gradient = product_gradient.data();
    batch_norm_input_gradient(pool, args, output_sums(pool, products).data());
    Backward result = gradient_room();
    c_.weight_gradient(pool, normalised_input(pool).data(), product_gradient.data(), result.weight_gradient.data());
    c_.input_gradient(pool, product_gradient.data(), weights_.data(), result.input_gradient.data());
    if (has_input_norm_) {
      batch_norm_gradient_sums(pool,
                               {.rows = c_.in_rows(),
                                .channels = c_.in_channels(),
                                .input = input_.data(),
                                .output_gradient = result.input_gradient.data(),
                                .norm = input_layer_.norm()},
                               result.input_sums.data());
    }
    return result;
  }

 private:
  Forward room() const {
    const auto channels = position(c_.out_channels());
    return {std::vector<float>(output_gradient_.size(), NAN), std::vector<float>(channels, NAN),
            std::vector<float>(channels, NAN), std::vector<float>(channels, NAN)};
  }
  Backward gradient_room() const {
    return {std::vector<float>(weights_.size(), NAN), std::vector<float>(input_.size(), NAN),
            std::vector<double>(has_input_norm_ ? position(2 * c_.in_channels()) : 0, NAN)};
  }
  std::vector<float> normalised_input(ThreadPool& pool) const {
    if (!has_input_norm_) return input_;
    std::vector<float> result(input_.size());
    normalise(pool, c_.in_rows(), c_.in_channels(), input_layer_.norm(), input_.data(), result.data());
    return result;
  }
  BatchNormGradientArgs output_args(const std::vector<float>& products) const {
    return {.rows = c_.out_rows(),
            .channels = c_.out_channels(),
            .input = products.data(),
            .output_gradient = output_gradient_.data(),
            .norm = output_layer_.norm()};
  }
  std::vector<double> output_sums(ThreadPool& pool, const std::vector<float>& products) const {
    std::vector<double> sums(position(2 * c_.out_channels()));
    batch_norm_gradient_sums(pool, output_args(products), sums.data());
    return sums;
  }

  const Convolution& c_;
  bool has_input_norm_;
  std::vector<float> input_, weights_, output_gradient_;
  NormLayer input_layer_, output_layer_;
};

TEST(ConvNorm, IsThePassesInOneWithTheSameBitsForAnyThreads) {
  ThreadPool pool(1), three(3);
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.convolution->describe());
    const Step step(c);
    const Forward expected = step.by_passes(pool), found = step.by_pieces(pool), again = step.by_pieces(three);
    EXPECT_EQ(found.output, expected.output);
    expect_near(found.mean, expected.mean, 1e-6);
    expect_near(found.variance, expected.variance, 1e-6);
    expect_near(found.inverse_std, expected.inverse_std, 1e-6);
    for (const auto part : {&Forward::output, &Forward::mean, &Forward::variance, &Forward::inverse_std}) {
      EXPECT_EQ(again.*part, found.*part);
    }
  }
}

TEST(ConvNorm, GradientIsThePassesInOneWithTheSameBitsForAnyThreads) {
  ThreadPool pool(1), three(3);
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.convolution->describe());
    const Step step(c);
    const std::vector<float> products = step.by_passes(pool).output;
    const Backward expected = step.gradients_by_passes(pool, products);
    const Backward found = step.gradients_by_pieces(pool, products, true);
    expect_near(found.weight_gradient, expected.weight_gradient, 5e-6);
    expect_near(found.input_gradient, expected.input_gradient, 1e-6);
    expect_near(found.input_sums, expected.input_sums, 1e-6);

    const Backward again = step.gradients_by_pieces(three, products, true);
    EXPECT_EQ(again.weight_gradient, found.weight_gradient);
    EXPECT_EQ(again.input_gradient, found.input_gradient);
    EXPECT_EQ(again.input_sums, found.input_sums);
    EXPECT_EQ(step.gradients_by_pieces(pool, products, false).weight_gradient, found.weight_gradient);
  }
}

}  // namespace
}  // namespace linnet::kernels::test::conv_norm_test
