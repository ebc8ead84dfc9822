// Reads the record of runs, and changes what may be changed afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "linnet/tracking/asset.h"

namespace linnet::tracking {

struct SeriesSummary {
  std::int64_t id = 0;
  std::string name, context;
  std::int64_t count = 0, last_step = -1;
  double last = 0;                   ///< NaN if it is one
  double smallest = 0, largest = 0;  ///< of the finite values; NaN if there are none

  /// "train/loss"; without context the plain name.
  std::string label() const { return context.empty() ? name : context + "/" + name; }
};

struct Point {
  std::int64_t place = 0;  ///< 1, 2, ... within its series
  std::int64_t step = 0;
  std::optional<std::int64_t> epoch;
  std::int64_t time = 0;  ///< milliseconds since 1970 UTC
  double value = 0;
};

struct Run {
  std::int64_t id = 0;
  std::string key, name, kind, folder;
  std::string status;  ///< running, finished, failed, stopped; lost: running, but not heard of for a minute
  std::string error;
  std::int64_t started = 0, heartbeat = 0;  ///< milliseconds since 1970 UTC
  std::optional<std::int64_t> ended;
  std::map<std::string, std::string> parameters = {};  ///< values are JSON
  std::map<std::string, std::string> texts = {};
  std::vector<std::string> tags = {};
  std::vector<SeriesSummary> series = {};

  const SeriesSummary* find_series(const std::string& label) const;
};

struct Asset {
  std::int64_t id = 0;
  std::string kind, name;
  std::optional<std::int64_t> step, epoch;
  std::int64_t time = 0, bytes = 0;
  std::string hash, metadata;
};

struct OutputLine {
  std::int64_t id = 0, time = 0;
  bool error = false;
  std::string text;
};

enum class RecordAccess { read, write };

/// Which runs, and how much of them.
struct RunSelection {
  std::int64_t heard_since = 0;         ///< ms since 1970 UTC: only runs that have written something since then ...
  std::int64_t after = 0;               ///< ... or whose id is greater than this, if heard_since is given
  std::size_t longest_text = SIZE_MAX;  ///< longer texts are left out: the layers of a network, say
};

class Record {
 public:
  /// Throws linnet::Error that names the file if it is not there or no record.
  explicit Record(const std::string& path, RecordAccess access = RecordAccess::read);
  ~Record();

  const std::string& path() const;

  /// All runs or some of them, the newest first.
  std::vector<Run> runs(const RunSelection& selection = {}) const;
  /// The newest first.
  std::vector<std::int64_t> run_ids() const;
  /// The run whose key begins so, or the newest of this name. Throws linnet::Error if there is none or several.
  Run run(const std::string& key_or_name) const;
  std::optional<Run> run(std::int64_t id) const;

  /// Points behind `after`, in the order in which they were logged, at most `limit` of them.
  std::vector<Point> points(std::int64_t series, std::int64_t after = 0, std::int64_t limit = INT64_MAX) const;
  /// The same one by one, all of them.
  void each_point(std::int64_t series, std::int64_t after, const std::function<void(const Point&)>& take) const;
  /// Points behind `after`: how many there are.
  std::int64_t point_count(std::int64_t series, std::int64_t after) const;
  std::vector<Asset> assets(std::int64_t run, std::int64_t after = 0) const;
  std::optional<Asset> asset(std::int64_t id) const;
  std::string bytes(const Asset& asset) const;
  /// The lines behind `after`, the last `limit` of them.
  std::vector<OutputLine> output(std::int64_t run, std::int64_t after = 0, std::int64_t limit = INT64_MAX) const;

  /// A number that changes when another connection wrote something.
  std::int64_t version() const;

  void remove(std::int64_t run);  ///< with all that no other run needs
  void add_tag(std::int64_t run, const std::string& tag);
  void remove_tag(std::int64_t run, const std::string& tag);
  /// Throws linnet::Error that names the file if it cannot be read.
  void attach(std::int64_t run, const AssetInfo& info, const std::string& path);

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

/// The record that programs use unless told otherwise: $LINNET_TRACKING, else runs/linnet.db.
std::string default_database();

}  // namespace linnet::tracking
