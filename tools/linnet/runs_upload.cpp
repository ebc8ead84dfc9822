#include "runs_upload.h"

#include <unistd.h>

#include <cstdio>

#include "commands.h"
#include "linnet/error.h"
#include "linnet/tracking/record.h"

namespace linnet::tools {
namespace {

using tracking::CometUploader;

/// What is done on a line that is redrawn, on a terminal; problems on lines of their own.
class UploadProgress {
 public:
  explicit UploadProgress(std::string name) : name_(std::move(name)) {}
  void show(const CometUploader::Status& status) {
    if (status.problem != problem_ && !status.problem.empty())
      std::fprintf(stderr, "%slinnet: %s waits: %s\n", clear_, name_.c_str(), status.problem.c_str());
    problem_ = status.problem;
    if (*clear_ != '\0')
      std::fprintf(stderr, "%s%s: %lld metrics sent, %lld left", clear_, name_.c_str(),
                   static_cast<long long>(status.sent), static_cast<long long>(status.left));
  }
  void end(const CometUploader::Status& status) {
    std::fputs(clear_, stderr);
    for (const std::string& problem : status.left_out)
      std::fprintf(stderr, "linnet: %s: Comet did not take something: %s\n", name_.c_str(), problem.c_str());
    if (status.complete)
      std::printf("%s: %s\n", name_.c_str(), status.link.c_str());
    else
      std::fprintf(stderr, "linnet: %s: %s\n", name_.c_str(), status.problem.c_str());
  }

 private:
  const std::string name_;
  const char* const clear_ = isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "";
  std::string problem_;
};

bool upload(const UploadOptions& options, const tracking::CometSettings& settings, const tracking::Run& run) {
  CometUploader uploader(options.database, run.key, settings);
  UploadProgress progress(run.name);
  CometUploader::Status status;
  while (!(status = uploader.wait(0.5)).ended) progress.show(status);
  progress.end(status);
  return status.complete;
}

}  // namespace

void upload_runs(const UploadOptions& options) {
  tracking::CometChoice choice = options.comet;
  choice.mode = options.offline ? "offline" : "online";
  const tracking::CometSettings settings = tracking::comet_settings(choice);
  std::vector<tracking::Run> runs;
  for (const std::string& name : options.runs) runs.push_back(tracking::Record(options.database).run(name));
  bool complete = true;
  for (const tracking::Run& run : runs) {
    if (options.offline)
      std::printf("%s\n", tracking::write_comet_archive(options.database, run.key, settings).c_str());
    else
      complete = upload(options, settings, run) && complete;
  }
  if (!complete) throw Failed();
}

}  // namespace linnet::tools
