// Where Comet's settings come from: flags over environment over files.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "linnet/tracking/comet.h"
#include "tests/error_message.h"
#include "tests/support/temporary_folder.h"

extern char** environ;

namespace linnet::tracking {
namespace {

using test::message_of;

/// A home folder and a working folder of its own, and none of the variables that this process was started with.
class CometSettingsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::string> names;
    for (char** entry = environ; *entry != nullptr; ++entry)
      if (std::string(*entry).starts_with("COMET_"))
        names.push_back(std::string(*entry).substr(0, std::string(*entry).find('=')));
    for (const std::string& name : names) unsetenv(name.c_str());
    setenv("HOME", home_.path().c_str(), 1);
    std::filesystem::current_path(work_.path());
  }
  void TearDown() override { std::filesystem::current_path("/"); }

  static void write(const TemporaryFolder& folder, const std::string& text) {
    std::ofstream(folder.file(".comet.config")) << text;
  }

  const TemporaryFolder home_, work_;
};

TEST_F(CometSettingsTest, FlagsOverEnvironmentOverFolderOverHome) {
  EXPECT_EQ(comet_settings({}).server, "https://www.comet.com");
  EXPECT_EQ(comet_settings({}).mode, CometMode::disabled);
  write(home_,
        "[comet]\r\napi_key = home-key\r\nworkspace=\"home\"\nproject_name = home\n; project_name = no\n"
        "[comet_offline]\ndirectory = /archives\n");
  write(work_, "# of this folder\n[comet]\nworkspace = 'folder'\n[comet_project]\nname=folder\n");
  CometSettings settings = comet_settings({});
  EXPECT_EQ(settings.api_key, "home-key");
  EXPECT_EQ(settings.workspace, "folder");
  EXPECT_EQ(settings.project, "folder");
  EXPECT_EQ(settings.archive_folder, "/archives");
  setenv("COMET_WORKSPACE", "environment", 1);
  setenv("COMET_PROJECT_NAME", "environment", 1);
  settings = comet_settings({.project = "flag"});
  EXPECT_EQ(settings.workspace, "environment");
  EXPECT_EQ(settings.project, "flag");
  const TemporaryFolder other;
  write(other, "[comet]\napi_key=other-key\n");
  setenv("COMET_CONFIG", other.path().c_str(), 1);
  EXPECT_EQ(comet_settings({}).api_key, "other-key");
}

TEST_F(CometSettingsTest, Modes) {
  setenv("COMET_API_KEY", "key", 1);
  EXPECT_EQ(comet_settings({}).mode, CometMode::disabled);  // a key alone sends nothing
  setenv("COMET_START_ONLINE", "true", 1);
  EXPECT_EQ(comet_settings({.mode = "auto"}).mode, CometMode::online);
  EXPECT_EQ(comet_settings({.mode = "disabled"}).mode, CometMode::disabled);
  setenv("COMET_START_ONLINE", "0", 1);
  EXPECT_EQ(comet_settings({}).mode, CometMode::offline);
  EXPECT_EQ(comet_settings({.mode = "online"}).mode, CometMode::online);
  unsetenv("COMET_API_KEY");
  EXPECT_EQ(comet_settings({.mode = "offline"}).mode, CometMode::offline);
  EXPECT_NE(message_of([] { comet_settings({.mode = "online"}); }).find("COMET_API_KEY"), std::string::npos);
  EXPECT_NE(message_of([] { comet_settings({.mode = "sometimes"}); }).find("sometimes"), std::string::npos);
  setenv("COMET_START_ONLINE", "maybe", 1);
  EXPECT_NE(message_of([] { comet_settings({}); }).find("COMET_START_ONLINE"), std::string::npos);
}

TEST_F(CometSettingsTest, Servers) {
  setenv("COMET_URL_OVERRIDE", "http://host:8080/clientlib/", 1);
  EXPECT_EQ(comet_settings({}).server, "http://host:8080");
  setenv("COMET_URL_OVERRIDE", "https://host/comet/clientlib", 1);
  EXPECT_EQ(comet_settings({}).server, "https://host/comet");
  setenv("COMET_URL_OVERRIDE", "host", 1);
  EXPECT_NE(message_of([] { comet_settings({}); }).find("https://"), std::string::npos);
  unsetenv("COMET_URL_OVERRIDE");
  setenv("COMET_API_KEY", "key*eyJiYXNlVXJsIjoiaHR0cHM6Ly9vd24uZXhhbXBsZSJ9", 1);  // {"baseUrl":"https://own.example"}
  EXPECT_EQ(comet_settings({}).server, "https://own.example");
}

TEST_F(CometSettingsTest, ABadKeyIsNotRepeated) {
  setenv("COMET_API_KEY", "secret key", 1);
  const std::string message = message_of([] { comet_settings({}); });
  EXPECT_NE(message.find("COMET_API_KEY"), std::string::npos);
  EXPECT_EQ(message.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace linnet::tracking
