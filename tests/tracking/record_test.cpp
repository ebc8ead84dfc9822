// The record of runs: what is logged is read again, whoever writes, whatever is killed, however old the file.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "linnet/tracking/record.h"
#include "linnet/tracking/tracker.h"
#include "tests/error_message.h"
#include "tests/support/temporary_folder.h"
#include "training/tracking/schema.h"

namespace linnet::tracking {
namespace {

using namespace std::chrono_literals;
using test::message_of;

class TrackingRecord : public ::testing::Test {
 protected:
  RunInfo info(const std::string& name) const { return {.name = name, .system_seconds = 0}; }
  const TemporaryFolder folder_;
  const std::string path_ = folder_.file("linnet.db");
};

TEST_F(TrackingRecord, EverythingThatIsLoggedIsReadAgain) {
  std::string key;
  {
    Tracker tracker(path_, info("first"));
    key = tracker.key();
    EXPECT_EQ(key.size(), 32U);
    const double values[] = {0.1, -3e300, 5e-324, std::nan(""), std::numeric_limits<double>::infinity(), 1.0 / 3};
    for (int i = 0; i < 6; ++i) tracker.metric("loss", values[i], {.step = i + 1, .epoch = 1, .context = "train"});
    tracker.parameters(R"({"lr": 0.1, "model": {"name": "a", "list": [1, 2]}, "none": null})");
    tracker.parameters(R"({"lr": 0.2})");
    tracker.text("note", "Grüße, 世界\nsecond line");
    tracker.tag("int8");
    tracker.tag("int8");
    tracker.output("one\n");
    tracker.output("two\n", true);
    tracker.image("a.png", "same bytes", {.step = 3});
    tracker.image("b.png", "same bytes", {.step = 4});
    tracker.asset({.name = "empty"}, "");
    const std::vector<float> weights = {0, 1, 1, -3};
    tracker.histogram("weights", weights, {.step = 4});
    tracker.confusion_matrix({{5, 1}, {0, 4}}, {"cat", "dog"}, {.step = 4});
    EXPECT_TRUE(tracker.finish("finished"));
    EXPECT_EQ(tracker.problem(), "");
  }
  const Record record(path_);
  const auto run = record.run("first");
  EXPECT_EQ(run.key, key);
  EXPECT_EQ(record.run(key.substr(0, 6)).id, run.id);
  EXPECT_EQ(run.status, "finished");
  EXPECT_EQ(run.parameters.at("lr"), "0.2");
  EXPECT_EQ(run.parameters.at("model.list"), "[1,2]");
  EXPECT_EQ(run.parameters.at("none"), "null");
  EXPECT_EQ(run.texts.at("note"), "Grüße, 世界\nsecond line");
  EXPECT_EQ(run.texts.count("system.cpu"), 1U);
  EXPECT_EQ(run.tags, std::vector<std::string>{"int8"});
  const SeriesSummary* loss = run.find_series("train/loss");
  ASSERT_NE(loss, nullptr);
  EXPECT_EQ(loss->count, 6);
  EXPECT_EQ(loss->smallest, -3e300);
  EXPECT_EQ(loss->largest, 1.0 / 3);
  const std::vector<Point> points = record.points(loss->id);
  ASSERT_EQ(points.size(), 6U);
  EXPECT_EQ(points[2].value, 5e-324);
  EXPECT_TRUE(std::isnan(points[3].value));
  EXPECT_TRUE(std::isinf(points[4].value));
  EXPECT_EQ(points[5].value, 1.0 / 3);
  EXPECT_EQ(points[5].step, 6);
  EXPECT_EQ(points[5].epoch, 1);
  EXPECT_EQ(record.points(loss->id, 4).size(), 2U);
  const std::vector<OutputLine> output = record.output(run.id);
  ASSERT_EQ(output.size(), 2U);
  EXPECT_EQ(output[0].text, "one\n");
  EXPECT_TRUE(output[1].error);
  const std::vector<Asset> assets = record.assets(run.id);
  ASSERT_EQ(assets.size(), 5U);
  EXPECT_EQ(assets[0].hash, assets[1].hash);
  EXPECT_EQ(record.bytes(assets[1]), "same bytes");
  EXPECT_EQ(assets[2].bytes, 0);
  const auto histogram = nlohmann::json::parse(record.bytes(assets[3]));
  // Bins that the Python client gave for 0, 1 and -3.
  EXPECT_EQ(histogram["index_values"].dump(), "[[472,1],[775,1],[1065,2]]");
  EXPECT_EQ(nlohmann::json::parse(record.bytes(assets[4]))["matrix"].dump(), "[[5,1],[0,4]]");
}

TEST_F(TrackingRecord, BadContentsAreErrorsAtTheCall) {
  Tracker tracker(path_, info("first"));
  EXPECT_NE(message_of([&] { tracker.parameters("[1]"); }).find("JSON object"), std::string::npos);
  EXPECT_NE(message_of([&] { tracker.confusion_matrix({{1, 2}}, {"a"}, {}); }).find("confusion"), std::string::npos);
  EXPECT_NE(message_of([&] { tracker.file({.name = "x"}, folder_.file("none")); }).find("none"), std::string::npos);
}

TEST_F(TrackingRecord, ForeignAndMissingFilesAreErrors) {
  EXPECT_NE(message_of([&] { Record record(path_); }).find(path_), std::string::npos);
  std::ofstream(path_) << "this is no database, although it is long enough to be read as the header of one, is it not?";
  EXPECT_NE(message_of([&] { Record record(path_); }).find("not a database"), std::string::npos);
  const std::string other = folder_.file("other.db");
  sqlite3* database = nullptr;
  sqlite3_open(other.c_str(), &database);
  sqlite3_exec(database, "CREATE TABLE pets (name TEXT)", nullptr, nullptr, nullptr);
  sqlite3_close(database);
  EXPECT_NE(message_of([&] { Tracker tracker(other, {}); }).find("no record of runs"), std::string::npos);
}

TEST_F(TrackingRecord, AReaderChangesNothing) {
  Tracker(path_, info("run")).finish("finished");
  Record record(path_);
  EXPECT_NE(message_of([&] { record.add_tag(1, "new"); }).find("readonly"), std::string::npos);
  EXPECT_NE(message_of([&] { record.remove(1); }).find("readonly"), std::string::npos);
  EXPECT_EQ(record.runs().size(), 1U);
}

TEST_F(TrackingRecord, AnOlderFileIsBroughtUpToDate) {
  sqlite3* database = nullptr;
  sqlite3_open(path_.c_str(), &database);
  const auto run = [&](const std::string& sql) {
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
  };
  run(migrations()[0]);
  run("PRAGMA application_id = 1282307105");
  run("PRAGMA user_version = 1");
  run("INSERT INTO runs (key, name, kind, folder, status, started, heartbeat) "
      "VALUES ('0123456789abcdef0123456789abcdef', 'old', 'training', '', 'finished', 1, 2)");
  sqlite3_close(database);
  EXPECT_EQ(Record(path_).run("old").status, "finished");
  sqlite3_open(path_.c_str(), &database);
  run("SELECT * FROM uploads, cursors");
  run("PRAGMA user_version = 99");
  sqlite3_close(database);
  EXPECT_NE(message_of([&] { Record record(path_); }).find("99"), std::string::npos);
}

TEST_F(TrackingRecord, AResumedRunGoesOnWhereItsRecordEnds) {
  RunInfo resumable = info("run");
  resumable.folder = folder_.file("run");
  std::string key;
  {
    Tracker tracker(path_, resumable);
    key = tracker.key();
    for (int step = 1; step <= 10; ++step) tracker.metric("loss", step, {.step = step});
  }
  resumable.resume = true;
  {
    Tracker tracker(path_, resumable);
    EXPECT_EQ(tracker.key(), key);
    for (int step = 6; step <= 15; ++step) tracker.metric("loss", step, {.step = step});
  }
  const Record record(path_);
  ASSERT_EQ(record.runs().size(), 1U);
  const std::vector<Point> points = record.points(record.run("run").find_series("loss")->id);
  ASSERT_EQ(points.size(), 15U);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(points[static_cast<std::size_t>(i)].step, i + 1);
}

// The child logs for ever, telling through a pipe how far it is; it is killed, and all that it had logged one second
// before is there.
TEST_F(TrackingRecord, AKilledProcessLosesAtMostTheLastSecond) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    Tracker tracker(path_, info("killed"));
    for (std::int64_t step = 1;; ++step) {
      tracker.metric("loss", static_cast<double>(step), {.step = step});
      if (write(ends[1], &step, sizeof step) < 0) _exit(1);
      std::this_thread::sleep_for(1ms);
    }
  }
  close(ends[1]);
  std::vector<std::pair<std::chrono::steady_clock::time_point, std::int64_t>> told;
  const auto begin = std::chrono::steady_clock::now();
  for (std::int64_t step = 0; std::chrono::steady_clock::now() - begin < 2200ms;) {
    ASSERT_EQ(read(ends[0], &step, sizeof step), static_cast<ssize_t>(sizeof step));
    told.emplace_back(std::chrono::steady_clock::now(), step);
  }
  const auto killed = std::chrono::steady_clock::now();
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ends[0]);
  std::int64_t due = 0;
  for (const auto& [time, step] : told)
    if (time < killed - 1s) due = step;
  const Record record(path_);
  const auto run = record.run("killed");
  EXPECT_EQ(run.status, "running");
  ASSERT_NE(run.find_series("loss"), nullptr);
  EXPECT_GE(run.find_series("loss")->last_step, due);
  EXPECT_GT(due, 0);
  EXPECT_EQ(run.find_series("loss")->count,
            static_cast<std::int64_t>(record.points(run.find_series("loss")->id).size()));
  std::printf("[   ran    ] %lld of %lld steps were on disk\n",
              static_cast<long long>(run.find_series("loss")->last_step), static_cast<long long>(told.back().second));
}

TEST_F(TrackingRecord, TwoProcessesWriteOneFile) {
  constexpr int count = 20000;
  std::vector<pid_t> children;
  for (const char* name : {"a", "b"}) {
    children.push_back(fork());
    if (children.back() == 0) {
      Tracker tracker(path_, info(name));
      for (int step = 1; step <= count; ++step) {
        tracker.metric("loss", step * 0.5, {.step = step});
        if (step % 100 == 0) std::this_thread::sleep_for(5ms);
      }
      _exit(tracker.finish("finished") ? 0 : 1);
    }
  }
  for (const pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const Record record(path_);
  for (const char* name : {"a", "b"}) {
    const std::vector<Point> points = record.points(record.run(name).find_series("loss")->id);
    ASSERT_EQ(points.size(), static_cast<std::size_t>(count)) << name;
    for (std::size_t i = 0; i < points.size(); ++i) ASSERT_EQ(points[i].value, 0.5 * static_cast<double>(i + 1));
  }
}

TEST_F(TrackingRecord, ALockedFileDelaysValuesAndLosesNone) {
  Tracker tracker(path_, info("patient"));
  sqlite3* database = nullptr;
  sqlite3_open(path_.c_str(), &database);
  ASSERT_EQ(sqlite3_exec(database, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto begin = std::chrono::steady_clock::now();
  for (int step = 1; step <= 1000; ++step) tracker.metric("loss", step, {.step = step});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);  // a locked file is waited for by the writer thread alone
  std::this_thread::sleep_for(600ms);
  sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_close(database);
  EXPECT_TRUE(tracker.finish("finished"));
  EXPECT_EQ(Record(path_).run("patient").find_series("loss")->count, 1000);
}

TEST_F(TrackingRecord, RunsAreDeletedWithWhatOnlyTheyNeed) {
  for (const char* name : {"a", "b"}) {
    Tracker tracker(path_, info(name));
    tracker.metric("loss", 1, {.step = 1});
    tracker.asset({.name = "shared"}, "shared");
    tracker.asset({.name = "own"}, name);
  }
  Record record(path_, RecordAccess::write);
  const auto a = record.run("a");
  const auto b = record.run("b");
  const std::vector<Asset> assets = record.assets(a.id);
  record.remove(a.id);
  EXPECT_EQ(record.bytes(assets[0]), "shared");
  EXPECT_EQ(record.bytes(assets[1]), "");
  EXPECT_TRUE(record.points(a.find_series("loss")->id).empty());
  EXPECT_EQ(record.points(b.find_series("loss")->id).size(), 1U);
  EXPECT_NE(message_of([&] { record.run("a"); }).find("no run"), std::string::npos);
}

TEST_F(TrackingRecord, SystemMetricsAreRead) {
  RunInfo sampled = info("sampled");
  sampled.system_seconds = 0.1;
  {
    Tracker tracker(path_, sampled);
    std::this_thread::sleep_for(900ms);
  }
  const auto run = Record(path_).run("sampled");
  ASSERT_NE(run.find_series("sys.ram.used"), nullptr);
  EXPECT_GT(run.find_series("sys.ram.process")->last, 1e6);
  EXPECT_GE(run.find_series("sys.ram.used")->count, 2);
}

// Reported, never a pass or fail.
TEST_F(TrackingRecord, CostOfAPointIsReported) {
  constexpr int count = 200000;
  Tracker tracker(path_, info("fast"));
  std::vector<double> times;
  times.reserve(count);
  for (int step = 1; step <= count; ++step) {
    const auto begin = std::chrono::steady_clock::now();
    tracker.metric("loss", step, {.step = step, .epoch = 1, .context = "train"});
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
  }
  ASSERT_TRUE(tracker.finish("finished"));
  std::sort(times.begin(), times.end());
  double sum = 0;
  for (const double time : times) sum += time;
  std::printf("[   ran    ] a point costs %.2f us on average, %.2f us at the median, %.2f us in 99 of 100 cases\n",
              sum / count, times[count / 2], times[count / 100 * 99]);
  EXPECT_EQ(Record(path_).run("fast").find_series("train/loss")->count, count);
}

}  // namespace
}  // namespace linnet::tracking
