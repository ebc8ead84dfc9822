// A run of train_cli in the record of runs, and on Comet if that is asked for. What goes wrong there is said on stderr
// and never ends the run.
#pragma once

#include <memory>
#include <string>

#include "linnet/tracking/comet.h"
#include "linnet/tracking/observer.h"
#include "linnet/tracking/tracker.h"
#include "linnet/training/recipe.h"
#include "linnet/training/trainer.h"

namespace linnet::tools {

class RunRecord {
 public:
  RunRecord(const training::Recipe& recipe, const training::RunOptions& options, training::RunObserver& progress);

  /// What the run is to be watched by; passes everything on to `progress`.
  training::RunObserver& observer();
  void finish(const training::RunResult& result);
  void fail(const std::string& error);

 private:
  void begin_comet(const training::Recipe& recipe);
  void end(const std::string& status, const std::string& error);
  void end_comet();

  training::RunObserver& progress_;
  const std::string folder_;
  std::unique_ptr<tracking::Tracker> tracker_;  ///< null: nothing is recorded
  std::unique_ptr<tracking::TrackingObserver> observer_;
  tracking::CometSettings comet_;
  std::unique_ptr<tracking::CometUploader> uploader_;  ///< null: nothing goes to Comet while the run goes on
};

}  // namespace linnet::tools
