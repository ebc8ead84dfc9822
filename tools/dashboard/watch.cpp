#include "watch.h"

#include "linnet/error.h"

namespace linnet::tools {

using namespace std::chrono_literals;

Watch::Watch(const std::string& database) : record_(database), thread_([this] { look(); }) {}

Watch::~Watch() {
  stop();
  thread_.join();
}

void Watch::stop() {
  const std::scoped_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

bool Watch::stopped() {
  const std::scoped_lock lock(mutex_);
  return stopping_;
}

std::int64_t Watch::wait(std::int64_t known, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return changes_ > known || stopping_; });
  return changes_;
}

void Watch::look() {
  std::int64_t version = 0;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    std::int64_t now = version;
    try {
      now = record_.version();
    } catch (const Error&) {  // the next look may succeed
    }
    lock.lock();
    if (now != version) {
      version = now;
      ++changes_;
      changed_.notify_all();
    }
    changed_.wait_for(lock, 500ms, [this] { return stopping_; });
  }
}

}  // namespace linnet::tools
