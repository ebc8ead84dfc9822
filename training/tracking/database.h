// SQLite with exceptions and destructors.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linnet::tracking {

class Statement;

class Database {
 public:
  enum class Access { create, write, read };

  /// Waits up to 30 s for other writers. Brings an older schema up to date. Throws linnet::Error that names the file if
  /// it is missing (unless `create`), no database, one of something else, or of a newer Linnet. `read` cannot change
  /// the file afterwards.
  Database(const std::string& path, Access access);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const std::string& sql);
  /// The same for what SQLite does not wait with while another process uses the file: tries for half a minute.
  void run_patiently(const std::string& sql);
  /// The first column of the first row.
  std::int64_t number(const std::string& sql);
  std::int64_t last_row() const { return sqlite3_last_insert_rowid(handle_); }
  const std::string& path() const { return path_; }
  [[noreturn]] void fail(const std::string& what) const;

 private:
  friend class Statement;
  void open(Access access);

  std::string path_;
  sqlite3* handle_ = nullptr;
};

/// A prepared statement: bind values in their order, then step through the rows.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement() { sqlite3_finalize(handle_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  template <typename... Values>
  Statement& bind(const Values&... values) {
    sqlite3_reset(handle_);
    next_ = 1;
    (put(values), ...);
    return *this;
  }
  bool step();  ///< false: no further row
  void run() {
    while (step()) {
    }
  }

  std::int64_t integer(int column) const { return sqlite3_column_int64(handle_, column); }
  std::optional<std::int64_t> maybe(int column) const;
  double real(int column) const;  ///< NULL is NaN
  std::string text(int column) const;
  std::size_t size(int column) const { return static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)); }
  bool null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }

  struct Blob {
    std::string_view bytes;
  };

 private:
  void put(std::int64_t value) { check(sqlite3_bind_int64(handle_, next_++, value)); }
  void put(int value) { put(std::int64_t{value}); }
  void put(bool value) { put(std::int64_t{value}); }
  void put(double value) { check(sqlite3_bind_double(handle_, next_++, value)); }  // NaN becomes NULL
  void put(const std::optional<std::int64_t>& value);
  void put(std::string_view value);
  void put(const std::string& value) { put(std::string_view(value)); }
  void put(const char* value) { put(std::string_view(value)); }
  void put(const Blob& value);
  void check(int code) const;

  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
  int next_ = 1;
};

/// Rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database.run("BEGIN IMMEDIATE"); }
  ~Transaction();
  void commit();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace linnet::tracking
