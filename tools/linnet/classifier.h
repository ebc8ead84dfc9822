// What the commands that run a classifier share.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "linnet/compile.h"
#include "linnet/model.h"
#include "linnet/training/dataset.h"
#include "linnet/training/metrics.h"

namespace linnet::tools {

/// Loads a model file and checks that it is a classifier of pictures: output [classes].
Model load_classifier(const std::string& file);

/// Indices of the largest logits, largest first; of equal ones the lower index first.
std::vector<int> best_classes(std::span<const float> logits, int count);

std::vector<float> probabilities(std::span<const float> logits);

/// The label of a class, or its number.
std::string class_name(const Model& model, int index);

struct Accuracy {
  training::Metrics metrics;
  double loss = 0;  ///< mean cross entropy
  double seconds = 0;
  std::vector<std::string> problems;  ///< one message per damaged picture
};

/// Called for each picture that could be read, in the order of the data set.
using OnPicture = std::function<void(Index index, std::span<const float> logits)>;

/// Runs a classifier over a data set; no threads: as ThreadPool. Shows progress on stderr if that is a terminal.
Accuracy evaluate(const Model& model, std::shared_ptr<const training::Dataset> dataset, const CompileOptions& compile,
                  const OnPicture& on_picture);

}  // namespace linnet::tools
