// One training step of whole networks against other implementations: loss, logits, every gradient, running statistics.
// The ten steps of each optimiser are compared in tests/training.
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "golden/golden.h"
#include "kernels/softmax/softmax.h"
#include "linnet/architectures.h"
#include "linnet/error.h"
#include "linnet/training_model.h"

namespace linnet {
namespace {

using autograd::Variable;

// Mean cross entropy with smoothed labels.
Variable cross_entropy(const Variable& logits, const std::vector<Index>& labels, double smoothing, ThreadPool& pool) {
  const Index batch = logits.shape()[0], classes = logits.shape()[1];
  Tensor log_probabilities(logits.shape()), gradient(logits.shape());
  kernels::log_softmax(pool, batch, classes, logits.value().data(), log_probabilities.data());
  double loss = 0;
  for (Index i = 0; i < batch * classes; ++i) {
    const double log_p = static_cast<double>(log_probabilities.data()[i]);
    const double target = smoothing / static_cast<double>(classes) +
                          (labels[static_cast<std::size_t>(i / classes)] == i % classes ? 1 - smoothing : 0);
    loss -= target * log_p / static_cast<double>(batch);
    gradient.data()[i] = static_cast<float>((std::exp(log_p) - target) / static_cast<double>(batch));
  }
  return Variable::record("cross_entropy", Tensor::full({}, static_cast<float>(loss)), {logits},
                          [gradient](const Tensor&) { return std::vector<Tensor>{gradient}; });
}

double norm_of(const Tensor& tensor) {
  double sum = 0;
  for (Index i = 0; i < tensor.size(); ++i) sum += std::pow(static_cast<double>(tensor.data()[i]), 2);
  return std::sqrt(sum);
}

// float32_error says how far float32 strays in the reference implementation; ours adds in another order, hence the
// factor. Gradients are relative to the tensor's own norm, but where terms cancel (a convolution's bias before a batch
// norm) the noise is that of the terms, so a tensor counts at least one part in a thousand of all gradients together.
constexpr double factor = 20;

void check_step(const golden::Training& expected, const Graph& graph, ThreadPool& pool) {
  TrainingModel model(graph, golden::make_weights(expected.state_dict));
  std::vector<Index> labels;
  for (Index k = expected.first_sample; k < expected.first_sample + expected.batch; ++k) labels.push_back(7 * k % 10);
  const Tensor input = golden::make_inputs(expected.first_sample, expected.batch, expected.height, expected.width);
  const Variable logits = model.forward(input, TrainingModel::Mode::training, 1, pool);
  const Variable loss = cross_entropy(logits, labels, expected.label_smoothing, pool);
  backward(loss, pool);

  const double loss_tolerance = factor * std::max(expected.float32_loss_error, 1e-7);
  EXPECT_NEAR(static_cast<double>(*loss.value().data()), expected.loss, loss_tolerance * std::abs(expected.loss));
  for (std::size_t n = 0; n < expected.logits.size(); ++n)
    EXPECT_LT(
        golden::relative_error(logits.value().data() + static_cast<Index>(n) * expected.classes, expected.logits[n]),
        1e-3)
        << "logits of sample " << n;

  const double tolerance = factor * expected.float32_gradient_error;
  ASSERT_EQ(model.parameters().size(), expected.gradients.size());
  std::map<std::string, Tensor> gradients;
  for (const auto& parameter : model.parameters()) gradients[parameter.name] = parameter.variable.gradient();
  double squares = 0, worst = 0;
  for (const golden::Gradient& e : expected.gradients) {
    SCOPED_TRACE(e.name);
    ASSERT_TRUE(gradients.contains(e.name));
    const Tensor& found = gradients.at(e.name);
    ASSERT_EQ(found.shape(), e.shape);
    const double norm = norm_of(found), scale = std::max(e.norm, 1e-3 * expected.gradient_norm);
    squares += norm * norm;
    double difference = std::abs(norm - e.norm) / scale;
    for (std::size_t i = 0; i < e.first.size(); ++i)
      difference = std::max(difference, std::abs(static_cast<double>(found.data()[i]) - e.first[i]) / scale);
    EXPECT_LT(difference, tolerance);
    worst = std::max(worst, difference);
  }
  EXPECT_NEAR(std::sqrt(squares), expected.gradient_norm, tolerance * expected.gradient_norm);

  Weights weights = model.weights();
  for (const auto& [name, values] : expected.running) {
    ASSERT_TRUE(weights.contains(name)) << name;
    EXPECT_LT(golden::relative_error(weights.at(name).data(), values), 1e-4) << name;
  }
  std::cout << expected.name << ": loss off by " << std::abs(static_cast<double>(*loss.value().data()) - expected.loss)
            << ", gradients by " << worst << " (allowed " << tolerance << ")\n";
}

TEST(TrainingGolden, FirstStep) {
  ThreadPool pool(2);
  int ran = 0;
  std::vector<std::string> skipped;
  for (const std::string& path : golden::find_goldens("train_")) {
    const golden::Training expected = golden::read_training(path);
    SCOPED_TRACE(expected.name);
    architectures::BuildOptions options;
    options.classes = expected.classes;
    options.height = expected.height;
    options.width = expected.width;
    options.dropout = 0.0f;
    Graph graph;
    try {
      graph = architectures::build(expected.network, options);
    } catch (const Error& error) {
      for (const architectures::Variant& variant : architectures::variants())
        EXPECT_NE(variant.name, expected.network) << error.what();
      skipped.push_back(expected.name);
      std::cout << expected.name << " skipped: " << error.what() << "\n";
      continue;
    }
    check_step(expected, graph, pool);
    ++ran;
  }
  std::cout << ran << " training runs compared, " << skipped.size() << " skipped\n";
  if (ran == 0) GTEST_SKIP() << "no training run whose network is known";
}

}  // namespace
}  // namespace linnet
