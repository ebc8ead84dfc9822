// Archives: read again, and sent by Comet's own program where that is installed.
#include <gtest/gtest.h>
#include <minizip/unzip.h>

#include <cmath>
#include <map>
#include <sstream>

#include "tests/comet/stub.h"
#include "tests/error_message.h"
#include "tests/support/temporary_folder.h"

namespace linnet::tracking {
namespace {

using test::message_of;

using nlohmann::json;

std::map<std::string, std::string> unzipped(const std::string& path) {
  std::map<std::string, std::string> members;
  const unzFile zip = unzOpen64(path.c_str());
  for (int found = unzGoToFirstFile(zip); found == UNZ_OK; found = unzGoToNextFile(zip)) {
    char name[256];
    unz_file_info64 info{};
    unzGetCurrentFileInfo64(zip, &info, name, sizeof name, nullptr, 0, nullptr, 0);
    std::string bytes(static_cast<std::size_t>(info.uncompressed_size), '\0');
    unzOpenCurrentFile(zip);
    EXPECT_EQ(unzReadCurrentFile(zip, bytes.data(), static_cast<unsigned>(bytes.size())),
              static_cast<int>(bytes.size()));
    EXPECT_EQ(unzCloseCurrentFile(zip), UNZ_OK) << name;
    EXPECT_TRUE(members.emplace(name, bytes).second) << name;
  }
  unzClose(zip);
  return members;
}

class CometArchive : public ::testing::Test {
 protected:
  std::string write(int steps) const {
    {
      Tracker tracker(path_, {.name = "run", .system_seconds = 0});
      log_everything(tracker, steps);
      tracker.output("no UTF-8: \xff\n");
      tracker.finish("finished");
    }
    CometSettings settings = stub_settings("");
    settings.archive_folder = folder_.file("archives");
    settings.registered_model = "edge";
    return write_comet_archive(path_, "run", settings);
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.file("linnet.db");
};

TEST_F(CometArchive, HoldsEverything) {
  const std::map<std::string, std::string> members = unzipped(write(200));
  const auto run = Record(path_).run("run");
  const json experiment = json::parse(members.at("experiment.json"));
  EXPECT_EQ(experiment["offline_id"], run.key);
  EXPECT_EQ(experiment["project_name"], "tests");
  EXPECT_EQ(experiment["tags"], json({"int8"}));
  EXPECT_EQ(experiment["stop_time"], *run.ended);
  std::map<std::string, int> count;
  std::istringstream lines(members.at("messages.json"));
  for (std::string line; std::getline(lines, line);) {
    const json message = json::parse(line);
    const json& payload = message["payload"];
    ++count[message["type"]];
    if (message["type"] == "metric_msg") {
      EXPECT_TRUE(payload["metric"]["step"].is_number_integer());
      EXPECT_TRUE(payload["metric"]["metricValue"].is_number() || payload["metric"]["metricValue"].is_string());
      EXPECT_TRUE(payload["local_timestamp"].is_number_integer());
    }
    if (message["type"] == "file_upload") {
      EXPECT_EQ(members.count(payload["file_path"]), 1U);
    }
  }
  EXPECT_EQ(count["metric_msg"], 800);
  EXPECT_EQ(count["file_upload"], 5);
  EXPECT_EQ(count["standard_output"], 5);
  EXPECT_EQ(count["htmlOverride"], 1);
  EXPECT_EQ(count["register_model"], 1);
  EXPECT_EQ(members.size(), 2 + 5U);
  for (const auto& [name, bytes] : members) EXPECT_EQ(bytes.find(comet_key), std::string::npos) << name;
}

TEST_F(CometArchive, AFolderThatCannotBeWrittenIsNamed) {
  const std::string archive = write(1);
  CometSettings settings;
  settings.archive_folder = archive;
  EXPECT_NE(message_of([&] { write_comet_archive(path_, "run", settings); }).find(archive), std::string::npos);
}

// COMET_VENV names a virtual environment with comet_ml.
TEST_F(CometArchive, CometsOwnProgramUploadsIt) {
  const char* environment = std::getenv("COMET_VENV");
  const std::string program = std::string(environment == nullptr ? "" : environment) + "/bin/comet";
  if (environment == nullptr || !std::filesystem::exists(program))
    GTEST_SKIP() << "COMET_VENV names no virtual environment with comet_ml";
  const std::string archive = write(1000);
  const CometStub stub;
  const CommandResult result = run_command(
      program + " upload " + archive,
      "cd " + folder_.path() + " && HOME=" + folder_.path() + " COMET_API_KEY=" + comet_key +
          " COMET_URL_OVERRIDE=" + stub.address() +
          "/clientlib/ COMET_ERROR_TRACKING_ENABLE=false COMET_INTERNAL_SENTRY_DSN= COMET_INTERNAL_REPORTING=false "
          "COMET_DISABLE_ANNOUNCEMENT=1");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ((result.out + result.err).find("COMET ERROR"), std::string::npos) << result.out << result.err;
  const json experiment = stub.state().front();
  EXPECT_EQ(experiment["key"], Record(path_).run("run").key);
  EXPECT_TRUE(experiment["errors"].empty()) << experiment["errors"];
  EXPECT_EQ(experiment["metrics"].size(), 4000U);
  EXPECT_EQ(experiment["assets"].size(), 5U);
  EXPECT_EQ(experiment["registered"].size(), 1U);
  EXPECT_EQ(experiment["html"], "<p>report</p>");
}

}  // namespace
}  // namespace linnet::tracking
