#include "training/tracking/database.h"

#include <chrono>
#include <limits>
#include <thread>

#include "linnet/error.h"
#include "training/tracking/schema.h"

namespace linnet::tracking {

Database::Database(const std::string& path, Access access) : path_(path) {
  try {
    open(access);
    if (access == Access::read && is_outdated(*this)) {  // a reader cannot bring it up to date
      sqlite3_close(handle_);
      open(Access::write);
      check_and_migrate(*this);
      sqlite3_close(handle_);
      open(access);
    }
    check_and_migrate(*this);
    run("PRAGMA foreign_keys = ON");
    run("PRAGMA synchronous = NORMAL");
  } catch (...) {
    sqlite3_close(handle_);
    throw;
  }
}

void Database::open(Access access) {
  const int writing = SQLITE_OPEN_READWRITE | (access == Access::create ? SQLITE_OPEN_CREATE : 0);
  const int flags = SQLITE_OPEN_NOMUTEX | (access == Access::read ? SQLITE_OPEN_READONLY : writing);
  if (sqlite3_open_v2(path_.c_str(), &handle_, flags, nullptr) != SQLITE_OK) fail("cannot open this record of runs");
  sqlite3_busy_timeout(handle_, 30000);
}

Database::~Database() { sqlite3_close(handle_); }

void Database::fail(const std::string& what) const {
  throw Error(path_ + ": " + what + ": " + (handle_ ? sqlite3_errmsg(handle_) : "out of memory"));
}

void Database::run(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail("record of runs");
}

void Database::run_patiently(const std::string& sql) {
  using namespace std::chrono_literals;
  const auto end = std::chrono::steady_clock::now() + 30s;
  int code = SQLITE_OK;
  while ((code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr)) == SQLITE_BUSY &&
         std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(10ms);
  }
  if (code != SQLITE_OK) fail("record of runs");
}

std::int64_t Database::number(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  check(sqlite3_prepare_v2(database.handle_, sql.data(), static_cast<int>(sql.size()), &handle_, nullptr));
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  sqlite3_reset(handle_);  // ends the read; gives the error its message
  if (code != SQLITE_DONE) database_.fail("record of runs");
  return false;
}

std::optional<std::int64_t> Statement::maybe(int column) const {
  return null(column) ? std::nullopt : std::optional<std::int64_t>(integer(column));
}

double Statement::real(int column) const {
  return null(column) ? std::numeric_limits<double>::quiet_NaN() : sqlite3_column_double(handle_, column);
}

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  return bytes ? std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size)) : std::string();
}

void Statement::put(const std::optional<std::int64_t>& value) {
  if (value) return put(*value);
  check(sqlite3_bind_null(handle_, next_++));
}

void Statement::put(std::string_view value) {
  check(sqlite3_bind_text64(handle_, next_++, value.data() ? value.data() : "", value.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8));
}

void Statement::put(const Blob& value) {
  check(sqlite3_bind_blob64(handle_, next_++, value.bytes.empty() ? "" : value.bytes.data(), value.bytes.size(),
                            SQLITE_TRANSIENT));
}

void Statement::check(int code) const {
  if (code != SQLITE_OK) database_.fail("record of runs");
}

Transaction::~Transaction() {
  try {
    if (open_) database_.run("ROLLBACK");
  } catch (...) {  // SQLite has rolled back by itself
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace linnet::tracking
