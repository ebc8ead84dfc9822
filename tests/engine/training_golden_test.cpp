// One training step of whole networks against other implementations: loss, logits, every gradient, running statistics.
// The ten steps of each optimiser are compared in tests/training.
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "golden/golden.h"
#include "kernels/softmax/softmax.h"
#include "linnet/architectures.h"
#include "linnet/error.h"
#include "linnet/random.h"
#include "linnet/summary.h"
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
// factor.
constexpr double factor = 20;

/// One attempt: where the step differs from the golden one by more than rounding explains, and the figures.
struct Comparison {
  std::vector<std::string> differences;
  double loss_error = 0, gradient_error = 0;

  void check(const std::string& what, double error, double tolerance) {
    if (!(error <= tolerance))
      differences.push_back(what + " is off by " + std::to_string(error / tolerance) + " times the tolerance");
  }
};

Comparison compare_step(const golden::Training& expected, const Graph& graph, const Tensor& input, ThreadPool& pool) {
  TrainingModel model(graph, golden::make_weights(expected.state_dict));
  std::vector<Index> labels;
  for (Index k = expected.first_sample; k < expected.first_sample + expected.batch; ++k) labels.push_back(7 * k % 10);
  const Variable logits = model.forward(input, TrainingModel::Mode::training, 1, pool);
  const Variable loss = cross_entropy(logits, labels, expected.label_smoothing, pool);
  backward(loss, pool);

  Comparison result;
  result.loss_error = std::abs(static_cast<double>(*loss.value().data()) - expected.loss) / std::abs(expected.loss);
  result.check("loss", result.loss_error, factor * std::max(expected.float32_loss_error, 1e-7));
  for (std::size_t n = 0; n < expected.logits.size(); ++n)
    result.check(
        "logits of sample " + std::to_string(n),
        golden::relative_error(logits.value().data() + static_cast<Index>(n) * expected.classes, expected.logits[n]),
        1e-3);

  // Gradients are relative to their tensor's norm. Where terms cancel (a convolution's bias before a batch norm) the
  // noise is that of the terms, so a tensor counts at least one part in a thousand of all gradients together.
  const double tolerance = factor * expected.float32_gradient_error;
  std::map<std::string, Tensor> gradients;
  for (const auto& parameter : model.parameters()) gradients[parameter.name] = parameter.variable.gradient();
  if (gradients.size() != expected.gradients.size()) result.differences.push_back("number of gradients");
  double squares = 0;
  for (const golden::Gradient& e : expected.gradients) {
    if (!gradients.contains(e.name) || gradients.at(e.name).shape() != e.shape) {
      result.differences.push_back("no gradient " + e.name + " of shape " + to_string(e.shape));
      continue;
    }
    const Tensor& found = gradients.at(e.name);
    const double norm = norm_of(found), scale = std::max(e.norm, 1e-3 * expected.gradient_norm);
    squares += norm * norm;
    double error = std::abs(norm - e.norm) / scale;
    for (std::size_t i = 0; i < e.first.size(); ++i)
      error = std::max(error, std::abs(static_cast<double>(found.data()[i]) - e.first[i]) / scale);
    result.check("gradient of " + e.name, error, tolerance);
    result.gradient_error = std::max(result.gradient_error, error);
  }
  result.check("norm of all gradients", std::abs(std::sqrt(squares) / expected.gradient_norm - 1), tolerance);

  Weights weights = model.weights();
  for (const auto& [name, values] : expected.running)
    result.check(name, weights.contains(name) ? golden::relative_error(weights.at(name).data(), values) : HUGE_VAL,
                 1e-4);
  return result;
}

// A value that lies within rounding of the kink of its activation may fall on either side, and the gradients change
// by far more than rounding (train_mobilenetv1_100 has one 2e-8 from ReLU6's kink in blocks.1.1.bn1, and one 1.6e-6
// from it in blocks.3.2.bn2). So a step that differs is tried again with inputs that are moved by the last bit or two:
// a wrong gradient stays wrong, an unlucky one gets another throw of the dice.
constexpr int attempts = 12;

void check_step(const golden::Training& expected, const Graph& graph, ThreadPool& pool) {
  Comparison first;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    Tensor input = golden::make_inputs(expected.first_sample, expected.batch, expected.height, expected.width);
    const CounterRandom random(1, static_cast<std::uint64_t>(attempt));
    for (Index i = 0; attempt > 0 && i < input.size(); ++i)
      input.data()[i] *= 1 + 2e-7f * (random.uniform(static_cast<std::uint64_t>(i)) - 0.5f);
    const Comparison found = compare_step(expected, graph, input, pool);
    if (found.differences.empty()) {
      std::cout << expected.name << ": loss off by " << found.loss_error << ", gradients by " << found.gradient_error
                << " (allowed " << factor * expected.float32_gradient_error << "), attempt " << attempt + 1 << "\n";
      return;
    }
    if (attempt == 0) first = found;
  }
  for (const std::string& difference : first.differences) ADD_FAILURE() << difference;
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
    const double macs = static_cast<double>(summary(graph).macs) * static_cast<double>(expected.batch);
    if (ran > 0 && macs > golden::most_macs()) {
      std::cout << "left out, too large: " << expected.name << "\n";
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
