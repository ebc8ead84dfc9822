// One run on its way to Comet: what is pending goes out, request by request.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "training/tracking/comet/client.h"
#include "training/tracking/comet/outbox.h"
#include "training/tracking/comet/pace.h"

namespace linnet::tracking::comet {

/// The server will not take something; what() says why in one line.
struct Refused : std::runtime_error {
  explicit Refused(const Reply& reply) : std::runtime_error(reply.problem), status(reply.status) {}
  int status = 0;
};

/// What has become known since the last time. Called on the thread of the upload.
struct Progress {
  std::string link, problem;
  std::int64_t sent = 0, left = 0;    ///< metrics
  std::vector<std::string> left_out;  ///< what the server did not take, and why
};

class Upload {
 public:
  Upload(const std::string& database, const Run& run, const CometSettings& settings, const CometPace& pace,
         Client& client, Sleeper& sleeper, std::function<void(const Progress&)> report);

  /// Returns when the run has ended and all of it has arrived. Throws Refused, Stopped, linnet::Error.
  void work();

 private:
  using Check = std::function<bool()>;

  void look();  ///< at the run as it is now
  void connect();
  void settle_doubts();
  bool send_pending();  ///< false: there was nothing
  void end();

  bool send_facts();
  bool send_parameters();
  bool send_texts();
  bool send_tags();
  bool send_points();
  bool send_output();
  bool send_assets();
  void send_asset(const Asset& asset);
  bool register_model();

  /// Sends until the outcome is known, and keeps the marks. `arrived` asks the server; without it the request may be
  /// repeated as it is. Throws Refused.
  Reply deliver(const Request& request, const Marks& marks, const Check& arrived = {});
  /// The same for what the service may have reasons not to take while it takes all else: a file that is too large.
  void deliver_if_taken(const Request& request, const Marks& marks, const Check& arrived = {});
  /// Asks whether it has arrived until it has or can no longer be under way; keeps the marks.
  bool settle(const Marks& marks, const Check& arrived);
  /// Sends until it is done or refused; for what may be repeated.
  Reply ask(const Request& request);
  Reply send(const Request& request);
  void wait_after(const Reply& reply);
  void beat(bool alive = true);
  void tell();

  bool points_arrived(const Marks& marks);
  bool output_arrived(std::int64_t upto);
  bool asset_arrived(std::int64_t id);
  /// A request about this experiment.
  Request post(const std::string& path, Json body) const;
  Request get(const std::string& path, std::map<std::string, std::string> query) const;

  const Record record_;
  Run run_;  ///< as of the last look
  const CometSettings settings_;
  Client& client_;
  Outbox outbox_;
  Pace pace_;
  const double settle_seconds_;
  const std::function<void(const Progress&)> report_;
  Progress progress_;
  std::string run_id_, project_id_;  ///< Comet's, from the handshake
  std::chrono::steady_clock::time_point next_beat_{};
  int failures_ = 0;  ///< in a row
  bool was_throttled_ = false;
};

}  // namespace linnet::tracking::comet
