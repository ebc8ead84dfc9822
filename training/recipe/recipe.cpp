#include "linnet/training/recipe.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

#include "linnet/error.h"
#include "training/recipe/values.h"

namespace linnet::training {
namespace {

using Json = nlohmann::ordered_json;

// "optimiser.lr" -> recipe["optimiser"]["lr"]
Json& place(Json& json, std::string_view name) {
  Json* at = &json;
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    at = &(*at)[std::string(name.substr(0, dot))];
    name.remove_prefix(dot + 1);
  }
  return (*at)[std::string(name)];
}

bool is_group(const std::string& name) {
  for (const Field& field : fields())
    if (std::string_view(field.name).starts_with(name + ".")) return true;
  return false;
}

void read_group(const Json& group, const std::string& prefix, Recipe& recipe) {
  for (const auto& [key, value] : group.items()) {
    const std::string name = prefix + key;
    if (!is_group(name)) {
      set_value(find_field(name), recipe, value);
    } else if (value.is_object()) {
      read_group(value, name + ".", recipe);
    } else {
      throw Error("field '" + name + "' must be an object, found " + value.dump());
    }
  }
}

// nlohmann::json keeps the last of two equal keys; a recipe that says two things is an error.
Json parse(const std::string& text) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&keys](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      throw Error("field '" + parsed.get<std::string>() + "' stands there twice");
    return true;
  };
  return Json::parse(text, check);
}

std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return text;
}

Json to_json_value(const Recipe& recipe) {
  Json json;
  for (const Field& field : fields()) place(json, field.name) = get_value(field, recipe);
  return json;
}

}  // namespace

std::vector<RecipeField> recipe_fields() {
  std::vector<RecipeField> result;
  const Recipe defaults;
  for (const Field& field : fields())
    result.push_back({field.name, std::string(field.help) + " (" + expectation(field) + ")",
                      get_value(field, defaults).dump(), field.may_change});
  return result;
}

Recipe recipe_from_json(const std::string& text, const std::string& source) {
  try {
    const Json json = parse(text);
    if (!json.is_object()) throw Error("a recipe must be a JSON object, found " + std::string(json.type_name()));
    Recipe recipe;
    read_group(json, "", recipe);
    return recipe;
  } catch (const Json::exception& error) {
    throw Error(source + ": " + one_line(error.what()));
  } catch (const Error& error) {
    throw Error(source + ": " + error.what());
  }
}

Recipe load_recipe(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf())) throw Error(path + ": cannot read this recipe");
  return recipe_from_json(text.str(), path);
}

std::string to_json(const Recipe& recipe) { return to_json_value(recipe).dump(2) + "\n"; }

void set_recipe_field(Recipe& recipe, const std::string& name, const std::string& value) {
  const Field& field = find_field(name);
  const FieldValue at = field.value(recipe);
  Json json;
  if (std::holds_alternative<std::string*>(at)) {
    json = value;
  } else if (std::holds_alternative<std::vector<std::string>*>(at) && !value.starts_with('[')) {
    json = Json::array();
    std::istringstream parts(value);
    for (std::string part; std::getline(parts, part, ',');) json.push_back(part);
  } else {
    const bool list = std::holds_alternative<std::vector<double>*>(at) && !value.starts_with('[');
    json = Json::parse(list ? "[" + value + "]" : value, nullptr, false);
    if (json.is_discarded()) json = value;
  }
  set_value(field, recipe, json);
}

void check_recipe(const Recipe& recipe) {
  const auto require = [](bool holds, const char* message) {
    if (!holds) throw Error(message);
  };
  require(!recipe.model.name.empty(), "field 'model.name' must be set: it names the network");
  require(!recipe.data.train.empty(), "field 'data.train' must be set: it is the folder of the training pictures");
  require(recipe.model.in_channels != 2, "field 'model.in_channels' must be 1 or 3, found 2");
  const auto fits_channels = [&recipe](const std::vector<double>& values) {
    return values.empty() || static_cast<Integer>(values.size()) == recipe.model.in_channels;
  };
  require(fits_channels(recipe.data.mean), "field 'data.mean' must have one number per channel of 'model.in_channels'");
  require(fits_channels(recipe.data.std), "field 'data.std' must have one number per channel of 'model.in_channels'");
  const Recipe::Data& data = recipe.data;
  require(data.subset < 1 || data.subset == std::floor(data.subset),
          "field 'data.subset' must be a share below 1 or a whole number of pictures");
  require(data.folds != 1, "field 'data.folds' must be 0 or at least 2");
  require(data.fold < std::max<Integer>(data.folds, 1), "field 'data.fold' must be below 'data.folds'");
  require(data.folds == 0 || data.val_split == 0, "fields 'data.folds' and 'data.val_split' exclude each other");
  require((data.folds == 0 && data.val_split == 0) || data.validation.empty(),
          "field 'data.validation' must be empty with 'data.val_split' or 'data.folds', which validate on a part of "
          "data.train");
  require(recipe.augment.area_min <= recipe.augment.area_max,
          "field 'augment.area_min' must not be above 'augment.area_max'");
  require(recipe.data.test_views == 1 || recipe.data.test_views == 10, "field 'data.test_views' must be 1 or 10");
  require(recipe.augment.erase_area_min <= recipe.augment.erase_area_max,
          "field 'augment.erase_area_min' must not be above 'augment.erase_area_max'");
  require(recipe.augment.ratio_min <= recipe.augment.ratio_max,
          "field 'augment.ratio_min' must not be above 'augment.ratio_max'");
  const Recipe::Schedule& schedule = recipe.schedule;
  require(schedule.kind != "multistep" || !schedule.milestones.empty(),
          "field 'schedule.milestones' must be set for schedule.kind multistep");
  require(std::is_sorted(schedule.milestones.begin(), schedule.milestones.end()),
          "field 'schedule.milestones' must rise");
  require(schedule.kind != "one_cycle" || schedule.warmup_epochs == 0,
          "field 'schedule.warmup_epochs' must be 0 for schedule.kind one_cycle, which has a rise of its own");
  require(!schedule.three_phases || schedule.rise <= 0.5,
          "field 'schedule.rise' must not be above 0.5 with 'schedule.three_phases'");
  require(schedule.momentum_low <= schedule.momentum_high,
          "field 'schedule.momentum_low' must not be above 'schedule.momentum_high'");
  const bool shorter = recipe.schedule.warmup_epochs < static_cast<double>(recipe.epochs);
  require(shorter, "field 'schedule.warmup_epochs' must be below 'epochs', which counts the warm-up");
  require(recipe.optimiser.kind != "sgd" || !recipe.optimiser.nesterov || recipe.optimiser.dampening == 0,
          "field 'optimiser.dampening' must be 0 with 'optimiser.nesterov'");
  require(recipe.loss.class_weights.empty() || recipe.loss.kind == "cross_entropy",
          "field 'loss.class_weights' is for loss.kind cross_entropy");
  require(recipe.ema.min_decay <= recipe.ema.decay, "field 'ema.min_decay' must not be above 'ema.decay'");
}

void check_resumable(const Recipe& before, const Recipe& now) {
  for (const Field& field : fields()) {
    const Json old_value = get_value(field, before), new_value = get_value(field, now);
    if (!field.may_change && old_value != new_value)
      throw Error("field '" + std::string(field.name) + "' is " + new_value.dump() + ", but the run began with " +
                  old_value.dump());
  }
}

}  // namespace linnet::training
