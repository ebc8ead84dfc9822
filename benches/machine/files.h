// The files that describe a machine, below a root folder: "" for this machine, a made-up tree in tests.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace linnet::bench {

class SystemFiles {
 public:
  explicit SystemFiles(std::string root = "") : root_(std::move(root)) {}

  const std::string& root() const { return root_; }
  bool exists(const std::string& path) const;
  /// All of a file, or nothing if it is missing or may not be read.
  std::optional<std::string> text(const std::string& path) const;
  /// Its first line without blanks and zero bytes at the end.
  std::optional<std::string> line(const std::string& path) const;
  /// The number that it begins with; nothing if it does not begin with one.
  std::optional<double> number(const std::string& path) const;
  /// The paths of a folder's entries whose names begin with `prefix`, "cpu2" before "cpu10".
  std::vector<std::string> list(const std::string& folder, const std::string& prefix = "") const;

 private:
  std::string root_;
};

}  // namespace linnet::bench
