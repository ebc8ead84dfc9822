#include "linnet/training/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <string>

#include "linnet/error.h"
#include "linnet/safetensors.h"
#include "tests/support/temporary_folder.h"

namespace linnet::training {
namespace {

Checkpoint example() {
  Checkpoint checkpoint;
  checkpoint.recipe.model.name = "net";
  checkpoint.recipe.optimiser.lr = 0.1 + 0.2;
  checkpoint.step = 123456789012;
  checkpoint.closed = false;
  checkpoint.origin = {"0.1", "a \"CPU\"", "avx2", "0123456789abcdef"};
  checkpoint.epoch = {1.0 / 3, 7, 11, 0.1, 0.01};
  checkpoint.interval = {2.0 / 3, 5, 9, 0.7, 0.2};
  checkpoint.highest = 0.9321;
  checkpoint.stale = 3;
  checkpoint.kept = {{4, 0.9321}, {2, 1.0 / 7}};
  checkpoint.best = 0.9123;
  checkpoint.seconds = 1e-3;
  checkpoint.log_size = 4711;
  checkpoint.weights = {{"a.weight", Tensor::from({2, 2}, {1, 2, 3, 4})},
                        {"a.num_batches_tracked", Tensor::full({}, 17)}};
  checkpoint.optimiser = {{"a.weight.momentum", Tensor::full({2, 2}, 1e-30f)}, {"step", Tensor::full({}, 9)}};
  checkpoint.average = {{"a.weight", Tensor::full({2, 2}, -0.5f)}, {"a.num_batches_tracked", Tensor::full({}, 17)}};
  return checkpoint;
}

void expect_same(const Weights& found, const Weights& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [key, tensor] : expected) {
    ASSERT_TRUE(found.contains(key)) << key;
    ASSERT_EQ(found.at(key).shape(), tensor.shape()) << key;
    EXPECT_EQ(std::memcmp(found.at(key).data(), tensor.data(), static_cast<std::size_t>(tensor.size()) * 4), 0) << key;
  }
}

TEST(Checkpoint, ComesBackAsItWas) {
  const TemporaryFolder folder;
  const std::string path = folder.file("checkpoint.safetensors");
  const Checkpoint saved = example();
  save_checkpoint(saved, path);
  const Checkpoint loaded = load_checkpoint(path);
  EXPECT_EQ(to_json(loaded.recipe), to_json(saved.recipe));
  EXPECT_EQ(loaded.step, saved.step);
  EXPECT_EQ(loaded.closed, saved.closed);
  for (const auto& [a, b] : {std::pair{loaded.epoch, saved.epoch}, std::pair{loaded.interval, saved.interval}}) {
    EXPECT_EQ(a.loss, b.loss);
    EXPECT_EQ(a.right, b.right);
    EXPECT_EQ(a.images, b.images);
    EXPECT_EQ(a.seconds, b.seconds);
    EXPECT_EQ(a.waiting, b.waiting);
  }
  EXPECT_EQ(loaded.best, saved.best);
  EXPECT_EQ(loaded.highest, saved.highest);
  EXPECT_EQ(loaded.stale, saved.stale);
  ASSERT_EQ(loaded.kept.size(), 2u);
  EXPECT_EQ(loaded.kept[1].epoch, 2);
  EXPECT_EQ(loaded.kept[1].top1, 1.0 / 7);
  EXPECT_EQ(loaded.origin.version, saved.origin.version);
  EXPECT_EQ(loaded.origin.cpu, saved.origin.cpu);
  EXPECT_EQ(loaded.origin.isa, saved.origin.isa);
  EXPECT_EQ(loaded.origin.data, saved.origin.data);
  EXPECT_EQ(loaded.seconds, saved.seconds);
  EXPECT_EQ(loaded.log_size, saved.log_size);
  expect_same(loaded.weights, saved.weights);
  expect_same(loaded.optimiser, saved.optimiser);
  expect_same(loaded.average, saved.average);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"checkpoint.safetensors"});
}

TEST(Checkpoint, DamagedAndForeignFilesAreErrorsThatNameThem) {
  const TemporaryFolder folder;
  const std::string path = folder.file("checkpoint.safetensors");
  save_checkpoint(example(), path);
  const std::string whole = read_file(path);
  const auto message = [&] {
    try {
      load_checkpoint(path);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  for (const std::size_t kept : {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() - 1}) {
    std::ofstream(path, std::ios::binary).write(whole.data(), static_cast<std::streamsize>(kept));
    EXPECT_NE(message().find(path), std::string::npos) << kept << ": " << message();
  }
  const Weights tensors{{"a", Tensor::zeros({1})}};
  write_safetensors(path, tensors, {});
  EXPECT_NE(message().find("no checkpoint"), std::string::npos) << message();
  write_safetensors(path, tensors, {{"format", "linnet-checkpoint-9"}});
  EXPECT_NE(message().find("found linnet-checkpoint-9"), std::string::npos) << message();
  write_safetensors(path, tensors, {{"format", "linnet-checkpoint-1"}, {"recipe", "{}"}, {"state", "{}"}});
  EXPECT_NE(message().find("'step'"), std::string::npos) << message();
}

}  // namespace
}  // namespace linnet::training
