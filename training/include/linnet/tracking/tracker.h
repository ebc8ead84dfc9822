// Writes one run into the record: a local SQLite file that any number of runs and processes share.
//
// Every call but the constructor and finish() puts its values into a queue and returns; a thread of the tracker's own
// writes them, four times a second, in one transaction. A process that is killed loses at most the last second. A full
// disk or a locked file never stops the caller: see problem().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "linnet/tracking/asset.h"

namespace linnet::tracking {

struct RunInfo {
  std::string name = {};          ///< for people; empty: the last part of `folder`, else the first digits of the key
  std::string kind = "training";  ///< "training", "benchmark"
  std::string folder = {};        ///< where its files lie; may be empty
  bool resume = false;            ///< go on with the last run of the same kind and folder, if there is one
  double system_seconds = 10;     ///< between two readings of processor, memory, temperature and clock; 0: none
};

/// Where in a run a value belongs. The time is that of the call.
struct Place {
  std::int64_t step = 0;
  std::optional<std::int64_t> epoch = std::nullopt;
  std::string_view context = {};  ///< "train", "validate"; empty: none
};

class Tracker {
 public:
  /// Opens or makes the file and begins the run. Throws linnet::Error that names the file.
  Tracker(const std::string& database, const RunInfo& info);
  /// A run that was not finished is "stopped".
  ~Tracker();
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;

  const std::string& key() const;       ///< 32 hexadecimal digits, the same on Comet
  const std::string& database() const;  ///< the file

  /// A point of a curve. A few hundred nanoseconds; never waits for the disk. NaN and infinities are kept. In a resumed
  /// run, points up to the last step that is recorded are left out: the same steps give the same values again.
  void metric(std::string_view name, double value, const Place& place);

  /// The members of a JSON object, {"lr": 0.1, "model": {"name": "x"}} as "lr" and "model.name". Later values replace.
  void parameters(const std::string& json_object);
  /// A named text: a note, a fact about the machine.
  void text(const std::string& name, const std::string& value);
  void tag(const std::string& name);
  /// Lines that the program printed.
  void output(std::string_view text, bool error = false);

  void asset(const AssetInfo& info, std::string bytes);
  /// Reads the file now. Throws linnet::Error that names it.
  void file(const AssetInfo& info, const std::string& path);
  /// PNG or JPEG bytes.
  void image(const std::string& name, std::string bytes, const Place& place);
  /// How values are distributed, for example those of a weight. Bins grow by a tenth away from 0.
  void histogram(const std::string& name, std::span<const float> values, const Place& place);
  /// `counts[true class][predicted class]`, square. Throws linnet::Error if it is not, or if labels do not fit.
  void confusion_matrix(const std::vector<std::vector<std::int64_t>>& counts, const std::vector<std::string>& labels,
                        const Place& place);

  /// Ends the run, "finished", "failed" or "stopped", and returns when everything is written. Nothing is recorded
  /// afterwards. False if something could not be written: see problem().
  bool finish(const std::string& status, const std::string& error = "");

  /// Why values are not written now or were dropped (a queue holds a million of them); empty if all is well.
  std::string problem() const;

 private:
  class Writer;
  std::unique_ptr<Writer> writer_;
};

}  // namespace linnet::tracking
