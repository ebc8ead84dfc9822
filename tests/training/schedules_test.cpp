#include "linnet/training/schedules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "linnet/error.h"
#include "linnet/training/ema.h"
#include "tests/training/golden_json.h"

namespace linnet::training {
namespace {

using nlohmann::json;

Schedule timm_schedule(const json& arguments, Schedule schedule) {
  schedule.kind = arguments.at("sched");
  schedule.warmup_prefix = arguments.value("warmup_prefix", false);
  schedule.minimum = arguments.value("min_lr", 0.0);
  const double unit = arguments.value("step_on_epochs", true) ? 1 : arguments.at("updates_per_epoch").get<double>();
  schedule.length = unit * arguments.at("num_epochs").get<double>();
  schedule.warmup = unit * arguments.value("warmup_epochs", 0.0);
  schedule.warmup_start = arguments.value("warmup_lr", 0.0);
  schedule.decay_every = schedule.decay_length = unit * arguments.value("decay_epochs", 0.0);
  schedule.decay_rate = arguments.value("decay_rate", 1.0);
  schedule.power = schedule.decay_rate;
  // timm's milestones act an epoch early.
  for (const double milestone : arguments.value("decay_milestones", std::vector<double>{}))
    schedule.milestones.push_back(milestone - 1);
  // timm gives the length of the first cycle.
  schedule.cycles = arguments.value("cycle_limit", 1);
  schedule.cycle_factor = arguments.value("cycle_mul", 1.0);
  schedule.cycle_decay = arguments.value("cycle_decay", 1.0);
  double whole = 0;
  for (int i = 0; i < schedule.cycles; ++i) whole += schedule.length * std::pow(schedule.cycle_factor, i);
  schedule.length = whole;
  return schedule;
}

// The schedule of a case, in its own unit. Throws for anything unknown: every case must be covered.
Schedule schedule_of(const json& golden) {
  const std::string call = golden.at("library_call");
  const std::string name = call.substr(call.rfind('.') + 1);
  const json& arguments = golden.at("arguments");
  Schedule schedule;
  schedule.learning_rate = golden.at("lr");
  if (call == "timm create_scheduler_v2") return timm_schedule(arguments, schedule);
  if (name == "StepLR") {
    schedule.kind = "step";
    schedule.decay_every = arguments.at("step_size");
    schedule.decay_rate = arguments.at("gamma");
  } else if (name == "MultiStepLR") {
    schedule.kind = "multistep";
    schedule.milestones = arguments.at("milestones").get<std::vector<double>>();
    schedule.decay_rate = arguments.at("gamma");
  } else if (name == "OneCycleLR") {
    schedule.kind = "one_cycle";
    schedule.learning_rate = arguments.at("max_lr");
    schedule.length = arguments.at("total_steps");
    schedule.straight = arguments.value("anneal_strategy", "cos") == "linear";
    schedule.rise = arguments.value("pct_start", schedule.rise);
    schedule.start_divisor = arguments.value("div_factor", schedule.start_divisor);
    schedule.end_divisor = arguments.value("final_div_factor", schedule.end_divisor);
    schedule.three_phases = arguments.value("three_phase", false);
  } else if (name == "CosineAnnealingLR") {
    schedule.length = arguments.at("T_max");
    schedule.minimum = arguments.at("eta_min");
  } else if (name == "SequentialLR") {
    schedule.warmup = arguments.at("LinearLR").at("total_iters");
    schedule.warmup_start = schedule.learning_rate * arguments.at("LinearLR").at("start_factor").get<double>();
    schedule.length = arguments.at("CosineAnnealingLR").at("T_max");
  } else if (name == "PolynomialLR") {
    schedule.kind = "poly";
    schedule.length = arguments.at("total_iters");
    schedule.power = arguments.at("power");
  } else if (name == "LambdaLR") {
    schedule.kind = "linear";
    schedule.length = arguments.at("total");
  } else if (name == "ExponentialLR") {
    schedule.kind = "step";
    schedule.decay_every = 1;
    schedule.decay_rate = arguments.at("gamma");
  } else if (name == "ConstantLR") {
    schedule.kind = "constant";
  } else {
    throw Error("no schedule for " + call);
  }
  return schedule;
}

TEST(Schedules, EqualGoldenValues) {
  const auto path = testing::golden_data_file("schedules/schedules.json");
  if (!path) GTEST_SKIP() << "no golden_data/schedules";
  std::set<std::string> kinds;
  int covered = 0;
  for (const json& golden : testing::read_json(*path)) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    const Schedule schedule = schedule_of(golden);
    kinds.insert(schedule.kind);
    ++covered;
    const std::vector<double> values = golden.at("values");
    for (std::size_t t = 0; t < values.size(); ++t)
      EXPECT_NEAR(learning_rate(schedule, static_cast<double>(t)), values[t], 1e-12 * values[t] + 1e-14) << t;
    const std::vector<double> momenta = golden.value("momentum_values", std::vector<double>{});
    for (std::size_t t = 0; t < momenta.size(); ++t)
      EXPECT_NEAR(scheduled_momentum(schedule, static_cast<double>(t)).value(), momenta[t], 1e-12) << t;
    EXPECT_EQ(scheduled_momentum(schedule, 0).has_value(), schedule.kind == "one_cycle");
  }
  std::cout << covered << " schedules compared\n";
  EXPECT_EQ(kinds.size(), schedule_kinds().size());
}

// Python's floor division, which timm uses, counts a decay only when all of its time has passed.
TEST(Schedules, DecaysOfFractionsOfAnEpochComeWhenTheirTimeHasPassed) {
  Schedule schedule;
  schedule.kind = "step";
  schedule.learning_rate = 1;
  schedule.decay_rate = 0.5;
  schedule.decay_every = 0.1;  // a little more than a tenth
  EXPECT_EQ(learning_rate(schedule, 1.0), std::pow(0.5, 9));
  EXPECT_EQ(learning_rate(schedule, 0.5), std::pow(0.5, 4));
  EXPECT_EQ(learning_rate(schedule, 0.0), 1.0);
}

TEST(Schedules, OneCycleHoldsAtItsEdges) {
  Schedule schedule;
  schedule.kind = "one_cycle";
  for (const double length : {1.0, 2.0, 3.0, 4.0, 10.0}) {
    schedule.length = length;
    for (double t = 0; t < length + 2; ++t) {
      const double rate = learning_rate(schedule, t);
      EXPECT_TRUE(rate > 0 && rate <= schedule.learning_rate) << length << " " << t << " " << rate;
    }
  }
}

TEST(Schedules, UnknownKindIsAnError) {
  Schedule schedule;
  schedule.kind = "cosinus";
  EXPECT_THROW(learning_rate(schedule, 1), Error);
}

TEST(WeightAverage, EqualsGoldenValues) {
  const auto path = testing::golden_data_file("schedules/ema.json");
  if (!path) GTEST_SKIP() << "no golden_data/schedules/ema.json";
  ThreadPool pool(2);
  int covered = 0;
  const json file = testing::read_json(*path);
  const float start = file.at("start_value");
  for (const json& golden : file.at("cases")) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    const json& arguments = golden.at("arguments");
    ++covered;
    EmaOptions options;
    options.copy_first = golden.at("step_given").get<bool>();
    options.average_statistics = !arguments.value("exclude_buffers", false);
    options.decay = arguments.at("decay");
    options.warmup = arguments.value("use_warmup", false);
    options.warmup_gamma = arguments.value("warmup_gamma", options.warmup_gamma);
    options.warmup_power = arguments.value("warmup_power", options.warmup_power);
    options.min_decay = arguments.value("min_decay", options.min_decay);
    options.update_after_step = arguments.value("update_after_step", options.update_after_step);

    Weights weights{{"w.weight", Tensor::full({20000}, start)},
                    {"w.running_mean", Tensor::full({3}, 2 * start)},
                    {"w.num_batches_tracked", Tensor::full({}, 0)}};
    Ema ema(weights, options);
    for (const json& row : golden.at("rows")) {
      const std::int64_t step = row.at("step");
      const float value = file.at("sequence").at(static_cast<std::size_t>(step - 1));
      EXPECT_NEAR(ema_decay(options, step), row.at("decay"), 1e-12) << step;
      weights["w.weight"] = Tensor::full({20000}, value);
      weights["w.running_mean"] = Tensor::full({3}, 2 * value);
      weights["w.num_batches_tracked"] = Tensor::full({}, static_cast<float>(step));
      ema.update(weights, step, pool);
      EXPECT_NEAR(ema.average().at("w.weight").data()[19999], row.at("weight"), 2e-6) << step;
      EXPECT_NEAR(ema.average().at("w.running_mean").data()[2], row.at("buffer"), 2e-6) << step;
      EXPECT_EQ(ema.average().at("w.num_batches_tracked").data()[0], row.at("integer_buffer")) << step;
    }
  }
  std::cout << covered << " weight averages compared\n";
  EXPECT_GT(covered, 0);
}

TEST(WeightAverage, RefusesOtherWeights) {
  ThreadPool pool(1);
  Ema ema({{"a", Tensor::zeros({2})}}, {});
  EXPECT_THROW(ema.update({{"b", Tensor::zeros({2})}}, 1, pool), Error);
  EXPECT_THROW(ema.update({{"a", Tensor::zeros({3})}}, 1, pool), Error);
  EXPECT_THROW(ema.set_average({{"a", Tensor::zeros({2})}, {"b", Tensor::zeros({2})}}), Error);
}

}  // namespace
}  // namespace linnet::training
