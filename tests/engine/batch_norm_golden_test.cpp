// batch_norm against PyTorch's, from golden_data/batchnorm.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/finite_differences.h"
#include "golden/golden.h"
#include "linnet/autograd_ops.h"

namespace linnet::autograd {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

// All files of golden_data/batchnorm in the shared folder and in the tests' own, each name once.
std::vector<Json> read_files() {
  std::map<std::string, fs::path> paths;
  for (const std::string& root : {golden::shared_dir(), std::string(LINNET_TEST_DATA_DIR)}) {
    const fs::path folder = fs::path(root) / "golden_data" / "batchnorm";
    if (!fs::is_directory(folder)) continue;
    for (const fs::directory_entry& file : fs::directory_iterator(folder))
      if (file.path().extension() == ".json") paths.emplace(file.path().filename().string(), file.path());
  }
  std::vector<Json> files;
  for (const auto& [name, path] : paths) {
    std::ifstream stream(path);
    files.push_back(Json::parse(stream));
  }
  return files;
}

Tensor channels(const Json& json) {
  return Tensor::from({static_cast<Index>(json.size())}, json.get<std::vector<float>>());
}

// [n, c, h, w] <-> [n, h, w, c]
Tensor to_nhwc(const Json& json) {
  const Shape s = json.at("shape");
  const auto data = json.at("data").get<std::vector<float>>();
  Tensor result({s[0], s[2], s[3], s[1]});
  const Index pixels = s[2] * s[3];
  for (Index i = 0; i < result.size(); ++i) {
    const Index c = i % s[1], p = i / s[1] % pixels, n = i / s[1] / pixels;
    result.data()[i] = data[static_cast<std::size_t>((n * s[1] + c) * pixels + p)];
  }
  return result;
}

void expect_near(const Tensor& found, const Tensor& expected, const char* what) {
  ASSERT_EQ(found.shape(), expected.shape()) << what;
  float largest = 1;
  for (Index i = 0; i < found.size(); ++i) largest = std::max(largest, std::abs(expected.data()[i]));
  for (Index i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found.data()[i], expected.data()[i], 1e-5f * largest) << what << " at " << i;
}

struct Layer {
  explicit Layer(const Json& c) : has_statistics(c.contains("running_mean_before")) {
    const Json& arguments = c.at("arguments");
    op.epsilon = arguments.at("eps");
    is_cumulative = arguments.at("momentum").is_null();
    if (!is_cumulative) op.momentum = arguments.at("momentum");
    const Index size = c.at("train_steps")[0].at("input").at("shape")[1];
    gamma = Variable(c.contains("weight") ? channels(c.at("weight")) : Tensor::full({size}, 1), true);
    beta = Variable(c.contains("bias") ? channels(c.at("bias")) : Tensor::zeros({size}), true);
    mean = has_statistics ? channels(c.at("running_mean_before")) : Tensor::zeros({size});
    variance = has_statistics ? channels(c.at("running_var_before")) : Tensor::full({size}, 1);
  }

  void check(const Json& step, bool training, ThreadPool& pool) {
    // PyTorch's "momentum None" is the plain average: at step t the new value weighs 1 / t.
    if (is_cumulative) op.momentum = 1 / (*counter.data() + 1);
    const Variable x(to_nhwc(step.at("input")), true);
    const Variable y = batch_norm(x, gamma, beta, mean, variance, counter, op, Activation::none, training, pool);
    backward(testing::weighted_sum(y, to_nhwc(step.at("output_gradient"))), pool);
    expect_near(y.value(), to_nhwc(step.at("output")), "output");
    expect_near(x.gradient(), to_nhwc(step.at("input_gradient")), "input gradient");
    if (step.contains("weight_gradient")) {
      expect_near(gamma.gradient(), channels(step.at("weight_gradient")), "weight gradient");
      expect_near(beta.gradient(), channels(step.at("bias_gradient")), "bias gradient");
    }
    if (step.contains("running_mean_after")) {
      expect_near(mean, channels(step.at("running_mean_after")), "running mean");
      expect_near(variance, channels(step.at("running_var_after")), "running variance");
      EXPECT_EQ(*counter.data(), step.at("num_batches_tracked").get<float>());
    }
    gamma.clear_gradient();
    beta.clear_gradient();
  }

  op::BatchNorm op;
  bool has_statistics, is_cumulative;
  Variable gamma, beta;
  Tensor mean, variance, counter = Tensor::zeros({});
};

TEST(BatchNormGolden, TrainingAndEvaluation) {
  const std::vector<Json> files = read_files();
  if (files.empty()) GTEST_SKIP() << "no golden_data/batchnorm/*.json";
  ThreadPool pool(2);
  int cases = 0;
  for (const Json& file : files)
    for (const Json& c : file.at("cases")) {
      SCOPED_TRACE(c.at("name").get<std::string>());
      ++cases;
      Layer layer(c);
      for (const Json& step : c.at("train_steps")) layer.check(step, true, pool);
      // A layer without statistics of its own normalises by the batch in evaluation, too.
      layer.check(c.at("eval_mode"), !layer.has_statistics, pool);
    }
  std::cout << cases << " cases\n";
  EXPECT_GT(cases, 0);
}

}  // namespace
}  // namespace linnet::autograd
