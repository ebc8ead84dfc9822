// The results for people at a terminal.
#pragma once

#include <string>
#include <vector>

#include "benches/bench_models/measure.h"

namespace linnet::bench {

class Table {
 public:
  /// @param names that will stand in the first column
  explicit Table(const std::vector<std::string>& names);

  std::string head() const;
  /// The row, and below it what makes it doubtful, its accuracy and its curve over time.
  std::string line(const Row& row) const;
  /// Runs and their spread, loading, first run and memory: a table of its own.
  std::string details(const std::vector<Row>& rows) const;

 private:
  std::string names_head() const;
  std::string names(const Row& row) const;

  int name_width_;
};

}  // namespace linnet::bench
