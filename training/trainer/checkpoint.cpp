#include "linnet/training/checkpoint.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "linnet/error.h"
#include "linnet/safetensors.h"

namespace linnet::training {
namespace {

using StateJson = nlohmann::json;

constexpr const char* checkpoint_format = "linnet-checkpoint-1";

// Each part of a checkpoint has its own prefix in the file.
template <class Target, class Function>
void for_each_part(Target& checkpoint, Function&& function) {
  function("weights/", checkpoint.weights);
  function("optimiser/", checkpoint.optimiser);
  function("average/", checkpoint.average);
}

StateJson to_json_value(const Tally& tally) {
  return {{"loss", tally.loss},
          {"right", tally.right},
          {"images", tally.images},
          {"seconds", tally.seconds},
          {"waiting", tally.waiting}};
}

Tally tally_from(const StateJson& json) {
  return {json.at("loss"), json.at("right"), json.at("images"), json.at("seconds"), json.value("waiting", 0.0)};
}

StateJson to_json_value(const Origin& origin) {
  return {{"version", origin.version}, {"cpu", origin.cpu}, {"isa", origin.isa}, {"data", origin.data}};
}

Origin origin_from(const StateJson& json) {
  return {json.at("version"), json.at("cpu"), json.at("isa"), json.at("data")};
}

}  // namespace

Tally& Tally::operator+=(const Tally& other) {
  loss += other.loss;
  right += other.right;
  images += other.images;
  seconds += other.seconds;
  waiting += other.waiting;
  return *this;
}

void save_checkpoint(const Checkpoint& checkpoint, const std::string& path) {
  Weights tensors;
  for_each_part(checkpoint, [&tensors](const std::string& prefix, const Weights& part) {
    for (const auto& [key, tensor] : part) tensors[prefix + key] = tensor;
  });
  StateJson kept = StateJson::array();
  for (const KeptCheckpoint& one : checkpoint.kept) kept.push_back({{"epoch", one.epoch}, {"top1", one.top1}});
  const StateJson state{{"origin", to_json_value(checkpoint.origin)},
                        {"step", checkpoint.step},
                        {"closed", checkpoint.closed},
                        {"epoch", to_json_value(checkpoint.epoch)},
                        {"interval", to_json_value(checkpoint.interval)},
                        {"best", checkpoint.best},
                        {"highest", checkpoint.highest},
                        {"stale", checkpoint.stale},
                        {"kept", kept},
                        {"seconds", checkpoint.seconds},
                        {"log_size", checkpoint.log_size}};
  write_safetensors(path, tensors,
                    {{"format", checkpoint_format}, {"recipe", to_json(checkpoint.recipe)}, {"state", state.dump()}});
}

Checkpoint load_checkpoint(const std::string& path) {
  const SafetensorsFile file = read_safetensors(path);
  const auto metadata = [&](const char* key) -> const std::string& {
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end()) throw Error(path + ": no checkpoint of a run: its metadata has no '" + key + "'");
    return found->second;
  };
  if (metadata("format") != checkpoint_format)
    throw Error(path + ": expected a checkpoint of format " + checkpoint_format + ", found " + metadata("format"));

  Checkpoint checkpoint;
  checkpoint.recipe = recipe_from_json(metadata("recipe"), path);
  try {
    const StateJson state = StateJson::parse(metadata("state"));
    checkpoint.step = state.at("step");
    checkpoint.closed = state.at("closed");
    checkpoint.epoch = tally_from(state.at("epoch"));
    checkpoint.interval = tally_from(state.at("interval"));
    checkpoint.best = state.at("best");
    // What files of earlier versions lack.
    checkpoint.highest = state.value("highest", checkpoint.best);
    checkpoint.stale = state.value("stale", Integer{0});
    for (const StateJson& one : state.value("kept", StateJson::array()))
      checkpoint.kept.push_back({one.at("epoch"), one.at("top1")});
    if (state.contains("origin")) checkpoint.origin = origin_from(state.at("origin"));
    checkpoint.seconds = state.at("seconds");
    checkpoint.log_size = state.at("log_size");
  } catch (const StateJson::exception& error) {
    throw Error(path + ": the state of the run: " + error.what());
  }
  for (const auto& [key, tensor] : file.tensors) {
    bool known = false;
    for_each_part(checkpoint, [&, &name = key, &value = tensor](std::string_view prefix, Weights& part) {
      if (!name.starts_with(prefix)) return;
      part[name.substr(prefix.size())] = value;
      known = true;
    });
    if (!known) throw Error(path + ": '" + key + "' belongs to no part of a checkpoint");
  }
  return checkpoint;
}

}  // namespace linnet::training
