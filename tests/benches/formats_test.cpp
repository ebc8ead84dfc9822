// How bench_models writes its rows, and compares files of them.
#include "benches/bench_models/formats.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "benches/bench_models/accuracy.h"
#include "benches/bench_models/compare.h"
#include "benches/bench_models/conditions.h"
#include "benches/bench_models/table.h"
#include "linnet/error.h"
#include "tests/benches/fake_board.h"
#include "tests/error_message.h"

namespace linnet::bench {
namespace {

Row some_row(const std::string& model, double median) {
  Row row;
  row.model = model;
  row.precision = "f32";
  row.threads = 2;
  row.batch = 4;
  row.resolution = 224;
  row.isa = "neon";
  row.ms = {.count = 60,
            .min = 0.9 * median,
            .p50 = median,
            .p90 = 1.1 * median,
            .p99 = 1.2 * median,
            .p999 = 1.3 * median,
            .mean = 1.01 * median,
            .deviation = 0.1 * median,
            .median = Interval{0.99 * median, 1.01 * median}};
  row.macs = 300e6;
  row.peak_gflops = 480;
  row.conditions.cpus = {0, 1};
  return row;
}

Row disturbed_row() {
  Row row = some_row("mobilenetv2_100", 10);
  row.marks = {"clock fell from 1800 to 1000 MHz", "throttled: under-voltage"};
  row.conditions.mhz.add(1800);
  row.conditions.mhz.add(1000);
  row.conditions.celsius_before = 48.7;
  row.conditions.celsius_after = 80.25;
  row.conditions.joules = 2.4;
  row.accuracy = Accuracy{.pictures = 8, .right = 6};
  row.soak = {{.seconds = 10, .runs = 5, .median_ms = 10, .mhz = 1800, .celsius = 60.0, .throttled = {}},
              {.seconds = 20, .runs = 5, .median_ms = 12.5, .mhz = 1400, .celsius = 80.0, .throttled = {"throttled"}}};
  return row;
}

TEST(Table, DoubtfulRowsSaySo) {
  const Table table({"mobilenetv2_100"});
  EXPECT_EQ(
      table.head(),
      "model            prec thr batch  res median ms    +-%   min ms   p90 ms   p99 ms images/s GFLOP/s peak   MHz "
      "     C      mJ\n");
  EXPECT_EQ(
      table.line(disturbed_row()),
      "mobilenetv2_100   f32   2     4  224    10.000   1.00    9.000   11.000   12.000    400.0   240.0  50%  1400 "
      " 49>80   10.00\n"
      "  ! clock fell from 1800 to 1000 MHz\n"
      "  ! throttled: under-voltage\n"
      "  top-1 75.00 % of 8 pictures\n"
      "  time s  median ms  speed     MHz       C  throttled\n"
      "    10.0     10.000   100%    1800    60.0\n"
      "    20.0     12.500    80%    1400    80.0  throttled\n");
}

TEST(Table, WhatIsUnknownIsADash) {
  Row row = some_row("x", 1);
  row.ms.median.reset();
  row.peak_gflops = 0;
  EXPECT_EQ(
      Table({"x"}).line(row),
      "x             f32   2     4  224     1.000      -    0.900    1.100    1.200   4000.0  2400.0    -     -      - "
      "      -\n");
}

TEST(Table, Details) {
  Row row = some_row("x", 1);
  row.warmup_runs = 15;
  row.compile_ms = 56.7;
  row.first_ms = 18.7;
  row.peak_rss_bytes = 26.1e6;
  row.arena_bytes = 2.43e6;
  row.weight_bytes = 10.15e6;
  EXPECT_EQ(
      Table({"x"}).details({row}),
      "model        prec thr batch   runs warm-up p99.9 ms  mean ms    sd ms  load ms compile ms first ms RSS MB arena "
      "MB weights MB file MB\n"
      "x             f32   2     4     60      15    1.300    1.010    0.100        -       56.7    18.70   26.1     "
      "2.43      10.15       -\n");
}

TEST(Json, RowsCarryTheMachine) {
  FakeBoard board;
  make_nano(board, false);
  const Description machine = describe(board.machine(), {0, 1, 2, 3});
  const auto rows = nlohmann::json::parse(to_json({disturbed_row(), some_row("y", 2)}, machine));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].at("machine").at("board"), "NVIDIA Jetson Nano Developer Kit");
  EXPECT_EQ(rows[0].at("machine").at("clusters")[0].at("core"), "Cortex-A57");
  EXPECT_EQ(rows[0].at("median_low_ms"), 9.9);
  EXPECT_EQ(rows[0].at("mj_per_image"), 10.0);
  EXPECT_EQ(rows[0].at("mhz").at("min"), 1000);
  EXPECT_EQ(rows[0].at("top1"), 75.0);
  EXPECT_EQ(rows[0].at("soak")[1].at("celsius"), 80.0);
  EXPECT_TRUE(rows[1].at("mhz").is_null());
  EXPECT_TRUE(rows[1].at("file_bytes").is_null());
  EXPECT_FALSE(rows[1].contains("top1"));
}

TEST(BenchmarkJson, HasWhatItsReadersExpect) {
  const auto all = nlohmann::json::parse(to_benchmark_json({some_row("x", 2)}, {}));
  EXPECT_TRUE(all.at("context").contains("date"));
  EXPECT_TRUE(all.at("context").at("caches").is_array());
  ASSERT_EQ(all.at("benchmarks").size(), 4u);
  EXPECT_EQ(all["benchmarks"][0].at("name"), "x/f32/threads:2/batch:4");
  EXPECT_EQ(all["benchmarks"][0].at("run_type"), "iteration");
  EXPECT_EQ(all["benchmarks"][0].at("iterations"), 60);
  EXPECT_EQ(all["benchmarks"][2].at("aggregate_name"), "median");
  EXPECT_EQ(all["benchmarks"][2].at("real_time"), 2.0);
  EXPECT_EQ(all["benchmarks"][2].at("time_unit"), "ms");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Csv, EveryRowHasEveryColumn) {
  const std::vector<std::string> lines = lines_of(to_csv({disturbed_row(), some_row("a,b \"c\"", 2)}, {}));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[0].starts_with("model,precision,threads,batch,resolution,isa,runs,min_ms,median_ms,"));
  EXPECT_NE(lines[1].find(",clock fell from 1800 to 1000 MHz; throttled: under-voltage,"), std::string::npos);
  EXPECT_TRUE(lines[2].starts_with("\"a,b \"\"c\"\"\",f32,2,4,224,neon,60,"));
  const auto commas = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
  EXPECT_EQ(commas(lines[0]), commas(lines[1]));
  EXPECT_EQ(commas(lines[0]), commas(lines[2]) - 1);
}

TEST(Markdown, TableAndNotes) {
  const std::vector<std::string> lines = lines_of(to_markdown({disturbed_row()}, "board: x\n"));
  ASSERT_EQ(lines.size(), 10u);
  EXPECT_EQ(lines[1], "board: x");
  EXPECT_EQ(std::count(lines[4].begin(), lines[4].end(), '|'), std::count(lines[5].begin(), lines[5].end(), '|'));
  EXPECT_EQ(
      lines[6],
      "| mobilenetv2_100 (!) | f32 | 2 | 4 | 224 | 10.000 | 9.900-10.100 | 11.000 | 12.000 | 9.000 | 400.0 | 240.0 | "
      "50 | 1400 | 80.2 | 10.00 | 0.0 |");
  EXPECT_EQ(lines[8], "- (!) mobilenetv2_100, f32, threads 2, batch 4: clock fell from 1800 to 1000 MHz");
}

class Compare : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.file(name)) << text;
    return folder_.file(name);
  }
  const TemporaryFolder folder_;
};

TEST_F(Compare, TellsDifferencesFromChance) {
  Row near = some_row("near", 10.1), slow = some_row("slow", 12);
  slow.marks = {"preempted 900 times in 1.0 s"};
  const std::string a =
      write("a", to_json({some_row("fast", 10), some_row("near", 10), some_row("slow", 10), some_row("gone", 1)}, {}));
  const std::string b = write("b", to_json({some_row("fast", 8), near, slow}, {}));
  EXPECT_EQ(
      lines_of(compare(a, b)),
      (std::vector<std::string>{
          "model                                A median ms  B median ms    B / A",
          "fast f32 threads 2 batch 4 size 224       10.000        8.000   0.8000  faster (p < 0.001)",
          "near f32 threads 2 batch 4 size 224       10.000       10.100   1.0100  no difference seen (p = 0.168)",
          "slow f32 threads 2 batch 4 size 224       10.000       12.000   1.2000  slower (p < 0.001); B is marked as "
          "disturbed",
          "geometric mean                                                  0.9898",
          "rows only in A: 1, only in B: 0"}));
}

TEST_F(Compare, FilesOfEarlierVersions) {
  const std::string old = write("old", R"([{"model": "x", "precision": "f32", "threads": 1, "batch": 1,
    "resolution": 224, "isa": "avx2", "runs": 50, "min_ms": 1, "median_ms": 2.0, "p90_ms": 3, "p99_ms": 3, "mean_ms": 2}])");
  EXPECT_NE(compare(old, old).find("unknown: fewer than 6 runs, or a file without intervals"), std::string::npos);
}

TEST_F(Compare, BadFiles) {
  const std::string good = write("good", to_json({some_row("x", 1)}, {}));
  const std::string other = write("other", to_json({some_row("y", 1)}, {}));
  EXPECT_NE(test::message_of([&] { compare(good, folder_.file("missing")); }).find("cannot read"), std::string::npos);
  EXPECT_NE(test::message_of([&] { compare(good, other); }).find("no row in common"), std::string::npos);
  for (const char* text : {"", "{}", "[1]", "[{}]", "[{\"model\": 3}]", "not json"}) {
    const std::string message = test::message_of([&] { compare(good, write("bad", text)); });
    EXPECT_NE(message.find("was not written by bench_models --json"), std::string::npos) << message;
  }
}

TEST(Pictures, FoldersListsAndNames) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.file("b"));
  std::filesystem::create_directories(folder.file("a"));
  std::ofstream(folder.file("b/1.ppm")) << "P6\n# a comment\n2 1 255\n" << std::string("\x00\xff\x33\x66\x99\xcc", 6);
  std::ofstream(folder.file("a/2.ppm")) << "P6 2 2 255\n123";
  const std::vector<LabelledPicture> pictures = list_pictures(folder.path());
  ASSERT_EQ(pictures.size(), 2u);
  EXPECT_EQ(pictures[1].path, folder.file("b/1.ppm"));
  EXPECT_EQ(pictures[1].label, 1);
  std::vector<float> values(6);
  read_picture(pictures[1].path, {1, 2, 3}, {}, values);
  EXPECT_EQ(values[1], 1.0f);
  EXPECT_EQ(values[2], 0.2f);
  EXPECT_NE(test::message_of([&] {
              read_picture(pictures[1].path, {4, 4, 3}, {}, values);
            }).find("found [1, 2, 3]"),
            std::string::npos);
  std::vector<float> twelve(12);
  EXPECT_NE(test::message_of([&] {
              read_picture(pictures[0].path, {2, 2, 3}, {}, twelve);
            }).find("cut short"),
            std::string::npos);
  std::ofstream(folder.file("list.txt")) << "a/2.ppm 7\nb/1.ppm\t12\n";
  const std::vector<LabelledPicture> listed = list_pictures(folder.file("list.txt"));
  EXPECT_EQ(listed[1].label, 12);
  EXPECT_EQ(listed[1].path, folder.file("b/1.ppm"));
  std::ofstream(folder.file("list.txt")) << "a/2.ppm seven\n";
  EXPECT_NE(test::message_of([&] { list_pictures(folder.file("list.txt")); }).find("line 1"), std::string::npos);
  std::ofstream(folder.file("a/x/y")) << "";
  EXPECT_NE(test::message_of([&] { list_pictures(folder.file("none")); }).find("cannot read"), std::string::npos);
}

TEST(Affinity, ClustersByName) {
  FakeBoard board;
  board.write_cores(0, 3, "0xd03", 1416, 1416, "schedutil");
  const SystemFiles files = board.machine().files;
  EXPECT_NE(test::message_of([&] { cpus_of("little", files); }).find("all cores are alike"), std::string::npos);
  board.write_cores(4, 5, "0xd08", 1800, 1800, "schedutil");
  EXPECT_EQ(cpus_of("big", files), (std::vector<int>{4, 5}));
  EXPECT_EQ(cpus_of("little", files), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(cpus_of("1-2", files), (std::vector<int>{1, 2}));
  EXPECT_NE(test::message_of([&] { cpus_of("medium", files); }).find("'medium'"), std::string::npos);
}

}  // namespace
}  // namespace linnet::bench
