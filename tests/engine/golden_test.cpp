// The rule that makes golden weights and inputs, against the vectors of tests/data/golden/README.md.
#include "golden/golden.h"

#include <gtest/gtest.h>

#include <bit>
#include <iostream>

namespace linnet::golden {
namespace {

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

TEST(Golden, NumbersFollowFromNames) {
  const Numbers numbers("conv_stem.weight");
  EXPECT_EQ(numbers.seed(), 0x4F2714EE7941F359u);
  EXPECT_EQ(numbers.u(0) * 16777216, 6022474);
  EXPECT_EQ(numbers.u(1) * 16777216, 7877060);
  EXPECT_EQ(numbers.u(2) * 16777216, 7234365);
}

TEST(Golden, WeightsFollowTheRule) {
  Weights weights = make_weights({{"conv_stem.weight", {32, 3, 3, 3}, "F32"},
                                  {"blocks.0.0.conv_dw.weight", {32, 1, 3, 3}, "F32"},
                                  {"bn1.weight", {32}, "F32"},
                                  {"bn1.bias", {32}, "F32"},
                                  {"bn1.running_mean", {32}, "F32"},
                                  {"bn1.running_var", {32}, "F32"},
                                  {"bn1.num_batches_tracked", {}, "I64"}});
  const auto first = [&](const char* name, Index i) { return bits(weights.at(name).data()[i]); };
  EXPECT_EQ(first("conv_stem.weight", 0), 0xBE082872u);
  EXPECT_EQ(first("conv_stem.weight", 1), 0xBCEB7E83u);
  EXPECT_EQ(first("conv_stem.weight", 2), 0xBD84D736u);
  EXPECT_EQ(first("blocks.0.0.conv_dw.weight", 0), 0x3F94C1E3u);
  EXPECT_EQ(first("blocks.0.0.conv_dw.weight", 1), 0x3FA82E62u);
  EXPECT_EQ(first("blocks.0.0.conv_dw.weight", 2), 0x3FCDCDD2u);
  EXPECT_EQ(first("bn1.weight", 0), 0x3F562CC3u);
  EXPECT_EQ(first("bn1.running_var", 0), 0x3F842E57u);
  EXPECT_EQ(first("bn1.bias", 0), 0xBB315420u);
  EXPECT_EQ(first("bn1.running_mean", 0), 0x3D458818u);
  EXPECT_EQ(first("bn1.num_batches_tracked", 0), 0u);
}

TEST(Golden, InputsFollowTheRule) {
  const Tensor inputs = make_inputs(0, 1, 224, 224);
  const auto at = [&](Index c, Index y, Index x) { return bits(inputs.data()[(y * 224 + x) * 3 + c]); };
  EXPECT_EQ(at(0, 0, 0), 0x3F703227u);
  EXPECT_EQ(at(0, 0, 1), 0x3F40242Eu);
  EXPECT_EQ(at(2, 223, 223), 0xBF94DA7Cu);
}

TEST(Golden, EveryFileCanBeRead) {
  const std::vector<std::string> networks = find_goldens(), trainings = find_goldens("train_");
  std::cout << networks.size() << " networks, " << trainings.size() << " training runs\n";
  EXPECT_FALSE(networks.empty());
  EXPECT_FALSE(trainings.empty());
  for (const std::string& path : networks) {
    const Network network = read_network(path);
    EXPECT_EQ(static_cast<Index>(network.state_dict.size()), network.tensors) << path;
    EXPECT_EQ(static_cast<Index>(network.logits.at(1).size()), network.classes) << path;
  }
  for (const std::string& path : trainings) {
    const Training training = read_training(path);
    EXPECT_EQ(static_cast<Index>(training.logits.size()), training.batch) << path;
    EXPECT_FALSE(training.gradients.empty()) << path;
    for (const auto& [name, run] : training.optimisers) EXPECT_EQ(run.losses.size(), 10u) << path << name;
  }
}

}  // namespace
}  // namespace linnet::golden
