// Comet (comet.com) as a reader of the record: uploads runs while they are trained or afterwards, or packs them into
// the archive that `comet upload` takes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace linnet::tracking {

enum class CometMode { disabled, offline, online };

/// What Comet's users set with COMET_* and .comet.config. The key goes to the server and nowhere else: it is in no
/// record, archive or message.
struct CometSettings {
  CometMode mode = CometMode::disabled;
  std::string api_key;
  std::string workspace;  ///< empty: the account's own
  std::string project;    ///< empty: "general"
  std::string server = "https://www.comet.com";
  bool check_certificate = true;
  std::string archive_folder = ".cometml-runs";
  std::string registered_model;  ///< the model file is registered under this name; empty: not
};

/// What the command line or a recipe says; empty: nothing.
struct CometChoice {
  std::string mode = {};  ///< "auto" (COMET_START_ONLINE, else disabled), "online", "offline", "disabled"
  std::string workspace = {}, project = {}, registered_model = {};
};

/// `choice` over environment over .comet.config in the working folder over the one in the home folder; COMET_CONFIG
/// names another file or folder. Throws linnet::Error if a value is no good or online has no key.
CometSettings comet_settings(const CometChoice& choice);

/// Writes `<archive_folder>/<key>.zip` with all of a run (name or first digits of its key) that is recorded by now, and
/// returns its path. Throws linnet::Error.
std::string write_comet_archive(const std::string& database, const std::string& run, const CometSettings& settings);

/// How fast requests follow each other. Only tests have reason to change it.
struct CometPace {
  double requests_per_second = 4;  ///< the service takes 15,000 an hour
  double values_per_second = 180;  ///< metrics, parameters, lines of output; it takes 12,000 a minute
  double interval_seconds = 2;     ///< between looks for new values of a run that goes on
  double first_delay_seconds = 1;  ///< before a request is repeated; doubled each time, with jitter
  double longest_delay_seconds = 60;
  double throttled_seconds = 60;  ///< after 429 without Retry-After
  double settle_seconds = 60;     ///< how long what was sent may take to be seen by a reader
};

/// Sends a run to Comet, on a thread of its own, for as long as the run goes on and until all of it has arrived. How
/// far it came is in the record: the next uploader, in this process or another, goes on from there. A request whose
/// answer is lost is repeated only after the server was asked whether it arrived.
class CometUploader {
 public:
  /// `run`: name or first digits of its key. Throws linnet::Error: no such run, or settings that cannot work.
  CometUploader(const std::string& database, const std::string& run, const CometSettings& settings,
                const CometPace& pace = {});
  ~CometUploader();  ///< ends at once
  CometUploader(const CometUploader&) = delete;
  CometUploader& operator=(const CometUploader&) = delete;

  struct Status {
    bool ended = false;                 ///< complete, or given up
    bool complete = false;              ///< the run has ended and all of it is on Comet
    std::string link;                   ///< the page of the run, once it is known
    std::string problem;                ///< why it waits or gave up; empty if all is well
    std::int64_t sent = 0, left = 0;    ///< metrics, by this uploader
    std::vector<std::string> left_out;  ///< files and texts that the service did not take, and why
  };
  Status status() const;
  /// Returns when it has ended, at the latest after so many seconds.
  Status wait(double seconds);

 private:
  class Thread;
  std::unique_ptr<Thread> thread_;
};

}  // namespace linnet::tracking
