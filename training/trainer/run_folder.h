// The files of a run.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "linnet/training/recipe.h"

namespace linnet::training {

class RunFolder {
 public:
  /// Makes the folder if need be and removes what an interrupted write left there. Throws linnet::Error.
  explicit RunFolder(std::string path);

  std::string recipe() const { return path_ + "/recipe.json"; }
  std::string metrics() const { return path_ + "/metrics.jsonl"; }
  std::string checkpoint() const { return path_ + "/checkpoint.safetensors"; }
  std::string classes() const { return path_ + "/classes.json"; }
  std::string model() const { return path_ + "/model.safetensors"; }
  std::string checkpoint_of_epoch(Integer epoch) const;
  bool has_checkpoint() const;
  /// Removes checkpoints of epochs other than these.
  void keep_only(const std::vector<Integer>& epochs) const;

 private:
  std::string path_;
};

/// metrics.jsonl.
class MetricsLog {
 public:
  /// Keeps the first `size` bytes of the file and drops the rest. Throws linnet::Error if it has fewer.
  MetricsLog(std::string path, Integer size);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  /// Appends a line. Throws linnet::Error that names the file and the reason.
  void write(const nlohmann::ordered_json& line);
  /// Waits until all lines are on the disk.
  void sync();
  Integer size() const { return size_; }

 private:
  std::string path_;
  int descriptor_;
  Integer size_;
};

}  // namespace linnet::training
