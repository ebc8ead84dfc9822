// Weights of other frameworks: every container and type, hostile and damaged files, and what is done to make them fit.
#include "linnet/training/weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "golden/golden.h"
#include "linnet/architectures.h"
#include "linnet/error.h"
#include "linnet/safetensors.h"
#include "tests/support/temporary_folder.h"

namespace linnet::training {
namespace {

std::string data_file(const std::string& name) { return std::string(LINNET_TEST_DATA_DIR) + "/weights/" + name; }

std::string weights_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void expect_values(const Weights& weights, const std::string& key, const Shape& shape,
                   const std::vector<float>& values) {
  SCOPED_TRACE(key);
  ASSERT_TRUE(weights.contains(key));
  const Tensor& tensor = weights.at(key);
  ASSERT_EQ(tensor.shape(), shape);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(tensor.data()[i], values[i]) << i;
}

class TorchFiles : public ::testing::TestWithParam<const char*> {};

TEST_P(TorchFiles, HoldTheirTensors) {
  const Weights weights = read_weights(data_file(GetParam()));
  EXPECT_EQ(weights.size(), 8u);
  expect_values(weights, "dense.weight", {2, 3}, {0, 1, 2, 3, 4, 5});
  expect_values(weights, "view.weight", {2, 3}, {8, 9, 10, 14, 15, 16});
  expect_values(weights, "transposed.weight", {3, 2}, {0, 3, 1, 4, 2, 5});
  expect_values(weights, "half.weight", {6}, {1.5f, -2, 0x1p-14f, 0x1p-24f, 65504, INFINITY});
  expect_values(weights, "bfloat.weight", {2}, {1, -3.140625f});
  expect_values(weights, "double.weight", {1}, {0.1f});
  expect_values(weights, "bn.num_batches_tracked", {}, {7});
  expect_values(weights, "empty.weight", {0, 3}, {});
}

INSTANTIATE_TEST_SUITE_P(All, TorchFiles, ::testing::Values("zip.pth", "legacy.pth", "checkpoint.pth.tar"));

TEST(ReadWeights, RefusesCodeByName) {
  for (const char* name : {"code.pth", "code_legacy.pth"}) {
    const std::string message = weights_error([&] { read_weights(data_file(name)); });
    EXPECT_NE(message.find("posix.system"), std::string::npos) << message;
    EXPECT_NE(message.find(name), std::string::npos) << message;
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/pickle_was_run"));
}

TEST(ReadWeights, RefusesWhatIsNoStateDict) {
  EXPECT_NE(weights_error([] { read_weights(data_file("no_tensors.pth")); }).find("dictionary of tensors"),
            std::string::npos);
  EXPECT_NE(weights_error([] { read_weights(data_file("absent.pth")); }).find("absent.pth"), std::string::npos);
  EXPECT_NE(weights_error([] { read_weights(data_file("README.md")); }).find("README.md"), std::string::npos);
}

TEST(ReadWeights, EndsInAnErrorOrInWeightsHoweverDamaged) {
  const TemporaryFolder folder;
  std::mt19937 random(1);
  int errors = 0;
  for (const char* name : {"zip.pth", "legacy.pth"}) {
    std::ifstream stream(data_file(name), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    for (int i = 0; i < 400; ++i) {
      std::string damaged = bytes;
      if (i % 4 == 0) damaged.resize(random() % damaged.size());
      for (unsigned j = 0; j < 1 + random() % 4 && !damaged.empty(); ++j) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      const std::string path = folder.file("damaged.pth");
      std::ofstream(path, std::ios::binary) << damaged;
      errors += !weights_error([&] { read_weights(path); }).empty();
    }
  }
  EXPECT_GT(errors, 400);
}

TEST(ReadWeights, ContainersThatAreSharedManyTimesTakeNoTime) {
  const auto pickle = [](const std::string& body) { return "\x80\x02" + body + "."; };
  std::string nested = std::string("]q\0", 3);
  for (char level = 1; level < 30; ++level) {
    const std::string inner{'h', static_cast<char>(level - 1)};
    nested += std::string("]q") + level + "(" + inner + inner + "e";
  }
  const TemporaryFolder folder;
  const std::string path = folder.file("nested.pth");
  const std::string magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  std::ofstream(path, std::ios::binary) << magic << pickle("K\1") << pickle("}") << pickle(nested) << pickle("]");
  const std::string message = weights_error([&] { read_weights(path); });
  EXPECT_NE(message.find("dictionary of tensors"), std::string::npos) << message;
}

Graph small_network(Index classes, Index channels = 3) {
  architectures::BuildOptions options;
  options.classes = classes;
  options.in_channels = channels;
  return architectures::build("mobilenetv1_025", options);
}

TEST(AdaptWeights, TakesOffAPrefixThatAllHave) {
  const Graph graph = small_network(10);
  const Weights weights = initial_weights(graph, 1);
  Weights prefixed;
  for (const auto& [name, tensor] : weights) prefixed.emplace("module." + name, tensor);
  const std::vector<std::string> notes = adapt_weights(graph, prefixed);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("module."), std::string::npos);
  EXPECT_TRUE(prefixed.contains("conv_stem.weight"));

  Weights one = weights;
  one.emplace("module.x", Tensor::zeros({1}));
  EXPECT_NE(weights_error([&] { adapt_weights(graph, one); }).find("module.x"), std::string::npos);
}

TEST(AdaptWeights, DropsTheBackgroundOnRequest) {
  const Graph graph = small_network(10);
  const Weights larger = initial_weights(small_network(11), 1);
  Weights weights = larger;
  const std::string message = weights_error([&] { adapt_weights(graph, weights); });
  for (const char* part : {"classifier.weight", "11 classes", "10", "--classes 11", "--drop-background"}) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
  weights = larger;
  EXPECT_EQ(adapt_weights(graph, weights, {.drop_background = true}).size(), 2u);
  const Tensor &kept = weights.at("classifier.weight"), &all = larger.at("classifier.weight");
  EXPECT_EQ(kept.shape(), (Shape{10, 256}));
  EXPECT_EQ(kept.data()[0], all.data()[256]);
  EXPECT_EQ(weights.at("classifier.bias").data()[9], larger.at("classifier.bias").data()[10]);

  weights = initial_weights(graph, 1);
  EXPECT_NE(weights_error([&] { adapt_weights(graph, weights, {.drop_background = true}); }).find("11 rows"),
            std::string::npos);
}

TEST(AdaptWeights, LetsTheStemServeOtherChannels) {
  const Weights three = initial_weights(small_network(10), 1);
  const float* stem = three.at("conv_stem.weight").data();
  Weights grey = three;
  EXPECT_EQ(adapt_weights(small_network(10, 1), grey).size(), 1u);
  EXPECT_EQ(grey.at("conv_stem.weight").data()[0], stem[0] + stem[9] + stem[18]);
  Weights four = three;
  adapt_weights(small_network(10, 4), four);
  EXPECT_EQ(four.at("conv_stem.weight").data()[0], 0.75f * stem[0]);
  EXPECT_EQ(four.at("conv_stem.weight").data()[27], 0.75f * stem[0]);
}

}  // namespace
}  // namespace linnet::training
