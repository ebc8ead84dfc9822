// Runs that start from weights, keep some of them, and divide their data.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "linnet/error.h"
#include "linnet/safetensors.h"
#include "linnet/training/dry_run.h"
#include "linnet/training/trainer.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_run.h"

namespace linnet::training {
namespace {

class Listener final : public RunObserver {
 public:
  explicit Listener(Integer most_steps) : left_(most_steps) {}
  void on_plan(const RunPlan& plan) override {
    for (const std::string& note : plan.notes) text += note + "\n";
    training_images = plan.training_images;
    validation_images = plan.validation_images;
  }
  void on_step(const StepReport&) override { --left_; }
  void on_problem(const std::string& message) override { text += message + "\n"; }
  bool enough() const { return left_ == 0; }

  std::string text;
  Index training_images = 0, validation_images = 0;

 private:
  Integer left_;
};

class FineTuning : public ::testing::Test {
 protected:
  FineTuning() {
    tiny_run::write_data(data_);
    start_.epochs = 1;
    run(start_, "start");
    tuned_ = start_;
    tuned_.seed = 5;
    tuned_.finetune.weights = out("start") + "/model.safetensors";
    tuned_.epochs = 2;
  }

  Listener run(const Recipe& recipe, const std::string& name, bool resume = false, Integer steps = -1) {
    Listener listener(steps);
    RunOptions options;
    options.folder = out(name);
    options.resume = resume;
    options.stop_requested = [&listener] { return listener.enough(); };
    train(recipe, options, listener);
    return listener;
  }

  std::string message(const Recipe& recipe) {
    try {
      run(recipe, "wrong");
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  std::string out(const std::string& name) const { return folder_.file(name); }
  std::string model(const std::string& name) const { return out(name) + "/model.safetensors"; }

  const TemporaryFolder folder_;
  const std::string data_ = folder_.file("data");
  Recipe start_ = tiny_run::recipe(data_), tuned_;
};

bool is_same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(float)) == 0;
}

/// Of all tensors of two model files, those for which `kept` holds must have the same bits and, but for counters, no
/// others.
void expect_kept(const std::string& before, const std::string& after,
                 const std::function<bool(const std::string&)>& kept) {
  const Weights old_weights = load_model(before).weights, new_weights = load_model(after).weights;
  for (const auto& [name, tensor] : old_weights) {
    EXPECT_EQ(is_same(tensor, new_weights.at(name)), kept(name)) << name;
  }
}

TEST_F(FineTuning, FrozenTensorsKeepTheirBits) {
  Recipe recipe = tuned_;
  recipe.finetune.freeze = {"conv_stem*", "blocks.0.*"};
  recipe.optimiser.weight_decay = 0.01;
  const Listener told = run(recipe, "run");
  EXPECT_NE(told.text.find("starts from " + recipe.finetune.weights), std::string::npos) << told.text;
  EXPECT_EQ(told.text.find("begins anew"), std::string::npos) << told.text;
  const auto frozen = [](const std::string& name) {
    return name.starts_with("conv_stem") || name.starts_with("blocks.0.");
  };
  expect_kept(model("start"), model("run"), frozen);
  const Checkpoint checkpoint = load_checkpoint(out("run") + "/checkpoint.safetensors");
  for (const auto& [key, tensor] : checkpoint.optimiser) EXPECT_FALSE(frozen(key)) << key;
}

TEST_F(FineTuning, BatchNormsCanKeepTheirStatisticsOrAll) {
  Recipe recipe = tuned_;
  recipe.finetune.batch_norm = "keep_statistics";
  run(recipe, "statistics");
  const auto statistic = [](const std::string& name) {
    return name.find("running_") != std::string::npos || name.ends_with("num_batches_tracked");
  };
  expect_kept(model("start"), model("statistics"), statistic);
  recipe.finetune.batch_norm = "freeze";
  run(recipe, "all");
  expect_kept(model("start"), model("all"),
              [&](const std::string& name) { return statistic(name) || name.find("bn") != std::string::npos; });
  recipe.finetune.batch_norm = "train";
  recipe.finetune.freeze = {"*.running_*"};
  run(recipe, "named");
  EXPECT_TRUE(read_file(model("named")) == read_file(model("statistics")));
}

TEST_F(FineTuning, AHeadForOtherClassesBeginsAnew) {
  Recipe recipe = tuned_;
  recipe.model.classes = 6;
  recipe.finetune.freeze = {"[!c]*", "conv*"};  // all but the classifier
  recipe.finetune.batch_norm = "freeze";
  const Listener told = run(recipe, "run");
  EXPECT_NE(told.text.find("classifier.weight begins anew for 6 classes, in place of 4"), std::string::npos)
      << told.text;
  const Weights before = load_model(model("start")).weights, after = load_model(model("run")).weights;
  for (const auto& [name, tensor] : before) {
    if (name.starts_with("classifier")) continue;
    EXPECT_TRUE(is_same(tensor, after.at(name))) << name;
  }
  EXPECT_EQ(after.at("classifier.weight").dimension(0), 6);

  recipe = tuned_;
  recipe.finetune.new_head = true;
  recipe.steps = 1;
  EXPECT_NE(run(recipe, "anew").text.find("begins anew for 4 classes"), std::string::npos);
}

TEST_F(FineTuning, ResumesToTheSameBitsWithoutTheFile) {
  Recipe recipe = tuned_;
  recipe.finetune.freeze = {"conv_stem*", "blocks.0.*"};
  recipe.finetune.batch_norm = "keep_statistics";
  recipe.optimiser.lr_factors = {"classifier.*=10", "blocks.1.*=0.5"};
  run(recipe, "straight");
  run(recipe, "stopped", false, 7);
  std::filesystem::remove(recipe.finetune.weights);
  recipe.threads = 2;
  run(recipe, "stopped", true);
  EXPECT_TRUE(read_file(model("straight")) == read_file(model("stopped")));
  EXPECT_EQ(tiny_run::metrics_of(out("straight")), tiny_run::metrics_of(out("stopped")));
}

TEST_F(FineTuning, ReadsPlainStateDictsAndWarnsOfOtherPictures) {
  Recipe recipe = tuned_;
  recipe.steps = 2;
  recipe.data.mean = {0.5};
  const std::string text = run(recipe, "model").text;
  EXPECT_NE(text.find("another mean or deviation than data.mean"), std::string::npos) << text;
  write_safetensors(out("plain.safetensors"), load_model(model("start")).weights, {});
  recipe.finetune.weights = out("plain.safetensors");
  EXPECT_EQ(run(recipe, "plain").text.find("another mean"), std::string::npos);
  EXPECT_TRUE(read_file(model("model")) == read_file(model("plain")));
}

TEST_F(FineTuning, ErrorsNameTheField) {
  struct Case {
    std::function<void(Recipe&)> change;
    std::string part;
  };
  for (const auto& [change, part] : std::vector<Case>{
           {[](Recipe& r) { r.finetune.freeze = {"neck.*"}; }, "'finetune.freeze': no tensor of mobilenetv1_010"},
           {[](Recipe& r) { r.finetune.freeze = {"*"}; }, "leave nothing to learn"},
           {[](Recipe& r) { r.finetune.weights = "nowhere.pth"; }, "'finetune.weights': nowhere.pth"},
           {[](Recipe& r) { r.model.name = "mobilenetv1_025"; }, "'finetune.weights': "},
           {[](Recipe& r) { r.optimiser.lr_factors = {"classifier.*"}; }, "PATTERN=FACTOR"},
           {[](Recipe& r) { r.optimiser.lr_factors = {"classifier.*=-1"}; }, "PATTERN=FACTOR"},
           {[](Recipe& r) { r.optimiser.lr_factors = {"neck.*=2"}; }, "'neck.*' of lr_factors"}}) {
    Recipe recipe = tuned_;
    change(recipe);
    const std::string found = message(recipe);
    EXPECT_NE(found.find(part), std::string::npos) << found;
    EXPECT_EQ(found.find('\n'), std::string::npos) << found;
  }
}

TEST_F(FineTuning, ADryRunDoesWithoutDataAndWeights) {
  Recipe recipe = tuned_;
  recipe.data.train = recipe.finetune.weights = out("nowhere");
  EXPECT_THROW(dry_run(recipe), Error);
  recipe.model.classes = 4;
  const DryRun dry = dry_run(recipe);
  EXPECT_TRUE(dry.made_up);
  EXPECT_EQ(dry.notes.size(), 2u);
  EXPECT_GT(dry.step_seconds, 0);
  EXPECT_NE(to_text(dry).find("is not there"), std::string::npos);
}

TEST_F(FineTuning, ValidatesOnAPartOfTheTrainingPictures) {
  Recipe recipe = start_;
  recipe.data.val_split = 0.25;
  recipe.data.subset = 96;
  recipe.steps = 2;
  const Listener told = run(recipe, "split");
  EXPECT_EQ(told.validation_images, 48);
  EXPECT_EQ(told.training_images, 96);
  EXPECT_NE(told.text.find("4 classes of 24 training pictures each"), std::string::npos) << told.text;
  const nlohmann::json map = nlohmann::json::parse(read_file(out("split") + "/classes.json"));
  ASSERT_EQ(map.at("classes").size(), 4u);
  EXPECT_EQ(map.at("classes")[3], (nlohmann::json{{"index", 3}, {"name", "3"}, {"training", 24}, {"validation", 12}}));
  EXPECT_EQ(validation_data(recipe)->size(), 48);

  recipe = start_;
  recipe.steps = 2;
  recipe.data.folds = 3;
  recipe.data.fold = 2;
  recipe.data.in_memory = true;
  const Listener folded = run(recipe, "fold");
  EXPECT_EQ(folded.training_images, 128);
  EXPECT_EQ(folded.validation_images, 64);

  recipe.data.val_split = 0.1;
  EXPECT_NE(message(recipe).find("exclude each other"), std::string::npos);
  recipe.data.val_split = 0;
  recipe.data.fold = 3;
  EXPECT_NE(message(recipe).find("'data.fold' must be below"), std::string::npos);
  recipe.data.fold = 0;
  recipe.data.validation = data_;
  EXPECT_NE(message(recipe).find("'data.validation' must be empty"), std::string::npos);
  recipe = start_;
  recipe.data.subset = 10.5;
  EXPECT_NE(message(recipe).find("'data.subset' must be"), std::string::npos);
}

}  // namespace
}  // namespace linnet::training
