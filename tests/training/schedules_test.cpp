#include "linnet/training/schedules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "linnet/error.h"
#include "linnet/training/ema.h"
#include "tests/training/golden_json.h"

namespace linnet::training {
namespace {

using nlohmann::json;

// The schedule of a case, in its own unit, or nothing if it uses something that we do not have.
std::optional<Schedule> schedule_of(const json& golden) {
  const std::string call = golden.at("library_call");
  const json& arguments = golden.at("arguments");
  Schedule schedule;
  schedule.learning_rate = golden.at("lr");
  if (call == "timm create_scheduler_v2") {
    schedule.kind = arguments.at("sched");
    schedule.warmup_prefix = arguments.value("warmup_prefix", false);
    schedule.minimum = arguments.value("min_lr", 0.0);
    const double unit = arguments.value("step_on_epochs", true) ? 1 : arguments.at("updates_per_epoch").get<double>();
    schedule.length = unit * arguments.at("num_epochs").get<double>();
    schedule.warmup = unit * arguments.value("warmup_epochs", 0.0);
    schedule.warmup_start = arguments.value("warmup_lr", 0.0);
    schedule.decay_every = unit * arguments.value("decay_epochs", 0.0);
    schedule.decay_rate = arguments.value("decay_rate", 1.0);
    schedule.power = schedule.decay_rate;
    if (arguments.contains("cycle_limit") || schedule.kind == "wsd" || schedule.kind == "multistep")
      return std::nullopt;
    return schedule;
  }
  if (call.ends_with("StepLR") && !call.ends_with("MultiStepLR")) {
    schedule.kind = "step";
    schedule.decay_every = arguments.at("step_size");
    schedule.decay_rate = arguments.at("gamma");
  } else if (call.ends_with("CosineAnnealingLR")) {
    schedule.length = arguments.at("T_max");
    schedule.minimum = arguments.at("eta_min");
  } else if (call.ends_with("SequentialLR") && arguments.contains("LinearLR") &&
             arguments.contains("CosineAnnealingLR")) {
    schedule.warmup = arguments.at("LinearLR").at("total_iters");
    schedule.warmup_start = schedule.learning_rate * arguments.at("LinearLR").at("start_factor").get<double>();
    schedule.length = arguments.at("CosineAnnealingLR").at("T_max");
  } else if (call.ends_with("PolynomialLR")) {
    schedule.kind = "poly";
    schedule.length = arguments.at("total_iters");
    schedule.power = arguments.at("power");
  } else if (call.ends_with("LambdaLR")) {
    schedule.kind = "poly";
    schedule.length = arguments.at("total");
  } else if (call.ends_with("ExponentialLR")) {
    schedule.kind = "step";
    schedule.decay_every = 1;
    schedule.decay_rate = arguments.at("gamma");
  } else if (call.ends_with("ConstantLR")) {
    schedule.kind = "constant";
  } else {
    return std::nullopt;
  }
  return schedule;
}

TEST(Schedules, EqualGoldenValues) {
  const auto path = testing::golden_data_file("schedules/schedules.json");
  if (!path) GTEST_SKIP() << "no golden_data/schedules";
  int covered = 0, others = 0;
  for (const json& golden : testing::read_json(*path)) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    const std::optional<Schedule> schedule = schedule_of(golden);
    if (!schedule) {
      ++others;
      continue;
    }
    ++covered;
    const std::vector<double> values = golden.at("values");
    for (std::size_t t = 0; t < values.size(); ++t)
      EXPECT_NEAR(learning_rate(*schedule, static_cast<double>(t)), values[t], 1e-12 * values[t] + 1e-14) << t;
  }
  std::cout << covered << " schedules compared, " << others << " of other kinds not covered\n";
  EXPECT_GT(covered, 0);
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
  int covered = 0, others = 0;
  const json file = testing::read_json(*path);
  const float start = file.at("start_value");
  for (const json& golden : file.at("cases")) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    const json& arguments = golden.at("arguments");
    if (!golden.at("step_given").get<bool>() || arguments.contains("exclude_buffers")) {
      ++others;
      continue;
    }
    ++covered;
    EmaOptions options;
    options.decay = arguments.at("decay");
    options.warmup = arguments.value("use_warmup", false);
    options.warmup_gamma = arguments.value("warmup_gamma", options.warmup_gamma);
    options.warmup_power = arguments.value("warmup_power", options.warmup_power);
    options.min_decay = arguments.value("min_decay", options.min_decay);
    options.update_after_step = arguments.value("update_after_step", options.update_after_step);

    Weights weights{{"w.weight", Tensor::full({20000}, start)},
                    {"w.running_mean", Tensor::full({3}, start)},
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
  std::cout << covered << " weight averages compared, " << others << " of other kinds not covered\n";
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
