// train_cli: trains a network by a recipe, into a folder.
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "linnet/error.h"
#include "linnet/training/dry_run.h"
#include "linnet/training/progress.h"
#include "linnet/training/recipe.h"
#include "linnet/training/trainer.h"
#include "tools/train_cli/run_record.h"

namespace {

using namespace linnet::training;

constexpr int exit_done = 0, exit_failed = 1, exit_wrong_use = 2, exit_time_over = 124, exit_interrupted = 130;

std::atomic<int> caught_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

// The first signal ends the run after a checkpoint; a second one ends the process.
void catch_signals() {
  struct sigaction action {};
  action.sa_handler = [](int signal) { caught_signal = signal; };
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a closed pager ends the output, not the run
}

struct Arguments {
  std::string recipe_path, out, time_limit;
  bool resume = false, force = false, dry_run = false;
  std::map<std::string, std::string> fields;
};

int fail(const std::string& message, int code) {
  std::fprintf(stderr, "train_cli: %s\n", message.c_str());
  return code;
}

/// "90", "90s", "15m", "2h30m", "1d12h" in seconds.
double seconds_of(const std::string& text) {
  constexpr std::pair<char, double> units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  double seconds = 0;
  const char* at = text.c_str();
  while (*at != '\0') {
    char* end = nullptr;
    const double number = std::strtod(at, &end);
    if (end == at || !(number >= 0 && number < 1e9)) break;
    const auto* unit =
        std::find_if(std::begin(units), std::end(units), [end](const auto& u) { return u.first == *end; });
    if (unit == std::end(units) && *end != '\0') break;
    seconds += number * (unit == std::end(units) ? 1 : unit->second);
    at = end + (*end != '\0');
  }
  if (*at != '\0' || !(seconds > 0))
    throw linnet::Error("--time-limit must be a time like 3600, 90m or 2h30m, found '" + text + "'");
  return seconds;
}

std::string changeable_fields() {
  std::string names;
  for (const RecipeField& field : recipe_fields())
    if (field.may_change) names += (names.empty() ? "" : ", ") + field.name;
  return names;
}

void add_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--recipe", arguments.recipe_path, "Recipe to train by, a JSON file")->required();
  app.add_option("--out", arguments.out, "Folder of the run: model, checkpoint, metrics, recipe");
  app.add_flag("--resume", arguments.resume, "Go on from the last checkpoint in the folder, if there is one");
  app.add_flag("--force", arguments.force, "Remove the run that the folder holds and begin anew");
  app.add_option("--time-limit", arguments.time_limit,
                 "End after so long, with a checkpoint to go on from: seconds, or 90m, 2h30m, 1d");
  app.add_flag("--dry-run", arguments.dry_run,
               "Show the whole recipe, shapes, memory and time after a few trial steps; write nothing");
  constexpr std::pair<const char*, const char*> short_names[] = {
      {"data.subset", "--subset"}, {"data.val_split", "--val-split"}, {"data.folds", "--folds"},
      {"data.fold", "--fold"},     {"finetune.weights", "--weights"}, {"finetune.freeze", "--freeze"},
      {"comet.mode", "--comet"},
  };
  const auto names_of = [&short_names](const std::string& field) {
    for (const auto& [name, short_name] : short_names)
      if (field == name) return short_name + (",--" + field);
    return "--" + field;
  };
  for (const RecipeField& field : recipe_fields())
    app.add_option(names_of(field.name), arguments.fields[field.name], field.help + " [" + field.fallback + "]")
        ->type_name("")
        ->group("Fields of the recipe [default]");
  app.footer(
      "Exit codes: 0 done, 1 failed, 2 wrong use, 124 the time limit is reached, 130 interrupted or terminated;\n"
      "after the last two --resume goes on. When a run is resumed, only these may change: " +
      changeable_fields() + ".");
  app.get_formatter()->column_width(40);
  app.allow_extras();
}

Recipe read_recipe(const CLI::App& app, const Arguments& arguments) {
  for (const std::string& extra : app.remaining()) {
    if (!extra.starts_with("--")) throw linnet::Error("'" + extra + "' was not expected");
    Recipe ignored;
    set_recipe_field(ignored, extra.substr(2, extra.find('=') - 2), "");  // an error that names the nearest field
  }
  Recipe recipe = load_recipe(arguments.recipe_path);
  for (const auto& [name, value] : arguments.fields)
    if (app.count("--" + name) > 0) set_recipe_field(recipe, name, value);
  check_recipe(recipe);
  return recipe;
}

void prepare_folder(const Arguments& arguments, const Recipe& recipe) {
  if (!holds_run(arguments.out)) return;
  const std::string old_recipe = arguments.out + "/recipe.json";
  if (arguments.resume) {
    if (std::filesystem::exists(old_recipe)) check_resumable(load_recipe(old_recipe), recipe);
  } else if (arguments.force) {
    remove_run(arguments.out);
  } else {
    throw linnet::Error(arguments.out + " holds a run already: --resume goes on with it, --force removes it");
  }
}

ProgressOptions progress_options() {
  ProgressOptions options;
  options.terminal = isatty(STDOUT_FILENO) != 0;
  winsize size{};
  if (options.terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    options.columns = size.ws_col;
  return options;
}

int run(const Recipe& recipe, const Arguments& arguments) {
  Progress progress(progress_options(), [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  });
  RunOptions options;
  options.folder = arguments.out;
  options.resume = arguments.resume;
  options.stop_requested = [] { return caught_signal != 0; };
  if (!arguments.time_limit.empty()) options.time_limit = seconds_of(arguments.time_limit);
  linnet::tools::RunRecord record(recipe, options, progress);
  try {
    const RunResult result = train(recipe, options, record.observer());
    progress.finish();
    record.finish(result);
    if (result.time_over && caught_signal == 0) {
      std::fprintf(stderr, "train_cli: the time limit is reached after step %lld; --resume goes on from there\n",
                   static_cast<long long>(result.step));
      return exit_time_over;
    }
    if (result.interrupted) {
      std::fprintf(stderr, "train_cli: interrupted after step %lld; --resume goes on from there\n",
                   static_cast<long long>(result.step));
      return exit_interrupted;
    }
    if (result.stopped_early)
      std::printf("stopped early, after step %lld: no better validation for %lld in a row\n",
                  static_cast<long long>(result.step), static_cast<long long>(recipe.patience));
    std::printf("top-1 %.2f %%, model in %s/model.safetensors\n", 100 * result.best, arguments.out.c_str());
    return exit_done;
  } catch (const std::exception& error) {
    progress.finish();
    record.fail(error.what());
    throw;
  }
}

}  // namespace

int main(int count, char** values) {
  CLI::App app("Trains a network by a recipe. Every field of the recipe can be set by a flag of its name.",
               "train_cli");
  Arguments arguments;
  Recipe recipe;
  try {
    add_options(app, arguments);
    app.parse(count, values);
    recipe = read_recipe(app, arguments);
    if (!arguments.time_limit.empty()) seconds_of(arguments.time_limit);
    if (!arguments.dry_run) {
      if (arguments.out.empty()) throw linnet::Error("--out is required: the folder of the run");
      prepare_folder(arguments, recipe);
    }
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return exit_done;
  } catch (const std::exception& error) {
    return fail(error.what(), exit_wrong_use);
  }
  try {
    if (arguments.dry_run) {
      std::fputs(to_text(dry_run(recipe)).c_str(), stdout);
      return exit_done;
    }
    catch_signals();
    return run(recipe, arguments);
  } catch (const std::exception& error) {
    return fail(error.what(), exit_failed);
  }
}
