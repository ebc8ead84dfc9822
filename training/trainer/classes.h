// Which classes a run has, and how many pictures of each.
#pragma once

#include <string>
#include <vector>

#include "training/trainer/recipe_parts.h"

namespace linnet::training {

/// {"classes": [{"index": 0, "name": "cat", "training": 500, "validation": 100}, ...]}
std::string class_map_json(const Datasets& data);

/// One line: "10 classes of 450 (bird) to 500 (cat) training pictures".
std::string balance_line(const Datasets& data);

/// A row for each class; of many only the smallest and the largest ones.
std::string balance_table(const Datasets& data);

/// A message for classes that have no training picture, if there are such.
std::vector<std::string> empty_classes(const Datasets& data);

}  // namespace linnet::training
