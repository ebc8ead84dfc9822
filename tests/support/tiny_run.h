// A data set, a network and a recipe that are trained in the blink of an eye.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "linnet/random.h"
#include "linnet/training/recipe.h"

namespace linnet {

namespace tiny_run {

constexpr int classes = 4, size = 16;

/// An idx file: magic number, extents, bytes.
inline void write_idx(const std::string& path, const std::vector<std::uint32_t>& extents,
                      const std::vector<std::uint8_t>& values) {
  std::string bytes{0, 0, 8, static_cast<char>(extents.size())};
  for (const std::uint32_t extent : extents)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(extent >> shift & 0xff);
  bytes.append(values.begin(), values.end());
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Noise with a bright quarter, which tells the class.
inline void write_part(const std::string& folder, const std::string& prefix, std::uint32_t count) {
  std::vector<std::uint8_t> pixels, labels;
  for (std::uint32_t i = 0; i < count; ++i) {
    const CounterRandom random(prefix.size(), i);
    const int label = static_cast<int>(i) % classes;
    labels.push_back(static_cast<std::uint8_t>(label));
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        const bool bright = 2 * (y >= size / 2) + (x >= size / 2) == label;
        const std::uint32_t noise = random.below(static_cast<std::uint64_t>(y * size + x), 120);
        pixels.push_back(static_cast<std::uint8_t>(noise + (bright ? 80 : 0)));
      }
    }
  }
  write_idx(folder + "/" + prefix + "-images-idx3-ubyte", {count, size, size}, pixels);
  write_idx(folder + "/" + prefix + "-labels-idx1-ubyte", {count}, labels);
}

/// In `folder`, which is made.
inline void write_data(const std::string& folder, std::uint32_t train = 192, std::uint32_t test = 40) {
  std::filesystem::create_directories(folder);
  write_part(folder, "train", train);
  write_part(folder, "t10k", test);
}

/// Three epochs of 12 steps, with all that leaves state between steps: momentum, average, dropout, augmentation.
inline training::Recipe recipe(const std::string& data) {
  training::Recipe recipe;
  recipe.model.name = "mobilenetv1_010";
  recipe.model.in_channels = 1;
  recipe.model.height = recipe.model.width = size;
  recipe.model.stem_stride = 1;
  recipe.model.dropout = 0.1;
  recipe.data.train = data;
  recipe.data.mean = {0.3};
  recipe.data.std = {0.25};
  recipe.augment.crop_padding = 1;
  recipe.optimiser.lr = 0.02;
  recipe.optimiser.clip_norm = 5;
  recipe.optimiser.weight_decay = 1e-4;
  recipe.schedule.warmup_epochs = 0.5;
  recipe.ema.decay = 0.8;
  recipe.label_smoothing = 0.1;
  recipe.batch = 16;
  recipe.epochs = 3;
  recipe.validation_batch = 16;
  recipe.log_every = 5;
  recipe.threads = 1;
  return recipe;
}

/// Pictures are scaled and changed in every way that draws random numbers.
inline void augment(training::Recipe& recipe) {
  recipe.data.resize = size + 4;
  recipe.augment.random_resized_crop = true;
  recipe.augment.flip_probability = recipe.augment.vertical_flip_probability = 0.5;
  recipe.augment.policy = "rand";
  recipe.augment.policy_deviation = 0.5;
  recipe.augment.brightness = recipe.augment.contrast = 0.3;
  recipe.augment.erase_probability = 0.5;
  recipe.augment.erase_fill = "noise";
  recipe.augment.mixup_alpha = 0.4;
  recipe.augment.cutmix_alpha = 1;
  recipe.augment.repeats = 2;
}

/// metrics.jsonl without its wall-clock fields.
inline std::vector<nlohmann::json> metrics_of(const std::string& folder) {
  std::ifstream stream(folder + "/metrics.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(stream, line);) {
    nlohmann::json json = nlohmann::json::parse(line);
    json.erase("seconds");
    json.erase("images_per_s");
    json.erase("waiting");
    lines.push_back(json);
  }
  return lines;
}

}  // namespace tiny_run
}  // namespace linnet
