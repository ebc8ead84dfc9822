// Values of fields: their checks, and their way from and to JSON.
#include "training/recipe/values.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "linnet/error.h"

namespace linnet::training {
namespace {

using Json = nlohmann::ordered_json;

std::string number_text(double value) {
  return Json(value == std::floor(value) ? Json(Integer(value)) : Json(value)).dump();
}

std::string range_text(const Range& range) {
  if (std::isinf(range.low) && std::isinf(range.high)) return "";
  if (std::isinf(range.high) || range.high >= 0x7fffffff)
    return (range.low_open ? " > " : " >= ") + number_text(range.low);
  return std::string(" in ") + (range.low_open ? "(" : "[") + number_text(range.low) + ", " + number_text(range.high) +
         (range.high_open ? ")" : "]");
}

std::string choices_text(std::string_view choices) {
  std::string text;
  for (const char c : choices) text += c == '|' ? std::string(", ") : std::string(1, c);
  return "one of " + text;
}

bool is_choice(std::string_view choices, std::string_view value) {
  while (true) {
    const std::size_t end = choices.find('|');
    if (choices.substr(0, end) == value) return true;
    if (end == std::string_view::npos) return false;
    choices.remove_prefix(end + 1);
  }
}

[[noreturn]] void refuse(const Field& field, const Json& found) {
  throw Error("field '" + std::string(field.name) + "' must be " + expectation(field) + ", found " + found.dump());
}

double number(const Field& field, const Json& json, const Json& whole) {
  if (!json.is_number()) refuse(field, whole);
  const double value = json;
  if (!field.range.contains(value)) refuse(field, whole);
  return value;
}

}  // namespace

std::string expectation(const Field& field) {
  Recipe recipe;
  return std::visit(
      [&field](auto* value) -> std::string {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) return "true or false";
        if constexpr (std::is_same_v<T, Integer>) return "a whole number" + range_text(field.range);
        if constexpr (std::is_same_v<T, double>) return "a number" + range_text(field.range);
        if constexpr (std::is_same_v<T, std::optional<double>>) return "null or a number" + range_text(field.range);
        if constexpr (std::is_same_v<T, std::vector<double>>) return "a list of numbers" + range_text(field.range);
        if constexpr (std::is_same_v<T, std::vector<std::string>>) return "a list of texts";
        return field.choices.empty() ? "a text" : choices_text(field.choices);
      },
      field.value(recipe));
}

void set_value(const Field& field, Recipe& recipe, const Json& json) {
  std::visit(
      [&](auto* value) {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) {
          if (!json.is_boolean()) refuse(field, json);
          *value = json;
        } else if constexpr (std::is_same_v<T, Integer>) {
          const bool fits = json.is_number_integer() &&
                            !(json.is_number_unsigned() && json.get<std::uint64_t>() > std::uint64_t{INT64_MAX});
          if (!fits) refuse(field, json);
          number(field, json, json);
          *value = json;
        } else if constexpr (std::is_same_v<T, double>) {
          *value = number(field, json, json);
        } else if constexpr (std::is_same_v<T, std::optional<double>>) {
          if (json.is_null())
            value->reset();
          else
            *value = number(field, json, json);
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
          if (!json.is_array()) refuse(field, json);
          value->clear();
          for (const Json& element : json) value->push_back(number(field, element, json));
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          const bool texts = json.is_array() && std::all_of(json.begin(), json.end(), [](const Json& element) {
                               return element.is_string() && !element.get<std::string>().empty();
                             });
          if (!texts) refuse(field, json);
          *value = json.get<std::vector<std::string>>();
        } else {
          if (!json.is_string()) refuse(field, json);
          if (!field.choices.empty() && !is_choice(field.choices, json.get<std::string>())) refuse(field, json);
          *value = json;
        }
      },
      field.value(recipe));
}

Json get_value(const Field& field, const Recipe& recipe) {
  // The table has one accessor for reading and writing; nothing is written through it here.
  return std::visit(
      [](auto* value) -> Json {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::optional<double>>) {
          if (!value->has_value()) return nullptr;
          return **value;
        } else {
          return *value;
        }
      },
      field.value(const_cast<Recipe&>(recipe)));
}

}  // namespace linnet::training
