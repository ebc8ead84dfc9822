// What the smallest program that classifies needs: runs the program itself.
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "linnet/architectures.h"
#include "linnet/model.h"
#include "tests/support/command.h"

namespace linnet {
namespace {

class Footprint : public testing::Test {
 protected:
  void SetUp() override {
    const std::string problem = why_not_runnable(program_);
    if (!problem.empty()) GTEST_SKIP() << problem;
  }
  std::string file(const std::string& network) const {
    Model model;
    model.graph = architectures::build(network);
    model.weights = initial_weights(model.graph, 1);
    save_model(model, folder_.file(network));
    return folder_.file(network);
  }

  const std::string program_ = std::string(LINNET_BINARY_DIR) + "/footprint";
  const TemporaryFolder folder_;
};

/// Weights are mapped, and packed once: nothing holds them twice.
TEST_F(Footprint, PeakMemoryIsWeightsArenaAndSixMegabytes) {
  if (std::getenv("LINNET_TEST_MACS") != nullptr) GTEST_SKIP() << "an emulator or a sanitizer takes memory of its own";
  for (const char* network : {"mobilenetv2_100", "mobilenetv4_conv_small", "squeezenet1_0"}) {
    SCOPED_TRACE(network);
    const CommandResult result = run_command("'" + program_ + "' '" + file(network) + "'");
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const nlohmann::json found = nlohmann::json::parse(result.out);
    const auto bytes = [&](const char* key) { return found.at(key).get<long long>(); };
    EXPECT_GT(bytes("weight_bytes"), 3'000'000);
    EXPECT_GT(bytes("peak_resident_bytes"), bytes("weight_bytes"));
    EXPECT_LE(bytes("peak_resident_bytes"), bytes("weight_bytes") + bytes("arena_bytes") + 6'000'000);
    for (const char* time : {"exec_to_answer_ms", "load_ms", "compile_ms", "first_run_ms"})
      EXPECT_GT(found.at(time), 0.0);
  }
}

/// With every instruction set of the architecture and the C++ runtime inside.
TEST_F(Footprint, TheProgramHasAtMostOneAndAHalfMegabytes) {
#if defined(__x86_64__) && defined(NDEBUG)
  EXPECT_LE(std::filesystem::file_size(program_), 1'500'000);
#else
  GTEST_SKIP() << "measured in optimised builds for x86-64";
#endif
}

TEST_F(Footprint, WrongUse) {
  EXPECT_EQ(run_command("'" + program_ + "'").exit_code, 2);
  const CommandResult missing = run_command("'" + program_ + "' '" + folder_.file("none") + "'");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_NE(missing.err.find("none"), std::string::npos) << missing.err;
}

}  // namespace
}  // namespace linnet
