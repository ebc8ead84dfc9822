#include "linnet/training/recipe.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "error_message.h"
#include "linnet/architectures.h"
#include "linnet/error.h"
#include "linnet/training/loader.h"
#include "linnet/training/losses.h"
#include "linnet/training/optimisers.h"
#include "linnet/training/schedules.h"

namespace linnet::training {
namespace {

using test::message_of;

/// Every choice but the default has its rule in the library.
TEST(Recipe, NamesInitialisationsThatThereAre) {
  Recipe recipe;
  for (const char* name : {"timm", "torchvision", "torchvision_efficientnet", "torchvision_squeezenet", "pytorch",
                           "pytorchcv", "megvii", "slim", "slim_nasnet"}) {
    EXPECT_NO_THROW(set_recipe_field(recipe, "model.initialisation", name)) << name;
    EXPECT_NO_THROW(architectures::initialisation_from_name(name)) << name;
  }
  EXPECT_NE(message_of([&] { set_recipe_field(recipe, "model.initialisation", "tensorflow"); }), "no error");
}

std::string json_message(const std::string& text) {
  return message_of([&] { recipe_from_json(text, "cake.json"); });
}

TEST(Recipe, DefaultsComeBackFromTheirText) {
  const std::string text = to_json(Recipe{});
  EXPECT_EQ(to_json(recipe_from_json(text, "text")), text);
  EXPECT_EQ(to_json(recipe_from_json("{}", "text")), text);
  const nlohmann::json defaults = nlohmann::json::parse(text);
  for (const RecipeField& field : recipe_fields()) {
    std::string path = "/";
    for (const char c : field.name) path += c == '.' ? '/' : c;
    const nlohmann::json::json_pointer place(path);
    ASSERT_TRUE(defaults.contains(place)) << field.name;
    EXPECT_EQ(defaults.at(place).dump(), field.fallback) << field.name;
    EXPECT_GT(field.help.size(), 10u) << field.name;
  }
}

TEST(Recipe, ValuesComeBackBitForBit) {
  Recipe recipe = recipe_from_json(
      R"({"description": "a \"cake\"", "model": {"name": "m", "dropout": 0.2}, "seed": 9223372036854775807,
          "data": {"mean": [0.1, 0.2, 0.3], "strict": true}, "optimiser": {"lr": 0.30000000000000004, "kind": "adamw"}})",
      "text");
  EXPECT_EQ(recipe.description, "a \"cake\"");
  EXPECT_EQ(recipe.model.dropout, 0.2);
  EXPECT_EQ(recipe.seed, INT64_MAX);
  EXPECT_EQ(recipe.optimiser.lr, 0.1 + 0.2);
  EXPECT_EQ(recipe.data.mean, (std::vector<double>{0.1, 0.2, 0.3}));
  EXPECT_TRUE(recipe.data.strict);
  EXPECT_EQ(recipe.batch, Recipe{}.batch);
  EXPECT_EQ(to_json(recipe_from_json(to_json(recipe), "text")), to_json(recipe));
}

TEST(Recipe, ErrorsNameSourceFieldExpectedAndFound) {
  struct Case {
    std::string text;
    std::vector<std::string> parts;
  };
  for (const auto& [text, parts] : std::vector<Case>{
           {R"({"optimiser": {"learning_rat": 1}})", {"'optimiser.learning_rat' is unknown"}},
           {R"({"optimizer": {"lr": 1}})", {"'optimizer' is unknown"}},
           {R"({"optimiser": {"lrr": 1}})", {"'optimiser.lrr'", "nearest known one is 'optimiser.lr'"}},
           {R"({"lr": 1})", {"'lr'", "'optimiser.lr'"}},
           {R"({"epoch": 1})", {"'epoch'", "'epochs'"}},
           {R"({"epochs": "ten"})", {"'epochs'", "a whole number >= 1", "found \"ten\""}},
           {R"({"epochs": 2.5})", {"'epochs'", "a whole number", "found 2.5"}},
           {R"({"epochs": 0})", {"'epochs'", ">= 1", "found 0"}},
           {R"({"epochs": 3000000000})", {"'epochs'", "found 3000000000"}},
           {R"({"seed": 18446744073709551615})", {"'seed'", "found 18446744073709551615"}},
           {R"({"label_smoothing": 1})", {"'label_smoothing'", "a number in [0, 1)", "found 1"}},
           {R"({"optimiser": {"lr": 0}})", {"'optimiser.lr'", "> 0", "found 0"}},
           {R"({"optimiser": {"kind": "sdg"}})",
            {"'optimiser.kind'", "one of sgd, rmsprop, rmsprop_tf, adam, adamw, lamb, lion", "found \"sdg\""}},
           {R"({"optimiser": {"nesterov": 1}})", {"'optimiser.nesterov'", "true or false", "found 1"}},
           {R"({"optimiser": 1})", {"'optimiser'", "an object", "found 1"}},
           {R"({"model": {"dropout": "no"}})", {"'model.dropout'", "null or a number in [0, 1)", "found \"no\""}},
           {R"({"optimiser": {"no_decay": "*.se.*"}})",
            {"'optimiser.no_decay'", "a list of texts", "found \"*.se.*\""}},
           {R"({"optimiser": {"no_decay": [1]}})", {"'optimiser.no_decay'", "found [1]"}},
           {R"({"data": {"std": [1, 0]}})", {"'data.std'", "a list of numbers > 0", "found [1,0]"}},
           {R"({"batch": null})", {"'batch'", "found null"}},
           {R"({"batch": 1, "batch": 2})", {"'batch' stands there twice"}},
           {R"([1])", {"a JSON object", "array"}},
           {"{\"batch\": 1,\n", {"parse error"}},
           {"{\"batch\": 1e999}", {"1e999"}},
           {"", {"parse error"}}}) {
    const std::string found = json_message(text);
    EXPECT_TRUE(found.starts_with("cake.json: ")) << found;
    EXPECT_EQ(found.find('\n'), std::string::npos) << found;
    for (const std::string& part : parts) EXPECT_NE(found.find(part), std::string::npos) << text << "\n" << found;
  }
  EXPECT_NE(message_of([] { load_recipe("/nowhere/cake.json"); }).find("/nowhere/cake.json"), std::string::npos);
}

TEST(Recipe, FlagsSetEveryField) {
  Recipe recipe;
  for (const RecipeField& field : recipe_fields()) {
    const nlohmann::json fallback = nlohmann::json::parse(field.fallback);
    const std::string text = fallback.is_string() ? fallback.get<std::string>() : field.fallback;
    EXPECT_NO_THROW(set_recipe_field(recipe, field.name, text)) << field.name << " " << text;
  }
  EXPECT_EQ(to_json(recipe), to_json(Recipe{}));
  set_recipe_field(recipe, "optimiser.lr", "0.25");
  set_recipe_field(recipe, "data.mean", "0.5,0.25");
  set_recipe_field(recipe, "data.std", "[2]");
  set_recipe_field(recipe, "model.dropout", "0.5");
  set_recipe_field(recipe, "optimiser.no_decay", "*.se.*,stem");
  set_recipe_field(recipe, "data.train", "7");
  set_recipe_field(recipe, "optimiser.nesterov", "false");
  EXPECT_EQ(recipe.optimiser.lr, 0.25);
  EXPECT_EQ(recipe.data.mean, (std::vector<double>{0.5, 0.25}));
  EXPECT_EQ(recipe.data.std, (std::vector<double>{2}));
  EXPECT_EQ(recipe.model.dropout, 0.5);
  EXPECT_EQ(recipe.optimiser.no_decay, (std::vector<std::string>{"*.se.*", "stem"}));
  EXPECT_EQ(recipe.data.train, "7");
  EXPECT_FALSE(recipe.optimiser.nesterov);
  set_recipe_field(recipe, "model.dropout", "null");
  EXPECT_FALSE(recipe.model.dropout.has_value());
  for (const auto& [name, value, part] :
       std::vector<std::array<std::string, 3>>{{"optimiser.lr", "fast", "found \"fast\""},
                                               {"optimiser.lr", "", "found \"\""},
                                               {"epochs", "1 2", "found \"1 2\""},
                                               {"optimiser.nesterov", "yes", "true or false"},
                                               {"data.mean", "1,x", "found"},
                                               {"learning_rate", "1", "unknown"}}) {
    const std::string found = message_of([&, field = name, text = value] { set_recipe_field(recipe, field, text); });
    EXPECT_NE(found.find(part), std::string::npos) << found;
    EXPECT_NE(found.find(name), std::string::npos) << found;
  }
}

TEST(Recipe, ChecksFieldsAgainstEachOther) {
  Recipe good;
  good.model.name = "m";
  good.data.train = "d";
  EXPECT_NO_THROW(check_recipe(good));
  const auto broken = [&good](auto&& change) {
    Recipe recipe = good;
    change(recipe);
    return message_of([&] { check_recipe(recipe); });
  };
  EXPECT_NE(broken([](Recipe& r) { r.model.name = ""; }).find("'model.name'"), std::string::npos);
  EXPECT_NE(broken([](Recipe& r) { r.data.train = ""; }).find("'data.train'"), std::string::npos);
  EXPECT_NE(broken([](Recipe& r) { r.data.mean = {1}; }).find("'data.mean'"), std::string::npos);
  EXPECT_NE(broken([](Recipe& r) { r.augment.area_min = 1, r.augment.area_max = 0.5; }).find("'augment.area_min'"),
            std::string::npos);
  EXPECT_NE(broken([](Recipe& r) { r.schedule.warmup_epochs = 10; }).find("'schedule.warmup_epochs'"),
            std::string::npos);
  EXPECT_NE(broken([](Recipe& r) { r.schedule.kind = "multistep"; }).find("'schedule.milestones'"), std::string::npos);
  EXPECT_NE(broken([](Recipe& r) { r.schedule.milestones = {2, 1}; }).find("'schedule.milestones'"), std::string::npos);
  EXPECT_NE(
      broken([](Recipe& r) { r.schedule.kind = "one_cycle", r.schedule.warmup_epochs = 1; }).find("warmup_epochs"),
      std::string::npos);
  EXPECT_NE(broken([](Recipe& r) { r.optimiser.dampening = 0.1; }).find("'optimiser.dampening'"), std::string::npos);
}

/// What a recipe can name, the library has, and the other way round.
TEST(Recipe, ChoicesAreThoseOfTheLibrary) {
  const auto choices_of = [](const std::string& name) {
    for (const RecipeField& field : recipe_fields())
      if (field.name == name) return field.help.substr(field.help.find("(one of ") + 8);
    return std::string();
  };
  const auto joined = [](const std::vector<std::string_view>& names) {
    std::string text;
    for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
    return text + ")";
  };
  EXPECT_EQ(choices_of("optimiser.kind"), joined(optimiser_kinds()));
  EXPECT_EQ(choices_of("schedule.kind"), joined(schedule_kinds()));
  EXPECT_EQ(choices_of("loss.kind"), joined(loss_kinds()));
  EXPECT_EQ(choices_of("augment.policy"), joined(augmentation_policies()));
}

TEST(Recipe, ResumingAllowsOnlyWhatDoesNotChangeTheResult) {
  const Recipe before;
  Recipe now;
  now.threads = 2;
  now.loader_threads = 0;
  now.steps = 100;
  now.checkpoint_every = 7;
  now.tracking.database = "none";
  now.tracking.tags = {"a"};
  EXPECT_NO_THROW(check_resumable(before, now));
  now.epochs = 11;
  const std::string found = message_of([&] { check_resumable(before, now); });
  EXPECT_NE(found.find("field 'epochs' is 11, but the run began with 10"), std::string::npos) << found;
}

TEST(Recipe, EveryShippedRecipeIsSound) {
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(LINNET_TEST_DATA_DIR) + "/../../recipes")) {
    if (entry.path().extension() != ".json") continue;
    SCOPED_TRACE(entry.path());
    ++found;
    Recipe recipe;
    ASSERT_NO_THROW(recipe = load_recipe(entry.path().string()));
    EXPECT_NO_THROW(check_recipe(recipe));
    EXPECT_FALSE(recipe.description.empty());
    EXPECT_GT(recipe.source.size(), 20u) << "where its numbers come from";
    EXPECT_GT(recipe.model.classes, 0);
    architectures::BuildOptions options;
    options.in_channels = static_cast<Index>(recipe.model.in_channels);
    options.height = static_cast<Index>(recipe.model.height);
    options.width = static_cast<Index>(recipe.model.width);
    options.stem_stride = static_cast<Index>(recipe.model.stem_stride);
    EXPECT_NO_THROW(architectures::build(recipe.model.name, options));
  }
  std::cout << found << " recipes checked\n";
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace linnet::training
