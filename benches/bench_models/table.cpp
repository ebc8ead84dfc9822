#include "benches/bench_models/table.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace linnet::bench {
namespace {

/// A number in its column, or '-' where there is none.
class Column {
 public:
  Column(std::optional<double> value, int width, int digits) : value_(value), width_(width), digits_(digits) {}
  friend std::ostream& operator<<(std::ostream& stream, const Column& column) {
    stream << std::setw(column.width_);
    return column.value_ ? stream << std::setprecision(column.digits_) << *column.value_ : stream << '-';
  }

 private:
  std::optional<double> value_;
  int width_, digits_;
};

std::optional<double> if_positive(double value) { return value > 0 ? std::optional<double>(value) : std::nullopt; }

/// Half of the median's confidence interval, in percent of it.
std::optional<double> uncertainty(const Statistics& ms) {
  if (!ms.median) return std::nullopt;
  return 50 * (ms.median->high - ms.median->low) / ms.p50;
}

constexpr double megabyte = 1e-6;

}  // namespace

Table::Table(const std::vector<std::string>& names) : name_width_(24) {
  for (const std::string& name : names) name_width_ = std::max(name_width_, static_cast<int>(name.size()) + 1);
}

std::string Table::head() const {
  std::ostringstream text;
  text << std::left << std::setw(name_width_) << "model" << std::right
       << " prec thr batch  res   runs    min ms median ms"
       << "    +-%    p90 ms    p99 ms  p99.9 ms   mean ms     sd ms  images/s GFLOP/s peak   MHz     C      mJ\n";
  return text.str();
}

std::string Table::line(const Row& row) const {
  const Statistics& ms = row.ms;
  const Conditions& conditions = row.conditions;
  std::ostringstream text;
  text << std::fixed << std::left << std::setw(name_width_) << row.model << std::right << std::setw(5) << row.precision
       << std::setw(4) << row.threads << std::setw(6) << row.batch << std::setw(5) << row.resolution << std::setw(7)
       << ms.count;
  text << Column(ms.min, 10, 3) << Column(ms.p50, 10, 3) << Column(uncertainty(ms), 7, 2) << Column(ms.p90, 10, 3)
       << Column(ms.p99, 10, 3) << Column(ms.p999, 10, 3) << Column(ms.mean, 10, 3) << Column(ms.deviation, 10, 3)
       << Column(row.images_per_s(), 10, 1) << Column(row.gflops(), 8, 1);
  if (row.peak_gflops > 0) {
    text << Column(100 * row.gflops() / row.peak_gflops, 4, 0) << '%';
  } else {
    text << Column({}, 5, 0);
  }
  text << Column(if_positive(conditions.mhz.mean), 6, 0) << Column(conditions.celsius_after, 6, 1)
       << Column(row.millijoules(), 8, 2) << '\n';
  for (const std::string& mark : row.marks) text << "  ! " << mark << '\n';
  if (row.accuracy)
    text << "  top-1 " << std::setprecision(2) << row.accuracy->top1() << " % of " << row.accuracy->pictures
         << " pictures\n";
  if (!row.soak.empty()) text << soak_table(row.soak);
  return text.str();
}

std::string Table::memory(const std::vector<Row>& rows) const {
  std::ostringstream text;
  text << std::fixed << std::left << std::setw(name_width_) << "model" << std::right << " prec thr batch   load ms"
       << " compile ms  first ms warm-up  peak RSS MB  arena MB weights MB  file MB\n";
  for (const Row& row : rows) {
    text << std::left << std::setw(name_width_) << row.model << std::right << std::setw(5) << row.precision
         << std::setw(4) << row.threads << std::setw(6) << row.batch;
    text << Column(row.load_ms, 10, 2) << Column(row.compile_ms, 11, 2) << Column(row.first_ms, 10, 2) << std::setw(8)
         << row.warmup_runs << Column(if_positive(row.peak_rss_bytes * megabyte), 13, 1)
         << Column(row.arena_bytes * megabyte, 10, 2) << Column(row.weight_bytes * megabyte, 11, 2)
         << Column(row.file_bytes ? std::optional<double>(*row.file_bytes * megabyte) : std::nullopt, 9, 2) << '\n';
  }
  return text.str();
}

}  // namespace linnet::bench
