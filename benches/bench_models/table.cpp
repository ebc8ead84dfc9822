#include "benches/bench_models/table.h"

#include <algorithm>
#include <cmath>
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

/// "8%"
std::string share_of_peak(const Row& row) {
  if (row.peak_gflops <= 0) return "-";
  return std::to_string(std::lround(100 * row.gflops() / row.peak_gflops)) + "%";
}

/// Before and after, "48>61".
std::string celsius(const Conditions& conditions) {
  if (!conditions.celsius_before || !conditions.celsius_after) return "-";
  return std::to_string(std::lround(*conditions.celsius_before)) + ">" +
         std::to_string(std::lround(*conditions.celsius_after));
}

constexpr double megabyte = 1e-6;

}  // namespace

Table::Table(const std::vector<std::string>& names) : name_width_(12) {
  for (const std::string& name : names) name_width_ = std::max(name_width_, static_cast<int>(name.size()) + 1);
}

std::string Table::names_head() const {
  std::ostringstream text;
  text << std::left << std::setw(name_width_) << "model"
       << " prec thr batch";
  return text.str();
}

std::string Table::names(const Row& row) const {
  std::ostringstream text;
  text << std::left << std::setw(name_width_) << row.model << std::right << std::setw(5) << row.precision
       << std::setw(4) << row.threads << std::setw(6) << row.batch;
  return text.str();
}

std::string Table::head() const {
  return names_head() +
         "  res median ms    +-%   min ms   p90 ms   p99 ms images/s GFLOP/s peak   MHz      C      mJ\n";
}

std::string Table::line(const Row& row) const {
  const Statistics& ms = row.ms;
  std::ostringstream text;
  text << std::fixed << names(row) << std::setw(5) << row.resolution << Column(ms.p50, 10, 3)
       << Column(uncertainty(ms), 7, 2) << Column(ms.min, 9, 3) << Column(ms.p90, 9, 3) << Column(ms.p99, 9, 3)
       << Column(row.images_per_s(), 9, 1) << Column(row.gflops(), 8, 1) << std::setw(5) << share_of_peak(row)
       << Column(if_positive(row.conditions.mhz.mean), 6, 0) << std::setw(7) << celsius(row.conditions)
       << Column(row.millijoules(), 8, 2) << '\n';
  for (const std::string& mark : row.marks) text << "  ! " << mark << '\n';
  if (row.accuracy)
    text << "  top-1 " << std::setprecision(2) << row.accuracy->top1() << " % of " << row.accuracy->pictures
         << " pictures\n";
  if (!row.soak.empty()) text << soak_table(row.soak);
  return text.str();
}

std::string Table::details(const std::vector<Row>& rows) const {
  std::ostringstream text;
  text
      << std::fixed << names_head()
      << "   runs warm-up p99.9 ms  mean ms    sd ms  load ms compile ms first ms RSS MB arena MB weights MB file MB\n";
  for (const Row& row : rows) {
    text << names(row) << std::setw(7) << row.ms.count << std::setw(8) << row.warmup_runs << Column(row.ms.p999, 9, 3)
         << Column(row.ms.mean, 9, 3) << Column(row.ms.deviation, 9, 3) << Column(row.load_ms, 9, 1)
         << Column(row.compile_ms, 11, 1) << Column(row.first_ms, 9, 2)
         << Column(if_positive(row.peak_rss_bytes * megabyte), 7, 1) << Column(row.arena_bytes * megabyte, 9, 2)
         << Column(row.weight_bytes * megabyte, 11, 2)
         << Column(row.file_bytes ? std::optional<double>(*row.file_bytes * megabyte) : std::nullopt, 8, 2) << '\n';
  }
  return text.str();
}

}  // namespace linnet::bench
