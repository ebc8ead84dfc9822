// What the pages are told.
#include <gtest/gtest.h>

#include <numeric>

#include "dashboard_fixture.h"
#include "linnet/tracking/tracker.h"

namespace linnet {
namespace {

using nlohmann::json;

class DashboardApi : public DashboardTest {};

double sum(const json& column) {
  return std::accumulate(column.begin(), column.end(), 0.0,
                         [](double total, const json& value) { return total + value.get<double>(); });
}

TEST_F(DashboardApi, RunsAreListedWithoutLongTextsAndThenOnlyTheChangedOnes) {
  const json all = read("/api/runs");
  EXPECT_EQ(all["ids"].size(), 5U);
  ASSERT_EQ(all["runs"].size(), 5U);
  const json first = run_named("first");
  EXPECT_EQ(first["status"], "finished");
  EXPECT_NEAR(first["parameters"]["optimiser.lr"].get<double>(), 0.1, 1e-6);
  EXPECT_EQ(all["common"]["model"], "mobilenetv2_100");  // of the newest run
  EXPECT_NE(first["lacks"].dump().find("\"model\""), std::string::npos);
  EXPECT_EQ(first["texts"]["model"], "mobilenetv1_025");
  EXPECT_EQ(first["tags"], json::array({"shapes"}));
  const std::string later = std::to_string(all["runs"][0]["heartbeat"].get<std::int64_t>() + 1'000'000);
  const json none = read("/api/runs?since=" + later + "&after=5");
  EXPECT_EQ(none["ids"].size(), 5U);
  EXPECT_EQ(none["runs"].size(), 0U);
  EXPECT_EQ(read("/api/runs?since=" + later + "&after=4")["runs"].size(), 1U);
}

TEST_F(DashboardApi, ARunComesWithItsLayersAndFiles) {
  const json run = read("/api/run?key=" + run_named("first")["key"].get<std::string>());
  EXPECT_NE(run["texts"]["graph"].get<std::string>().find("conv_stem"), std::string::npos);
  ASSERT_EQ(run["assets"].size(), 30U);
  EXPECT_EQ(read("/api/output?run=" + run["id"].dump()).size(), 2U);
  EXPECT_EQ(read("/api/output?run=" + run["id"].dump())[1]["error"], true);
}

TEST_F(DashboardApi, LongCurvesAreThinnedAndKeepTheirExtremes) {
  const std::string id = series_of("first", "train/loss");
  for (const std::string spacing : {"even", "log"}) {
    const json curve = read("/api/points?points=400&spacing=" + spacing + "&series=" + id)[0];
    EXPECT_EQ(curve["last"], long_curve);
    const json &steps = curve["step"], &values = curve["value"];
    EXPECT_LE(steps.size(), 403U) << spacing;
    EXPECT_GE(steps.size(), 200U) << spacing;
    EXPECT_EQ(steps.front(), 1);
    EXPECT_EQ(steps.back(), long_curve);
    EXPECT_TRUE(std::is_sorted(steps.begin(), steps.end()));
    EXPECT_NEAR(sum(curve["weight"]), long_curve, 1e-6);
    const auto value_at = [&](int step) {
      const auto found = std::find(steps.begin(), steps.end(), step);
      return found == steps.end() ? json("missing") : values[static_cast<std::size_t>(found - steps.begin())];
    };
    EXPECT_EQ(value_at(spike_at), spike);
    EXPECT_EQ(value_at(dip_at), dip);
    EXPECT_EQ(value_at(strange_at), json());  // NaN
  }
}

TEST_F(DashboardApi, ShortCurvesAreWholeAndTailsAreServed) {
  const std::string id = series_of("first", "validate/top1");
  const json whole = read("/api/points?series=" + id)[0];
  ASSERT_EQ(whole["step"].size(), 10U);
  EXPECT_EQ(whole["mean"], whole["value"]);
  EXPECT_EQ(whole["epoch"].back(), 10);
  EXPECT_GT(whole["time"][0], 1'600'000'000'000);
  const json tail = read("/api/points?series=" + id + ":8," + id + ":10");
  EXPECT_EQ(tail[0]["step"], json::array({18000, 20000}));
  EXPECT_EQ(tail[1]["step"].size(), 0U);
  EXPECT_EQ(tail[1]["last"], 10);
}

TEST_F(DashboardApi, OnlyPicturesAreShownOtherFilesAreSaved) {
  const json run = read("/api/run?key=" + run_named("first")["key"].get<std::string>());
  int pictures = 0;
  for (const auto& asset : run["assets"]) {
    const auto file = get("/api/asset?id=" + asset["id"].dump());
    ASSERT_EQ(file->status, 200);
    EXPECT_EQ(file->body.size(), asset["bytes"].get<std::size_t>());
    EXPECT_EQ(file->get_header_value("X-Content-Type-Options"), "nosniff");
    if (file->get_header_value("Content-Type") == "image/png") ++pictures;
    if (asset["name"] == "notes/page.html") {
      EXPECT_EQ(file->get_header_value("Content-Type"), "application/octet-stream");
      EXPECT_EQ(file->get_header_value("Content-Disposition"), "attachment; filename=\"page.html\"");
    }
  }
  EXPECT_EQ(pictures, 3);
  EXPECT_EQ(status("/api/asset?id=999"), 404);
}

TEST_F(DashboardApi, BenchmarksAndTrainingRunsAreWeighedAgainstEachOther) {
  std::map<std::string, json> rows;
  for (const auto& row : read("/api/tradeoff")) rows[row["name"]] = row;
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows["mobilenetv1_025"]["top1_source"], "published");
  EXPECT_EQ(rows["mobilenetv1_025"]["device"], "pi4");
  EXPECT_EQ(rows["mobilenetv1_025"]["median_ms"], 9.5);
  EXPECT_EQ(rows["mobilenetv1_025"]["mj_per_image"], 31.5);
  EXPECT_GT(rows["mobilenetv1_025"]["macs"], 40'000'000);
  EXPECT_EQ(rows["mobilenetv2_100"]["top1"], 71.5);
  EXPECT_EQ(rows["mobilenetv2_100"]["top1_source"], "measured");
  EXPECT_EQ(rows["mobilenetv2_100"]["mj_per_image"], json());
  EXPECT_NEAR(rows["second"]["top1"].get<double>(), 95, 1);
  EXPECT_EQ(rows["second"]["data"], "shapes");
}

TEST_F(DashboardApi, EventsTellWhenSomethingWasWritten) {
  std::atomic<int> changes = 0;
  std::thread listener([&] {
    client().Get("/api/events", [&](const char* text, std::size_t size) {
      if (std::string(text, size).find("event: change") != std::string::npos) ++changes;
      return changes < 2;
    });
  });
  const auto wait_for = [&](int count) {
    for (int i = 0; i < 1000 && changes < count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return changes >= count;
  };
  EXPECT_TRUE(wait_for(1));
  tracking::Tracker(database_, {.name = "new", .system_seconds = 0}).finish("finished");
  EXPECT_TRUE(wait_for(2));
  listener.join();
}

TEST_F(DashboardApi, NonsenseIsAnErrorInOneLine) {
  for (const std::string path : {"/api/points?series=x", "/api/points?series=1:", "/api/points?series=-1",
                                 "/api/runs?since=99999999999999999999", "/api/asset?id=1e9", "/api/output?run=abc"}) {
    const auto answer = get(path);
    EXPECT_EQ(answer->status, 400) << path;
    EXPECT_TRUE(json::parse(answer->body)["error"].is_string()) << path;
  }
  std::string many = "/api/points?series=1";
  for (int i = 0; i < 500; ++i) many += ",1";
  EXPECT_EQ(status(many), 400);
  EXPECT_EQ(status("/api/run?key=0123456789"), 404);
  EXPECT_EQ(status("/api/none"), 404);
  EXPECT_EQ(read("/api/points?series=999")[0]["step"].size(), 0U);
}

}  // namespace
}  // namespace linnet
