#include "linnet/tracking/record.h"

#include <algorithm>
#include <cstdlib>
#include <unordered_map>

#include "linnet/error.h"
#include "training/tracking/contents.h"
#include "training/tracking/database.h"
#include "training/tracking/store.h"

namespace linnet::tracking {
namespace {

constexpr std::int64_t lost_after_ms = 60'000;
constexpr const char* run_columns =
    "SELECT id, key, name, kind, folder, status, error, started, heartbeat, ended FROM runs ";
constexpr const char* asset_columns =
    "SELECT assets.id, kind, name, step, epoch, time, assets.hash, metadata, length(bytes) FROM assets "
    "JOIN blobs ON blobs.hash = assets.hash ";

Run read_run(const Statement& row) {
  Run run{.id = row.integer(0),
          .key = row.text(1),
          .name = row.text(2),
          .kind = row.text(3),
          .folder = row.text(4),
          .status = row.text(5),
          .error = row.text(6),
          .started = row.integer(7),
          .heartbeat = row.integer(8),
          .ended = row.maybe(9)};
  if (run.status == "running" && now_ms() - run.heartbeat > lost_after_ms) run.status = "lost";
  return run;
}

Asset read_asset(const Statement& row) {
  return {.id = row.integer(0),
          .kind = row.text(1),
          .name = row.text(2),
          .step = row.maybe(3),
          .epoch = row.maybe(4),
          .time = row.integer(5),
          .bytes = row.integer(8),
          .hash = row.text(6),
          .metadata = row.text(7)};
}

}  // namespace

const SeriesSummary* Run::find_series(const std::string& label) const {
  const auto found = std::find_if(series.begin(), series.end(), [&](const auto& one) { return one.label() == label; });
  return found == series.end() ? nullptr : &*found;
}

class Record::Reader {
 public:
  Reader(const std::string& path, Database::Access access) : database(path, access) {}

  /// Fills in what belongs to the runs; `where` chooses among the rows of each table by their column run.
  void fill(std::vector<Run>& runs, const std::string& where, std::size_t longest_text) {
    std::unordered_map<std::int64_t, Run*> by_id;
    for (Run& run : runs) by_id[run.id] = &run;
    const auto each = [&](const std::string& columns, auto&& take) {
      Statement row(database, "SELECT run, " + columns + where + " ORDER BY id");
      while (row.step())
        if (const auto found = by_id.find(row.integer(0)); found != by_id.end()) take(*found->second, row);
    };
    each("name, value FROM parameters", [](Run& run, Statement& row) { run.parameters[row.text(1)] = row.text(2); });
    each("name, value FROM texts", [&](Run& run, Statement& row) {
      if (row.size(2) <= longest_text) run.texts[row.text(1)] = row.text(2);
    });
    each("name FROM tags", [](Run& run, Statement& row) { run.tags.push_back(row.text(1)); });
    each("id, name, context, count, last_step, last, smallest, largest FROM series", [](Run& run, Statement& row) {
      run.series.push_back({row.integer(1), row.text(2), row.text(3), row.integer(4), row.integer(5), row.real(6),
                            row.real(7), row.real(8)});
    });
  }

  /// `where` chooses among runs; empty: all.
  std::vector<Run> runs(const std::string& where, std::size_t longest_text) {
    std::vector<Run> result;
    database.run("BEGIN");  // one state of the file for all tables
    try {
      Statement row(database, run_columns + where + " ORDER BY id DESC");
      while (row.step()) result.push_back(read_run(row));
      fill(result, where.empty() ? "" : " WHERE run IN (SELECT id FROM runs " + where + ")", longest_text);
    } catch (...) {
      database.run("ROLLBACK");
      throw;
    }
    database.run("COMMIT");
    return result;
  }

  Database database;
};

Record::Record(const std::string& path, RecordAccess access)
    : reader_(std::make_unique<Reader>(
          path, access == RecordAccess::read ? Database::Access::read : Database::Access::write)) {}

Record::~Record() = default;

const std::string& Record::path() const { return reader_->database.path(); }

std::vector<Run> Record::runs(const RunSelection& selection) const {
  std::string where;
  if (selection.heard_since > 0)
    where =
        "WHERE heartbeat >= " + std::to_string(selection.heard_since) + " OR id > " + std::to_string(selection.after);
  return reader_->runs(where, selection.longest_text);
}

std::vector<std::int64_t> Record::run_ids() const {
  Statement row(reader_->database, "SELECT id FROM runs ORDER BY id DESC");
  std::vector<std::int64_t> ids;
  while (row.step()) ids.push_back(row.integer(0));
  return ids;
}

std::optional<Run> Record::run(std::int64_t id) const {
  std::vector<Run> found = reader_->runs("WHERE id = " + std::to_string(id), SIZE_MAX);
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

Run Record::run(const std::string& key_or_name) const {
  Statement row(reader_->database,
                "SELECT id FROM runs WHERE substr(key, 1, length(?1)) = ?1 AND length(?1) >= 4 "
                "UNION SELECT max(id) FROM runs WHERE name = ?1 HAVING count(*) > 0");
  std::vector<std::int64_t> ids;
  for (row.bind(key_or_name); row.step();) ids.push_back(row.integer(0));
  if (ids.size() != 1)
    throw Error(path() + ": " + (ids.empty() ? "no run" : "several runs") + " with the name or key '" + key_or_name +
                "'");
  return *run(ids.front());
}

std::vector<Point> Record::points(std::int64_t series, std::int64_t after, std::int64_t limit) const {
  Statement row(reader_->database,
                "SELECT place, step, epoch, time, value FROM points WHERE series = ? AND place > ? "
                "ORDER BY place LIMIT ?");
  std::vector<Point> points;
  for (row.bind(series, after, limit); row.step();)
    points.push_back({row.integer(0), row.integer(1), row.maybe(2), row.integer(3), row.real(4)});
  return points;
}

void Record::each_point(std::int64_t series, std::int64_t after, const std::function<void(const Point&)>& take) const {
  Statement row(reader_->database,
                "SELECT place, step, epoch, time, value FROM points WHERE series = ? AND place > ? ORDER BY place");
  for (row.bind(series, after); row.step();)
    take({row.integer(0), row.integer(1), row.maybe(2), row.integer(3), row.real(4)});
}

std::int64_t Record::point_count(std::int64_t series, std::int64_t after) const {
  // Places are 1, 2, ...: the last one tells.
  Statement row(reader_->database, "SELECT max(place) FROM points WHERE series = ?");
  return row.bind(series).step() ? std::max<std::int64_t>(0, row.integer(0) - after) : 0;
}

std::vector<Asset> Record::assets(std::int64_t run, std::int64_t after) const {
  Statement row(reader_->database, std::string(asset_columns) + "WHERE run = ? AND assets.id > ? ORDER BY assets.id");
  std::vector<Asset> assets;
  for (row.bind(run, after); row.step();) assets.push_back(read_asset(row));
  return assets;
}

std::optional<Asset> Record::asset(std::int64_t id) const {
  Statement row(reader_->database, std::string(asset_columns) + "WHERE assets.id = ?");
  return row.bind(id).step() ? std::optional(read_asset(row)) : std::nullopt;
}

std::string Record::bytes(const Asset& asset) const {
  Statement row(reader_->database, "SELECT bytes FROM blobs WHERE hash = ?");
  return row.bind(asset.hash).step() ? row.text(0) : std::string();
}

std::vector<OutputLine> Record::output(std::int64_t run, std::int64_t after, std::int64_t limit) const {
  Statement row(reader_->database,
                "SELECT * FROM (SELECT id, time, error, text FROM output WHERE run = ? AND id > ? "
                "ORDER BY id DESC LIMIT ?) ORDER BY id");
  std::vector<OutputLine> lines;
  for (row.bind(run, after, limit); row.step();)
    lines.push_back({row.integer(0), row.integer(1), row.integer(2) != 0, row.text(3)});
  return lines;
}

std::int64_t Record::version() const { return reader_->database.number("PRAGMA data_version"); }

void Record::remove(std::int64_t run) {
  Transaction transaction(reader_->database);
  Statement(reader_->database, "DELETE FROM runs WHERE id = ?").bind(run).run();
  reader_->database.run("DELETE FROM blobs WHERE hash NOT IN (SELECT hash FROM assets)");
  transaction.commit();
}

void Record::add_tag(std::int64_t run, const std::string& tag) {
  Statement(reader_->database, "INSERT OR IGNORE INTO tags (run, name) VALUES (?, ?)").bind(run, tag).run();
}

void Record::remove_tag(std::int64_t run, const std::string& tag) {
  Statement(reader_->database, "DELETE FROM tags WHERE run = ? AND name = ?").bind(run, tag).run();
}

void Record::attach(std::int64_t run, const AssetInfo& info, const std::string& path) {
  const std::string bytes = file_bytes(path);
  Transaction transaction(reader_->database);
  add_asset(reader_->database, run, info, now_ms(), bytes);
  transaction.commit();
}

std::string default_database() {
  const char* path = std::getenv("LINNET_TRACKING");
  return path != nullptr && *path != '\0' ? path : "runs/linnet.db";
}

}  // namespace linnet::tracking
