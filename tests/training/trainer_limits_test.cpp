// How runs end before their time, what they leave, and what is told of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "linnet/training/dry_run.h"
#include "tests/training/trainer_fixture.h"
#include "training/trainer/finite.h"
#include "training/trainer/learner.h"
#include "training/trainer/recipe_parts.h"

namespace linnet::training {
namespace {

TEST_F(TrainerTest, ALimitOfStepsEndsTheRunWithAModel) {
  Recipe recipe = recipe_;
  recipe.steps = 14;
  recipe.save = "last";
  const RunResult result = run(recipe, "short");
  EXPECT_EQ(result.step, 14);
  EXPECT_EQ(tiny_run::metrics_of(out("short")).back().at("step"), 14);
  EXPECT_NO_THROW(load_model(out("short") + "/model.safetensors"));
  recipe.steps = 0;
  EXPECT_EQ(run(recipe, "short", true).step, 36);
  run(recipe, "straight");
  EXPECT_TRUE(read_file(out("short") + "/model.safetensors") == read_file(out("straight") + "/model.safetensors"));
}

// Parts of a batch add up to the whole, where no batch norm sees the difference.
TEST_F(TrainerTest, AccumulatedBatchesStepAsOneLargeBatch) {
  Recipe recipe = recipe_;
  recipe.model.name = "squeezenet1_1";
  recipe.model.height = recipe.model.width = 32;
  recipe.model.dropout = 0;
  recipe.optimiser.clip_norm = 0;
  recipe.schedule.warmup_epochs = 0;
  std::vector<std::string> problems;
  const Datasets data = open_datasets(recipe, problems);
  const Graph graph = build_graph(recipe, *data.train);
  const auto pool = std::make_shared<ThreadPool>(2);
  const auto after_a_step = [&](Integer batch, Integer accumulate) {
    recipe.batch = batch;
    recipe.accumulate = accumulate;
    Loader loader(data.train, training_loader_options(recipe, graph));
    loader.begin_epoch(0);
    Learner learner(recipe, graph, loader.steps_per_epoch(), pool);
    const Learner::Outcome outcome = learner.learn(*loader.next(), 1);
    EXPECT_GT(outcome.loss, 1);
    return learner.weights();
  };
  const Weights whole = after_a_step(12, 1), parts = after_a_step(4, 3);
  double moved = 0;
  const Weights start = initial_weights(graph, 1);
  for (const auto& [key, tensor] : whole) {
    for (Index i = 0; i < tensor.size(); ++i) {
      EXPECT_NEAR(tensor.data()[i], parts.at(key).data()[i], 1e-6) << key;
      moved = std::max(moved, std::abs(double{tensor.data()[i]} - double{start.at(key).data()[i]}));
    }
  }
  EXPECT_GT(moved, 1e-4);
}

TEST_F(TrainerTest, AccumulatingRunsResumeToTheSameBits) {
  Recipe recipe = recipe_;
  recipe.batch = 8;
  recipe.accumulate = 3;
  recipe.epochs = 2;
  EXPECT_EQ(run(recipe, "straight").step, 16);
  EXPECT_TRUE(run(recipe, "stopped", false, 5).interrupted);
  recipe.threads = 2;
  run(recipe, "stopped", true);
  expect_same_runs("straight", "stopped");
}

TEST_F(TrainerTest, StopsWhenNothingGetsBetter) {
  Recipe recipe = recipe_;
  recipe.epochs = 50;
  recipe.patience = 2;
  recipe.min_improvement = 0.99;
  const RunResult result = run(recipe, "run");
  EXPECT_EQ(result.step, 36);  // one validation to begin with and two that are not better
  EXPECT_TRUE(result.stopped_early);
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(run(recipe, "run", true).step, 36) << "it stays over";
  run(recipe, "stopped", false, 25);
  run(recipe, "stopped", true);
  expect_same_runs("run", "stopped");
}

TEST_F(TrainerTest, KeepsTheCheckpointsOfTheBestEpochs) {
  Recipe recipe = recipe_;
  recipe.epochs = 5;
  recipe.keep_best = 2;
  recipe.optimiser.lr = 0.1;
  run(recipe, "run");
  std::vector<std::pair<double, int>> scores;
  for (const nlohmann::json& line : tiny_run::metrics_of(out("run")))
    if (line.contains("validation_top1"))
      scores.emplace_back(-std::max(line.at("validation_top1").get<double>(), line.at("average_top1").get<double>()),
                          line.at("epoch").get<int>());
  ASSERT_EQ(scores.size(), 5u);
  std::sort(scores.begin(), scores.end());
  const auto kept_in = [this](const std::string& name) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(out(name)))
      if (entry.path().filename().string().starts_with("checkpoint-")) names.insert(entry.path().filename());
    return names;
  };
  const auto name_of = [](int epoch) { return "checkpoint-epoch-000" + std::to_string(epoch) + ".safetensors"; };
  EXPECT_EQ(kept_in("run"), (std::set<std::string>{name_of(scores[0].second), name_of(scores[1].second)}));
  const Checkpoint kept = load_checkpoint(out("run") + "/" + name_of(scores[0].second));
  EXPECT_EQ(kept.step, 12 * scores[0].second);

  run(recipe, "stopped", false, 30);
  std::ofstream(out("stopped") + "/" + name_of(9)) << "left by a killed run";
  run(recipe, "stopped", true);
  EXPECT_EQ(kept_in("stopped"), kept_in("run"));
  expect_same_runs("run", "stopped");

  // A kept checkpoint is a whole one: a run can go on from it.
  std::filesystem::copy_file(out("run") + "/" + name_of(scores[0].second), out("run") + "/checkpoint.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(run(recipe, "run", true).step, 60);
  expect_same_runs("run", "stopped");
  remove_run(out("run"));
  EXPECT_TRUE(kept_in("run").empty());
}

// A limit that is always over lets each process do one step.
TEST_F(TrainerTest, ATimeLimitEndsARunThatCanGoOn) {
  Recipe recipe = recipe_;
  recipe.steps = 5;
  run(recipe, "straight");
  RunObserver observer;
  RunOptions options;
  options.folder = out("limited");
  options.resume = true;
  options.time_limit = 1e-9;
  for (Integer step = 1; step <= 5; ++step) {
    const RunResult result = train(recipe, options, observer);
    EXPECT_TRUE(result.interrupted && result.time_over) << step;
    EXPECT_EQ(result.step, step);
  }
  const RunResult result = train(recipe, options, observer);  // the validation
  EXPECT_FALSE(result.interrupted || result.time_over);
  expect_same_runs("straight", "limited");
}

TEST_F(TrainerTest, WarnsOnceThatItWaitsForPictures) {
  struct Listener final : RunObserver {
    std::vector<std::string> problems;
    void on_problem(const std::string& message) override { problems.push_back(message); }
  } listener;
  Recipe recipe = recipe_;
  recipe.epochs = 2;
  recipe.loader_threads = 0;
  recipe.augment.policy = "rand";
  recipe.augment.policy_operations = 200;
  recipe.augment.policy_probability = 1;
  RunOptions options;
  options.folder = out("slow");
  train(recipe, options, listener);
  ASSERT_EQ(listener.problems.size(), 1u);
  EXPECT_NE(listener.problems[0].find("waits for pictures"), std::string::npos) << listener.problems[0];
  EXPECT_NE(listener.problems[0].find("loader_threads (now 0)"), std::string::npos) << listener.problems[0];
}

TEST_F(TrainerTest, ADryRunTellsWhatWouldBe) {
  Recipe recipe = recipe_;
  recipe.batch = 24;
  recipe.accumulate = 2;
  const DryRun dry = dry_run(recipe);
  EXPECT_EQ(dry.input, (Shape{24, 16, 16, 1}));
  EXPECT_EQ(dry.output, (Shape{24, 4}));
  EXPECT_EQ(dry.steps_per_epoch, 4);
  EXPECT_EQ(dry.steps, 12);
  EXPECT_EQ(dry.memory.gradients, dry.model.parameters * 4);
  EXPECT_EQ(dry.memory.optimiser, dry.model.parameters * 4 + 4);  // momentum and the step
  EXPECT_GT(dry.memory.average, dry.memory.gradients);
  EXPECT_GT(dry.memory.peak, dry.memory.activations);
  EXPECT_GT(dry.step_seconds, 0);
  EXPECT_GE(dry.total_seconds, 12 * dry.step_seconds);
  const std::string text = to_text(dry);
  for (const char* part : {"\"accumulate\": 2", "input [24, 16, 16, 1], output [24, 4]", "classifier",
                           "12 steps, 4 per", "measured peak", "per validation"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  recipe.data.train = folder_.file("nowhere");
  EXPECT_THROW(dry_run(recipe), Error);
}

TEST_F(TrainerTest, NamesTheLayerWhereNumbersEnd) {
  std::vector<std::string> problems;
  const Datasets data = open_datasets(recipe_, problems);
  const Graph graph = build_graph(recipe_, *data.train);
  ThreadPool pool(1);
  const Tensor input = Tensor::full({2, 16, 16, 1}, 1);
  Weights weights = initial_weights(graph, 1);
  EXPECT_NE(where_not_finite(graph, weights, input, 1, pool).find("all layers give finite values"), std::string::npos);
  Weights large = weights;
  large["blocks.2.0.conv_pw.weight"] = Tensor::full(weights.at("blocks.2.0.conv_pw.weight").shape(), 3e38f);
  EXPECT_NE(where_not_finite(graph, large, input, 1, pool).find("comes from layer blocks.2.0.conv_pw"),
            std::string::npos)
      << where_not_finite(graph, large, input, 1, pool);
  Weights broken = weights;
  broken["blocks.1.0.bn1.weight"] = Tensor::full(weights.at("blocks.1.0.bn1.weight").shape(), NAN);
  EXPECT_NE(where_not_finite(graph, broken, input, 1, pool).find("blocks.1.0.bn1.weight is not finite"),
            std::string::npos);
  EXPECT_NE(where_not_finite(graph, weights, Tensor::full({2, 16, 16, 1}, INFINITY), 1, pool).find("of the pictures"),
            std::string::npos);
}

TEST_F(TrainerTest, ErrorsSayWhatIsWrongAndKeepTheLastCheckpoint) {
  Recipe recipe = recipe_;
  recipe.optimiser.lr = 1e30;
  recipe.optimiser.clip_norm = 0;
  recipe.schedule.warmup_epochs = 0;
  recipe.checkpoint_every = 1;
  std::string found = message(recipe, "diverges");
  EXPECT_NE(found.find("step 2 (epoch 1): blocks.0.0.bn1.running_var is not finite"), std::string::npos) << found;
  const Checkpoint good = load_checkpoint(out("diverges") + "/checkpoint.safetensors");
  EXPECT_NE(found.find("the last good checkpoint is " + out("diverges") + "/checkpoint.safetensors of step " +
                       std::to_string(good.step)),
            std::string::npos)
      << found;

  recipe.model.name = "squeezenet1_1";  // has no batch norms that would keep large numbers at bay
  recipe.model.height = recipe.model.width = 32;
  recipe.checkpoint_every = 0;
  found = message(recipe, "explodes");
  EXPECT_NE(found.find("step 2 (epoch 1): the loss is "), std::string::npos) << found;
  EXPECT_NE(found.find("comes from layer "), std::string::npos) << found;
  EXPECT_NE(found.find("no checkpoint was written yet"), std::string::npos) << found;

  recipe = recipe_;
  recipe.batch = 193;
  EXPECT_NE(message(recipe, "batch").find("192 pictures, less than one batch of 193"), std::string::npos);
  recipe = recipe_;
  recipe.model.classes = 3;
  EXPECT_NE(message(recipe, "classes").find("'model.classes' is 3"), std::string::npos);
  recipe = recipe_;
  recipe.data.train = folder_.file("nowhere");
  EXPECT_NE(message(recipe, "data").find(folder_.file("nowhere")), std::string::npos);
  std::ofstream(out("file")) << "no folder";
  EXPECT_NE(message(recipe_, "file/run").find(out("file/run")), std::string::npos);
}

TEST_F(TrainerTest, RemovesWhatAKilledWriteLeft) {
  std::filesystem::create_directories(out("run"));
  const std::vector<std::string> left = {"/checkpoint.safetensors.tmp-1-2-3",
                                         "/checkpoint-epoch-0003.safetensors.tmp-1-2-3"};
  for (const std::string& file : left) std::ofstream(out("run") + file) << "half";
  std::ofstream(out("run") + "/notes.tmp-1") << "not ours";
  Recipe recipe = recipe_;
  recipe.epochs = 1;
  run(recipe, "run");
  for (const std::string& file : left) EXPECT_FALSE(std::filesystem::exists(out("run") + file)) << file;
  EXPECT_TRUE(std::filesystem::exists(out("run") + "/notes.tmp-1"));
  EXPECT_TRUE(holds_run(out("run")));
  remove_run(out("run"));
  EXPECT_FALSE(holds_run(out("run")));
  EXPECT_TRUE(std::filesystem::exists(out("run") + "/notes.tmp-1"));
}

}  // namespace
}  // namespace linnet::training
