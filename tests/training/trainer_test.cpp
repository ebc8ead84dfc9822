#include "linnet/training/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "linnet/error.h"
#include "linnet/training/evaluation.h"
#include "linnet/training/optimisers.h"
#include "linnet/training/schedules.h"
#include "tests/training/trainer_fixture.h"
#include "training/trainer/teacher.h"

namespace linnet::training {
namespace {

TEST_F(TrainerTest, LearnsAndLeavesItsFiles) {
  Recipe recipe = recipe_;
  recipe.model.name = "mobilenetv3_small_050";  // has residual connections, so that it learns in a few steps
  recipe.optimiser.lr = 0.05;
  recipe.optimiser.clip_norm = 1;
  recipe.epochs = 8;
  const RunResult result = run(recipe, "run");
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(result.step, 96);
  EXPECT_GT(result.best, 0.6);  // a quarter is chance

  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(out("run"))) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"checkpoint.safetensors", "classes.json", "metrics.jsonl",
                                             "model.safetensors", "recipe.json"}));
  EXPECT_EQ(to_json(load_recipe(out("run") + "/recipe.json")), to_json(recipe));

  const std::vector<nlohmann::json> lines = tiny_run::metrics_of(out("run"));
  EXPECT_EQ(lines.size(), 19u + 8u);
  EXPECT_EQ(lines.front().at("step"), 5);
  EXPECT_EQ(lines.back().at("step"), 96);
  EXPECT_LT(lines.back().at("train_loss"), lines[2].at("train_loss"));

  // The model file alone gives the accuracy that was logged.
  const Model model = load_model(out("run") + "/model.safetensors");
  EXPECT_EQ(model.labels.size(), 4u);
  LoaderOptions options;
  options.batch = 7;  // 40 pictures: the last batch is not full
  options.height = options.width = tiny_run::size;
  options.channels = 1;
  options.preprocessing = model.preprocessing;
  DatasetOptions test;
  test.split = Split::test;
  Loader loader(open_dataset(data_, test), options);
  std::vector<Index> seen;
  EvaluationHooks hooks;
  hooks.sample = [&seen](Index sample, int, std::span<const float> logits) {
    seen.push_back(sample);
    EXPECT_EQ(logits.size(), 4u);
  };
  const Evaluation evaluation = evaluate(model, loader, std::make_shared<ThreadPool>(1), hooks);
  EXPECT_EQ(evaluation.metrics.samples(), 40);
  EXPECT_EQ(seen.size(), 40u);
  EXPECT_EQ(evaluation.metrics.top1(), result.best);
}

TEST_F(TrainerTest, TheNumberOfThreadsChangesNothing) {
  Recipe recipe = recipe_;
  run(recipe, "one");
  recipe.threads = 2;
  recipe.loader_threads = 2;
  run(recipe, "two");
  expect_same_runs("one", "two");
  recipe.seed = 2;
  run(recipe, "other seed");
  EXPECT_FALSE(read_file(out("one") + "/model.safetensors") == read_file(out("other seed") + "/model.safetensors"));
}

// Interrupted in the middle of an epoch, at its end, within a log interval; checkpoints in between or not.
TEST_F(TrainerTest, AnInterruptedRunEndsInTheSameBits) {
  run(recipe_, "straight");
  for (const auto& [steps, every] : {std::pair<Integer, Integer>{1, 0}, {5, 3}, {12, 0}, {13, 4}, {35, 5}}) {
    SCOPED_TRACE(std::to_string(steps) + " steps, checkpoints every " + std::to_string(every));
    Recipe recipe = recipe_;
    recipe.checkpoint_every = every;
    const std::string name = "stopped " + std::to_string(steps);
    const RunResult first = run(recipe, name, false, steps);
    EXPECT_TRUE(first.interrupted);
    EXPECT_EQ(first.step, steps);
    recipe.threads = 2;
    const RunResult second = run(recipe, name, true);
    EXPECT_FALSE(second.interrupted);
    expect_same_runs("straight", name);
  }
  // Nothing is left to do, and nothing changes.
  EXPECT_EQ(run(recipe_, "straight", true).step, 36);
  expect_same_runs("straight", "stopped 12");
}

// What each optimiser and schedule keeps between steps goes into the checkpoint, whatever the number of threads.
TEST_F(TrainerTest, EveryOptimiserResumesToTheSameBits) {
  const std::vector<std::string_view> schedules = schedule_kinds();
  std::size_t number = 0;
  for (const std::string_view kind : optimiser_kinds()) {
    SCOPED_TRACE(kind);
    Recipe recipe = recipe_;
    recipe.epochs = 1;
    recipe.optimiser.kind = kind;
    recipe.optimiser.lr = kind == "sgd" ? 0.02 : 0.001;
    recipe.optimiser.centered = recipe.optimiser.amsgrad = true;
    recipe.optimiser.clip_adaptive = recipe.optimiser.clip_value = 0.1;
    recipe.schedule.kind = schedules[++number % schedules.size()];
    recipe.schedule.unit = number % 2 == 0 ? "step" : "epoch";
    recipe.schedule.milestones = {1};
    recipe.schedule.warmup_epochs = 0;
    const std::string name(kind);
    run(recipe, name);
    EXPECT_TRUE(run(recipe, name + " stopped", false, 7).interrupted);
    recipe.threads = 2;
    run(recipe, name + " stopped", true);
    expect_same_runs(name, name + " stopped");
  }
}

TEST_F(TrainerTest, AllAugmentationsResumeToTheSameBits) {
  Recipe recipe = recipe_;
  recipe.epochs = 1;
  tiny_run::augment(recipe);
  recipe.data.test_views = 10;
  recipe.augment.mix_mode = "pair";
  recipe.loss.kind = "bce";
  recipe.loss.threshold = 0.2;
  recipe.loss.smoothing_towards = "half";
  run(recipe, "straight");
  EXPECT_TRUE(run(recipe, "stopped", false, 7).interrupted);
  recipe.threads = recipe.loader_threads = 2;
  run(recipe, "stopped", true);
  expect_same_runs("straight", "stopped");
  EXPECT_EQ(load_model(out("straight") + "/model.safetensors").preprocessing.resize, 20);
}

TEST_F(TrainerTest, ATeacherTakesPart) {
  Recipe recipe = recipe_;
  recipe.epochs = 1;
  recipe.data.mean = {0.2};  // the teacher saw its pictures otherwise than the student does
  run(recipe, "teacher");
  recipe.data.mean = {0.3};
  run(recipe, "alone");
  recipe.loss.teacher = out("teacher") + "/model.safetensors";
  run(recipe, "taught");
  EXPECT_FALSE(read_file(out("alone") + "/model.safetensors") == read_file(out("taught") + "/model.safetensors"));
  recipe.threads = 2;
  EXPECT_TRUE(run(recipe, "stopped", false, 5).interrupted);
  run(recipe, "stopped", true);
  expect_same_runs("taught", "stopped");

  recipe.model.classes = 5;
  EXPECT_NE(message(recipe, "wrong").find("the teacher has 4 classes, the student 5"), std::string::npos);
  recipe.loss.teacher = out("none");
  EXPECT_NE(message(recipe, "wrong").find(out("none")), std::string::npos);
}

// The student that is its teacher, seeing pictures through another normalisation, has nothing to learn from it.
TEST_F(TrainerTest, ATeacherSeesPicturesAsItLearnedThem) {
  Recipe recipe = recipe_;
  recipe.epochs = 1;
  run(recipe, "teacher");
  const Model model = load_model(out("teacher") + "/model.safetensors");
  Model other = model;
  other.preprocessing.mean = {0.1f};
  other.preprocessing.std = {0.5f};
  save_model(other, out("other"));
  const auto pool = std::make_shared<ThreadPool>(1);
  Teacher same(out("teacher") + "/model.safetensors", model.graph, model.preprocessing, 2, pool);
  Teacher differs(out("other"), model.graph, model.preprocessing, 2, pool);
  Tensor student_input(Shape{1, 16, 16, 1}), other_input(Shape{1, 16, 16, 1});
  for (Index i = 0; i < student_input.size(); ++i) {
    const float value = static_cast<float>(i % 7) / 7;
    student_input.data()[i] = (value - model.preprocessing.mean[0]) / model.preprocessing.std[0];
    other_input.data()[i] = (value - 0.1f) / 0.5f;
  }
  const Tensor expected = same.logits(other_input), found = differs.logits(student_input);
  EXPECT_EQ(found.shape(), (Shape{1, 4}));
  for (Index i = 0; i < found.size(); ++i) EXPECT_NEAR(found.data()[i], expected.data()[i], 1e-4) << i;
}

TEST_F(TrainerTest, ResumingChecksTheRecipeAndTheLog) {
  run(recipe_, "run", false, 13);
  Recipe other = recipe_;
  other.optimiser.lr = 0.06;
  EXPECT_NE(message(other, "run", true).find("field 'optimiser.lr' is 0.06, but the run began with 0.02"),
            std::string::npos);
  EXPECT_NE(message(recipe_, "run").find("holds a run already"), std::string::npos);
  std::filesystem::resize_file(out("run") + "/metrics.jsonl", 10);
  EXPECT_NE(message(recipe_, "run", true).find("metrics.jsonl: expected the"), std::string::npos);
}

TEST_F(TrainerTest, ResumingWithOtherDataIsAnError) {
  run(recipe_, "run", false, 3);
  Recipe moved = recipe_;
  moved.data.train = folder_.file("moved");
  std::filesystem::copy(data_, moved.data.train);
  run(moved, "run", true, 3);  // the same data in another place
  tiny_run::write_idx(moved.data.train + "/train-labels-idx1-ubyte", {192}, std::vector<std::uint8_t>(192, 1));
  EXPECT_NE(message(moved, "run", true).find("the run began with other data"), std::string::npos);
  const Origin origin = load_checkpoint(out("run") + "/checkpoint.safetensors").origin;
  EXPECT_FALSE(origin.version.empty() || origin.cpu.empty() || origin.isa.empty());
  EXPECT_EQ(origin.data.size(), 33u);
}

TEST_F(TrainerTest, ResumingElsewhereIsTold) {
  run(recipe_, "run", false, 3);
  const std::string path = out("run") + "/checkpoint.safetensors";
  Checkpoint checkpoint = load_checkpoint(path);
  checkpoint.origin.cpu = "Abacus";
  save_checkpoint(checkpoint, path);
  struct Listener final : RunObserver {
    std::string text;
    void on_problem(const std::string& message) override { text += message; }
  } listener;
  RunOptions options;
  options.folder = out("run");
  options.resume = true;
  train(recipe_, options, listener);
  EXPECT_NE(listener.text.find("the run began with CPU Abacus, now "), std::string::npos) << listener.text;
}

}  // namespace
}  // namespace linnet::training
