#include "linnet/training/optimisers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
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
  for (const json& parameter : file.at("parameters")) {
    const Tensor value = testing::tensor_from(parameter);
    const ParameterRole role = value.shape().size() < 2 ? ParameterRole::bias : ParameterRole::weight;
    parameters.push_back({parameter.at("name"), role, autograd::Variable(value, true)});
  }
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

/// A case in our terms.
struct GoldenCase {
  OptimiserOptions options;
  double clip_norm = 0;  ///< before each step; 0: none
};

// Throws for anything unknown: every case must be covered.
GoldenCase case_of(const json& golden) {
  static const std::map<std::string, std::string> kinds = {
      {"torch SGD", "sgd"},   {"torch RMSprop", "rmsprop"}, {"timm RMSpropTF", "rmsprop_tf"},
      {"torch Adam", "adam"}, {"torch AdamW", "adamw"},     {"timm Lamb", "lamb"},
      {"timm Lion", "lion"}};
  GoldenCase found;
  OptimiserOptions& options = found.options;
  options.kind = kinds.at(golden.at("library_call"));
  options.momentum = 0;
  options.nesterov = false;
  options.decay_biases = !golden.contains("weight_decay_on");
  if (options.kind == "adamw") options.weight_decay = 0.01;  // torch's default
  if (options.kind == "lamb") found.clip_norm = 1;           // timm's
  const auto bool_of = [](bool OptimiserOptions::*member) {
    return [member](GoldenCase& to, const json& value) { to.options.*member = value; };
  };
  const auto number_of = [](double OptimiserOptions::*member) {
    return [member](GoldenCase& to, const json& value) { to.options.*member = value; };
  };
  const std::map<std::string, std::function<void(GoldenCase&, const json&)>> setters = {
      {"lr", [](GoldenCase&, const json&) {}},
      {"momentum", number_of(&OptimiserOptions::momentum)},
      {"dampening", number_of(&OptimiserOptions::dampening)},
      {"alpha", number_of(&OptimiserOptions::alpha)},
      {"weight_decay", number_of(&OptimiserOptions::weight_decay)},
      {"nesterov", bool_of(&OptimiserOptions::nesterov)},
      {"centered", bool_of(&OptimiserOptions::centered)},
      {"lr_in_momentum", bool_of(&OptimiserOptions::lr_in_momentum)},
      {"decoupled_decay", bool_of(&OptimiserOptions::decoupled_decay)},
      {"amsgrad", bool_of(&OptimiserOptions::amsgrad)},
      {"bias_correction", bool_of(&OptimiserOptions::bias_correction)},
      {"trust_clip", bool_of(&OptimiserOptions::trust_clip)},
      {"always_adapt", bool_of(&OptimiserOptions::always_adapt)},
      {"eps", [](GoldenCase& to, const json& value) { to.options.epsilon = value.get<double>(); }},
      {"max_grad_norm",
       [](GoldenCase& to, const json& value) { to.clip_norm = value.is_null() ? 0 : value.get<double>(); }},
      {"betas", [](GoldenCase& to, const json& value) {
         to.options.beta1 = value.at(0);
         to.options.beta2 = value.at(1).get<double>();
       }}};
  for (const auto& [key, value] : golden.at("arguments").items()) setters.at(key)(found, value);
  return found;
}

TEST(Optimisers, EqualGoldenSteps) {
  const auto path = testing::golden_data_file("optim/optimisers.json");
  if (!path) GTEST_SKIP() << "no golden_data/optim";
  static const std::map<std::string, std::string> slots = {
      {"momentum_buffer", "momentum"}, {"square_avg", "square"}, {"exp_avg", "mean"}, {"exp_avg_sq", "square"}};
  ThreadPool pool(2);
  int covered = 0;
  const json file = testing::read_json(*path);
  for (const json& golden : file.at("cases")) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    ++covered;
    const GoldenCase wanted = case_of(golden);
    Optimiser::Parameters parameters = parameters_of(file);
    Optimiser optimiser(wanted.options, parameters);
    const json& gradients = file.at("gradients_per_step");
    for (std::size_t step = 0; step < gradients.size(); ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      const json& rate =
          golden.contains("lr_per_step") ? golden.at("lr_per_step").at(step) : golden.at("arguments").at("lr");
      set_gradients(parameters, gradients.at(step));
      if (wanted.clip_norm > 0) clip_gradient_norm(parameters, wanted.clip_norm, pool);
      optimiser.step(rate, pool);
      for (std::size_t i = 0; i < parameters.size(); ++i)
        expect_close(parameters[i].variable.value(), golden.at("after_step").at(step).at(i), 2e-7);
    }
    if (!golden.contains("final_state")) continue;
    const Weights state = optimiser.state();
    for (const auto& [name, values] : golden.at("final_state").items())
      for (const auto& [slot, value] : values.items())
        if (slot == "step")
          EXPECT_EQ(*state.at("step").data(), value.get<float>());
        else
          expect_close(state.at(name + "." + slots.at(slot)), value, 1e-6);
  }
  std::cout << covered << " optimisers compared\n";
  EXPECT_GT(covered, 0);
}

TEST(Optimisers, ClippingEqualsGolden) {
  const auto path = testing::golden_data_file("optim/clipping.json");
  if (!path) GTEST_SKIP() << "no golden_data/optim";
  ThreadPool pool(2);
  int covered = 0;
  const json file = testing::read_json(*path);
  for (const json& golden : file.at("cases")) {
    const std::string mode = golden.at("mode");
    const double limit = golden.at("value");
    SCOPED_TRACE(mode + " " + golden.at("value").dump());
    ++covered;
    Optimiser::Parameters parameters = parameters_of(file);
    set_gradients(parameters, file.at("gradients"));
    if (mode == "norm") {
      const json& type = golden.at("norm_type");
      const std::string name = type.is_string() ? type.get<std::string>() : std::to_string(type.get<int>());
      const double norm = clip_gradient_norm(parameters, limit, pool, gradient_norm_from_name(name));
      const double expected = golden.at("total_norm_before");
      EXPECT_NEAR(norm, expected, 1e-6 * expected);
    } else if (mode == "value") {
      clip_gradient_value(parameters, limit, pool);
    } else {
      ASSERT_EQ(mode, "agc");
      clip_gradient_adaptive(parameters, limit, pool);
    }
    for (std::size_t i = 0; i < parameters.size(); ++i)
      expect_close(parameters[i].variable.gradient(), golden.at("after").at(i), 1e-7);
  }
  std::cout << covered << " clippings compared\n";
  EXPECT_GT(covered, 0);
}

TEST(Optimisers, AdaptiveClippingLeavesOutWhatItIsTold) {
  const auto path = testing::golden_data_file("optim/clipping.json");
  if (!path) GTEST_SKIP() << "no golden_data/optim";
  const json file = testing::read_json(*path);
  ThreadPool pool(1);
  Optimiser::Parameters parameters = parameters_of(file);
  set_gradients(parameters, file.at("gradients"));
  clip_gradient_adaptive(parameters, 0.01, pool, {"linear", "bias"});
  expect_close(parameters[1].variable.gradient(), file.at("gradients").at(1), 0);
  expect_close(parameters[2].variable.gradient(), file.at("gradients").at(2), 0);
  EXPECT_LT(std::abs(parameters[0].variable.gradient().data()[0]), 0.1);
}

// A gradient of 0 shows the weight decay alone.
TEST(Optimisers, WeightDecayHasItsExclusions) {
  ThreadPool pool(1);
  const auto decayed = [&pool](const OptimiserOptions& options) {
    Optimiser::Parameters parameters;
    for (const auto& [name, role] :
         std::vector<std::pair<std::string, ParameterRole>>{{"stem.weight", ParameterRole::weight},
                                                            {"stem.bias", ParameterRole::bias},
                                                            {"bn.weight", ParameterRole::gamma},
                                                            {"bn.bias", ParameterRole::beta},
                                                            {"scale", ParameterRole::layer_scale},
                                                            {"head.weight", ParameterRole::weight}}) {
      parameters.push_back({name, role, autograd::Variable(Tensor::full({2}, 1), true)});
      parameters.back().variable.gradient() = Tensor::zeros({2});
    }
    Optimiser optimiser(options, parameters);
    optimiser.step(0.5, pool);
    std::string names;
    for (auto& parameter : parameters)
      if (parameter.variable.value().data()[0] != 1) names += parameter.name + " ";
    return names;
  };
  OptimiserOptions options;
  options.weight_decay = 0.1;
  EXPECT_EQ(decayed(options), "stem.weight head.weight ");
  options.decay_biases = true;
  EXPECT_EQ(decayed(options), "stem.weight stem.bias head.weight ");
  options.decay_norms = true;
  EXPECT_EQ(decayed(options), "stem.weight stem.bias bn.weight bn.bias scale head.weight ");
  options.no_decay = {"stem.*", "*.b?as"};
  EXPECT_EQ(decayed(options), "bn.weight scale head.weight ");
  options.no_decay = {"neck.*"};
  EXPECT_THROW(decayed(options), Error);
}

TEST(Optimisers, RatesCanDifferByName) {
  ThreadPool pool(1);
  OptimiserOptions options;
  options.momentum = 0;
  options.nesterov = false;
  options.lr_factors = {{"a.b*", 3}, {"a.*", 0.5}};
  Optimiser::Parameters parameters;
  for (const char* name : {"a.weight", "a.bias", "b.weight"})
    parameters.push_back({name, ParameterRole::weight, autograd::Variable(Tensor::zeros({1}), true)});
  Optimiser optimiser(options, parameters);
  for (auto& parameter : parameters) parameter.variable.gradient() = Tensor::full({1}, 1);
  optimiser.step(0.25, pool);
  EXPECT_EQ(*parameters[0].variable.value().data(), -0.125f);
  EXPECT_EQ(*parameters[1].variable.value().data(), -0.75f);
  EXPECT_EQ(*parameters[2].variable.value().data(), -0.25f);
  options.lr_factors = {{"c.*", 2}};
  EXPECT_THROW(Optimiser(options, parameters), Error);
}

TEST(Optimisers, AGivenMomentumActsInThatStep) {
  ThreadPool pool(1);
  OptimiserOptions options;
  options.nesterov = false;
  Optimiser::Parameters parameters{{"w", ParameterRole::weight, autograd::Variable(Tensor::zeros({1}), true)}};
  Optimiser optimiser(options, parameters);
  for (const double momentum : {0.5, 0.25}) {
    parameters[0].variable.gradient() = Tensor::full({1}, 1);
    optimiser.step(1, pool, momentum);
  }
  EXPECT_EQ(*optimiser.state().at("w.momentum").data(), 1.25f);
  EXPECT_EQ(parameters[0].variable.value().data()[0], -2.25f);
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
    options.centered = options.amsgrad = true;
    ThreadPool one(1), two(2);
    Optimiser::Parameters straight = large_parameters(), resumed = large_parameters();
    const auto first = std::make_unique<Optimiser>(options, straight);
    for (std::uint64_t step = 0; step < 4; ++step) {
      random_gradients(straight, step);
      clip_gradient_norm(straight, 1, one);
      first->step(0.01, one);
    }
    auto second = std::make_unique<Optimiser>(options, resumed);
    for (std::uint64_t step = 0; step < 4; ++step) {
      if (step == 2) {
        Weights saved;
        for (const auto& [key, tensor] : second->state()) saved[key] = tensor.clone();
        second = std::make_unique<Optimiser>(options, resumed);
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
  Optimiser optimiser({}, parameters);
  const auto message = [&](Weights state) -> std::string {
    try {
      optimiser.set_state(state);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  Weights state = optimiser.state();
  state.erase("p1.momentum");
  EXPECT_NE(message(state).find("'p1.momentum' is missing"), std::string::npos);
  state = optimiser.state();
  state["p9.momentum"] = Tensor::zeros({1});
  EXPECT_NE(message(state).find("'p9.momentum' is not expected"), std::string::npos);
  state = optimiser.state();
  state["p2.momentum"] = Tensor::zeros({7, 3});
  EXPECT_NE(message(state).find("must be [3, 7], found [7, 3]"), std::string::npos);
  OptimiserOptions options;
  options.kind = "sdg";
  EXPECT_THROW(Optimiser(options, parameters), Error);
  options.kind = "sgd";
  options.dampening = 0.5;
  EXPECT_THROW(Optimiser(options, parameters), Error);
}

}  // namespace
}  // namespace linnet::training
