// The program `linnet` as people and scripts run it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "linnet/architectures.h"
#include "linnet/model.h"
#include "linnet/safetensors.h"
#include "linnet/training/image.h"
#include "tests/support/command.h"

namespace linnet {
namespace {

/// A folder of its own for one test, with a small model of random weights and pictures of two classes.
class LinnetProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string problem = why_not_runnable(program_);
    if (!problem.empty()) GTEST_SKIP() << problem;
    std::filesystem::create_directories(path("pictures/cat"));
    std::filesystem::create_directories(path("pictures/dog"));
    Model model;
    model.graph = architectures::build("mobilenetv3_small_050", {.classes = 2, .height = 32, .width = 32});
    model.weights = initial_weights(model.graph, 1);
    model.labels = {"cat", "dog"};
    save_model(model, path("model.safetensors"));
    for (int i = 0; i < 3; ++i) {
      write(path("pictures/cat/" + std::to_string(i) + ".ppm"), picture(20 + 60 * i));
      write(path("pictures/dog/" + std::to_string(i) + ".ppm"), picture(255 - 60 * i));
    }
  }

  static std::vector<std::uint8_t> picture(int value) {
    const std::string head = "P6\n32 32\n255\n";
    std::vector<std::uint8_t> bytes(head.begin(), head.end());
    bytes.insert(bytes.end(), 32 * 32 * 3, static_cast<std::uint8_t>(value));
    return bytes;
  }
  static void write(const std::string& file, const std::vector<std::uint8_t>& bytes) {
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  std::string path(const std::string& name) const { return folder_.file(name); }
  CommandResult linnet(const std::string& arguments) const { return run_command("'" + program_ + "' " + arguments); }
  nlohmann::json json(const std::string& arguments) const {
    const CommandResult result = linnet(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out, nullptr, false);
  }

  const std::string program_ = std::string(LINNET_BINARY_DIR) + "/linnet";
  const TemporaryFolder folder_;
};

TEST_F(LinnetProgram, WrongUse) {
  for (const char* arguments :
       {"", "frobnicate", "summary", "list --nonsense", "evaluate onlyone", "classify --top 0 a b"}) {
    const CommandResult result = linnet(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
  EXPECT_EQ(linnet("--help").exit_code, 0);
  EXPECT_EQ(linnet("evaluate --help").exit_code, 0);
  EXPECT_NE(linnet("frobnicate").err.find("frobnicate"), std::string::npos);
}

TEST_F(LinnetProgram, FailuresAreOneLineThatNamesTheCause) {
  write(path("damaged.safetensors"), {1, 2, 3});
  for (const std::string& name :
       {std::string("no_such_network"), path("missing.safetensors"), path("damaged.safetensors")}) {
    const CommandResult result = linnet("summary " + name);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_NE(result.err.find(std::filesystem::path(name).filename().string()), std::string::npos) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
  EXPECT_EQ(linnet("list no_such_network").exit_code, 1);
}

TEST_F(LinnetProgram, SummaryCounts) {
  const nlohmann::json summary = json("summary mobilenetv2_100 --json");
  EXPECT_EQ(summary["parameters"], 3504872);
  EXPECT_EQ(summary["run_stats"], 34112);
  EXPECT_EQ(summary["tensors"], 314);
  EXPECT_EQ(summary["macs"], 300774272);
  EXPECT_GT(summary["layers"].size(), 100u);
  EXPECT_NE(linnet("summary " + path("model.safetensors")).out.find("multiply-adds"), std::string::npos);
}

TEST_F(LinnetProgram, SummaryOfABackbone) {
  const nlohmann::json summary = json("summary mobilenetv2_100 --features 4,8,16,32 --json");
  EXPECT_EQ(summary["outputs"], nlohmann::json::parse("[[56,56,24],[28,28,32],[14,14,96],[7,7,320]]"));
  EXPECT_EQ(summary["parameters"],
            3504872 - 1281000 - 320 * 1280 - 2 * 1280);  // classifier, head convolution, its norm
  EXPECT_EQ(linnet("summary squeezenet1_1 --features 32").exit_code, 1);
  EXPECT_EQ(linnet("summary mobilenetv2_100 --features 0").exit_code, 2);
  EXPECT_EQ(linnet("summary " + path("model.safetensors") + " --features 4").exit_code, 1);
}

TEST_F(LinnetProgram, ConvertMakesABackbone) {
  const Graph graph = architectures::build("mobilenetv1_025");
  write_safetensors(path("weights.safetensors"), initial_weights(graph, 5), {});
  const CommandResult result = linnet("convert mobilenetv1_025 --features 8,16 --weights " +
                                      path("weights.safetensors") + " " + path("backbone.safetensors"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("left out 26 tensors behind the last feature map"), std::string::npos) << result.err;
  const Model model = load_model(path("backbone.safetensors"));
  EXPECT_EQ(model.graph.outputs.size(), 2u);
  EXPECT_NE(linnet("summary " + path("backbone.safetensors")).out.find("output"), std::string::npos);
  EXPECT_EQ(linnet("classify " + path("backbone.safetensors") + " " + path("pictures/cat/0.ppm")).exit_code, 1);
  const CommandResult truncated = linnet("convert mobilenetv1_025 --weights " + path("backbone.safetensors") +
                                         " --features 8 " + path("smaller.safetensors"));
  EXPECT_EQ(truncated.exit_code, 0) << truncated.err;
}

TEST_F(LinnetProgram, ListFindsPatterns) {
  const nlohmann::json list = json("list 'mobilenetv3_small_*' --json");
  EXPECT_EQ(list.size(), 3u);
  EXPECT_EQ(list[2]["name"], "mobilenetv3_small_100");
  EXPECT_EQ(list[2]["parameters"], 2542856);
}

TEST_F(LinnetProgram, InfoOfFileAndCpu) {
  const nlohmann::json file = json("info --json " + path("model.safetensors"));
  EXPECT_EQ(file["labels"], nlohmann::json({"cat", "dog"}));
  EXPECT_EQ(file["input"], nlohmann::json({32, 32, 3}));
  EXPECT_FALSE(json("info --json")["isas"].empty());
}

TEST_F(LinnetProgram, PlanShowsSteps) {
  const nlohmann::json plan = json("plan mobilenetv2_035_64x64_c10 --json");
  const nlohmann::json plain = json("plan mobilenetv2_035_64x64_c10 --disable-pass fuse_inverted_residual --json");
  EXPECT_LT(plan["steps"].size(), plain["steps"].size());
  EXPECT_EQ(plan["steps"][2]["kernel"], "inverted_residual");
  EXPECT_EQ(plan["steps"][2]["nodes"].size(), 3u);
  EXPECT_GT(plan["arena_bytes"], 0);
  EXPECT_EQ(plan["steps"][2]["ops"][0], "conv 1x1 +bias +relu6");
  EXPECT_EQ(plan["steps"][2]["isa"], plan["isa"]);
  EXPECT_EQ(plan["steps"].back()["output"], "output");
  EXPECT_GT(plan["buffers"].size(), plan["steps"].size() / 2);
  const std::string text = linnet("plan mobilenetv2_035_64x64_c10").out;
  for (const char* expected :
       {"inverted_residual ", "conv 1x1 +bias +relu6 | conv 3x3", "[H][W]", "arena, bytes", "#"}) {
    EXPECT_NE(text.find(expected), std::string::npos) << expected;
  }
}

TEST_F(LinnetProgram, PassesCanBeLeftOut) {
  const std::string files = path("model.safetensors") + " " + path("pictures/cat/0.ppm");
  const nlohmann::json plain = json("classify --json " + files);
  const nlohmann::json without =
      json("classify --json --disable-pass fold_batch_norm,fuse_residual --disable-pass fuse_activation " + files);
  EXPECT_NEAR(plain[0]["classes"][0]["logit"], without[0]["classes"][0]["logit"], 1e-4);
  EXPECT_EQ(json("evaluate --json --disable-pass fuse_residual " + path("model.safetensors") + " " +
                 path("pictures"))["images"],
            6);
  // Names may stand before the model: the option takes one word.
  EXPECT_EQ(linnet("plan --disable-pass fuse_residual mobilenetv2_035_64x64_c10").exit_code, 0);
  for (const std::string command : {"plan mobilenetv2_035_64x64_c10", "classify a b", "evaluate a b"}) {
    const CommandResult wrong = linnet(command + " --disable-pass fuse_residual,fuse_everything");
    EXPECT_EQ(wrong.exit_code, 2) << command;
    EXPECT_NE(wrong.err.find("unknown pass 'fuse_everything'; there are remove_training_nodes merge_equal_nodes"),
              std::string::npos)
        << wrong.err;
    EXPECT_EQ(std::count(wrong.err.begin(), wrong.err.end(), '\n'), 1) << wrong.err;
  }
  EXPECT_NE(linnet("plan --help").out.find("fuse_conv_concat"), std::string::npos);
}

TEST_F(LinnetProgram, EvaluateWritesPredictions) {
  const nlohmann::json report = json("evaluate --json --batch 4 --predictions " + path("out.csv") + " " +
                                     path("model.safetensors") + " " + path("pictures"));
  EXPECT_EQ(report["images"], 6);
  EXPECT_EQ(report["damaged"], 0);
  std::ifstream csv(path("out.csv"));
  std::string line;
  int lines = 0, dogs = 0;
  while (std::getline(csv, line)) {
    ++lines;
    dogs += line.rfind("dog", 0) == 0 ? 1 : 0;
    EXPECT_EQ(std::count(line.begin(), line.end(), ','), 6) << line;
  }
  EXPECT_EQ(lines, 7);
  EXPECT_EQ(dogs, 3);
}

TEST_F(LinnetProgram, EvaluateTellsAllThatMatters) {
  const std::string files = path("model.safetensors") + " " + path("pictures");
  const nlohmann::json report = json("evaluate --json --latency-runs 5 " + files);
  EXPECT_NEAR(report["loss"], 0.69, 0.3);
  EXPECT_GE(report["calibration_error"], 0);
  EXPECT_LE(report["calibration_error"], 1);
  EXPECT_EQ(report["calibration"].size(), 15u);
  ASSERT_EQ(report["classes"].size(), 2u);
  EXPECT_EQ(report["classes"][1]["name"], "dog");
  EXPECT_EQ(report["classes"][1]["support"], 3);
  const nlohmann::json& confusion = report["confusion"];
  EXPECT_EQ(confusion[0][0].get<int>() + confusion[0][1].get<int>(), 3);
  const double right = confusion[0][0].get<double>() + confusion[1][1].get<double>();
  EXPECT_NEAR(report["top1"], 100 * right / 6, 1e-9);
  const double mean = (report["classes"][0]["f1"].get<double>() + report["classes"][1]["f1"].get<double>()) / 2;
  EXPECT_NEAR(report["macro"]["f1"], mean, 1e-12);
  EXPECT_EQ(report["latency"][0]["threads"], 1);
  EXPECT_EQ(report["latency"][0]["runs"], 5);
  EXPECT_GT(report["latency"][0]["median_ms"], 0);
  EXPECT_EQ(report["file_bytes"], std::filesystem::file_size(path("model.safetensors")));
  EXPECT_GT(report["parameters"], 0);
  EXPECT_TRUE(json("evaluate --json --latency-runs 0 " + files)["latency"].empty());
  // Scripts without a JSON parser find the figures by lines.
  EXPECT_NE(linnet("evaluate --json --latency-runs 0 " + files).out.find("\n \"top1\": "), std::string::npos);
  const CommandResult table = linnet("evaluate --latency-runs 5 " + files);
  EXPECT_EQ(table.exit_code, 0) << table.err;
  for (const char* part : {"top-1", "calibration error", "multiply-adds", "median", "recall %", "dog", "taken for"})
    EXPECT_NE(table.out.find(part), std::string::npos) << part << "\n" << table.out;
}

TEST_F(LinnetProgram, DamagedPicturesAreNamedAndTheRestGoesOn) {
  write(path("pictures/cat/broken.png"), {0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0});
  const CommandResult evaluated = linnet("evaluate --json " + path("model.safetensors") + " " + path("pictures"));
  EXPECT_EQ(evaluated.exit_code, 1);
  EXPECT_NE(evaluated.err.find("broken.png"), std::string::npos) << evaluated.err;
  EXPECT_EQ(nlohmann::json::parse(evaluated.out, nullptr, false)["images"], 6);
  const CommandResult classified = linnet("classify " + path("model.safetensors") + " " +
                                          path("pictures/cat/broken.png") + " " + path("pictures/cat/0.ppm"));
  EXPECT_EQ(classified.exit_code, 1);
  EXPECT_NE(classified.err.find("broken.png"), std::string::npos) << classified.err;
  EXPECT_NE(classified.out.find("0.ppm"), std::string::npos) << classified.out;
}

TEST_F(LinnetProgram, ClassifyGivesProbabilities) {
  const nlohmann::json result = json("classify --json " + path("model.safetensors") + " " + path("pictures/cat/0.ppm"));
  ASSERT_EQ(result.size(), 1u);
  ASSERT_EQ(result[0]["classes"].size(), 2u);
  EXPECT_NEAR(
      result[0]["classes"][0]["probability"].get<double>() + result[0]["classes"][1]["probability"].get<double>(), 1.0,
      1e-5);
}

/// The stored pixels are the default, as in Pillow, timm and torchvision.
TEST_F(LinnetProgram, PicturesAreTurnedByExifIfAsked) {
  using training::Orientation;
  const std::string file = std::string(LINNET_TEST_DATA_DIR) + "/golden_data/decode/inputs/exif_orientation_6.jpg";
  const auto write_picture = [&](const std::string& name, Orientation orientation) {
    const training::Image image = training::read_image(file, orientation);
    const std::string head = "P6 " + std::to_string(image.width) + " " + std::to_string(image.height) + " 255\n";
    std::vector<std::uint8_t> bytes(head.begin(), head.end());
    bytes.insert(bytes.end(), image.pixels.begin(), image.pixels.end());
    write(path(name), bytes);
  };
  write_picture("stored.ppm", Orientation::as_stored);
  write_picture("turned.ppm", Orientation::as_tagged);
  const auto classes = [&](const std::string& arguments) {
    return json("classify --json " + path("model.safetensors") + " " + arguments)[0]["classes"];
  };
  const nlohmann::json stored = classes(path("stored.ppm")), turned = classes(path("turned.ppm"));
  ASSERT_NE(stored, turned);
  EXPECT_EQ(classes("'" + file + "'"), stored);
  EXPECT_EQ(classes("--rotate-by-exif '" + file + "'"), turned);

  std::filesystem::create_directories(path("tagged"));
  std::filesystem::copy_file(file, path("tagged/1_picture.jpg"));
  const auto largest_logit = [&](const std::string& flag) {
    const std::string csv = path("exif.csv");
    EXPECT_EQ(
        linnet("evaluate " + flag + " --predictions " + csv + " " + path("model.safetensors") + " " + path("tagged"))
            .exit_code,
        0);
    std::ifstream stream(csv);
    std::string line;
    for (int i = 0; i < 2; ++i) std::getline(stream, line);
    return std::stof(line.substr(line.rfind(',') + 1));
  };
  EXPECT_NEAR(largest_logit(""), stored[0]["logit"].get<float>(), 1e-5f);
  EXPECT_NEAR(largest_logit("--rotate-by-exif"), turned[0]["logit"].get<float>(), 1e-5f);
}

TEST_F(LinnetProgram, ConvertMakesAModelOfWeightsAndBack) {
  const Graph graph = architectures::build("mobilenetv1_025", {.classes = 3});
  Weights weights;
  for (auto& [name, tensor] : initial_weights(graph, 5)) weights.emplace("module." + name, tensor);
  write_safetensors(path("weights.safetensors"), weights, {});
  write(path("labels.txt"), {'a', '\n', 'b', ' ', 'b', '\r', '\n', 'c', '\n'});
  const std::string command = "convert mobilenetv1_025 --weights " + path("weights.safetensors");
  const CommandResult result =
      linnet(command + " --classes 3 --padding same --bn-eps 1e-3 --resize 40 --crop 32 " +
             "--interpolation bicubic --channel-order BGR --mean 0.5,0.4,0.3 --std 0.25 0.5 1 " + "--labels " +
             path("labels.txt") + " " + path("converted.safetensors"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("module."), std::string::npos) << result.err;
  const Model model = load_model(path("converted.safetensors"));
  EXPECT_EQ(model.graph.input().shape, (Shape{32, 32, 3}));
  EXPECT_EQ(std::get<op::BatchNorm>(model.graph.nodes[2].op).epsilon, 1e-3f);
  EXPECT_EQ(std::get<op::Conv2d>(model.graph.nodes[1].op).padding.rule, Padding::Rule::same);
  EXPECT_EQ(model.labels, (std::vector<std::string>{"a", "b b", "c"}));
  EXPECT_EQ(model.preprocessing, (Preprocessing{.resize = 40,
                                                .interpolation = "bicubic",
                                                .crop_mode = "center",
                                                .channel_order = "BGR",
                                                .mean = {0.5f, 0.4f, 0.3f},
                                                .std = {0.25f, 0.5f, 1}}));

  ASSERT_EQ(linnet("convert " + path("converted.safetensors") + " " + path("plain.safetensors")).exit_code, 0);
  const SafetensorsFile plain = read_safetensors(path("plain.safetensors"));
  ASSERT_EQ(plain.tensors.size(), weights.size());
  for (const auto& [name, tensor] : plain.tensors) {
    const Tensor& expected = weights.at("module." + name);
    ASSERT_EQ(tensor.shape(), expected.shape()) << name;
    EXPECT_TRUE(std::equal(tensor.data(), tensor.data() + tensor.size(), expected.data())) << name;
  }

  const CommandResult classes = linnet(command + " " + path("wrong.safetensors"));
  EXPECT_EQ(classes.exit_code, 1);
  EXPECT_NE(classes.err.find("classifier.weight has 3 classes"), std::string::npos) << classes.err;
  EXPECT_NE(classes.err.find("--classes 3"), std::string::npos) << classes.err;
  EXPECT_FALSE(std::filesystem::exists(path("wrong.safetensors")));
  for (const char* wrong : {"--padding both", "--bn-eps 0", "--mean x", "--classes 0", "--resize -1"}) {
    EXPECT_EQ(linnet(command + " " + wrong + " " + path("wrong.safetensors")).exit_code, 2) << wrong;
  }
  EXPECT_EQ(linnet("convert mobilenetv1_025 --classes 3 " + path("wrong.safetensors")).exit_code, 2);
}

TEST_F(LinnetProgram, SummaryDraws) {
  const CommandResult result = linnet("summary mobilenetv4_conv_small --dot");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(result.out.starts_with("digraph \"mobilenetv4_conv_small\" {"));
  EXPECT_TRUE(result.out.ends_with("}\n"));
  for (const char* part : {"cluster_blocks.2.0", "depthwise 5x5 / 2, 192", "conv 3x3 / 2, 3 -> 32, batch norm, relu"}) {
    EXPECT_NE(result.out.find(part), std::string::npos) << part;
  }
}

TEST_F(LinnetProgram, ReportShowsARun) {
  std::filesystem::create_directories(path("run"));
  std::filesystem::copy_file(path("model.safetensors"), path("run/model.safetensors"));
  std::ofstream(path("run/recipe.json")) << nlohmann::json{
      {"model", {{"name", "mobilenetv3_small_050"}}}, {"data", {{"train", path("pictures")}, {"val_split", 0.34}}}};
  std::ofstream(path("run/metrics.jsonl")) << R"({"step": 1, "loss": 0.7})"
                                           << "\n";
  const nlohmann::json report = json("report --json --latency-runs 10 " + path("run"));
  EXPECT_EQ(report["evaluation"]["images"], 2);
  EXPECT_EQ(report["evaluation"]["calibration"].size(), 15u);
  EXPECT_EQ(report["curve"].size(), 1u);
  const CommandResult page =
      linnet("report --latency-runs 10 --data " + path("pictures") + " --out " + path("page.html") + " " + path("run"));
  EXPECT_EQ(page.exit_code, 0) << page.err;
  std::ifstream file(path("page.html"));
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  for (const char* part : {"\"calibration_error\":", "\"loss\":", "id=\"calibration\"", "\"images\":6"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
}

TEST_F(LinnetProgram, ReportShowsBoards) {
  const auto row = [](const std::string& model, const std::string& board) {
    return nlohmann::json{
        {"model", model}, {"precision", "f32"},           {"threads", 1}, {"batch", 1}, {"median_ms", 10.5},
        {"isa", "neon"},  {"machine", {{"board", board}}}};
  };
  nlohmann::json measured = row("/some/where/mine.safetensors", "Raspberry Pi 5");
  measured.update({{"top1", 91.25}, {"pictures", 80}, {"file_bytes", 1000}});
  std::ofstream(path("a.json")) << nlohmann::json{row("mobilenetv2_100", "Raspberry Pi 4")};
  std::ofstream(path("b.json")) << nlohmann::json{row("mobilenetv2_100", "Raspberry Pi 5"), measured};
  const std::string files = path("a.json") + " " + path("b.json") + " " + path("b.json");
  const nlohmann::json report = json("report --json " + files);
  ASSERT_EQ(report["boards"].size(), 3u);
  EXPECT_EQ(report["boards"][0]["name"], "Raspberry Pi 4");
  EXPECT_EQ(report["boards"][1]["name"], "Raspberry Pi 5 (b)");
  ASSERT_EQ(report["rows"].size(), 5u);
  EXPECT_EQ(report["rows"][1]["board"], 1);
  EXPECT_EQ(report["rows"][1]["bytes"], 4 * 3504872);
  EXPECT_EQ(report["rows"][1]["top1"], 72.91);
  EXPECT_EQ(report["rows"][2]["top1"], 91.25);
  EXPECT_EQ(report["rows"][2]["bytes"], 1000);
  const CommandResult page = linnet("report --out " + path("boards.html") + " " + files);
  EXPECT_EQ(page.exit_code, 0) << page.err;
  EXPECT_NE(page.out.find("3 boards, 5 rows"), std::string::npos) << page.out;
  std::ifstream file(path("boards.html"));
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  EXPECT_NE(text.find("Raspberry Pi 5 (b)"), std::string::npos);
  EXPECT_EQ(text.find("src="), std::string::npos);
  EXPECT_EQ(text.find("href="), std::string::npos);
}

TEST_F(LinnetProgram, ReportNeedsARunOrFilesOfBoards) {
  std::ofstream(path("text.json")) << "[1]";
  for (const std::string& source : {path("pictures"), path("text.json"), path("none.json")}) {
    const CommandResult result = linnet("report " + source + " --out " + path("report.html"));
    EXPECT_EQ(result.exit_code, 1) << source;
    EXPECT_NE(result.err.find(std::filesystem::path(source).filename()), std::string::npos) << result.err;
    EXPECT_FALSE(std::filesystem::exists(path("report.html")));
  }
  EXPECT_EQ(linnet("report " + path("pictures") + " " + path("pictures")).exit_code, 2);
}

}  // namespace
}  // namespace linnet
