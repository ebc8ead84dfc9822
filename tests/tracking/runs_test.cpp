// train_cli writes the record, `linnet runs` reads it: the real programs.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "linnet/tracking/record.h"
#include "linnet/training/image.h"
#include "tests/support/command.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_run.h"

namespace linnet {
namespace {

class TrackingPrograms : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string& program : {linnet_, train_})
      if (const std::string reason = why_not_runnable(program); !reason.empty()) GTEST_SKIP() << reason;
    tiny_run::write_data(folder_.file("data"));
    std::ofstream(folder_.file("recipe.json")) << training::to_json(tiny_run::recipe(folder_.file("data")));
  }

  CommandResult train(const std::string& name, const std::string& more = "") const {
    return run_command(train_ + " --recipe " + folder_.file("recipe.json") + " --out " + folder_.file("runs/" + name) +
                       " " + more);
  }
  CommandResult runs(const std::string& arguments) const {
    return run_command(linnet_ + " runs " + arguments, "LINNET_TRACKING=" + database_);
  }
  nlohmann::json json(const std::string& arguments) const { return nlohmann::json::parse(runs(arguments).out); }

  const TemporaryFolder folder_;
  const std::string database_ = folder_.file("runs/linnet.db");
  const std::string linnet_ = std::string(LINNET_BINARY_DIR) + "/linnet";
  const std::string train_ = std::string(LINNET_BINARY_DIR) + "/train_cli";
};

TEST_F(TrackingPrograms, ATrainingRunIsRecordedListedComparedExportedAndDeleted) {
  ASSERT_EQ(train("first").exit_code, 0);
  ASSERT_EQ(train("second", "--optimiser.lr 0.01 --tracking.tags a,b").exit_code, 0);
  const nlohmann::json list = json("list --json");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["name"], "second");
  EXPECT_EQ(list[0]["status"], "finished");
  EXPECT_EQ(list[0]["tags"].dump(), R"(["a","b"])");
  EXPECT_EQ(json("list --json --tag a").size(), 1U);
  EXPECT_NE(runs("list").out.find("first"), std::string::npos);

  const nlohmann::json run = json("show first --json");
  EXPECT_EQ(run["parameters"]["optimiser.lr"], 0.02);
  EXPECT_EQ(run["texts"]["model"], "mobilenetv1_010");
  std::map<std::string, nlohmann::json> series;
  for (const auto& one : run["series"]) series[one["label"]] = one;
  EXPECT_EQ(series["train/loss"]["count"], 36);
  EXPECT_EQ(series["validate/top1"]["count"], 3);
  EXPECT_GT(series["model/bytes"]["last"], 1000);
  EXPECT_EQ(run["assets"].back()["kind"], "model");
  EXPECT_NE(run["output"].dump().find("epoch 3/3"), std::string::npos);
  // The mean of an epoch's steps is what metrics.jsonl says of the epoch.
  const auto lines = tiny_run::metrics_of(folder_.file("runs/first"));
  double sum = 0;
  for (std::size_t i = 24; i < 36; ++i) sum += series["train/loss"]["points"][i][3].get<double>();
  EXPECT_NEAR(sum / 12, lines.back()["train_loss"].get<double>(), 1e-9);
  EXPECT_EQ(series["validate/top1"]["last"], lines.back()["validation_top1"]);

  const nlohmann::json comparison = json("compare first second --json");
  EXPECT_EQ(comparison[0]["parameters"].dump(), R"({"optimiser.lr":0.02,"tracking.tags":[]})");
  EXPECT_NE(runs("compare first second").out.find("optimiser.lr"), std::string::npos);
  EXPECT_NE(runs("export first").out.find("train,loss,36,3,"), std::string::npos);
  ASSERT_EQ(runs("export first --format json --out " + folder_.file("first.json")).exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(read_file(folder_.file("first.json")))["key"], run["key"]);

  EXPECT_EQ(runs("tag first good").exit_code, 0);
  EXPECT_EQ(runs("tag first good --remove").exit_code, 0);
  EXPECT_EQ(json("list --json --tag good").size(), 0U);
  EXPECT_EQ(runs("delete first second").exit_code, 0);
  EXPECT_EQ(json("list --json").size(), 0U);
}

TEST_F(TrackingPrograms, AnInterruptedRunIsOneRun) {
  ASSERT_EQ(train("run", "--steps 17").exit_code, 0);
  ASSERT_EQ(train("run", "--resume").exit_code, 0);
  const nlohmann::json list = json("list --json");
  ASSERT_EQ(list.size(), 1U);
  for (const auto& series : list[0]["series"]) {
    if (series["label"] == "learning_rate") {
      EXPECT_EQ(series["count"], 36);
    }
  }
}

TEST_F(TrackingPrograms, PicturesHistogramsAndConfusionAreRecordedOnce) {
  const std::string wanted = "--tracking.images 3 --tracking.histograms 2 --save last";
  ASSERT_EQ(train("run", wanted + " --steps 30").exit_code, 0);
  ASSERT_EQ(train("run", wanted + " --resume").exit_code, 0);
  const tracking::Record record(database_);
  const tracking::Run run = record.run("run");
  std::map<std::string, std::vector<tracking::Asset>> assets;
  for (const tracking::Asset& asset : record.assets(run.id)) assets[asset.kind].push_back(asset);

  ASSERT_EQ(assets["image"].size(), 3U);
  EXPECT_TRUE(assets["image"][1].name.starts_with("first batch/1 ")) << assets["image"][1].name;
  const std::string bytes = record.bytes(assets["image"][1]);
  const training::Image image =
      training::decode_image({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, "a picture");
  EXPECT_EQ(image.height, tiny_run::size);
  EXPECT_EQ(image.width, tiny_run::size);

  ASSERT_EQ(assets["confusion-matrix"].size(), 4U);  // models are saved after steps 12, 24, 30 and 36
  const nlohmann::json confusion = nlohmann::json::parse(record.bytes(assets["confusion-matrix"].back()));
  EXPECT_EQ(confusion["labels"].size(), static_cast<std::size_t>(tiny_run::classes));
  EXPECT_EQ(assets["confusion-matrix"].back().step, 36);

  std::set<std::string> histograms;
  for (const tracking::Asset& asset : assets["histogram"]) {
    EXPECT_EQ(asset.epoch, 2);
    EXPECT_TRUE(histograms.insert(asset.name).second) << asset.name;
  }
  EXPECT_GT(histograms.size(), 40U);
  for (const std::string& name : histograms) {
    const bool of_weights = name.starts_with("weights/");
    const std::string tensor = name.substr(name.find('/') + 1);
    EXPECT_EQ(histograms.count((of_weights ? "gradients/" : "weights/") + tensor), 1U) << name;
    EXPECT_EQ(name.find("running_"), std::string::npos) << name;
  }
}

TEST_F(TrackingPrograms, FilesAreAttachedToARun) {
  ASSERT_EQ(train("run").exit_code, 0);
  std::ofstream(folder_.file("report.html")) << "<!doctype html>";
  std::ofstream(folder_.file("notes.txt")) << "good";
  const std::string files = folder_.file("report.html") + " " + folder_.file("notes.txt");
  ASSERT_EQ(runs("attach run " + files).exit_code, 0);
  ASSERT_EQ(runs("attach run " + files).exit_code, 0);
  std::multimap<std::string, std::string> kinds;
  const nlohmann::json run = json("show run --json");
  for (const auto& asset : run["assets"]) kinds.emplace(asset["name"], asset["kind"]);
  EXPECT_EQ(kinds.count("report.html"), 1U) << "the same file is attached once";
  EXPECT_EQ(kinds.find("report.html")->second, "html");
  EXPECT_EQ(kinds.find("notes.txt")->second, "asset");
  const CommandResult missing = runs("attach run " + folder_.file("missing.png"));
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_NE(missing.err.find("missing.png"), std::string::npos) << missing.err;
}

TEST_F(TrackingPrograms, TrainingGoesOnWithoutARecord) {
  EXPECT_EQ(train("none", "--tracking.database none").exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(database_));
  std::ofstream(folder_.file("file")) << std::string(2000, 'x');
  const CommandResult result = train("bad", "--tracking.database " + folder_.file("file"));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.err.find("not recorded"), std::string::npos) << result.err;
}

TEST_F(TrackingPrograms, FoldersAndBenchmarksAreImported) {
  ASSERT_EQ(train("run", "--tracking.database none").exit_code, 0);
  ASSERT_EQ(runs("import " + folder_.file("runs/run")).exit_code, 0);
  std::ofstream(folder_.file("bench.json")) << R"([{"model": "mobilenetv2_100", "precision": "f32", "threads": 2,
    "batch": 1, "resolution": 224, "isa": "neon", "runs": 9, "min_ms": 30.5, "median_ms": 31.25}])";
  ASSERT_EQ(runs("import --device pi4 " + folder_.file("bench.json")).exit_code, 0);
  const nlohmann::json list = json("list --json");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["kind"], "benchmark");
  EXPECT_EQ(list[0]["texts"]["device"], "pi4");
  EXPECT_EQ(list[0]["parameters"]["threads"], 2);
  EXPECT_EQ(list[0]["series"][1]["label"], "bench/median_ms");
  EXPECT_EQ(list[0]["series"][1]["last"], 31.25);
  EXPECT_EQ(list[1]["name"], "run");
  EXPECT_EQ(list[1]["parameters"]["optimiser.lr"], 0.02);
}

TEST_F(TrackingPrograms, WrongUseIsOneLine) {
  const CommandResult missing = runs("list");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_EQ(std::count(missing.err.begin(), missing.err.end(), '\n'), 1) << missing.err;
  std::filesystem::create_directories(folder_.file("runs"));
  std::ofstream(folder_.file("bad.json")) << "{";
  EXPECT_EQ(runs("import " + folder_.file("bad.json")).exit_code, 1);
  EXPECT_EQ(runs("show").exit_code, 2);
  EXPECT_EQ(runs("").exit_code, 2);
}

}  // namespace
}  // namespace linnet
