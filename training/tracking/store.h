// The writing side of the record, for one run. Used by one thread; each call belongs to the caller's transaction.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "linnet/tracking/tracker.h"
#include "training/tracking/database.h"

namespace linnet::tracking {

/// Milliseconds since 1970 UTC.
std::int64_t now_ms();

/// 32 random hexadecimal digits.
std::string random_key();

struct PointRow {
  std::size_t series = 0;  ///< index into the names that the tracker handed out
  std::int64_t step = 0;
  std::optional<std::int64_t> epoch;
  std::int64_t time = 0;
  double value = 0;
};

/// The same file a second time, as a resumed run makes it, changes nothing.
void add_asset(Database& database, std::int64_t run, const AssetInfo& info, std::int64_t time,
               const std::string& bytes);

class Store {
 public:
  Store(const std::string& path, const RunInfo& info);

  Database& database() { return database_; }
  const std::string& key() const { return key_; }

  /// Makes the next series known: names are given indices 0, 1, ... in the order of these calls.
  void add_series(const std::string& name, const std::string& context);
  void add_points(std::span<const PointRow> points);
  void parameter(const std::string& name, const std::string& json);
  void text(const std::string& name, const std::string& value);
  void tag(const std::string& name);
  void output(std::int64_t time, bool error, const std::string& text);
  void asset(const AssetInfo& info, std::int64_t time, const std::string& bytes);
  void heartbeat();
  void status(const std::string& status, const std::string& error);
  /// Of a run that took place before: "finished", between these times.
  void finish_at(std::int64_t began, std::int64_t ended);

  std::size_t series() const { return series_.size(); }
  /// After a transaction that was rolled back: keeps the first `series` and reads their counts again when next used.
  void roll_back(std::size_t series);

 private:
  struct Series {
    std::string name, context;
    std::int64_t id = 0, count = 0, last_step = -1;
    std::int64_t resumed_at = -1;  ///< points up to this step were recorded before the run was resumed
    double last = 0, smallest = 0, largest = 0;
    bool bounded = false;  ///< smallest and largest are set
    bool changed = false;
  };
  void begin_run(const RunInfo& info);
  void load(Series& series);

  Database database_;
  std::int64_t run_ = 0;
  std::string key_;
  std::vector<Series> series_;
  bool stale_ = false;
};

}  // namespace linnet::tracking
