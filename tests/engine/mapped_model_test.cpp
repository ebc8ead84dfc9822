// Models whose weights lie in a mapped file.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "compiled_graphs.h"
#include "error_message.h"
#include "linnet/compile.h"
#include "linnet/error.h"
#include "linnet/model.h"
#include "tests/support/temporary_folder.h"

namespace linnet {
namespace {

using test::message_of;

/// In a file of several pages.
Model large_model() {
  GraphBuilder builder("large", 6, 6, 3);
  int node = builder.add("expand", op::Conv2d{.out_channels = 300}, {0});
  node = builder.add("expand_bn", op::BatchNorm{}, {node});
  node = builder.add("project", op::Conv2d{.out_channels = 200}, {node});
  node = builder.add("project_bn", op::BatchNorm{}, {node});
  node = builder.add("pool", op::GlobalAveragePool{}, {node});
  node = builder.add("flatten", op::Flatten{}, {node});
  builder.add("fc", op::Linear{.out_features = 100}, {node});
  return test::random_model(std::move(builder).finish(), 1);
}

Weights clones(const Weights& weights) {
  Weights result;
  for (const auto& [name, tensor] : weights) result[name] = tensor.clone();
  return result;
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

class MappedModel : public testing::Test {
 protected:
  MappedModel() : path_(folder_.file("model")), model_(large_model()), input_(test::random_input(model_, 1, 2)) {
    save_model(model_, path_);
  }

  const TemporaryFolder folder_;
  const std::string path_;
  const Model model_;
  const std::vector<float> input_;
};

TEST_F(MappedModel, PlansAreTheSame) {
  const std::vector<float> expected = test::run_plan(model_, {}, input_);
  const Model loaded = load_model(path_);
  EXPECT_EQ(test::run_plan(loaded, {}, input_), expected);
  EXPECT_EQ(test::run_plan(loaded, {.disabled_passes = {"fold_batch_norm"}}, input_),
            test::run_plan(model_, {.disabled_passes = {"fold_batch_norm"}}, input_));
  EXPECT_EQ(test::run_plan(loaded, {}, input_), expected) << "its pages have been given back";
}

TEST_F(MappedModel, OutlivesTheFileAndTheModel) {
  const std::vector<float> expected = test::run_plan(model_, {}, input_);
  auto loaded = std::make_unique<Model>(load_model(path_));
  save_model(*loaded, path_);  // over the file that it lies in
  std::filesystem::remove(path_);
  const Model copy = *loaded;
  loaded.reset();
  EXPECT_EQ(test::run_plan(copy, {}, input_), expected);
}

/// What is written is seen by all who share it, survives compile(), and stays out of the file.
TEST_F(MappedModel, WeightsCanBeChanged) {
  const std::string before = read_file(path_);
  Model loaded = load_model(path_);
  const Model copy = loaded;
  for (const auto& [name, tensor] : loaded.weights) {
    Tensor weight = tensor;
    for (Index i = 0; i < weight.size(); i += 700) weight.data()[i] = 0.5f;
  }
  const Model changed{loaded.graph, clones(loaded.weights), {}, {}};
  const std::vector<float> expected = test::run_plan(changed, {}, input_);
  EXPECT_NE(expected, test::run_plan(model_, {}, input_));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(test::run_plan(loaded, {}, input_), expected);
    EXPECT_EQ(test::run_plan(copy, {}, input_), expected);
  }
  EXPECT_EQ(read_file(path_), before);
  EXPECT_EQ(test::run_plan(load_model(path_), {}, input_), test::run_plan(model_, {}, input_));
}

TEST_F(MappedModel, TruncatedFilesAreErrors) {
  const std::string bytes = read_file(path_);
  for (std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{100}, std::size_t{4096}, bytes.size() / 2,
                           bytes.size() - 4, bytes.size() - 1}) {
    write_file(path_, bytes.substr(0, size));
    const std::string message = message_of([&] { load_model(path_); });
    const bool is_named = message.find("truncated") != std::string::npos ||
                          message.find("are no range within the data of") != std::string::npos;
    EXPECT_TRUE(is_named) << size << ": " << message;
  }
}

/// The format leaves it to the writer how long the header is, and so where the values begin.
TEST_F(MappedModel, ValuesMayBeginAnywhere) {
  const std::vector<float> expected = test::run_plan(model_, {}, input_);
  const std::string bytes = read_file(path_);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  for (std::size_t more = 1; more <= 4; ++more) {
    const std::uint64_t longer = length + more;
    std::string shifted(sizeof longer, '\0');
    std::memcpy(shifted.data(), &longer, sizeof longer);
    shifted += bytes.substr(sizeof longer);
    shifted.insert(sizeof longer + static_cast<std::size_t>(length), more, ' ');
    write_file(path_, shifted);
    EXPECT_EQ(test::run_plan(load_model(path_), {}, input_), expected) << more;
  }
}

}  // namespace
}  // namespace linnet
