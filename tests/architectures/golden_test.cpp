// The logits of every golden file, from the training graph and from compiled plans, and both against each other at odd
// sizes. LINNET_TEST_MACS=N leaves out networks of more than N multiply-adds, but for the smallest of each family,
// which then run on one thread alone (for emulators).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>

#include "golden/golden.h"
#include "golden_networks.h"
#include "linnet/compile.h"
#include "linnet/cpu.h"
#include "linnet/session.h"
#include "linnet/summary.h"
#include "linnet/training_model.h"

namespace linnet {
namespace {

std::string family_of(const std::string& network) {
  std::string family;
  std::size_t longest = 0;
  for (const architectures::Variant& variant : architectures::variants()) {
    if (!network.starts_with(variant.name) || variant.name.size() < longest) continue;
    longest = variant.name.size();
    family = variant.family;
  }
  return family;
}

/// The golden networks that are small enough, and the smallest of each family in any case.
std::vector<golden::Network> networks_to_run(const std::vector<std::string>& paths) {
  std::vector<golden::Network> networks;
  std::map<std::string, std::int64_t> smallest;
  for (const std::string& path : paths) {
    networks.push_back(golden::read_network(path));
    const auto [place, is_new] = smallest.try_emplace(family_of(networks.back().name), networks.back().macs);
    if (!is_new) place->second = std::min<std::int64_t>(place->second, networks.back().macs);
  }
  std::erase_if(networks, [&](const golden::Network& network) {
    const bool leave_out =
        double(network.macs) > golden::most_macs() && network.macs > smallest.at(family_of(network.name));
    if (leave_out) std::cout << "left out, too large: " << network.name << "\n";
    return leave_out;
  });
  return networks;
}

Model golden_model(Graph graph) {
  std::vector<golden::Entry> entries;
  for (const Parameter& parameter : parameters(graph)) {
    entries.push_back({parameter.name, parameter.shape, parameter.role == ParameterRole::counter ? "I64" : "F32"});
  }
  Model model;
  model.weights = golden::make_weights(entries);
  model.graph = std::move(graph);
  return model;
}

std::vector<float> values(const Tensor& tensor) { return {tensor.data(), tensor.data() + tensor.size()}; }

std::vector<float> run_training_model(const Model& model, const Tensor& input, int threads) {
  ThreadPool pool(threads);
  TrainingModel training(model.graph, model.weights);
  return values(training.forward(input, TrainingModel::Mode::evaluation, 0, pool).value());
}

std::vector<float> run_plan(const Model& model, const Tensor& input, int threads) {
  CompileOptions options;
  options.batch = input.dimension(0);
  options.threads = threads;
  Session session(compile(model, options), threads);
  std::vector<float> output(static_cast<std::size_t>(element_count(session.plan().output_shape())));
  session.run({input.data(), static_cast<std::size_t>(input.size())}, output);
  return output;
}

using Runner = std::vector<float> (*)(const Model&, const Tensor&, int threads);

void expect_golden_logits(Runner run) {
  const GoldenNetworks found = find_golden_networks();
  found.print(std::cout);
  ASSERT_FALSE(found.known.empty());
  double worst = 0;
  for (const golden::Network& expected : networks_to_run(found.known)) {
    SCOPED_TRACE(expected.name);
    const Model model = golden_model(build_golden_network(expected));
    const auto batch = static_cast<Index>(expected.logits.size());
    const Tensor input = golden::make_inputs(0, batch, expected.height, expected.width);
    std::vector<double> logits;
    for (const auto& sample : expected.logits) logits.insert(logits.end(), sample.begin(), sample.end());

    const std::vector<float> output = run(model, input, 1);
    ASSERT_EQ(output.size(), logits.size());
    const double error = golden::relative_error(output.data(), logits);
    EXPECT_LE(error, std::max(1e-5, 20 * expected.float32_error));
    worst = std::max(worst, error);
    if (double(expected.macs) > golden::most_macs()) continue;
    EXPECT_EQ(run(model, input, 2), output) << "two threads, other bits";
  }
  std::cout << "largest error: " << worst << "\n";
}

TEST(GoldenLogits, OfTheTrainingGraph) { expect_golden_logits(run_training_model); }

TEST(GoldenLogits, OfCompiledPlans) { expect_golden_logits(run_plan); }

TEST(GoldenLogits, TrainingGraphAndPlanAgreeAtOddSizes) {
  struct Size {
    Index height, width, classes;
    std::optional<Padding::Rule> padding;
  };
  constexpr Size sizes[] = {{97, 161, 5, {}}, {33, 47, 0, Padding::Rule::same}, {64, 50, 3, Padding::Rule::symmetric}};
  std::size_t next_size = 0;
  int compared = 0;
  int left_out = 0;
  for (const architectures::Variant& variant : architectures::variants()) {
    const Size& size = sizes[next_size++ % std::size(sizes)];
    architectures::BuildOptions options;
    options.height = size.height;
    options.width = size.width;
    options.classes = size.classes;
    options.padding = size.padding;
    Graph graph = architectures::build(variant.name, options);
    if (double(summary(graph).macs) > std::min(golden::most_macs(), 0.5e9)) {
      ++left_out;
      continue;
    }
    ++compared;
    const Model model = golden_model(std::move(graph));
    SCOPED_TRACE(variant.name + " " + to_string(model.graph.input().shape));
    const Tensor input = golden::make_inputs(7, 1, size.height, size.width);
    const std::vector<float> trained = run_training_model(model, input, 2);
    const std::vector<float> planned = run_plan(model, input, 1);
    ASSERT_EQ(planned.size(), trained.size());
    EXPECT_LE(golden::relative_error(planned.data(), {trained.begin(), trained.end()}), 2e-5);
  }
  std::cout << compared << " compared, " << left_out << " left out as too large\n";
}

}  // namespace
}  // namespace linnet
