// Values of fields: their checks, and their way from and to JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "training/recipe/fields.h"

namespace linnet::training {

/// What a value must be: "a number in [0, 1)", "one of sgd, adamw".
std::string expectation(const Field& field);

/// Throws linnet::Error that names the field, what was expected and what was found.
void set_value(const Field& field, Recipe& recipe, const nlohmann::ordered_json& json);

nlohmann::ordered_json get_value(const Field& field, const Recipe& recipe);

}  // namespace linnet::training
