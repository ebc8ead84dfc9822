#include <iomanip>
#include <sstream>

#include "benches/bench_models/formats.h"

namespace linnet::bench {
namespace {

std::string or_dash(bool known, double value, int digits) {
  if (!known) return "-";
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

}  // namespace

std::string to_markdown(const std::vector<Row>& rows, const std::string& machine_text) {
  std::ostringstream text;
  text << std::fixed << "```\n" << machine_text << "```\n\n";
  text << "| model | precision | threads | batch | size | median ms | 95 % interval | p90 | p99 | min | images/s | "
          "GFLOP/s "
          "| of peak | MHz | C | mJ/image | MB |\n"
          "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
  std::string notes;
  for (const Row& row : rows) {
    const Statistics& ms = row.ms;
    std::ostringstream interval;
    interval << std::fixed << std::setprecision(3);
    if (ms.median) {
      interval << ms.median->low << "-" << ms.median->high;
    } else {
      interval << "-";
    }
    const Conditions& conditions = row.conditions;
    text << "| " << row.model << (row.marks.empty() ? "" : " (!)") << " | " << row.precision << " | " << row.threads
         << " | " << row.batch << " | " << row.resolution << " | " << std::setprecision(3) << ms.p50 << " | "
         << interval.str() << " | " << ms.p90 << " | " << ms.p99 << " | " << ms.min << " | " << std::setprecision(1)
         << row.images_per_s() << " | " << row.gflops() << " | "
         << or_dash(row.peak_gflops > 0, 100 * row.gflops() / row.peak_gflops, 0) << " | "
         << or_dash(conditions.mhz.count > 0, conditions.mhz.mean, 0) << " | "
         << or_dash(conditions.celsius_after.has_value(), conditions.celsius_after.value_or(0), 1) << " | "
         << or_dash(row.millijoules().has_value(), row.millijoules().value_or(0), 2) << " | "
         << row.peak_rss_bytes * 1e-6 << " |\n";
    for (const std::string& mark : row.marks)
      notes += "- (!) " + row.model + ", " + row.precision + ", threads " + std::to_string(row.threads) + ", batch " +
               std::to_string(row.batch) + ": " + mark + "\n";
  }
  if (!notes.empty()) text << "\n" << notes;
  return text.str();
}

}  // namespace linnet::bench
