// The command line of bench_models: runs the program itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "linnet/architectures.h"
#include "linnet/compile.h"
#include "linnet/model.h"
#include "tests/support/command.h"

namespace linnet {
namespace {

class BenchModels : public testing::Test {
 protected:
  void SetUp() override {
    const std::string problem = why_not_runnable(program_);
    if (!problem.empty()) GTEST_SKIP() << problem;
  }
  CommandResult run(const std::string& arguments, const std::string& environment = "") const {
    return run_command("'" + program_ + "' " + arguments, environment);
  }

  const std::string program_ = std::string(LINNET_BINARY_DIR) + "/bench_models";
  const TemporaryFolder folder_;
};

void expect_sensible(const nlohmann::json& row) {
  const std::set<std::string> expected = {"model", "precision", "threads",   "batch",  "resolution", "isa",
                                          "runs",  "min_ms",    "median_ms", "p90_ms", "p99_ms",     "mean_ms"};
  std::set<std::string> keys;
  for (const auto& [key, value] : row.items()) keys.insert(key);
  EXPECT_EQ(keys, expected);
  EXPECT_GT(row.at("min_ms"), 0.0);
  EXPECT_LE(row.at("min_ms"), row.at("median_ms"));
  EXPECT_LE(row.at("median_ms"), row.at("p90_ms"));
  EXPECT_LE(row.at("p90_ms"), row.at("p99_ms"));
  EXPECT_GE(row.at("mean_ms"), row.at("min_ms"));
}

TEST_F(BenchModels, JsonOnStandardOutputAndNothingElse) {
  const CommandResult result = run(
      "--model mobilenetv1_025_32x32_c10,mobilenetv2_035_64x32_c10 --threads 1,2 --precision f32 --batch 1,3 --runs 4 "
      "--warmup 1 --json -");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json rows = nlohmann::json::parse(result.out);
  ASSERT_EQ(rows.size(), 8u);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SCOPED_TRACE(i);
    expect_sensible(rows[i]);
    EXPECT_EQ(rows[i].at("model"), i < 4 ? "mobilenetv1_025_32x32_c10" : "mobilenetv2_035_64x32_c10");
    EXPECT_EQ(rows[i].at("threads"), i / 2 % 2 == 0 ? 1 : 2);
    EXPECT_EQ(rows[i].at("batch"), i % 2 == 0 ? 1 : 3);
    EXPECT_EQ(rows[i].at("resolution"), i < 4 ? 32 : 64);
    EXPECT_EQ(rows[i].at("precision"), "f32");
    EXPECT_EQ(rows[i].at("runs"), 4);
  }
  for (const char* word :
       {"cpu:", "isa:", "caches:", "clock:", "governor:", "median ms", "mobilenetv2_035_64x32_c10"}) {
    EXPECT_NE(result.err.find(word), std::string::npos) << word << "\n" << result.err;
  }
}

TEST_F(BenchModels, ModelFilesJsonFilesAndInstructionSets) {
  Model model;
  model.graph = architectures::build("mobilenetv1_025_32x32_c10");
  model.weights = initial_weights(model.graph, 1);
  const std::string file = folder_.file("model.safetensors"), json = folder_.file("rows.json");
  save_model(model, file);
  const CommandResult result =
      run("--model '" + file + "' --runs 2 --profile --json '" + json + "'", "LINNET_ISA=scalar");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(result.err.empty()) << result.err;
  const nlohmann::json rows = nlohmann::json::parse(read_file(json));
  ASSERT_EQ(rows.size(), 1u);
  expect_sensible(rows[0]);
  EXPECT_EQ(rows[0].at("model"), file);
  EXPECT_EQ(rows[0].at("isa"), "scalar");
  EXPECT_NE(result.out.find("GFLOP/s"), std::string::npos);
  for (const PlanStep& step : compile(model)->steps()) {
    EXPECT_NE(result.out.find("\n" + step.name + " "), std::string::npos) << step.name;
    EXPECT_NE(result.out.find(" " + step.kernel + " "), std::string::npos) << step.kernel;
  }
  EXPECT_NE(result.out.find("\nsum "), std::string::npos);
}

TEST_F(BenchModels, PassesCanBeLeftOut) {
  const std::string quick = "--model mobilenetv2_035_32x32_c10 --runs 1 --profile ";
  EXPECT_EQ(run(quick).out.find(" activate "), std::string::npos);
  const CommandResult result =
      run(quick + "--disable-pass fuse_activation,fuse_residual --disable-pass fuse_inverted_residual");
  EXPECT_NE(result.out.find(" activate "), std::string::npos) << result.err;
  EXPECT_NE(result.out.find(" add "), std::string::npos);
}

TEST_F(BenchModels, ErrorsAreOneLineWithTheRightExitCode) {
  const std::string quick = "--model mobilenetv1_025_32x32_c10 --runs 1 ";
  struct Wrong {
    std::string arguments, environment;
    int exit_code;
    std::string message;
  };
  for (const Wrong& wrong : std::initializer_list<Wrong>{
           {"--model no_such_model", "", 1, "no_such_model"},
           {"--model ./no_such_file.safetensors", "", 1, "no_such_file.safetensors"},
           {quick + "--precision f64", "", 2, "unknown precision 'f64'; there is f32"},
           {quick + "--threads 0", "", 2, "--threads"},
           {quick + "--batch x", "", 2, "--batch"},
           {quick + "--runs 0", "", 2, "--runs"},
           {quick + "--disable-pass fold", "", 2, "unknown pass 'fold'; there are remove_training_nodes"},
           {quick + "--no-such-option", "", 2, "--no-such-option"},
           {quick + "--json /no/such/folder/x.json", "", 1, "/no/such/folder/x.json"},
           {quick, "LINNET_ISA=no_such_isa", 1, "no_such_isa"},
       }) {
    SCOPED_TRACE(wrong.environment + " " + wrong.arguments);
    const CommandResult result = run(wrong.arguments, wrong.environment);
    EXPECT_EQ(result.exit_code, wrong.exit_code);
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_NE(result.err.find(wrong.message), std::string::npos) << result.err;
  }
  const CommandResult help = run("--help");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.out.find("--profile"), std::string::npos);
}

}  // namespace
}  // namespace linnet
