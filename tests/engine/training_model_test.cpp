#include "linnet/training_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "engine/finite_differences.h"
#include "linnet/autograd_ops.h"
#include "linnet/error.h"

namespace linnet {
namespace {

using autograd::Variable;
using Mode = TrainingModel::Mode;
using testing::random_tensor;

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(float)) == 0;
}

// One of everything: all families of convolution, two ways through a block, squeeze-and-excite, shuffle, slices.
Graph everything() {
  GraphBuilder g("everything", 14, 13, 1);
  const Padding one{Padding::Rule::symmetric, 1}, same{Padding::Rule::same, 0};
  const auto conv_bn = [&](const std::string& name, int x, op::Conv2d conv) {
    return g.add(name + "_bn", op::BatchNorm{}, {g.add(name, conv, {x})});
  };
  const auto act = [&](const std::string& name, int x, Activation a) { return g.add(name, op::Activate{a}, {x}); };
  int x = act("stem_act", conv_bn("stem", 0, {.out_channels = 12, .kernel = 3, .stride = 2, .padding = one}),
              Activation::hard_swish);
  const int skip = x;
  x = act("expand_act", conv_bn("expand", x, {.out_channels = 24}), Activation::relu6);
  x = act("dw_act", conv_bn("dw", x, {.out_channels = 24, .kernel = 3, .groups = 24, .padding = same}),
          Activation::relu);
  int gate = g.add("squeeze", op::GlobalAveragePool{}, {x});
  gate = act("reduce_act", g.add("reduce", op::Conv2d{.out_channels = 8, .bias = true}, {gate}), Activation::relu);
  gate = act("gate", g.add("restore", op::Conv2d{.out_channels = 24, .bias = true}, {gate}), Activation::hard_sigmoid);
  x = g.add("excite", op::ScaleChannels{}, {x, gate});
  x = g.add("drop_path", op::DropPath{0.3f}, {conv_bn("project", x, {.out_channels = 12})});
  x = g.add("sum", op::Add{}, {x, skip});
  x = g.add("shuffle", op::ChannelShuffle{3}, {conv_bn("grouped", x, {.out_channels = 12, .groups = 3})});
  const int left = g.add("left", op::SliceChannels{0, 5}, {x}), right = g.add("right", op::SliceChannels{5, 12}, {x});
  x = g.add("join", op::Concat{}, {right, left});
  const int mean = g.add("mean", op::AveragePool{3, 2, one, false, false}, {x});
  x = g.add("pools", op::Add{}, {g.add("max", op::MaxPool{3, 2, one, false}, {x}), mean});
  // A batch norm whose value is used beside its activation: the two must not become one.
  const int normal = conv_bn("shared", x, {.out_channels = 12});
  x = g.add("both", op::Add{}, {act("shared_act", normal, Activation::silu), normal});
  x = g.add("flat", op::Flatten{}, {g.add("pool", op::GlobalAveragePool{}, {x})});
  x = g.add("classifier", op::Linear{10}, {g.add("dropout", op::Dropout{0.2f}, {x})});
  return std::move(g).finish();
}

struct StepResult {
  Tensor output;
  Weights gradients;
  Weights weights;
};

StepResult training_step(TrainingModel& model, const Tensor& input, std::uint64_t seed, ThreadPool& pool) {
  StepResult result;
  const Variable output = model.forward(input, Mode::training, seed, pool);
  backward(testing::weighted_sum(output, random_tensor(output.shape(), 9)), pool);
  result.output = output.value();
  for (auto& parameter : model.parameters()) {
    result.gradients[parameter.name] = parameter.variable.gradient();
    parameter.variable.clear_gradient();
  }
  for (const auto& [name, tensor] : model.weights()) result.weights[name] = tensor.clone();
  return result;
}

TEST(TrainingModel, AStepHasTheSameBitsForAnyNumberOfThreads) {
  const Graph graph = everything();
  const Weights weights = initial_weights(graph, 7);
  const Tensor input = random_tensor({6, 14, 13, 1}, 8, -2, 2);
  TrainingModel first(graph, weights);
  ThreadPool one(1);
  const StepResult expected = training_step(first, input, 3, one);
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    TrainingModel model(graph, weights);
    const StepResult found = training_step(model, input, 3, pool);
    EXPECT_TRUE(same_bits(found.output, expected.output)) << threads;
    for (const auto& [name, gradient] : expected.gradients)
      EXPECT_TRUE(same_bits(found.gradients.at(name), gradient)) << name << ", " << threads << " threads";
    for (const auto& [name, value] : expected.weights)
      EXPECT_TRUE(same_bits(found.weights.at(name), value)) << name << ", " << threads << " threads";
  }
  TrainingModel other(graph, weights);
  EXPECT_FALSE(same_bits(training_step(other, input, 4, one).output, expected.output)) << "dropout ignores the seed";
}

TEST(TrainingModel, RunsEveryOpWithGradientsForAll) {
  ThreadPool pool(2);
  const Graph graph = everything();
  TrainingModel model(graph, initial_weights(graph, 7));
  const StepResult step = training_step(model, random_tensor({4, 14, 13, 1}, 8), 3, pool);
  EXPECT_EQ(step.output.shape(), (Shape{4, 10}));
  for (const Parameter& parameter : parameters(graph)) {
    const Tensor& value = step.weights.at(parameter.name);
    EXPECT_EQ(value.shape(), parameter.shape) << parameter.name;
    if (parameter.role == ParameterRole::counter) {
      EXPECT_EQ(*value.data(), 1) << parameter.name;
    }
    if (is_learnable(parameter.role)) {
      const Tensor& gradient = step.gradients.at(parameter.name);
      ASSERT_EQ(gradient.shape(), parameter.shape) << parameter.name;
      EXPECT_TRUE(std::any_of(gradient.data(), gradient.data() + gradient.size(), [](float g) { return g != 0; }))
          << parameter.name;
    }
  }
}

// The model's gradients against differences of whole forward passes. Its kinks make some of them useless; that all but
// a few agree is what is asked.
TEST(TrainingModel, GradientsAreThoseOfTheForwardPass) {
  ThreadPool pool(2);
  const Graph graph = everything();
  const Weights weights = initial_weights(graph, 7);
  const Tensor input = random_tensor({4, 14, 13, 1}, 8);
  TrainingModel model(graph, weights);
  const StepResult step = training_step(model, input, 3, pool);
  const Tensor weighting = random_tensor(step.output.shape(), 9);
  int checked = 0, wrong = 0;
  for (auto& parameter : model.parameters()) {
    Tensor& value = parameter.variable.value();
    const Tensor& gradient = step.gradients.at(parameter.name);
    for (Index i = 0; i < value.size(); i += 1 + value.size() / 3) {
      const float original = value.data()[i];
      const auto loss = [&](float offset) {
        value.data()[i] = original + offset;
        const Tensor output = model.forward(input, Mode::training, 3, pool).value();
        value.data()[i] = original;
        return testing::weighted_sum(output, weighting);
      };
      const double expected = (loss(1e-3f) - loss(-1e-3f)) / 2e-3;
      const double found = static_cast<double>(gradient.data()[i]);
      ++checked;
      wrong += std::abs(found - expected) > 0.02 * std::max(std::abs(expected), 1.0);
    }
  }
  EXPECT_GT(checked, 60);
  EXPECT_LT(wrong, checked / 20);
}

TEST(TrainingModel, EvaluationRecordsAndChangesNothing) {
  ThreadPool pool(2);
  const Graph graph = everything();
  TrainingModel model(graph, initial_weights(graph, 7));
  Weights before;
  for (const auto& [name, tensor] : model.weights()) before[name] = tensor.clone();
  const Tensor input = random_tensor({3, 14, 13, 1}, 8);
  const Variable output = model.forward(input, Mode::evaluation, 1, pool);
  EXPECT_FALSE(output.requires_gradient());
  EXPECT_TRUE(same_bits(output.value(), model.forward(input, Mode::evaluation, 2, pool).value()));
  for (const auto& [name, tensor] : model.weights()) EXPECT_TRUE(same_bits(tensor, before.at(name))) << name;

  // Each sample by itself: nothing of one leaks into another.
  const Tensor second({1, 14, 13, 1},
                      std::shared_ptr<float>(std::make_shared<Tensor>(input), Tensor(input).data() + 182));
  const Tensor alone = model.forward(second, Mode::evaluation, 1, pool).value();
  for (Index i = 0; i < 10; ++i) EXPECT_NEAR(alone.data()[i], output.value().data()[10 + i], 1e-5f);
}

TEST(TrainingModel, WhatIsKeptStaysAndIsGoneBy) {
  const Graph graph = everything();
  ThreadPool pool(2);
  const Tensor input = random_tensor({3, 14, 13, 1}, 7);
  const Weights start = initial_weights(graph, 3);
  TrainingModel reference(graph, start), model(graph, start);
  // With its statistics kept and nothing dropped, training goes forward as evaluation does.
  for (const Parameter& parameter : parameters(graph))
    if (!is_learnable(parameter.role)) model.keep(parameter.name);
  model.keep("expand.weight");
  Graph without_chance = graph;
  for (Node& node : without_chance.nodes) {
    if (auto* dropout = std::get_if<op::Dropout>(&node.op)) dropout->rate = 0;
    if (auto* path = std::get_if<op::DropPath>(&node.op)) path->rate = 0;
  }
  TrainingModel plain(without_chance, start);
  for (const Parameter& parameter : parameters(graph))
    if (!is_learnable(parameter.role)) plain.keep(parameter.name);
  EXPECT_TRUE(same_bits(plain.forward(input, Mode::training, 1, pool).value(),
                        reference.forward(input, Mode::evaluation, 1, pool).value()));

  const Variable output = model.forward(input, Mode::training, 1, pool);
  backward(testing::weighted_sum(output, random_tensor(output.shape(), 9)), pool);
  for (const auto& [name, tensor] : model.weights()) EXPECT_TRUE(same_bits(tensor, start.at(name))) << name;
  for (const TrainingModel::LearnableParameter& parameter : model.parameters()) {
    EXPECT_EQ(parameter.variable.requires_gradient(), parameter.name != "expand.weight") << parameter.name;
    EXPECT_EQ(parameter.variable.gradient().empty(), parameter.name == "expand.weight") << parameter.name;
  }
  EXPECT_THROW(model.keep("nothing.weight"), Error);
}

TEST(TrainingModel, WeightsAreViewsAndCanBeReplaced) {
  ThreadPool pool(1);
  const Graph graph = everything();
  const Weights weights = initial_weights(graph, 7);
  TrainingModel model(graph, weights);
  EXPECT_NE(model.weights().at("stem.weight").data(), weights.at("stem.weight").data()) << "not a copy of its own";
  Weights views = model.weights();
  EXPECT_EQ(views.size(), parameters(graph).size());
  views.at("stem.weight").data()[0] = 42;
  EXPECT_EQ(model.parameters()[0].name, "stem.weight");
  EXPECT_EQ(model.parameters()[0].variable.value().data()[0], 42);

  const Weights others = initial_weights(graph, 8);
  model.set_weights(others);
  for (const auto& [name, tensor] : model.weights()) EXPECT_TRUE(same_bits(tensor, others.at(name))) << name;
  EXPECT_EQ(views.at("stem.weight").data()[0], others.at("stem.weight").data()[0]) << "views follow";

  Weights incomplete = others;
  incomplete.erase("stem.weight");
  EXPECT_THROW(model.set_weights(incomplete), Error);
  EXPECT_THROW(TrainingModel(graph, incomplete), Error);
  EXPECT_THROW(model.forward(Tensor::zeros({2, 13, 14, 1}), Mode::training, 1, pool), Error);
  EXPECT_THROW(model.forward(Tensor::zeros({14, 13, 1}), Mode::training, 1, pool), Error);
}

}  // namespace
}  // namespace linnet
