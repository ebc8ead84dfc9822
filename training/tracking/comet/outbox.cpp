#include "training/tracking/comet/outbox.h"

#include <fcntl.h>
#include <unistd.h>

#include "linnet/error.h"

namespace linnet::tracking::comet {

Outbox::Outbox(const std::string& database, std::int64_t run)
    : database_(database, Database::Access::write), run_(run) {
  // One byte for each run; the lock ends with the process, however that ends.
  lock_ = open((database + "-comet").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(run);
  range.l_len = 1;
  if (lock_ < 0 || fcntl(lock_, F_OFD_SETLK, &range) != 0) {
    if (lock_ >= 0) close(lock_);
    throw Error(database + (lock_ < 0 ? "-comet: cannot open this file" : ": another process is uploading this run"));
  }
  database_.run("PRAGMA synchronous = FULL");
  Statement row(database_, "SELECT what, sent, trying FROM cursors WHERE run = ?");
  for (row.bind(run); row.step();) cursors_[row.text(0)] = {row.integer(1), row.maybe(2)};
}

Outbox::~Outbox() { close(lock_); }

std::optional<Destination> Outbox::destination() {
  Statement row(database_, "SELECT server, workspace, project, link FROM uploads WHERE run = ?");
  if (!row.bind(run_).step()) return std::nullopt;
  return Destination{row.text(0), row.text(1), row.text(2), row.text(3)};
}

void Outbox::set_destination(const Destination& destination) {
  Statement(database_,
            "INSERT OR REPLACE INTO uploads (run, server, workspace, project, state, link) VALUES (?, ?, ?, ?, '', ?)")
      .bind(run_, destination.server, destination.workspace, destination.project, destination.link)
      .run();
}

void Outbox::forget_destination() { Statement(database_, "DELETE FROM uploads WHERE run = ?").bind(run_).run(); }

std::int64_t Outbox::sent(const std::string& what) const {
  const auto found = cursors_.find(what);
  return found == cursors_.end() ? 0 : found->second.sent;
}

Marks Outbox::in_doubt() const {
  Marks marks;
  for (const auto& [what, cursor] : cursors_)
    if (cursor.trying) marks.push_back({what, *cursor.trying});
  return marks;
}

void Outbox::begin(const Marks& marks) {
  for (const Mark& mark : marks) cursors_[mark.what].trying = mark.upto;
  write(marks);
}

void Outbox::arrived(const Marks& marks) {
  for (const Mark& mark : marks) cursors_[mark.what] = {mark.upto, std::nullopt};
  write(marks);
}

void Outbox::withdraw(const Marks& marks) {
  for (const Mark& mark : marks) cursors_[mark.what].trying.reset();
  write(marks);
}

void Outbox::write(const Marks& marks) {
  Transaction transaction(database_);
  Statement row(database_, "INSERT OR REPLACE INTO cursors (run, what, sent, trying) VALUES (?, ?, ?, ?)");
  for (const Mark& mark : marks) {
    const Cursor& cursor = cursors_[mark.what];
    row.bind(run_, mark.what, cursor.sent, cursor.trying).run();
  }
  transaction.commit();
}

std::vector<Row> Outbox::pending(const std::string& table, std::int64_t limit) {
  Statement row(database_, "SELECT id, name, " + std::string(table == "tags" ? "''" : "value") + " FROM " + table +
                               " WHERE run = ? AND id > ? ORDER BY id LIMIT ?");
  std::vector<Row> rows;
  for (row.bind(run_, sent(table), limit); row.step();) rows.push_back({row.integer(0), row.text(1), row.text(2)});
  return rows;
}

std::int64_t Outbox::lines(std::int64_t upto) {
  Statement row(database_, "SELECT count(*) FROM output WHERE run = ? AND id <= ?");
  return row.bind(run_, upto).step() ? row.integer(0) : 0;
}

}  // namespace linnet::tracking::comet
