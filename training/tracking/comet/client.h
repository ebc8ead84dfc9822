// Requests to Comet, each with one of five outcomes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "linnet/tracking/comet.h"
#include "training/tracking/comet/payloads.h"

namespace linnet::tracking::comet {

struct Request {
  std::string path;  ///< "/clientlib/..." or "/api/rest/v2/..."
  std::map<std::string, std::string> query = {};
  Json body = nullptr;                             ///< null: a GET, unless there is a file
  bool compressed = false;                         ///< routes that take gzip
  std::optional<std::string> file = std::nullopt;  ///< sent as a form with the file and `metadata`
  std::string metadata = {};
  std::size_t values = 0;  ///< how many count against the service's limits
};

enum class Outcome {
  done,
  refused,    ///< the server will never take this
  throttled,  ///< not now; nothing was carried out
  not_sent,   ///< no connection; nothing was carried out
  unknown     ///< it may have been carried out or not
};

struct Reply {
  Outcome outcome = Outcome::unknown;
  Json json = nullptr;       ///< an object; null if the answer is none
  std::string problem = {};  ///< one line: route, status, what the server said
  int status = 0, code = 0;  ///< of HTTP; Comet's own "sdk_error_code"
  double wait_seconds = -1;  ///< Retry-After; below 0: none
};

class Client {
 public:
  /// Throws linnet::Error if the address is no good, or https and this program was built without OpenSSL.
  explicit Client(const CometSettings& settings);
  ~Client();

  Reply send(const Request& request);
  /// Ends a request of another thread.
  void stop();

 private:
  class Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace linnet::tracking::comet
