#include "linnet/training/optimisers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "linnet/error.h"
#include "linnet/random.h"
#include "tests/training/golden_json.h"

namespace linnet::training {
namespace {

using nlohmann::json;

Optimiser::Parameters parameters_of(const json& file) {
  Optimiser::Parameters parameters;
  for (const json& parameter : file.at("parameters"))
    parameters.push_back(
        {parameter.at("name"), ParameterRole::weight, autograd::Variable(testing::tensor_from(parameter), true)});
  return parameters;
}

void set_gradients(Optimiser::Parameters& parameters, const json& gradients) {
  for (std::size_t i = 0; i < parameters.size(); ++i)
    parameters[i].variable.gradient() =
        Tensor::from(parameters[i].variable.value().shape(), gradients.at(i).get<std::vector<float>>());
}

void expect_close(const Tensor& found, const std::vector<double>& expected, double absolute) {
  ASSERT_EQ(found.size(), static_cast<Index>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(found.data()[i], expected[i], 1e-5 * std::abs(expected[i]) + absolute) << i;
}

// The options of a case, or nothing if it is of a kind that we do not have.
std::optional<OptimiserOptions> options_of(const json& golden) {
  OptimiserOptions options;
  const std::string call = golden.at("library_call");
  if (call == "torch SGD") {
    options.kind = "sgd";
    options.momentum = 0;
    options.nesterov = false;
  } else if (call == "torch AdamW") {
    options.kind = "adamw";
    options.weight_decay = 0.01;  // torch's default
  } else {
    return std::nullopt;
  }
  options.decay_all = !golden.contains("weight_decay_on");
  for (const auto& [key, value] : golden.at("arguments").items()) {
    if (key == "lr") continue;
    if (key == "momentum")
      options.momentum = value;
    else if (key == "nesterov")
      options.nesterov = value;
    else if (key == "weight_decay")
      options.weight_decay = value;
    else if (key == "eps")
      options.epsilon = value;
    else if (key == "betas")
      options.beta1 = value.at(0), options.beta2 = value.at(1);
    else
      return std::nullopt;
  }
  return options;
}

TEST(Optimisers, EqualGoldenSteps) {
  const auto path = testing::golden_data_file("optim/optimisers.json");
  if (!path) GTEST_SKIP() << "no golden_data/optim";
  ThreadPool pool(2);
  int covered = 0, others = 0;
  const json file = testing::read_json(*path);
  for (const json& golden : file.at("cases")) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    const std::optional<OptimiserOptions> options = options_of(golden);
    if (!options) {
      ++others;
      continue;
    }
    ++covered;
    Optimiser::Parameters parameters = parameters_of(file);
    const auto optimiser = make_optimiser(*options, parameters);
    const json& gradients = file.at("gradients_per_step");
    for (std::size_t step = 0; step < gradients.size(); ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      const json& rate =
          golden.contains("lr_per_step") ? golden.at("lr_per_step").at(step) : golden.at("arguments").at("lr");
      set_gradients(parameters, gradients.at(step));
      optimiser->step(rate, pool);
      for (std::size_t i = 0; i < parameters.size(); ++i)
        expect_close(parameters[i].variable.value(), golden.at("after_step").at(step).at(i), 2e-7);
    }
    if (!golden.contains("final_state")) continue;
    const Weights state = optimiser->state();
    for (const auto& [name, slots] : golden.at("final_state").items())
      if (slots.contains("momentum_buffer"))
        expect_close(state.at(name + ".momentum"), slots.at("momentum_buffer"), 1e-6);
  }
  std::cout << covered << " optimisers compared, " << others << " of other kinds not covered\n";
  EXPECT_GT(covered, 0);
}

TEST(Optimisers, ClippingEqualsGolden) {
  const auto path = testing::golden_data_file("optim/clipping.json");
  if (!path) GTEST_SKIP() << "no golden_data/optim";
  ThreadPool pool(2);
  int covered = 0, others = 0;
  const json file = testing::read_json(*path);
  for (const json& golden : file.at("cases")) {
    if (golden.at("mode") != "norm" || golden.at("norm_type") != 2.0) {
      ++others;
      continue;
    }
    SCOPED_TRACE(golden.at("value").dump());
    ++covered;
    Optimiser::Parameters parameters = parameters_of(file);
    set_gradients(parameters, file.at("gradients"));
    EXPECT_NEAR(clip_gradient_norm(parameters, golden.at("value"), pool), golden.at("total_norm_before"), 1e-5);
    for (std::size_t i = 0; i < parameters.size(); ++i)
      expect_close(parameters[i].variable.gradient(), golden.at("after").at(i), 1e-7);
  }
  std::cout << covered << " clippings compared, " << others << " of other kinds not covered\n";
  EXPECT_GT(covered, 0);
}

// Large enough for several chunks and a ragged end.
Optimiser::Parameters large_parameters() {
  Optimiser::Parameters parameters;
  std::uint64_t stream = 0;
  for (const Shape& shape : {Shape{50001}, Shape{3, 7}, Shape{257, 129}}) {
    Tensor value(shape);
    const CounterRandom random(1, stream++);
    for (Index i = 0; i < value.size(); ++i) value.data()[i] = random.uniform(static_cast<std::uint64_t>(i)) - 0.5f;
    parameters.push_back({"p" + std::to_string(stream), ParameterRole::weight, autograd::Variable(value, true)});
  }
  return parameters;
}

void random_gradients(Optimiser::Parameters& parameters, std::uint64_t seed) {
  for (auto& parameter : parameters) {
    Tensor gradient(parameter.variable.value().shape());
    const CounterRandom random(seed, 99);
    for (Index i = 0; i < gradient.size(); ++i)
      gradient.data()[i] = random.uniform(static_cast<std::uint64_t>(i)) - 0.5f;
    parameter.variable.gradient() = gradient;
  }
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * 4) == 0;
}

// A run that is saved and restored after step 2 on another number of threads ends in the same bits.
TEST(Optimisers, StateRestoresTheRunOnAnyNumberOfThreads) {
  for (const std::string_view kind : optimiser_kinds()) {
    SCOPED_TRACE(kind);
    OptimiserOptions options;
    options.kind = kind;
    options.weight_decay = 0.1;
    ThreadPool one(1), two(2);
    Optimiser::Parameters straight = large_parameters(), resumed = large_parameters();
    const auto first = make_optimiser(options, straight);
    for (std::uint64_t step = 0; step < 4; ++step) {
      random_gradients(straight, step);
      clip_gradient_norm(straight, 1, one);
      first->step(0.01, one);
    }
    auto second = make_optimiser(options, resumed);
    for (std::uint64_t step = 0; step < 4; ++step) {
      if (step == 2) {
        Weights saved;
        for (const auto& [key, tensor] : second->state()) saved[key] = tensor.clone();
        second = make_optimiser(options, resumed);
        second->set_state(saved);
      }
      random_gradients(resumed, step);
      clip_gradient_norm(resumed, 1, two);
      second->step(0.01, two);
    }
    for (std::size_t i = 0; i < straight.size(); ++i)
      EXPECT_TRUE(same_bits(straight[i].variable.value(), resumed[i].variable.value())) << straight[i].name;
    for (const auto& [key, tensor] : first->state()) EXPECT_TRUE(same_bits(tensor, second->state().at(key))) << key;
  }
}

TEST(Optimisers, RefuseForeignState) {
  Optimiser::Parameters parameters = large_parameters();
  const auto optimiser = make_optimiser({}, parameters);
  const auto message = [&](Weights state) -> std::string {
    try {
      optimiser->set_state(state);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  Weights state = optimiser->state();
  state.erase("p1.momentum");
  EXPECT_NE(message(state).find("'p1.momentum' is missing"), std::string::npos);
  state = optimiser->state();
  state["p9.momentum"] = Tensor::zeros({1});
  EXPECT_NE(message(state).find("'p9.momentum' is not expected"), std::string::npos);
  state = optimiser->state();
  state["p2.momentum"] = Tensor::zeros({7, 3});
  EXPECT_NE(message(state).find("must be [3, 7], found [7, 3]"), std::string::npos);
  OptimiserOptions options;
  options.kind = "sdg";
  EXPECT_THROW(make_optimiser(options, parameters), Error);
}

}  // namespace
}  // namespace linnet::training
