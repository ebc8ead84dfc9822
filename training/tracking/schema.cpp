#include "training/tracking/schema.h"

#include <array>
#include <string>

#include "linnet/error.h"
#include "training/tracking/database.h"

namespace linnet::tracking {
namespace {

constexpr int application_id = 0x4c6e7421;  // "Lnt!"

// Times are milliseconds since 1970 UTC. `value` of a parameter is JSON. A point's value is NULL for NaN.
constexpr std::array steps{
    R"(
CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL,
  folder TEXT NOT NULL, status TEXT NOT NULL, error TEXT NOT NULL DEFAULT '',
  started INTEGER NOT NULL, ended INTEGER, heartbeat INTEGER NOT NULL);
CREATE INDEX runs_folder ON runs (folder, kind);
CREATE TABLE parameters (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  name TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (run, name));
CREATE TABLE texts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  name TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (run, name));
CREATE TABLE tags (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  name TEXT NOT NULL, UNIQUE (run, name));
CREATE TABLE series (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  name TEXT NOT NULL, context TEXT NOT NULL, count INTEGER NOT NULL DEFAULT 0, last_step INTEGER NOT NULL DEFAULT -1,
  last REAL, smallest REAL, largest REAL, UNIQUE (run, name, context));
CREATE TABLE points (
  series INTEGER NOT NULL REFERENCES series ON DELETE CASCADE, place INTEGER NOT NULL,
  step INTEGER NOT NULL, epoch INTEGER, time INTEGER NOT NULL, value REAL,
  PRIMARY KEY (series, place)) WITHOUT ROWID;
CREATE TABLE output (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  time INTEGER NOT NULL, error INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX output_run ON output (run, id);
CREATE TABLE blobs (hash TEXT PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE assets (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  kind TEXT NOT NULL, name TEXT NOT NULL, step INTEGER, epoch INTEGER, time INTEGER NOT NULL,
  hash TEXT NOT NULL REFERENCES blobs, metadata TEXT NOT NULL);
CREATE INDEX assets_run ON assets (run, id);
CREATE INDEX assets_hash ON assets (hash);
)",
    // How far a run was uploaded. `sent`: the last id or place that has arrived; `trying`: the last one of a request
    // whose answer did not come, or is not there yet.
    R"(
CREATE TABLE uploads (
  run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, server TEXT NOT NULL, workspace TEXT NOT NULL,
  project TEXT NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL DEFAULT '', link TEXT NOT NULL DEFAULT '');
CREATE TABLE cursors (
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, what TEXT NOT NULL,
  sent INTEGER NOT NULL DEFAULT 0, trying INTEGER, PRIMARY KEY (run, what)) WITHOUT ROWID;
)",
};

}  // namespace

std::span<const char* const> migrations() { return steps; }

bool is_outdated(Database& database) {
  return database.number("PRAGMA user_version") < static_cast<std::int64_t>(steps.size());
}

void check_and_migrate(Database& database) {
  const auto newest = static_cast<std::int64_t>(steps.size());
  const auto version = [&] { return database.number("PRAGMA user_version"); };
  // In this order: another process may make the tables meanwhile.
  const bool has_tables = database.number("SELECT count(*) FROM sqlite_master") > 0;
  if (has_tables && database.number("PRAGMA application_id") != application_id)
    throw Error(database.path() + ": this is a database, but no record of runs");
  if (version() > newest)
    throw Error(database.path() + ": version " + std::to_string(version()) +
                " of the record of runs; this program knows up to " + std::to_string(newest));
  if (!is_outdated(database)) return;
  database.run_patiently("PRAGMA journal_mode = WAL");
  Transaction transaction(database);  // another process may have been faster
  for (std::int64_t step = version(); step < newest; ++step) database.run(steps[static_cast<std::size_t>(step)]);
  database.run("PRAGMA application_id = " + std::to_string(application_id));
  database.run("PRAGMA user_version = " + std::to_string(newest));
  transaction.commit();
}

}  // namespace linnet::tracking
