// The lines of metrics.jsonl. `seconds`, `images_per_s` and `waiting` (the share of the time that
// steps wait for pictures) are wall-clock fields; all else follows from the recipe.
#pragma once

#include <nlohmann/json.hpp>

#include "linnet/training/trainer.h"

namespace linnet::training {

/// The steps since the last such line.
nlohmann::ordered_json interval_line(const Checkpoint& state, Integer epoch, double learning_rate);

/// The end of an epoch.
nlohmann::ordered_json validation_line(const ValidationReport& report, double seconds);

}  // namespace linnet::training
