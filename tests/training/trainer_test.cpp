#include "linnet/training/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "linnet/error.h"
#include "linnet/training/dry_run.h"
#include "linnet/training/evaluation.h"
#include "linnet/training/optimisers.h"
#include "linnet/training/progress.h"
#include "linnet/training/schedules.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_run.h"
#include "training/trainer/finite.h"
#include "training/trainer/learner.h"
#include "training/trainer/recipe_parts.h"
#include "training/trainer/teacher.h"

namespace linnet::training {
namespace {

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

TEST_F(TrainerTest, LearnsAndLeavesItsFiles) {
  Recipe recipe = recipe_;
  recipe.model.name = "mobilenetv3_small_050";  // has residual connections, so that it learns in a few steps
  recipe.optimiser.lr = 0.05;
  recipe.optimiser.clip_norm = 1;
  recipe.epochs = 8;
  const RunResult result = run(recipe, "run");
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(result.step, 96);
  EXPECT_GT(result.best, 0.8);

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
  recipe.data.resize = 20;
  recipe.data.test_views = 10;
  recipe.augment.random_resized_crop = true;
  recipe.augment.policy = "rand";
  recipe.augment.policy_deviation = 0.5;
  recipe.augment.brightness = recipe.augment.contrast = 0.3;
  recipe.augment.erase_probability = 0.5;
  recipe.augment.erase_fill = "noise";
  recipe.augment.mixup_alpha = 0.4;
  recipe.augment.cutmix_alpha = 1;
  recipe.augment.mix_mode = "pair";
  recipe.augment.repeats = 2;
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

StepReport step_report(Integer step, double seconds) {
  StepReport report;
  report.step = step;
  report.epoch = 1;
  report.tally.loss = 20;
  report.tally.right = 30;
  report.tally.images = 40;
  report.images = 100;
  report.seconds = seconds;
  return report;
}

TEST(ProgressTest, RedrawsOnATerminalAndWritesLinesElsewhere) {
  Recipe recipe;
  recipe.epochs = 3;
  const RunPlan plan{recipe, "net", {}, 28, 28, 1000, 100, 10, 0, 30, 2, "sse2"};
  for (const bool terminal : {true, false}) {
    std::string text;
    ProgressOptions options;
    options.terminal = terminal;
    options.columns = 200;
    Progress progress(options, [&text](std::string_view part) { text += part; });
    progress.on_plan(plan);
    for (Integer step = 1; step <= 10; ++step) progress.on_step(step_report(step, 4));
    ValidationReport report;
    report.epoch = 1;
    report.weights = Score{0.5, 0.9, 1};
    progress.on_validation(report);
    progress.on_problem("a.png: damaged");
    progress.finish();
    const auto count = [&text](const std::string& part) {
      int found = 0;
      for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
      return found;
    };
    EXPECT_EQ(count("images/s"), terminal ? 10 : 4) << text;
    EXPECT_EQ(count("\r"), terminal ? 11 : 0) << text;
    EXPECT_NE(text.find("epoch 1/3  step 1/30  loss 0.5000  top-1 75.00 %  25 images/s  1 min 56 s left"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("validation top-1 90.00 %"), std::string::npos) << text;
    EXPECT_EQ(text.back(), '\n');
  }
}

TEST(ProgressTest, DurationsAreReadable) {
  EXPECT_EQ(duration_text(0.4), "0 s");
  EXPECT_EQ(duration_text(59.6), "1 min 00 s");
  EXPECT_EQ(duration_text(3 * 3600 + 125), "3 h 02 min");
  EXPECT_EQ(duration_text(100000), "1 d 03 h");
}

}  // namespace
}  // namespace linnet::training
