// The command line of bench_models: runs the program itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "linnet/architectures.h"
#include "linnet/compile.h"
#include "linnet/model.h"
#include "linnet/session.h"
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
  EXPECT_TRUE(std::includes(keys.begin(), keys.end(), expected.begin(), expected.end()));
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
  for (const char* word : {"board:", "cpu:", "isa:", "caches:", "clock:", "governor:", "heat:", "throttle:", "energy:",
                           "median ms", "arena MB", "mobilenetv2_035_64x32_c10"}) {
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

TEST_F(BenchModels, UnknownNetworksAreToldBeforeAnythingIsPrinted) {
  const CommandResult result = run("--model mobilenetv1_025_32x32_c10,mobilenetv2_10 --runs 1");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_NE(result.err.find("mobilenetv2_100"), std::string::npos) << result.err;
}

TEST_F(BenchModels, TooLittleMemoryCostsOneRowOnly) {
  const CommandResult result = run("--model mobilenetv2_050_512x512 --batch 65536,1 --runs 1 --warmup 0 --json -");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find("bench_models: mobilenetv2_050_512x512, batch 65536: needs"), std::string::npos)
      << result.err;
  const nlohmann::json rows = nlohmann::json::parse(result.out);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("batch"), 1);
}

TEST_F(BenchModels, EveryFormat) {
  const CommandResult result = run("--model mobilenetv1_025_32x32_c10 --runs 12 --duration 0.05 --affinity 0 --csv '" +
                                   folder_.file("a.csv") + "' --markdown '" + folder_.file("a.md") + "' --json '" +
                                   folder_.file("a.json") + "' --benchmark-json '" + folder_.file("g.json") + "'");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json row = nlohmann::json::parse(read_file(folder_.file("a.json"))).at(0);
  EXPECT_EQ(row.at("cpus"), nlohmann::json::array({0}));
  EXPECT_GE(row.at("runs"), 12);
  EXPECT_GE(row.at("seconds"), 0.05);
  EXPECT_LE(row.at("median_low_ms"), row.at("median_ms"));
  EXPECT_GE(row.at("median_high_ms"), row.at("median_ms"));
  EXPECT_GT(row.at("first_ms"), 0);
  EXPECT_GT(row.at("warmup_runs"), 0);
  EXPECT_GT(row.at("arena_bytes"), 0);
  EXPECT_TRUE(read_file(folder_.file("a.csv")).starts_with("model,precision,"));
  EXPECT_NE(read_file(folder_.file("a.md")).find("| mobilenetv1_025_32x32_c10"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(read_file(folder_.file("g.json"))).at("benchmarks").size(), 4u);
  const CommandResult compared = run("compare '" + folder_.file("a.json") + "' '" + folder_.file("a.json") + "'");
  EXPECT_EQ(compared.exit_code, 0);
  EXPECT_NE(compared.out.find("no difference seen (p = 1.000)"), std::string::npos) << compared.out;
}

TEST_F(BenchModels, AnInterruptPrintsWhatIsDone) {
  const CommandResult result =
      run("--model mobilenetv1_025_32x32_c10 --duration 600 --json -", "timeout --preserve-status -s INT 1");
  EXPECT_EQ(result.exit_code, 130);
  const nlohmann::json rows = nlohmann::json::parse(result.out);
  ASSERT_EQ(rows.size(), 1u);
  const std::vector<std::string> marks = rows[0].at("marks");
  EXPECT_NE(std::find(marks.begin(), marks.end(), "interrupted"), marks.end());
}

TEST_F(BenchModels, SoakGivesACurve) {
  const CommandResult result = run("--model mobilenetv1_025_32x32_c10 --soak 0.01 --json -");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json row = nlohmann::json::parse(result.out).at(0);
  ASSERT_GE(row.at("soak").size(), 2u);
  int runs = 0;
  for (const nlohmann::json& point : row.at("soak")) runs += point.at("runs").get<int>();
  EXPECT_EQ(row.at("runs"), runs);
  EXPECT_GE(row.at("seconds"), 0.6);
}

TEST_F(BenchModels, AccuracyOnTheDevice) {
  Model model;
  model.graph = architectures::build("mobilenetv1_025_32x32_c10");
  model.weights = initial_weights(model.graph, 5);
  model.preprocessing.mean = {0.5f, 0.5f, 0.5f};
  save_model(model, folder_.file("model.safetensors"));
  Session session(compile(model));
  std::string list;
  constexpr int pictures = 6, right = 4;
  for (int picture = 0; picture < pictures; ++picture) {
    std::vector<std::uint8_t> pixels(32 * 32 * 3);
    for (std::size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = static_cast<std::uint8_t>(i * i % (17 + 40 * static_cast<std::size_t>(picture)));
    const std::string name = std::to_string(picture) + ".ppm";
    std::ofstream(folder_.file(name), std::ios::binary) << "P6\n32 32\n255\n"
                                                        << std::string(pixels.begin(), pixels.end());
    std::vector<float> input(pixels.size()), logits(10);
    normalise(model.preprocessing, 32 * 32, 3, pixels.data(), input.data());
    session.run(input, logits);
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    list += name + " " + std::to_string(picture < right ? best : best + 1) + "\n";
  }
  std::ofstream(folder_.file("list.txt")) << list;
  for (const char* batch : {"1", "4"}) {
    const CommandResult result = run("--model '" + folder_.file("model.safetensors") + "' --runs 1 --accuracy '" +
                                     folder_.file("list.txt") + "' --json - --batch " + batch);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const nlohmann::json row = nlohmann::json::parse(result.out).at(0);
    EXPECT_EQ(row.at("pictures"), pictures);
    EXPECT_NEAR(row.at("top1"), 100.0 * right / pictures, 1e-3);
  }
  const CommandResult random = run("--model mobilenetv1_025_32x32_c10 --accuracy '" + folder_.file("list.txt") + "'");
  EXPECT_EQ(random.exit_code, 1);
  EXPECT_NE(random.err.find("has random weights here"), std::string::npos);
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
           {quick + "--warmup x", "", 2, "--warmup"},
           {quick + "--duration -1", "", 2, "--duration"},
           {quick + "--json - --csv -", "", 2, "only one of the results can go to stdout"},
           {quick + "--csv /no/such/folder/x.csv", "", 1, "/no/such/folder/x.csv"},
           {quick + "--affinity 0-", "", 1, "'0-' is no list of CPUs"},
           {quick + "--affinity 9990,9992-9994", "", 1, "cannot run on CPUs 9990,9992-9994"},
           {quick + "--accuracy /no/such/folder", "", 1, "/no/such/folder"},
           {"compare /no/such/a.json /no/such/b.json", "", 1, "cannot read /no/such/a.json"},
           {"compare /no/such/a.json", "", 2, "B is required"},
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
