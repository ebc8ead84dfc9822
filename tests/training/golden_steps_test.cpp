// Ten steps of training, against other implementations: loss, gradients' effect, optimiser, schedule of batches.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "golden/golden.h"
#include "linnet/architectures.h"
#include "linnet/error.h"
#include "linnet/random.h"
#include "linnet/training/losses.h"
#include "linnet/training/optimisers.h"
#include "linnet/training_model.h"

namespace linnet::training {
namespace {

// The options of a run, or nothing if we do not have its optimiser.
std::optional<OptimiserOptions> options_of(const std::string& name, const golden::OptimiserRun& run) {
  const auto kinds = optimiser_kinds();
  if (std::find(kinds.begin(), kinds.end(), name) == kinds.end()) return std::nullopt;
  OptimiserOptions options;
  options.kind = name;
  const auto set = [&run](const char* key, auto& value) {
    if (run.options.contains(key)) value = static_cast<std::remove_reference_t<decltype(value)>>(run.options.at(key));
  };
  set("momentum", options.momentum);
  set("nesterov", options.nesterov);
  set("beta1", options.beta1);
  set("alpha", options.alpha);
  if (run.options.contains("beta2")) options.beta2 = run.options.at("beta2");
  if (run.options.contains("eps")) options.epsilon = run.options.at("eps");
  set("weight_decay", options.weight_decay);
  return options;
}

double norm(const std::vector<Tensor>& tensors, const std::vector<Tensor>* minus = nullptr) {
  double sum = 0;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    for (Index i = 0; i < tensors[t].size(); ++i) {
      const double value = static_cast<double>(tensors[t].data()[i]) -
                           (minus != nullptr ? static_cast<double>((*minus)[t].data()[i]) : 0.0);
      sum += value * value;
    }
  }
  return std::sqrt(sum);
}

Graph network_of(const golden::Training& training) {
  architectures::BuildOptions options;
  options.classes = training.classes;
  options.height = training.height;
  options.width = training.width;
  options.dropout = 0.0f;
  return architectures::build(training.network, options);
}

// Ten times the error of the reference's own float32 run, and never less than 1e-5. The errors at hand are those of one
// run, so a later step is also allowed what an earlier one was.
double tolerance(const std::vector<double>& float32_errors, std::size_t step) {
  double largest = 1e-6;
  for (std::size_t i = 0; i <= step; ++i) largest = std::max(largest, float32_errors[i]);
  return 10 * largest;
}

// Where a run strays from the golden one by more than rounding explains; empty if nowhere. `attempt` 0 takes the inputs
// as they are; others move them by the last bit or two.
std::string first_difference(const golden::Training& training, const Graph& graph, const OptimiserOptions& options,
                             const golden::OptimiserRun& run, std::uint64_t attempt, ThreadPool& pool) {
  TrainingModel model(graph, golden::make_weights(training.state_dict));
  Optimiser optimiser(options, model.parameters());
  std::vector<Tensor> start, now;
  for (auto& parameter : model.parameters()) {
    start.push_back(parameter.variable.value().clone());
    now.push_back(parameter.variable.value());
  }
  std::string difference;
  const auto check = [&difference](const std::string& what, double found, double expected, double allowed) {
    const double error = std::abs(found / expected - 1);
    if (!difference.empty() || error <= allowed) return;
    std::ostringstream text;
    text << what << " is " << found << ", expected " << expected << ": off by " << error << ", allowed " << allowed;
    difference = text.str();
  };
  for (std::size_t step = 0; step < run.losses.size() && difference.empty(); ++step) {
    const Index first = training.first_sample + static_cast<Index>(step) * training.batch;
    std::vector<int> labels;
    for (Index k = first; k < first + training.batch; ++k) labels.push_back(static_cast<int>(7 * k % 10));
    Tensor input = golden::make_inputs(first, training.batch, training.height, training.width);
    const CounterRandom random(attempt, step);
    for (Index i = 0; attempt > 0 && i < input.size(); ++i)
      input.data()[i] *= 1 + 2e-7f * (random.uniform(static_cast<std::uint64_t>(i)) - 0.5f);
    const autograd::Variable logits = model.forward(input, TrainingModel::Mode::training, 0, pool);
    const autograd::Variable loss = cross_entropy(
        logits, smoothed_targets(labels, training.classes, static_cast<float>(training.label_smoothing)), pool);
    check("loss of step " + std::to_string(step), static_cast<double>(loss.value().data()[0]), run.losses[step],
          tolerance(run.float32_loss_error, step));
    for (auto& parameter : model.parameters()) parameter.variable.clear_gradient();
    autograd::backward(loss, pool);
    optimiser.step(run.options.at("lr"), pool);
    if (step == 0)
      check("distance after step 0", norm(now, &start), run.moved.front(), tolerance(run.float32_moved_error, 0));
  }
  check("norm of the parameters", norm(now), run.param_norm, std::max(1e-5, 10 * run.float32_param_norm_error));
  check("distance in the end", norm(now, &start), run.moved.back(), tolerance(run.float32_moved_error, 1));
  return difference;
}

// A value within rounding of a kink of its activation may fall on either side, and then the gradients differ by far
// more than rounding; ten steps meet many. So a run that strays is tried again with inputs that hardly differ: a wrong
// rule stays wrong, an unlucky fall gets another chance.
constexpr std::uint64_t attempts = 60;

void compare_run(const golden::Training& training, const Graph& graph, const OptimiserOptions& options,
                 const golden::OptimiserRun& run, ThreadPool& pool) {
  std::vector<std::string> differences;
  while (differences.size() < attempts) {
    const std::string difference = first_difference(training, graph, options, run, differences.size(), pool);
    if (difference.empty()) break;
    differences.push_back(difference);
  }
  if (differences.size() == attempts)
    for (const std::string& difference : differences) ADD_FAILURE() << difference;
  std::cout << training.name << ", " << options.kind << ": attempt " << differences.size() + 1 << "\n";
}

TEST(GoldenSteps, EveryRunOfEveryOptimiser) {
  const std::vector<std::string> paths = golden::find_goldens("train_");
  if (paths.empty()) GTEST_SKIP() << "no golden training runs";
  ThreadPool pool(2);
  int covered = 0;
  std::map<std::string, int> others;
  std::vector<std::string> unknown;
  for (const std::string& path : paths) {
    const golden::Training training = golden::read_training(path);
    Graph graph;
    try {
      graph = network_of(training);
    } catch (const Error&) {
      unknown.push_back(training.network);
      continue;
    }
    for (const auto& [name, run] : training.optimisers) {
      SCOPED_TRACE(training.name + ", " + name);
      const std::optional<OptimiserOptions> options = options_of(name, run);
      if (!options) {
        ++others[name];
        continue;
      }
      compare_run(training, graph, *options, run, pool);
      ++covered;
    }
  }
  std::cout << covered << " runs of ten steps compared\n";
  for (const auto& [name, count] : others) std::cout << count << " runs of " << name << " not covered\n";
  for (const std::string& name : unknown) std::cout << "network " << name << " not known yet\n";
  EXPECT_GT(covered, 0);
}

}  // namespace
}  // namespace linnet::training
