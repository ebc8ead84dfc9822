// A model: network, weights, and what its input must look like. One file holds it all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "linnet/graph.h"
#include "linnet/tensor.h"

namespace linnet {

/// State-dict name -> tensor in the reference layout. Counters (num_batches_tracked) are float scalars in memory and
/// int64 in files.
using Weights = std::map<std::string, Tensor>;

/// How a picture becomes an input: resize the shorter side, cut the centre, (value / 255 - mean) / std per channel.
struct Preprocessing {
  Index resize = 0;  ///< size of the shorter side before the crop; 0: the picture is used as it is
  std::string interpolation = "bilinear";  ///< or "bicubic", both with antialiasing
  /// "center": keep the aspect ratio and cut; "squash": resize both sides to `resize`; "border": fit in and pad with
  /// the mean.
  std::string crop_mode = "center";
  std::string channel_order = "RGB";    ///< or "BGR"; one channel: "L"
  std::vector<float> mean = {0, 0, 0};  ///< one per channel of the network's input (after a swap to BGR)
  std::vector<float> std = {1, 1, 1};
  bool operator==(const Preprocessing&) const = default;
};

struct Model {
  Graph graph;
  Weights weights;
  Preprocessing preprocessing;
  std::vector<std::string> labels;  ///< by class index; may be empty
};

/// Checks that the weights are exactly the parameters of the graph. Throws linnet::Error that names every missing,
/// extra or misshapen key (the first few, then a count). Missing counters are fine and are set to 0.
void check_weights(const Graph& graph, Weights& weights);

/// Throws linnet::Error that names the field if a field is out of range or does not fit the channels.
void check_preprocessing(const Preprocessing& preprocessing, Index channels);

/// Writes a valid safetensors file with the graph, preprocessing and labels as JSON in `__metadata__`. Written beside
/// the target, synced and renamed: the target is either the old file or the whole new one. Throws linnet::Error.
void save_model(const Model& model, const std::string& path);

/// Reads what save_model wrote. Throws linnet::Error for any damaged or foreign file.
///
/// The file is mapped: weights are read from it when somebody looks at them, and what is written to them does not reach
/// the file. While the model or a plan of it lives, the file may be removed or replaced by another under its name, as
/// save_model does, but not be changed or cut short where it lies: weights would change, or the process end with SIGBUS
/// where they are gone. Where others may do that, read the file and hand its bytes to parse_model.
Model load_model(const std::string& path);

/// The same for a file's bytes in memory; `name` stands for the path in messages.
Model parse_model(const void* data, std::size_t size, const std::string& name);

/// Random weights for training from scratch, drawn as each op says (Initial, BatchNorm::initial_gamma, ...); running
/// statistics 0 and 1. Each value is a function of the seed, the parameter's name and the position alone, with the same
/// bits on every machine.
Weights initial_weights(const Graph& graph, std::uint64_t seed);

/// Pixels [height][width][channels] of 0..255 -> (value / 255 - mean) / std, same order, BGR swapped if asked.
void normalise(const Preprocessing& preprocessing, Index pixels, Index channels, const std::uint8_t* input,
               float* output);

}  // namespace linnet
