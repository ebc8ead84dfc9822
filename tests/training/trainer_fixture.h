// Runs of a tiny recipe in a folder of their own.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "linnet/error.h"
#include "linnet/training/trainer.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_run.h"

namespace linnet::training {

class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() { tiny_run::write_data(data_); }

  /// Trains into `name`, stopping after `steps` steps if that is not 0.
  RunResult run(const Recipe& recipe, const std::string& name, bool resume = false, Integer steps = 0) {
    struct Counter final : RunObserver {
      Integer done = 0;
      void on_step(const StepReport&) override { ++done; }
    } counter;
    RunOptions options;
    options.folder = out(name);
    options.resume = resume;
    options.stop_requested = [&] { return steps > 0 && counter.done >= steps; };
    return train(recipe, options, counter);
  }

  std::string message(const Recipe& recipe, const std::string& name, bool resume = false) {
    try {
      run(recipe, name, resume);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  std::string out(const std::string& name) const { return folder_.file(name); }

  void expect_same_runs(const std::string& a, const std::string& b) {
    EXPECT_TRUE(read_file(out(a) + "/model.safetensors") == read_file(out(b) + "/model.safetensors"));
    EXPECT_EQ(tiny_run::metrics_of(out(a)), tiny_run::metrics_of(out(b)));
    const Checkpoint one = load_checkpoint(out(a) + "/checkpoint.safetensors");
    const Checkpoint other = load_checkpoint(out(b) + "/checkpoint.safetensors");
    EXPECT_EQ(one.stale, other.stale);
    EXPECT_EQ(one.highest, other.highest);
    for (const auto& [left, right] :
         {std::pair{&one.weights, &other.weights}, std::pair{&one.optimiser, &other.optimiser},
          std::pair{&one.average, &other.average}})
      for (const auto& [key, tensor] : *left)
        EXPECT_TRUE(std::equal(tensor.data(), tensor.data() + tensor.size(), right->at(key).data())) << key;
  }

  const TemporaryFolder folder_;
  const std::string data_ = folder_.file("data");
  const Recipe recipe_ = tiny_run::recipe(data_);
};

}  // namespace linnet::training
