// How far a run has come on its way to Comet: the tables `uploads` and `cursors` of the record.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "training/tracking/database.h"

namespace linnet::tracking::comet {

/// Everything of one kind up to this row: the last id of a table, or the last place of a curve.
struct Mark {
  std::string what;  ///< "parameters", "texts", "output", "assets", "series:12", ...
  std::int64_t upto = 0;
};
using Marks = std::vector<Mark>;

struct Destination {
  std::string server, workspace, project;
  std::string link;  ///< of the experiment's page
};

struct Row {
  std::int64_t id = 0;
  std::string name, value;
};

/// Each change is on the disk when its call returns.
class Outbox {
 public:
  /// Throws linnet::Error if another uploader, of any process, has this run.
  Outbox(const std::string& database, std::int64_t run);
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// Where the run went before; empty if it has never been sent.
  std::optional<Destination> destination();
  void set_destination(const Destination& destination);
  void forget_destination();

  std::int64_t sent(const std::string& what) const;
  /// The marks of a request whose answer is missing.
  Marks in_doubt() const;

  void begin(const Marks& marks);     ///< a request is about to be sent
  void arrived(const Marks& marks);   ///< it was carried out
  void withdraw(const Marks& marks);  ///< it was not

  /// Parameters, texts or tags (without values) behind what was sent, in their order.
  std::vector<Row> pending(const std::string& table, std::int64_t limit);
  /// How many lines of output there are up to this id.
  std::int64_t lines(std::int64_t upto);

 private:
  struct Cursor {
    std::int64_t sent = 0;
    std::optional<std::int64_t> trying;
  };
  void write(const Marks& marks);

  Database database_;
  const std::int64_t run_;
  int lock_ = -1;
  std::map<std::string, Cursor> cursors_;
};

}  // namespace linnet::tracking::comet
