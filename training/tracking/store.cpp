#include "training/tracking/store.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <random>

#include "training/tracking/sha256.h"

namespace linnet::tracking {

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string random_key() {
  std::random_device random;
  std::string key;
  for (int i = 0; i < 32; ++i) key += "0123456789abcdef"[random() % 16];
  return key;
}

Store::Store(const std::string& path, const RunInfo& info) : database_(path, Database::Access::create) {
  Transaction transaction(database_);
  begin_run(info);
  transaction.commit();
}

void Store::begin_run(const RunInfo& info) {
  const std::filesystem::path folder = info.folder.empty() ? "" : std::filesystem::absolute(info.folder);
  const std::string place = folder.lexically_normal().string();
  if (info.resume && !place.empty()) {
    Statement last(database_, "SELECT id, key FROM runs WHERE folder = ? AND kind = ? ORDER BY id DESC LIMIT 1");
    if (last.bind(place, info.kind).step()) {
      run_ = last.integer(0);
      key_ = last.text(1);
    }
  }
  if (run_ != 0) {
    Statement(database_, "UPDATE runs SET status = 'running', error = '', ended = NULL, heartbeat = ? WHERE id = ?")
        .bind(now_ms(), run_)
        .run();
    return;
  }
  key_ = random_key();
  std::string name = info.name;
  if (name.empty()) name = folder.empty() ? key_.substr(0, 8) : folder.lexically_normal().filename().string();
  Statement(database_,
            "INSERT INTO runs (key, name, kind, folder, status, started, heartbeat) "
            "VALUES (?, ?, ?, ?, 'running', ?, ?)")
      .bind(key_, name, info.kind, place, now_ms(), now_ms())
      .run();
  run_ = database_.last_row();
}

void Store::add_series(const std::string& name, const std::string& context) {
  Statement(database_, "INSERT OR IGNORE INTO series (run, name, context) VALUES (?, ?, ?)")
      .bind(run_, name, context)
      .run();
  Series& series = series_.emplace_back(Series{.name = name, .context = context});
  load(series);
  series.resumed_at = series.last_step;
}

void Store::load(Series& series) {
  Statement row(database_,
                "SELECT id, count, last_step, last, smallest, largest FROM series "
                "WHERE run = ? AND name = ? AND context = ?");
  if (!row.bind(run_, series.name, series.context).step()) return;
  series.id = row.integer(0);
  series.count = row.integer(1);
  series.last_step = row.integer(2);
  series.last = row.real(3);
  series.bounded = !row.null(4);
  series.smallest = row.real(4);
  series.largest = row.real(5);
  series.changed = false;
}

void Store::roll_back(std::size_t series) {
  series_.resize(series);
  stale_ = true;
}

void Store::add_points(std::span<const PointRow> points) {
  if (stale_)
    for (Series& series : series_) load(series);
  stale_ = false;
  Statement insert(database_, "INSERT INTO points (series, place, step, epoch, time, value) VALUES (?, ?, ?, ?, ?, ?)");
  for (const PointRow& point : points) {
    Series& series = series_[point.series];
    if (point.step <= series.resumed_at) continue;
    insert.bind(series.id, ++series.count, point.step, point.epoch, point.time, point.value).run();
    series.last = point.value;
    series.last_step = std::max(series.last_step, point.step);
    if (std::isfinite(point.value)) {
      series.smallest = series.bounded ? std::min(series.smallest, point.value) : point.value;
      series.largest = series.bounded ? std::max(series.largest, point.value) : point.value;
      series.bounded = true;
    }
    series.changed = true;
  }
  Statement update(database_,
                   "UPDATE series SET count = ?, last_step = ?, last = ?, smallest = ?, largest = ? WHERE id = ?");
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  for (Series& series : series_) {
    if (!series.changed) continue;
    update
        .bind(series.count, series.last_step, series.last, series.bounded ? series.smallest : none,
              series.bounded ? series.largest : none, series.id)
        .run();
    series.changed = false;
  }
}

// A new value gets a new id: whoever reads by id sees the change. The same value again changes nothing.
void Store::parameter(const std::string& name, const std::string& json) {
  Statement known(database_, "SELECT 1 FROM parameters WHERE run = ? AND name = ? AND value = ?");
  if (known.bind(run_, name, json).step()) return;
  Statement(database_, "INSERT OR REPLACE INTO parameters (run, name, value) VALUES (?, ?, ?)")
      .bind(run_, name, json)
      .run();
}

void Store::text(const std::string& name, const std::string& value) {
  Statement known(database_, "SELECT 1 FROM texts WHERE run = ? AND name = ? AND value = ?");
  if (known.bind(run_, name, value).step()) return;
  Statement(database_, "INSERT OR REPLACE INTO texts (run, name, value) VALUES (?, ?, ?)")
      .bind(run_, name, value)
      .run();
}

void Store::tag(const std::string& name) {
  Statement(database_, "INSERT OR IGNORE INTO tags (run, name) VALUES (?, ?)").bind(run_, name).run();
}

void Store::output(std::int64_t time, bool error, const std::string& text) {
  Statement(database_, "INSERT INTO output (run, time, error, text) VALUES (?, ?, ?, ?)")
      .bind(run_, time, error, text)
      .run();
}

void add_asset(Database& database, std::int64_t run, const AssetInfo& info, std::int64_t time,
               const std::string& bytes) {
  const std::string hash = Sha256::hex({bytes.begin(), bytes.end()});
  Statement known(database, "SELECT 1 FROM assets WHERE run = ? AND kind = ? AND name = ? AND step IS ? AND hash = ?");
  if (known.bind(run, info.kind, info.name, info.step, hash).step()) return;
  Statement(database, "INSERT OR IGNORE INTO blobs (hash, bytes) VALUES (?, ?)")
      .bind(hash, Statement::Blob{bytes})
      .run();
  Statement(database,
            "INSERT INTO assets (run, kind, name, step, epoch, time, hash, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(run, info.kind, info.name, info.step, info.epoch, time, hash, info.metadata)
      .run();
}

void Store::asset(const AssetInfo& info, std::int64_t time, const std::string& bytes) {
  add_asset(database_, run_, info, time, bytes);
}

void Store::heartbeat() {
  Statement(database_, "UPDATE runs SET heartbeat = ? WHERE id = ?").bind(now_ms(), run_).run();
}

void Store::status(const std::string& status, const std::string& error) {
  Statement(database_, "UPDATE runs SET status = ?, error = ?, ended = ?, heartbeat = ? WHERE id = ?")
      .bind(status, error, now_ms(), now_ms(), run_)
      .run();
}

void Store::finish_at(std::int64_t began, std::int64_t ended) {
  Statement(database_, "UPDATE runs SET status = 'finished', started = ?, ended = ?, heartbeat = ? WHERE id = ?")
      .bind(began, ended, ended, run_)
      .run();
}

}  // namespace linnet::tracking
