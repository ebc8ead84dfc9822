// The real program with a filled record, and a client.
#pragma once

#include <httplib.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "filled_record.h"
#include "running_program.h"
#include "tests/support/command.h"

namespace linnet {

class DashboardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_not_runnable(linnet_); !reason.empty()) GTEST_SKIP() << reason;
    fill_record(database_);
    start({});
  }

  /// (Again) with these arguments besides the record and a free port.
  void start(const std::vector<std::string>& more) {
    std::vector<std::string> words = {linnet_, "dashboard", database_, "--port", "0"};
    words.insert(words.end(), more.begin(), more.end());
    program_.reset();
    program_ = std::make_unique<RunningProgram>(words);
    link_ = "http://" + program_->word_behind("http://");
    const std::size_t colon = link_.rfind(':');
    ASSERT_NE(colon, std::string::npos) << program_->printed();
    port_ = std::atoi(link_.c_str() + colon + 1);
    ASSERT_GT(port_, 0) << program_->printed();
  }

  httplib::Client client() const {
    httplib::Client client("127.0.0.1", port_);
    client.set_read_timeout(20);
    return client;
  }

  /// Null if there was no answer.
  httplib::Result get(const std::string& path, const httplib::Headers& headers = {}) const {
    return client().Get(path, headers);
  }
  int status(const std::string& path, const httplib::Headers& headers = {}) const {
    const httplib::Result result = get(path, headers);
    return result ? result->status : -1;
  }
  nlohmann::json read(const std::string& path) const {
    const httplib::Result result = get(path);
    return result && result->status == 200 ? nlohmann::json::parse(result->body) : nlohmann::json();
  }
  nlohmann::json run_named(const std::string& name) const {
    const nlohmann::json all = read("/api/runs");
    for (const auto& run : all["runs"])
      if (run["name"] == name) return run;
    return {};
  }
  /// The id of a series of a run.
  std::string series_of(const std::string& run, const std::string& label) const {
    const nlohmann::json found = run_named(run);
    if (found.is_null()) return "none";
    for (const auto& series : found["series"])
      if (series["label"] == label) return series["id"].dump();
    return "none";
  }

  const TemporaryFolder folder_;
  const std::string database_ = folder_.file("linnet.db");
  const std::string linnet_ = std::string(LINNET_BINARY_DIR) + "/linnet";
  std::unique_ptr<RunningProgram> program_;
  std::string link_;
  int port_ = 0;
};

}  // namespace linnet
