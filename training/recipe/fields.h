// The one table of the fields of a recipe.
#pragma once

#include <limits>
#include <span>
#include <string_view>
#include <variant>

#include "linnet/training/recipe.h"

namespace linnet::training {

/// Where the value of a field lies; the alternative tells its type.
using FieldValue = std::variant<bool*, Integer*, double*, std::optional<double>*, std::string*, std::vector<double>*,
                                std::vector<std::string>*>;

struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;   ///< `low` itself is not allowed
  bool high_open = false;  ///< `high` itself is not allowed

  bool contains(double value) const;
};

struct Field {
  const char* name;
  const char* help;
  FieldValue (*value)(Recipe& recipe);
  Range range = {};               ///< of numbers
  std::string_view choices = {};  ///< of strings: "sgd|adamw"; empty for any
  bool may_change = false;        ///< when a run is resumed
};

std::span<const Field> fields();

/// Throws linnet::Error that names the nearest known field.
const Field& find_field(std::string_view name);

}  // namespace linnet::training
