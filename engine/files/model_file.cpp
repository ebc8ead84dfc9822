#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/files/quote.h"
#include "engine/files/safetensors_reader.h"
#include "linnet/error.h"
#include "linnet/model.h"
#include "linnet/safetensors.h"

namespace linnet {
namespace {

using files::in_quotes;
using nlohmann::json;

constexpr const char* version_key = "linnet";
constexpr const char* version = "1";

std::string preprocessing_text(const Preprocessing& preprocessing) {
  return json{{"resize", preprocessing.resize},       {"interpolation", preprocessing.interpolation},
              {"crop_mode", preprocessing.crop_mode}, {"channel_order", preprocessing.channel_order},
              {"mean", preprocessing.mean},           {"std", preprocessing.std}}
      .dump();
}

/// The value of a field of `object`, which it must have.
template <typename Value>
Value take_field(json& object, const char* name) {
  const auto field = object.find(name);
  if (field == object.end()) {
    throw Error(std::string("preprocessing: the field '") + name + "' is missing");
  }
  try {
    const Value value = field->get<Value>();
    object.erase(field);
    return value;
  } catch (const json::exception&) {
    throw Error(std::string("preprocessing: the field '") + name + "' has the wrong type: " + in_quotes(field->dump()));
  }
}

json parse(const std::string& text, const char* what) {
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) {
    throw Error(std::string(what) + ": not valid JSON");
  }
  return value;
}

Preprocessing preprocessing_from_text(const std::string& text) {
  json object = parse(text, "preprocessing");
  if (!object.is_object()) {
    throw Error("preprocessing: expected an object, found " + in_quotes(text));
  }
  const json::value_t resize = object.contains("resize") ? object["resize"].type() : json::value_t::null;
  if (resize != json::value_t::number_unsigned) {
    throw Error("preprocessing: the field 'resize' should be a whole number");
  }
  Preprocessing result;
  const auto size = take_field<std::uint64_t>(object, "resize");
  constexpr std::uint64_t largest_size = 1000000;
  if (size > largest_size) {
    throw Error("preprocessing: the field 'resize' is " + std::to_string(size) + "; at most 1000000 is allowed");
  }
  result.resize = static_cast<Index>(size);
  result.interpolation = take_field<std::string>(object, "interpolation");
  result.crop_mode = take_field<std::string>(object, "crop_mode");
  result.channel_order = take_field<std::string>(object, "channel_order");
  result.mean = take_field<std::vector<float>>(object, "mean");
  result.std = take_field<std::vector<float>>(object, "std");
  if (!object.empty()) {
    throw Error("preprocessing: unknown field " + in_quotes(object.begin().key()));
  }
  return result;
}

std::vector<std::string> labels_from_text(const std::string& text) {
  try {
    return parse(text, "labels").get<std::vector<std::string>>();
  } catch (const json::exception&) {
    throw Error("labels: expected an array of texts");
  }
}

void check_labels(const Model& model) {
  const Shape& output = model.graph.output().shape;
  if (!model.labels.empty() && model.graph.outputs.size() > 1) {
    throw Error("labels: expected a network with one output, found " + std::to_string(model.graph.outputs.size()));
  }
  if (!model.labels.empty() && static_cast<Index>(model.labels.size()) != output.back()) {
    throw Error("labels: " + std::to_string(model.labels.size()) + " names for an output of shape " +
                to_string(output));
  }
}

const std::string& entry(const std::map<std::string, std::string>& metadata, const char* key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) {
    throw Error(std::string("__metadata__ has no entry '") + key + "'");
  }
  return found->second;
}

Model model_from(SafetensorsFile file) {
  if (!file.metadata.contains(version_key)) {
    throw Error("not written by Linnet: __metadata__ has no entry 'linnet' (plain weights need a network first)");
  }
  if (file.metadata[version_key] != version) {
    throw Error("format version " + in_quotes(file.metadata[version_key]) + " is not known, only '" + version + "' is");
  }
  Model model;
  model.graph = graph_from_json(entry(file.metadata, "graph"));
  model.preprocessing = preprocessing_from_text(entry(file.metadata, "preprocessing"));
  check_preprocessing(model.preprocessing, model.graph.input().shape.back());
  model.labels = labels_from_text(entry(file.metadata, "labels"));
  check_labels(model);
  model.weights = std::move(file.tensors);
  check_weights(model.graph, model.weights);
  return model;
}

Model model_from(SafetensorsFile file, const std::string& name) {
  try {
    return model_from(std::move(file));
  } catch (const Error& error) {
    throw Error("model file " + in_quotes(name) + ": " + error.what());
  }
}

}  // namespace

void save_model(const Model& model, const std::string& path) {
  try {
    check_preprocessing(model.preprocessing, model.graph.input().shape.back());
    check_labels(model);
    Weights weights = model.weights;
    check_weights(model.graph, weights);
    write_safetensors(path, weights,
                      {{version_key, version},
                       {"graph", to_json(model.graph)},
                       {"preprocessing", preprocessing_text(model.preprocessing)},
                       {"labels", json(model.labels).dump()}});
  } catch (const json::exception&) {
    throw Error("cannot save the model " + in_quotes(path) + ": a label is not valid UTF-8");
  } catch (const Error& error) {
    throw Error("cannot save the model " + in_quotes(path) + ": " + error.what());
  }
}

Model load_model(const std::string& path) {
  return model_from(files::read_safetensors(files::MappedSource(path), path), path);
}

Model parse_model(const void* data, std::size_t size, const std::string& name) {
  return model_from(parse_safetensors(data, size, name), name);
}

}  // namespace linnet
