#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "golden/golden.h"
#include "linnet/cpu.h"

namespace linnet::golden {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

Json read_json(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) throw std::runtime_error("cannot open " + path);
  Json json = Json::parse(stream);
  if (json.at("rules") != "linnet-golden-1") throw std::runtime_error(path + ": unknown rules");
  return json;
}

std::vector<double> numbers(const Json& json) {
  return json.is_array() ? json.get<std::vector<double>>() : std::vector<double>{json.get<double>()};
}

void read_common(const Json& json, Golden& golden) {
  golden.name = json.at("name");
  golden.source = json.at("source");
  golden.height = json.at("resolution").at(0);
  golden.width = json.at("resolution").at(1);
  golden.classes = json.at("num_classes");
  golden.parameters = json.at("params");
  golden.bn_epsilon = numbers(json.at("bn_eps"));
  for (const Json& entry : json.at("state_dict"))
    golden.state_dict.push_back({entry.at(0), entry.at(1).get<Shape>(), entry.at(2)});
  golden.logits = json.at("logits").get<std::vector<std::vector<double>>>();
}

OptimiserRun read_optimiser(const Json& json) {
  OptimiserRun run;
  for (const auto& [key, value] : json.items()) {
    if (value.is_number()) run.options[key] = value;
    if (value.is_boolean()) run.options[key] = value.get<bool>() ? 1 : 0;
  }
  if (json.contains("betas")) {
    run.options["beta1"] = json.at("betas").at(0);
    run.options["beta2"] = json.at("betas").at(1);
  }
  run.losses = numbers(json.at("losses"));
  run.param_norm = json.at("param_norm");
  run.moved = numbers(json.at("moved"));
  run.float32_loss_error = numbers(json.at("float32_loss_error"));
  run.float32_param_norm_error = json.at("float32_param_norm_error");
  run.float32_moved_error = numbers(json.at("float32_moved_error"));
  return run;
}

}  // namespace

double most_macs() {
  if (const char* text = std::getenv("LINNET_TEST_MACS")) return std::atof(text);
  if (selected_isa() == supported_isas().front()) return HUGE_VAL;
  return selected_isa() == Isa::scalar ? 5e7 : 1e9;
}

std::string shared_dir() {
  const char* const directory = std::getenv("LINNET_SHARED_DIR");
  return directory ? directory : LINNET_SHARED_DIR;
}

std::vector<std::string> find_goldens(std::string_view prefix) {
  std::map<std::string, std::string> paths;
  for (const std::string& folder : {shared_dir() + "/golden", std::string(LINNET_TEST_DATA_DIR) + "/golden"}) {
    if (!fs::is_directory(folder)) continue;
    for (const fs::directory_entry& file : fs::directory_iterator(folder)) {
      const std::string name = file.path().filename().string();
      if (!name.ends_with(".json") || !name.starts_with(prefix)) continue;
      if (name.starts_with("train_") && !prefix.starts_with("train_")) continue;
      paths.emplace(name, file.path().string());
    }
  }
  std::vector<std::string> result;
  for (const auto& [name, path] : paths) result.push_back(path);
  return result;
}

Network read_network(const std::string& path) {
  const Json json = read_json(path);
  Network network;
  read_common(json, network);
  network.run_stats = json.at("run_stats");
  network.tensors = json.at("tensors");
  network.macs = json.at("macs");
  network.float32_error = json.at("float32_error");
  for (const Json& point : json.at("checkpoints"))
    network.checkpoints.push_back({point.at("name"), point.at("shape").get<Shape>(), point.at("mean"), point.at("std"),
                                   point.at("absmax"), numbers(point.at("first"))});
  return network;
}

Training read_training(const std::string& path) {
  const Json json = read_json(path);
  Training training;
  read_common(json, training);
  training.network = training.name.substr(std::string_view("train_").size());
  training.batch = json.at("batch");
  training.first_sample = json.at("first_sample");
  training.label_smoothing = json.at("label_smoothing");
  training.bn_momentum = numbers(json.at("bn_momentum"));
  training.loss = json.at("loss");
  training.float32_loss_error = json.at("float32_error").at("loss");
  training.float32_gradient_error = json.at("float32_error").at("gradient");
  training.gradient_norm = json.at("gradient_norm");
  for (const Json& entry : json.at("gradients"))
    training.gradients.push_back({entry.at(0), entry.at(1).get<Shape>(), entry.at(2), numbers(entry.at(3))});
  for (const Json& entry : json.at("running")) training.running[entry.at(0)] = numbers(entry.at(1));
  for (const auto& [name, run] : json.at("optimisers").items()) training.optimisers[name] = read_optimiser(run);
  return training;
}

}  // namespace linnet::golden
