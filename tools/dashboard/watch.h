// Notices that somebody has written into the record.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "linnet/tracking/record.h"

namespace linnet::tools {

class Watch {
 public:
  explicit Watch(const std::string& database);
  ~Watch();

  /// How often something was written; returns as soon as that is more than `known`, at the latest after `patience`.
  std::int64_t wait(std::int64_t known, std::chrono::milliseconds patience);
  bool stopped();
  /// Every wait() returns at once.
  void stop();

 private:
  void look();

  tracking::Record record_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t changes_ = 1;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace linnet::tools
