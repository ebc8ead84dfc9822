// linnet convert NAME --weights FILE OUT: a model file from weights that others trained; linnet convert FILE OUT: the
// weights of a model file alone.
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "linnet/architectures.h"
#include "linnet/error.h"
#include "linnet/model.h"
#include "linnet/safetensors.h"
#include "linnet/training/weights.h"

namespace linnet::tools {
namespace {

struct ConvertOptions {
  std::string source, out, weights, padding, interpolation = "bilinear", crop_mode = "center", channel_order, labels;
  double bn_epsilon = 0;
  Index classes = -1, in_channels = 3, resize = 0, crop = 0;
  std::vector<float> mean, std;
  std::vector<Index> features;
  bool drop_background = false;
};

/// One label per line, or a JSON array.
std::vector<std::string> read_labels(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) throw Error(path + ": cannot be opened");
  std::vector<std::string> labels;
  if ((stream >> std::ws).peek() == '[') {
    const nlohmann::json json = nlohmann::json::parse(stream, nullptr, false);
    if (!json.is_array()) throw Error(path + ": expected a JSON array of texts");
    for (const nlohmann::json& label : json) {
      if (!label.is_string()) throw Error(path + ": expected a JSON array of texts, found " + label.dump());
      labels.push_back(label.get<std::string>());
    }
    return labels;
  }
  for (std::string line; std::getline(stream, line);) {
    if (line.ends_with('\r')) line.pop_back();
    labels.push_back(line);
  }
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  return labels;
}

architectures::BuildOptions build_options(const ConvertOptions& options) {
  architectures::BuildOptions build;
  if (options.classes >= 0) build.classes = options.classes;
  build.in_channels = options.in_channels;
  build.height = build.width = options.crop;
  if (!options.padding.empty()) {
    build.padding = options.padding == "same" ? Padding::Rule::same : Padding::Rule::symmetric;
  }
  build.feature_strides = options.features;
  if (options.bn_epsilon > 0) build.bn_epsilon = static_cast<float>(options.bn_epsilon);
  return build;
}

/// One value stands for all channels.
std::vector<float> per_channel(const std::vector<float>& values, Index channels, float otherwise) {
  const auto count = static_cast<std::size_t>(channels);
  if (values.empty()) return std::vector<float>(count, otherwise);
  return values.size() == 1 ? std::vector<float>(count, values.front()) : values;
}

Preprocessing preprocessing(const ConvertOptions& options) {
  const std::string order = options.in_channels == 1 ? "L" : "RGB";
  return {.resize = options.resize,
          .interpolation = options.interpolation,
          .crop_mode = options.crop_mode,
          .channel_order = options.channel_order.empty() ? order : options.channel_order,
          .mean = per_channel(options.mean, options.in_channels, 0),
          .std = per_channel(options.std, options.in_channels, 1)};
}

void import_weights(const ConvertOptions& options) {
  Model model;
  model.graph = architectures::build(options.source, build_options(options));
  model.weights = training::read_weights(options.weights);
  try {
    for (const std::string& note : training::adapt_weights(
             model.graph, model.weights,
             {.drop_background = options.drop_background, .leave_out_others = !options.features.empty()})) {
      std::fprintf(stderr, "linnet convert: %s\n", note.c_str());
    }
  } catch (const Error& error) {
    throw Error(options.weights + ": " + error.what());
  }
  model.preprocessing = preprocessing(options);
  check_preprocessing(model.preprocessing, options.in_channels);
  if (!options.labels.empty()) {
    model.labels = read_labels(options.labels);
    const auto classes = static_cast<std::size_t>(model.graph.output().shape.front());
    if (model.labels.size() != classes) {
      throw Error(options.labels + ": expected " + std::to_string(classes) + " labels, found " +
                  std::to_string(model.labels.size()));
    }
  }
  save_model(model, options.out);
}

void run_convert(const ConvertOptions& options) {
  if (!options.weights.empty()) return import_weights(options);
  write_safetensors(options.out, load_model(options.source).weights, {{"format", "pt"}});
}

}  // namespace

void add_convert(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "convert", "NAME --weights FILE OUT: a model file from a network's public weights; FILE OUT: plain weights back");
  auto options = std::make_shared<ConvertOptions>();
  command->add_option("source", options->source, "Name of a network (with --weights), or a model file")->required();
  command->add_option("out", options->out, "File to write")->required();
  CLI::Option* weights = command->add_option("--weights", options->weights,
                                             "State dict: safetensors, or what torch.save wrote (.pth, .pth.tar)");
  const auto with_weights = [&](CLI::Option* option) { return option->needs(weights); };
  with_weights(command->add_option("--classes", options->classes, "Outputs of the last layer"))
      ->check(CLI::Range(1, 1 << 24));
  CLI::Option* features = with_weights(
      command->add_option("--features", options->features,
                          "A backbone: no classifier, the last maps of these strides as outputs: 4,8,16,32"));
  features->delimiter(',')->allow_extra_args(false)->check(CLI::PositiveNumber);
  with_weights(command->add_flag("--drop-background", options->drop_background,
                                 "The weights' first class is none: leave its row out"));
  with_weights(command->add_option("--channels", options->in_channels, "Channels of the input: 1 is grey"))
      ->check(CLI::IsMember({1, 3}))
      ->capture_default_str();
  with_weights(command->add_option("--padding", options->padding, "Padding rule, if not the network's own"))
      ->check(CLI::IsMember({"symmetric", "same"}));
  with_weights(command->add_option("--bn-eps", options->bn_epsilon, "Epsilon of batch norms, if not the network's own"))
      ->check(CLI::PositiveNumber);
  with_weights(
      command->add_option("--resize", options->resize, "Shorter side of a picture before the crop; 0: as it is"))
      ->check(CLI::Range(0, 65536))
      ->capture_default_str();
  with_weights(command->add_option("--crop", options->crop, "Size of the input, if not the network's own"))
      ->check(CLI::Range(1, 65536));
  with_weights(command->add_option("--interpolation", options->interpolation, "How pictures are resized"))
      ->check(CLI::IsMember({"bilinear", "bicubic"}))
      ->capture_default_str();
  with_weights(command->add_option("--crop-mode", options->crop_mode, "How pictures are cut"))
      ->check(CLI::IsMember({"center", "squash", "border"}))
      ->capture_default_str();
  with_weights(command->add_option("--channel-order", options->channel_order, "RGB or BGR; one channel: L"))
      ->check(CLI::IsMember({"RGB", "BGR", "L"}));
  with_weights(command->add_option("--mean", options->mean, "Subtracted from value / 255, per channel: 0.5,0.5,0.5"))
      ->delimiter(',')
      ->expected(1, 3);
  with_weights(command->add_option("--std", options->std, "Divides that, per channel"))->delimiter(',')->expected(1, 3);
  with_weights(command->add_option("--labels", options->labels, "One label per line, or a JSON array"))
      ->excludes(features);
  command->callback([options] { run_convert(*options); });
}

}  // namespace linnet::tools
