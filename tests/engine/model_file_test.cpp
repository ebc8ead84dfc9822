#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "error_message.h"
#include "linnet/error.h"
#include "linnet/model.h"
#include "linnet/random.h"
#include "linnet/safetensors.h"
#include "tests/support/temporary_folder.h"

namespace linnet {
namespace {

using test::message_of;

Graph small_graph() {
  GraphBuilder builder("small", 8, 6, 3);
  int node = builder.add("conv", op::Conv2d{.out_channels = 4, .kernel = 3, .padding = {.amount = 1}}, {0});
  node = builder.add("bn", op::BatchNorm{}, {node});
  node = builder.add("act", op::Activate{Activation::relu}, {node});
  node = builder.add("pool", op::GlobalAveragePool{}, {node});
  node = builder.add("flatten", op::Flatten{}, {node});
  builder.add("fc", op::Linear{.out_features = 2}, {node});
  return std::move(builder).finish();
}

Model small_model() {
  Model model;
  model.graph = small_graph();
  model.weights = initial_weights(model.graph, 1);
  model.weights.at("bn.num_batches_tracked") = Tensor::full({}, 42);
  model.preprocessing.resize = 9;
  model.preprocessing.interpolation = "bicubic";
  model.preprocessing.mean = {0.485f, 0.456f, 0.406f};
  model.preprocessing.std = {0.229f, 0.224f, 0.225f};
  model.labels = {"cat", "d\xC3\xB6g"};
  return model;
}

void expect_same_weights(const Weights& expected, const Weights& found) {
  ASSERT_EQ(expected.size(), found.size());
  for (const auto& [key, tensor] : expected) {
    SCOPED_TRACE(key);
    ASSERT_EQ(tensor.shape(), found.at(key).shape());
    EXPECT_TRUE(std::equal(tensor.data(), tensor.data() + tensor.size(), found.at(key).data()));
  }
}

void expect_parts(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(std::string::npos, message.find(part)) << "expected " << part << " in: " << message;
  }
  EXPECT_EQ(std::string::npos, message.find('\n')) << message;
}

TEST(ModelFile, RoundTrip) {
  const TemporaryFolder folder;
  const Model model = small_model();
  save_model(model, folder.file("model"));
  const Model found = load_model(folder.file("model"));
  EXPECT_EQ(to_json(model.graph), to_json(found.graph));
  EXPECT_EQ(model.preprocessing, found.preprocessing);
  EXPECT_EQ(model.labels, found.labels);
  expect_same_weights(model.weights, found.weights);
  save_model(found, folder.file("again"));
  EXPECT_EQ(read_file(folder.file("model")), read_file(folder.file("again")));
}

TEST(ModelFile, HostileMetadataIsNamed) {
  const TemporaryFolder folder;
  const std::string path = folder.file("model");
  save_model(small_model(), path);
  const SafetensorsFile good = read_safetensors(path);
  struct Case {
    std::string key, value;
    std::vector<std::string> expected;
  };
  const std::string preprocessing = good.metadata.at("preprocessing");
  const auto changed = [&preprocessing](const std::string& from, const std::string& to) {
    std::string text = preprocessing;
    const std::size_t position = text.find(from);
    EXPECT_NE(std::string::npos, position) << from << " in " << text;
    return text.replace(position, from.size(), to);
  };
  const std::vector<Case> cases = {
      {"linnet", "2", {"version '2'"}},
      {"graph", "", {}},
      {"graph", "{}", {}},
      {"graph", std::string(100000, '['), {}},
      {"graph", R"({"name":"x","nodes":[]})", {}},
      {"preprocessing", "x", {"preprocessing", "JSON"}},
      {"preprocessing", "[]", {"preprocessing", "an object"}},
      {"preprocessing", changed("\"resize\":9", "\"resize\":-1"), {"resize"}},
      {"preprocessing", changed("\"resize\":9", "\"resize\":99999999"), {"resize", "99999999"}},
      {"preprocessing", changed("\"resize\":9", "\"resize\":9.5"), {"resize"}},
      {"preprocessing", changed("\"resize\":9", "\"size\":9"), {"resize"}},
      {"preprocessing", changed("\"resize\":9", "\"resize\":9,\"extra\":1"), {"unknown field 'extra'"}},
      {"preprocessing", changed("\"bicubic\"", "\"nearest\""), {"interpolation", "nearest"}},
      {"preprocessing", changed("\"bicubic\"", "7"), {"interpolation", "type"}},
      {"preprocessing", changed("\"center\"", "\"left\""), {"crop_mode", "left"}},
      {"preprocessing", changed("\"RGB\"", "\"L\""), {"channel_order", "'L'"}},
      {"preprocessing", changed("\"mean\":[", "\"mean\":[1,"), {"mean has 4"}},
      {"preprocessing", changed("\"std\":[", "\"std\":[0.0,"), {"std"}},
      {"preprocessing", changed("\"mean\":[", "\"mean\":[1e60,"), {"mean"}},
      {"labels", "{}", {"labels"}},
      {"labels", "[1,2]", {"labels"}},
      {"labels", "[\"one\"]", {"labels", "1 names", "[2]"}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.key + " = " + test.value.substr(0, 200));
    auto metadata = good.metadata;
    metadata[test.key] = test.value;
    write_safetensors(path, good.tensors, metadata);
    const std::string message = message_of([&] { load_model(path); });
    expect_parts(message, {"'" + path + "'"});
    expect_parts(message, test.expected);
    EXPECT_NE("no error", message);
  }
  for (const char* key : {"linnet", "graph", "preprocessing", "labels"}) {
    auto metadata = good.metadata;
    metadata.erase(key);
    write_safetensors(path, good.tensors, metadata);
    expect_parts(message_of([&] { load_model(path); }), {"'" + path + "'", "'" + std::string(key) + "'"});
  }
}

TEST(ModelFile, EveryWeightThatDoesNotFitIsNamed) {
  const TemporaryFolder folder;
  const std::string path = folder.file("model");
  save_model(small_model(), path);
  SafetensorsFile file = read_safetensors(path);
  file.tensors.erase("conv.weight");
  file.tensors.erase("bn.num_batches_tracked");
  file.tensors.at("fc.bias") = Tensor::zeros({3});
  file.tensors.emplace("fc.scale", Tensor::zeros({1}));
  write_safetensors(path, file.tensors, file.metadata);
  expect_parts(message_of([&] { load_model(path); }),
               {path, "1 missing: conv.weight", "1 unexpected: fc.scale", "1 misshapen: fc.bias", "[2]", "[3]"});

  Weights none;
  const std::string many = message_of([&] { check_weights(small_graph(), none); });
  expect_parts(many, {"small", "7 missing: ", " and 2 more"});

  Weights without_counter = small_model().weights;
  without_counter.erase("bn.num_batches_tracked");
  check_weights(small_graph(), without_counter);
  EXPECT_EQ(0, *without_counter.at("bn.num_batches_tracked").data());
}

TEST(ModelFile, SavingChecksTheModelFirst) {
  const TemporaryFolder folder;
  const auto refused = [&folder](const std::function<void(Model&)>& change, const std::vector<std::string>& expected) {
    Model model = small_model();
    change(model);
    expect_parts(message_of([&] { save_model(model, folder.file("bad")); }), expected);
  };
  refused([](Model& m) { m.weights.erase("conv.weight"); }, {"bad", "conv.weight"});
  refused([](Model& m) { m.labels.pop_back(); }, {"bad", "1 names"});
  refused([](Model& m) { m.labels[0] = "\xff"; }, {"bad", "UTF-8"});
  refused([](Model& m) { m.preprocessing.mean[1] = NAN; }, {"bad", "mean"});
  EXPECT_TRUE(folder.names().empty());
}

TEST(ModelFile, DamagedHeadersEndInErrorsOnly) {
  const TemporaryFolder folder;
  save_model(small_model(), folder.file("model"));
  const std::string good = read_file(folder.file("model"));
  std::uint64_t length = 0;
  std::memcpy(&length, good.data(), sizeof length);
  int errors = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const CounterRandom random(99, seed);
    std::string bytes = good;
    for (std::uint64_t i = 0; i <= seed % 3; ++i) {
      // Digits become other digits half of the time: the text stays JSON, and the graph says something else.
      char& byte = bytes[8 + random.below(3 * i, static_cast<std::uint32_t>(length))];
      if (byte >= '0' && byte <= '9' && seed % 2 == 0) {
        byte = static_cast<char>('0' + random.below(3 * i + 1, 10));
      } else {
        byte = static_cast<char>(byte ^ (1 << random.below(3 * i + 2, 7)));
      }
    }
    try {
      Model model = parse_model(bytes.data(), bytes.size(), "damaged");
      check_weights(model.graph, model.weights);
    } catch (const Error&) {
      ++errors;
    }
  }
  EXPECT_GT(errors, 1000);
}

TEST(Normalise, FollowsTheFormulaExactly) {
  Preprocessing preprocessing;
  preprocessing.mean = {0.485f, 0.456f, 0.406f};
  preprocessing.std = {0.229f, 0.224f, 0.225f};
  const std::vector<std::uint8_t> pixels = {0, 1, 2, 253, 254, 255};
  for (const char* order : {"RGB", "BGR"}) {
    preprocessing.channel_order = order;
    std::vector<float> output(6);
    normalise(preprocessing, 2, 3, pixels.data(), output.data());
    for (std::size_t i = 0; i < output.size(); ++i) {
      const std::size_t channel = i % 3;
      const std::size_t from = order == std::string("RGB") ? i : i - channel + (2 - channel);
      const float value = static_cast<float>(pixels[from]) / 255.0f;
      EXPECT_EQ((value - preprocessing.mean[channel]) / preprocessing.std[channel], output[i]);
    }
  }
  preprocessing.mean.pop_back();
  std::vector<float> output(6);
  EXPECT_THROW(normalise(preprocessing, 2, 3, pixels.data(), output.data()), Error);
}

}  // namespace
}  // namespace linnet
