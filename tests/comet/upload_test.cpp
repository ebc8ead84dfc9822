// The uploader against a strict stand-in for Comet that fails in many ways: every value arrives, once.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "tests/comet/stub.h"
#include "tests/error_message.h"
#include "tests/support/temporary_folder.h"

namespace linnet::tracking {
namespace {

using test::message_of;

using namespace std::chrono_literals;
using nlohmann::json;

class CometUpload : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_python()) GTEST_SKIP() << "needs python3";
  }

  std::string record_run(int steps, const std::string& status = "finished") const {
    Tracker tracker(path_, {.name = "run", .system_seconds = 0});
    log_everything(tracker, steps);
    tracker.finish(status, status == "failed" ? "out of memory" : "");
    return tracker.key();
  }

  CometUploader::Status upload(const std::string& address, const CometPace& pace = quick_pace(),
                               double seconds = 120) const {
    CometUploader uploader(path_, "run", stub_settings(address), pace);
    return uploader.wait(seconds);
  }

  /// What arrived is what is recorded, each once.
  void expect_everything(const CometStub& stub) const {
    const Record record(path_);
    const auto run = record.run("run");
    const json state = stub.state();
    ASSERT_EQ(state.size(), 1U);
    const json experiment = state.value(run.key, json());
    std::multiset<std::string> expected, arrived;
    for (const SeriesSummary& series : run.series) {
      const std::string name = series.context.empty() ? series.name : series.context + "_" + series.name;
      for (const Point& point : record.points(series.id))
        expected.insert(json{name, point.step, point.epoch ? json(*point.epoch) : json(), point.time,
                             std::isfinite(point.value) ? json(point.value)
                             : std::isnan(point.value)  ? json("NaN")
                             : point.value > 0          ? json("Infinity")
                                                        : json("-Infinity")}
                            .dump());
    }
    for (const json& metric : experiment["metrics"])
      arrived.insert(
          json{metric["name"], metric["step"], metric["epoch"], metric["timestamp"], metric["value"]}.dump());
    EXPECT_EQ(arrived.size(), expected.size());
    EXPECT_TRUE(arrived == expected);

    std::string output;
    for (const OutputLine& line : record.output(run.id)) output += line.text;
    std::string shown;
    for (const json& line : experiment["output"]) shown += line[1].get<std::string>();
    EXPECT_EQ(shown, output);
    for (std::size_t i = 0; i < experiment["output"].size(); ++i)
      ASSERT_EQ(experiment["output"][i][0].get<std::size_t>(), i);

    EXPECT_EQ(experiment["params"].size(), run.parameters.size());
    EXPECT_EQ(experiment["params"]["lr"], 0.05);
    EXPECT_EQ(experiment["params"]["model.sizes"], json({1, 2}));
    EXPECT_EQ(experiment["params"]["none"], nullptr);
    EXPECT_EQ(experiment["tags"], json(run.tags));
    EXPECT_EQ(experiment["others"]["Name"], "run");
    EXPECT_EQ(experiment["others"]["device"], run.texts.at("device"));
    EXPECT_EQ(experiment["others"]["status"], run.status);
    EXPECT_EQ(experiment["graph"], run.texts.at("graph"));
    EXPECT_EQ(experiment["html"], "<p>report</p>");
    EXPECT_EQ(experiment["system"]["hostname"], run.texts.at("system.hostname"));
    EXPECT_EQ(experiment["system"].count("env"), 0U);
    EXPECT_EQ(experiment["start"], run.started);
    EXPECT_EQ(experiment["end"], *run.ended);

    std::map<std::string, std::string> types;
    for (const json& asset : experiment["assets"]) {
      EXPECT_TRUE(types.emplace(asset["fileName"], asset["type"]).second) << asset["fileName"] << " came twice";
      if (asset["type"] == "model-element") {
        EXPECT_EQ(asset["size"], 100'000);
        EXPECT_EQ(asset["groupingName"], "mobilenet");
      }
    }
    const std::map<std::string, std::string> all = {{"a.png", "image"},
                                                    {"weights", "histogram3d"},
                                                    {"confusion-matrix.json", "confusion-matrix"},
                                                    {"model.safetensors", "model-element"},
                                                    {"folder/empty.txt", "asset"}};
    EXPECT_EQ(types, all);
  }

  void expect_everything_despite(const std::string& faults, const CometPace& pace = quick_pace()) const {
    const CometStub stub;
    stub.faults(faults);
    record_run(2500);
    const CometUploader::Status status = upload(stub.address(), pace);
    EXPECT_TRUE(status.complete) << status.problem;
    EXPECT_EQ(status.sent, 10'000);
    EXPECT_EQ(status.left, 0);
    EXPECT_TRUE(status.left_out.empty());
    expect_everything(stub);
    std::int64_t good = 0, bad = 0;
    const json stats = stub.stats();
    for (const auto& [route, count] : stats.items())
      (route.ends_with(" 200") ? good : bad) += count.get<std::int64_t>();
    std::printf("[   ran    ] %lld requests answered, %lld failed or dropped\n", static_cast<long long>(good),
                static_cast<long long>(bad));
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.file("linnet.db");
};

TEST_F(CometUpload, EverythingArrives) {
  const CometStub stub;
  record_run(2500);
  const CometUploader::Status status = upload(stub.address());
  EXPECT_TRUE(status.complete) << status.problem;
  EXPECT_NE(status.link.find("/team/tests/"), std::string::npos) << status.link;
  expect_everything(stub);
  const json before = stub.stats();
  EXPECT_TRUE(upload(stub.address()).complete);  // nothing is left to send
  EXPECT_EQ(stub.stats()["POST /clientlib/batch/logger/experiment/metric 200"],
            before["POST /clientlib/batch/logger/experiment/metric 200"]);
  expect_everything(stub);
}

TEST_F(CometUpload, ARunThatGoesOnIsFollowedAndAFailureIsTold) {
  const CometStub stub;
  {
    Tracker tracker(path_, {.name = "run", .system_seconds = 0});
    CometUploader uploader(path_, tracker.key(), stub_settings(stub.address()), quick_pace());
    log_everything(tracker, 300);
    for (int i = 0; i < 200 && uploader.status().sent < 1200; ++i) std::this_thread::sleep_for(50ms);
    EXPECT_EQ(uploader.status().sent, 1200);
    EXPECT_FALSE(uploader.status().ended);
    EXPECT_NE(message_of([&] { upload(stub.address()); }).find("another process"), std::string::npos);
    for (int step = 301; step <= 400; ++step) tracker.metric("loss", step, {.step = step, .context = "train"});
    tracker.finish("failed", "out of memory");
    EXPECT_TRUE(uploader.wait(60).complete);
  }
  expect_everything(stub);
  const json experiment = stub.state().front();
  EXPECT_EQ(experiment["errors"][0]["error"], "out of memory");
  EXPECT_EQ(experiment["alive"], false);
}

TEST_F(CometUpload, EveryThirdRequestFails) { expect_everything_despite(R"([{"every": 3, "status": 503}])"); }

TEST_F(CometUpload, EveryThirdRequestFailsThoughItWasCarriedOut) {
  expect_everything_despite(R"([{"every": 3, "status": 503, "apply": true}])");
}

TEST_F(CometUpload, EveryOtherMetricRequestFails) {
  expect_everything_despite(R"([{"match": "batch", "every": 2, "status": 500}, {"every": 5, "body": "garbage"}])");
}

TEST_F(CometUpload, ConnectionsDropBeforeAmidAndAfterTheReply) {
  expect_everything_despite(
      R"([{"every": 4, "drop": "mid"}, {"every": 5, "drop": "after"}, {"every": 6, "drop": "before"}])");
}

TEST_F(CometUpload, ProxiesAnswerWithPages) {
  expect_everything_despite(R"([{"every": 4, "status": 502, "body": "html"}, {"every": 7, "inner_code": 500}])");
}

TEST_F(CometUpload, WindowsOfTooManyRequests) {
  expect_everything_despite(R"([{"from_s": 0.3, "to_s": 1.2, "status": 429, "headers": {"Retry-After-Custom": 0.2}},
                                {"every": 9, "status": 429}, {"every": 11, "status": 429, "headers": {"Retry-After": 1}}])");
}

TEST_F(CometUpload, AnswersAreSlow) { expect_everything_despite(R"([{"every": 2, "delay": 0.3}])"); }

TEST_F(CometUpload, ThePaceIsKept) {
  CometPace pace = quick_pace();
  pace.values_per_second = 4000;  // 24,000 at once at most
  pace.requests_per_second = 20;
  const CometStub stub;
  record_run(8000);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(upload(stub.address(), pace).complete);
  EXPECT_GT(std::chrono::steady_clock::now() - begin, 1500ms);
}

TEST_F(CometUpload, TheServerIsDownForTheFirstHalf) {
  int port = 0;
  {
    const CometStub reserved;
    port = reserved.port();
  }
  Tracker tracker(path_, {.name = "run", .system_seconds = 0});
  CometUploader uploader(path_, tracker.key(), stub_settings("http://127.0.0.1:" + std::to_string(port)), quick_pace());
  log_everything(tracker, 500);
  std::this_thread::sleep_for(1s);
  EXPECT_NE(uploader.status().problem, "");
  EXPECT_EQ(uploader.status().sent, 0);
  const CometStub stub(port);
  for (int step = 501; step <= 1000; ++step) tracker.metric("loss", step, {.step = step, .context = "train"});
  tracker.finish("finished");
  const CometUploader::Status status = uploader.wait(60);
  EXPECT_TRUE(status.complete) << status.problem;
  expect_everything(stub);
}

// The uploader is a process that is killed at a random time, twenty times, while every fifth answer is lost.
TEST_F(CometUpload, KilledTwentyTimes) {
  record_run(5000);
  const CometStub stub;
  stub.faults(R"([{"every": 5, "drop": "after"}])");
  CometPace pace = quick_pace();
  pace.requests_per_second = 15;
  std::mt19937 random(7);
  int killed = 0;
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      const bool complete = upload(stub.address(), pace).complete;
      _exit(complete ? 0 : 1);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100 + random() % 200));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    killed += WIFSIGNALED(status) ? 1 : 0;
  }
  const std::size_t arrived = stub.state().front()["metrics"].size();
  const CometUploader::Status status = upload(stub.address());
  EXPECT_TRUE(status.complete) << status.problem;
  expect_everything(stub);
  std::printf("[   ran    ] killed %d times at %zu of 20000 points\n", killed, arrived);
}

TEST_F(CometUpload, KilledBeforeTheFirstAnswer) {
  record_run(10);
  const CometStub stub;
  stub.faults(R"([{"match": "add/run", "count": 1, "delay": 30}])");
  const pid_t child = fork();
  if (child == 0) _exit(upload(stub.address()).complete ? 0 : 1);
  while (stub.state().empty()) std::this_thread::sleep_for(20ms);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(upload(stub.address()).complete);
  expect_everything(stub);
}

TEST_F(CometUpload, ADestroyedUploaderEndsAtOnceAndTheNextGoesOn) {
  record_run(2500);
  const CometStub stub;
  stub.faults(R"([{"match": "batch.*metric", "after": 2, "delay": 20}])");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(upload(stub.address(), quick_pace(), 1).complete);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 8s);
  stub.faults("[]");
  const CometUploader::Status status = upload(stub.address());
  EXPECT_TRUE(status.complete) << status.problem;
  expect_everything(stub);
}

TEST_F(CometUpload, ARefusedKeyIsOneMessageThatDoesNotHoldIt) {
  record_run(10);
  const CometStub stub;
  CometSettings settings = stub_settings(stub.address());
  settings.api_key = "another-secret-key";
  settings.project = "elsewhere";
  const CometUploader::Status status = CometUploader(path_, "run", settings, quick_pace()).wait(20);
  EXPECT_TRUE(status.ended);
  EXPECT_FALSE(status.complete);
  EXPECT_NE(status.problem.find("API key is not registered"), std::string::npos) << status.problem;
  EXPECT_EQ(status.problem.find('\n'), std::string::npos);
  EXPECT_EQ(status.problem.find(settings.api_key), std::string::npos);
  EXPECT_EQ(stub.stats().size(), 1U) << stub.stats();
  EXPECT_TRUE(upload(stub.address()).complete);
  expect_everything(stub);
  for (const std::string& name : folder_.names()) {
    const std::string bytes = read_file(folder_.file(name));
    EXPECT_EQ(bytes.find(settings.api_key), std::string::npos) << name;
    EXPECT_EQ(bytes.find(comet_key), std::string::npos) << name;
  }
}

TEST_F(CometUpload, WhatIsRefusedForItselfIsLeftOut) {
  record_run(10);
  const CometStub stub;
  stub.faults(R"([{"match": "visualizations", "status": 413, "msg": "too large"}])");
  const CometUploader::Status status = upload(stub.address());
  EXPECT_TRUE(status.complete);
  ASSERT_EQ(status.left_out.size(), 1U);
  EXPECT_NE(status.left_out[0].find("413 too large"), std::string::npos) << status.left_out[0];
  EXPECT_EQ(stub.state().front()["assets"].size(), 4U);
}

TEST_F(CometUpload, TheModelIsRegistered) {
  record_run(10);
  const CometStub stub;
  CometSettings settings = stub_settings(stub.address());
  settings.registered_model = "edge:2.1.0";
  EXPECT_TRUE(CometUploader(path_, "run", settings, quick_pace()).wait(20).complete);
  const json registered = stub.state().front()["registered"];
  ASSERT_EQ(registered.size(), 1U);
  EXPECT_EQ(registered[0]["registryModelName"], "edge");
  EXPECT_EQ(registered[0]["version"], "2.1.0");
  EXPECT_EQ(registered[0]["experimentModelName"], "mobilenet");
}

TEST_F(CometUpload, ARunHasOnePlace) {
  const std::string key = record_run(10);
  const CometStub stub, other;
  EXPECT_TRUE(upload(stub.address()).complete);
  const CometUploader::Status elsewhere = upload(other.address());
  EXPECT_FALSE(elsewhere.complete);
  EXPECT_NE(elsewhere.problem.find(stub.address()), std::string::npos) << elsewhere.problem;
  // As if an archive of it had been uploaded there.
  httplib::Client(other.address())
      .Post("/clientlib/logger/add/run",
            json{{"apiKey", comet_key},
                 {"local_timestamp", 1760000000000},
                 {"experimentKey", key},
                 {"offline", true},
                 {"projectName", nullptr},
                 {"teamName", nullptr},
                 {"libVersion", "3"}}
                .dump(),
            "application/json");
  const TemporaryFolder folder;
  std::filesystem::copy(path_, folder.file("copy.db"));
  run_command("python3 -c \"import sqlite3; c = sqlite3.connect('" + folder.file("copy.db") +
              "'); c.execute('DELETE FROM uploads'); c.execute('DELETE FROM cursors'); c.commit()\"");
  CometUploader uploader(folder.file("copy.db"), "run", stub_settings(other.address()), quick_pace());
  const CometUploader::Status twice = uploader.wait(20);
  EXPECT_FALSE(twice.complete);
  EXPECT_NE(twice.problem.find("archive"), std::string::npos) << twice.problem;
  EXPECT_EQ(other.state().front()["metrics"].size(), 0U);
}

}  // namespace
}  // namespace linnet::tracking
