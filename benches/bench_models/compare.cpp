#include "benches/bench_models/compare.h"

#include <cmath>
#include <fstream>
#include <iomanip>
#include <map>
#include <sstream>

#include "benches/bench_models/json.h"
#include "benches/bench_models/statistics.h"
#include "linnet/error.h"

namespace linnet::bench {
namespace {

struct Result {
  std::string key;
  double median = 0;
  std::optional<Interval> interval;
  bool marked = false;
  std::string isa, board;
};

/// "mobilenetv2_100 f32 1 thread(s) batch 1 224"; the same row again gets a number.
std::string key_of(const Json& row, std::map<std::string, int>& seen) {
  std::ostringstream key;
  key << row.at("model").get<std::string>() << ' ' << row.at("precision").get<std::string>() << " threads "
      << row.at("threads").get<int>() << " batch " << row.at("batch").get<int>() << " size "
      << row.at("resolution").get<int>();
  const int times = ++seen[key.str()];
  if (times > 1) key << " #" << times;
  return key.str();
}

Result parse_result(const Json& row, std::map<std::string, int>& seen) {
  Result result;
  result.key = key_of(row, seen);
  result.median = row.at("median_ms").get<double>();
  if (!(result.median > 0)) throw Error("median_ms is not positive");
  // Files of earlier versions lack the rest.
  if (row.contains("median_low_ms") && row["median_low_ms"].is_number())
    result.interval = Interval{row.at("median_low_ms").get<double>(), row.at("median_high_ms").get<double>()};
  result.marked = row.contains("marks") && !row["marks"].empty();
  result.isa = row.value("isa", "");
  if (row.contains("machine")) {
    const std::string board = row["machine"].value("board", "");
    result.board = board.empty() ? row["machine"].value("cpu", "") : board;
  }
  return result;
}

std::vector<Result> read_results(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) throw Error("cannot read " + file);
  std::vector<Result> results;
  std::map<std::string, int> seen;
  try {
    const Json rows = Json::parse(stream);
    if (!rows.is_array()) throw Error("expected an array of rows");
    for (const Json& row : rows) results.push_back(parse_result(row, seen));
  } catch (const std::exception& error) {
    throw Error(file + " was not written by bench_models --json: " + error.what());
  }
  return results;
}

/// 1 in 20 of equal speeds would be called different.
constexpr double significant = 0.05;

std::string verdict(const Result& a, const Result& b) {
  if (!a.interval || !b.interval) return "unknown: fewer than 6 runs, or a file without intervals";
  const double p = equal_medians_p(a.median, *a.interval, b.median, *b.interval);
  std::ostringstream text;
  text << (p >= significant ? "no difference seen" : b.median < a.median ? "faster" : "slower") << " (p ";
  if (p < 0.001) {
    text << "< 0.001)";
  } else {
    text << std::fixed << std::setprecision(3) << "= " << p << ")";
  }
  return text.str();
}

std::string notes(const Result& a, const Result& b) {
  std::string text;
  if (a.isa != b.isa) text += "; " + a.isa + " against " + b.isa;
  if (a.board != b.board) text += "; " + a.board + " against " + b.board;
  if (a.marked || b.marked)
    text += a.marked && b.marked ? "; both are marked as disturbed"
            : a.marked           ? "; A is marked as disturbed"
                                 : "; B is marked as disturbed";
  return text;
}

}  // namespace

std::string compare(const std::string& file_a, const std::string& file_b) {
  const std::vector<Result> all_a = read_results(file_a), all_b = read_results(file_b);
  std::map<std::string, Result> of_a;
  std::size_t width = 5;
  for (const Result& result : all_a) {
    of_a.emplace(result.key, result);
    width = std::max(width, result.key.size());
  }
  std::ostringstream text;
  text << std::fixed << std::left << std::setw(static_cast<int>(width)) << "model" << std::right
       << "  A median ms  B median ms    B / A\n";
  double logarithms = 0;
  int common = 0;
  for (const Result& b : all_b) {
    const auto a = of_a.find(b.key);
    if (a == of_a.end()) continue;
    ++common;
    const double ratio = b.median / a->second.median;
    logarithms += std::log(ratio);
    text << std::left << std::setw(static_cast<int>(width)) << b.key << std::right << std::setprecision(3)
         << std::setw(13) << a->second.median << std::setw(13) << b.median << std::setprecision(4) << std::setw(9)
         << ratio << "  " << verdict(a->second, b) << notes(a->second, b) << '\n';
  }
  if (common == 0) throw Error(file_a + " and " + file_b + " have no row in common");
  text << std::left << std::setw(static_cast<int>(width) + 26) << "geometric mean" << std::right << std::setw(9)
       << std::exp(logarithms / common) << '\n';
  const std::size_t only_a = all_a.size() - static_cast<std::size_t>(common);
  const std::size_t only_b = all_b.size() - static_cast<std::size_t>(common);
  if (only_a + only_b > 0) text << "rows only in A: " << only_a << ", only in B: " << only_b << '\n';
  return text.str();
}

}  // namespace linnet::bench
