#include "tools/train_cli/run_record.h"

#include <cstdio>
#include <filesystem>

namespace linnet::tools {
namespace {

namespace fs = std::filesystem;

constexpr double seconds_for_comet = 30;  // after the run, for what is not there yet

std::string database_of(const training::Recipe& recipe, const std::string& folder) {
  if (recipe.tracking.database != "auto") return recipe.tracking.database;
  fs::path absolute = fs::absolute(folder).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // "runs/first/"
  return (absolute.parent_path() / "linnet.db").string();
}

void warn(const std::string& text) { std::fprintf(stderr, "train_cli: warning: %s\n", text.c_str()); }

}  // namespace

RunRecord::RunRecord(const training::Recipe& recipe, const training::RunOptions& options,
                     training::RunObserver& progress)
    : progress_(progress), folder_(options.folder) {
  if (recipe.tracking.database == "none") return;
  const std::string database = database_of(recipe, folder_);
  try {
    const fs::path parent = fs::path(database).parent_path();
    if (!parent.empty()) fs::create_directories(parent);
    tracker_ = std::make_unique<tracking::Tracker>(
        database, tracking::RunInfo{.name = recipe.tracking.name, .folder = folder_, .resume = options.resume});
    for (const std::string& tag : recipe.tracking.tags) tracker_->tag(tag);
    observer_ = std::make_unique<tracking::TrackingObserver>(*tracker_, progress_);
  } catch (const std::exception& error) {
    tracker_.reset();
    warn("this run is not recorded: " + std::string(error.what()));
    return;
  }
  begin_comet(recipe);
}

void RunRecord::begin_comet(const training::Recipe& recipe) {
  try {
    comet_ = tracking::comet_settings({.mode = recipe.comet.mode,
                                       .workspace = recipe.comet.workspace,
                                       .project = recipe.comet.project,
                                       .registered_model = recipe.comet.model});
    if (comet_.mode == tracking::CometMode::online)
      uploader_ = std::make_unique<tracking::CometUploader>(tracker_->database(), tracker_->key(), comet_);
  } catch (const std::exception& error) {
    comet_.mode = tracking::CometMode::disabled;
    warn("this run does not go to Comet: " + std::string(error.what()));
  }
}

training::RunObserver& RunRecord::observer() {
  if (observer_) return *observer_;
  return progress_;
}

void RunRecord::finish(const training::RunResult& result) {
  if (!tracker_) return;
  const std::string model = folder_ + "/model.safetensors";
  std::error_code missing;
  const auto bytes = fs::file_size(model, missing);
  if (!result.interrupted && !missing) {
    const tracking::Place place{.step = result.step, .context = "model"};
    tracker_->metric("top1", result.best, place);
    tracker_->metric("bytes", static_cast<double>(bytes), place);
    try {
      tracker_->file({.kind = "model", .name = "model.safetensors", .step = result.step}, model);
    } catch (const std::exception& error) {
      warn(error.what());
    }
  }
  end(result.interrupted ? "stopped" : "finished", "");
}

void RunRecord::fail(const std::string& error) {
  if (tracker_) end("failed", error);
}

void RunRecord::end(const std::string& status, const std::string& error) {
  if (!tracker_->finish(status, error)) warn("the record of this run is incomplete: " + tracker_->problem());
  try {
    end_comet();
  } catch (const std::exception& problem) {
    warn("this run does not go to Comet: " + std::string(problem.what()));
  }
}

void RunRecord::end_comet() {
  if (comet_.mode == tracking::CometMode::offline) {
    const std::string path = tracking::write_comet_archive(tracker_->database(), tracker_->key(), comet_);
    std::printf("for Comet: comet upload %s\n", path.c_str());
  }
  if (!uploader_) return;
  const tracking::CometUploader::Status status = uploader_->wait(seconds_for_comet);
  for (const std::string& problem : status.left_out) warn("Comet did not take something: " + problem);
  if (!status.link.empty()) std::printf("on Comet: %s\n", status.link.c_str());
  if (!status.complete)
    warn("not all of this run is on Comet" + (status.problem.empty() ? "" : " (" + status.problem + ")") +
         "; the rest goes there with: linnet runs upload " + tracker_->key().substr(0, 8) + " --db " +
         tracker_->database());
}

}  // namespace linnet::tools
