// The thread of an uploader.
#include <thread>

#include "linnet/error.h"
#include "linnet/tracking/comet.h"
#include "training/tracking/comet/upload.h"

namespace linnet::tracking {

class CometUploader::Thread {
 public:
  Thread(const std::string& database, const std::string& run, const CometSettings& settings, const CometPace& pace)
      : client_(settings),
        upload_(database, Record(database).run(run), settings, pace, client_, sleeper_,
                [this](const comet::Progress& progress) { take(progress); }),
        thread_([this] { work(); }) {}

  ~Thread() {
    sleeper_.stop();
    while (!wait(0.05).ended) client_.stop();
    thread_.join();
  }

  Status status() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

  Status wait(double seconds) {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return status_.ended; });
    return status_;
  }

 private:
  void work() {
    bool complete = false;
    std::string problem;
    try {
      upload_.work();
      complete = true;
    } catch (const comet::Stopped&) {
      problem = status().problem;
    } catch (const std::exception& error) {
      problem = error.what();
    }
    {
      const std::lock_guard lock(mutex_);
      status_.ended = true;
      status_.complete = complete;
      status_.problem = problem;
    }
    ended_.notify_all();
  }

  void take(const comet::Progress& progress) {
    const std::lock_guard lock(mutex_);
    status_.link = progress.link;
    status_.problem = progress.problem;
    status_.sent = progress.sent;
    status_.left = progress.left;
    status_.left_out = progress.left_out;
  }

  mutable std::mutex mutex_;  // guards status_
  std::condition_variable ended_;
  Status status_;
  comet::Sleeper sleeper_;
  comet::Client client_;
  comet::Upload upload_;  // of the thread
  std::thread thread_;
};

CometUploader::CometUploader(const std::string& database, const std::string& run, const CometSettings& settings,
                             const CometPace& pace)
    : thread_(std::make_unique<Thread>(database, run, settings, pace)) {}

CometUploader::~CometUploader() = default;

CometUploader::Status CometUploader::status() const { return thread_->status(); }

CometUploader::Status CometUploader::wait(double seconds) { return thread_->wait(seconds); }

}  // namespace linnet::tracking
