#include "linnet/tracking/tracker.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <unordered_map>

#include "linnet/error.h"
#include "training/tracking/contents.h"
#include "training/tracking/store.h"
#include "training/tracking/system.h"

namespace linnet::tracking {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto write_interval = 250ms;
constexpr std::size_t largest_queue = 1'000'000, largest_job_queue = 100'000;

}  // namespace

/// The queue and the thread that empties it. What add_*() appends is swapped out under the lock; the disk is touched
/// outside of it.
class Tracker::Writer {
 public:
  Writer(const std::string& path, const RunInfo& info)
      : store_(path, info), key_(store_.key()), path_(path), system_seconds_(info.system_seconds) {
    for (const auto& [name, value] : machine_facts()) facts_.emplace_back(name, value);
    for (const auto& [name, value] : source_version(".")) facts_.emplace_back(name, value);
    add([this](Store& store) {
      for (const auto& [name, value] : facts_) store.text(name, value);
    });
    thread_ = std::thread([this] { work(); });
  }

  bool finish(const std::string& status, const std::string& error) {
    if (!thread_.joinable()) return problem().empty();
    add([status, error](Store& store) { store.status(status, error); });
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    wake_.notify_one();
    thread_.join();
    return problem().empty();
  }

  void add_point(std::string_view name, double value, const Place& place) {
    const std::int64_t time = now_ms();
    const std::lock_guard lock(mutex_);
    if (closing_) return;
    if (points_.size() >= largest_queue) {
      ++dropped_;
      return;
    }
    name_.assign(name).append(1, '\0').append(place.context);
    const auto [at, fresh] = series_.try_emplace(name_, series_.size());
    if (fresh) new_series_.emplace_back(name, place.context);
    points_.push_back({at->second, place.step, place.epoch, time, value});
    step_ = std::max(step_, place.step);
  }

  void add(std::function<void(Store&)> job) {
    const std::lock_guard lock(mutex_);
    if (closing_) return;
    if (jobs_.size() >= largest_job_queue)
      ++dropped_;
    else
      jobs_.push_back(std::move(job));
  }

  std::string problem() const {
    const std::lock_guard lock(mutex_);
    if (dropped_ == 0) return problem_;
    return std::to_string(dropped_) + " values were dropped" + (problem_.empty() ? "" : ": " + problem_);
  }

  const std::string& key() const { return key_; }
  const std::string& path() const { return path_; }

 private:
  using Jobs = std::vector<std::function<void(Store&)>>;
  using Names = std::vector<std::pair<std::string, std::string>>;

  void work() {
    SteadyClock::time_point next_reading = SteadyClock::now();
    bool closing = false;
    while (!closing) {
      if (system_seconds_ > 0 && SteadyClock::now() >= next_reading) {
        read_system();
        next_reading = SteadyClock::now() + std::chrono::duration_cast<SteadyClock::duration>(
                                                std::chrono::duration<double>(system_seconds_));
      }
      {
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, write_interval, [this] { return closing_; });
        closing = closing_;
      }
      write();
    }
  }

  void read_system() {
    std::int64_t step = 0;
    {
      const std::lock_guard lock(mutex_);
      step = step_;
    }
    for (const auto& [name, value] : system_.read()) add_point(name, value, {.step = step});
  }

  // Everything or, on an error, nothing: the rest stays in the queue for the next time.
  void write() {
    {
      const std::lock_guard lock(mutex_);
      points_.swap(writing_points_);
      jobs_.swap(writing_jobs_);
      new_series_.swap(writing_series_);
    }
    const std::size_t known_series = store_.series();
    try {
      Transaction transaction(store_.database());
      store_.heartbeat();
      for (const auto& [name, context] : writing_series_) store_.add_series(name, context);
      store_.add_points(writing_points_);
      for (const auto& job : writing_jobs_) job(store_);
      transaction.commit();
      writing_points_.clear();
      writing_jobs_.clear();
      writing_series_.clear();
      const std::lock_guard lock(mutex_);
      problem_.clear();
    } catch (const std::exception& error) {
      store_.roll_back(known_series);
      const std::lock_guard lock(mutex_);
      problem_ = error.what();
      const auto keep = [](auto& unwritten, auto& queued) {
        unwritten.insert(unwritten.end(), std::make_move_iterator(queued.begin()),
                         std::make_move_iterator(queued.end()));
        queued.clear();
        unwritten.swap(queued);
      };
      keep(writing_points_, points_);
      keep(writing_jobs_, jobs_);
      keep(writing_series_, new_series_);
    }
  }

  Store store_;  // of the thread, once it runs
  const std::string key_, path_;
  const double system_seconds_;
  std::vector<std::pair<std::string, std::string>> facts_;
  SystemMetrics system_;
  std::vector<PointRow> writing_points_;
  Jobs writing_jobs_;
  Names writing_series_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::unordered_map<std::string, std::size_t> series_;
  std::string name_;
  std::vector<PointRow> points_;
  Jobs jobs_;
  Names new_series_;
  std::int64_t step_ = 0;
  std::size_t dropped_ = 0;
  std::string problem_;
  bool closing_ = false;
  std::thread thread_;
};

Tracker::Tracker(const std::string& database, const RunInfo& info)
    : writer_(std::make_unique<Writer>(database, info)) {}

Tracker::~Tracker() { finish("stopped"); }

const std::string& Tracker::key() const { return writer_->key(); }

const std::string& Tracker::database() const { return writer_->path(); }

void Tracker::metric(std::string_view name, double value, const Place& place) {
  writer_->add_point(name, value, place);
}

void Tracker::parameters(const std::string& json_object) {
  writer_->add([values = flattened(json_object)](Store& store) {
    for (const auto& [name, value] : values) store.parameter(name, value);
  });
}

void Tracker::text(const std::string& name, const std::string& value) {
  writer_->add([=](Store& store) { store.text(name, value); });
}

void Tracker::tag(const std::string& name) {
  writer_->add([=](Store& store) { store.tag(name); });
}

void Tracker::output(std::string_view text, bool error) {
  writer_->add([time = now_ms(), error, text = std::string(text)](Store& store) { store.output(time, error, text); });
}

void Tracker::asset(const AssetInfo& info, std::string bytes) {
  writer_->add([info, time = now_ms(), bytes = std::move(bytes)](Store& store) { store.asset(info, time, bytes); });
}

void Tracker::file(const AssetInfo& info, const std::string& path) { asset(info, file_bytes(path)); }

void Tracker::image(const std::string& name, std::string bytes, const Place& place) {
  asset({.kind = "image", .name = name, .step = place.step, .epoch = place.epoch}, std::move(bytes));
}

void Tracker::histogram(const std::string& name, std::span<const float> values, const Place& place) {
  asset({.kind = "histogram", .name = name, .step = place.step, .epoch = place.epoch}, histogram_json(values));
}

void Tracker::confusion_matrix(const std::vector<std::vector<std::int64_t>>& counts,
                               const std::vector<std::string>& labels, const Place& place) {
  asset({.kind = "confusion-matrix", .name = "confusion-matrix.json", .step = place.step, .epoch = place.epoch},
        confusion_json(counts, labels));
}

bool Tracker::finish(const std::string& status, const std::string& error) { return writer_->finish(status, error); }

std::string Tracker::problem() const { return writer_->problem(); }

}  // namespace linnet::tracking
