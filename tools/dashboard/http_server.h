// cpp-httplib's server for a small tool on an open network: a thread for each connection up to a limit, no request that
// is too long or too slow, an orderly end.
#pragma once

#include <httplib.h>

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace linnet::tools {

class HttpServer final : private httplib::Server {
 public:
  using Handler = std::function<void(const httplib::Request&, httplib::Response&)>;
  static constexpr std::size_t connections = 256;  ///< at once; more are told to come back later

  /// `handler` answers every request, from many threads.
  explicit HttpServer(Handler handler);

  /// Returns the port: `port`, or a free one if that is 0. Throws linnet::Error that says what is in the way.
  int bind(const std::string& address, int port);
  /// Answers requests until stop().
  void serve() { listen_after_bind(); }
  /// Ends serve() and all connections; from any thread.
  void stop();

 private:
  class Threads;

  bool process_and_close_socket(socket_t socket) override;
  void answer(socket_t socket);

  std::mutex mutex_;
  std::set<socket_t> open_;
  bool stopping_ = false;
};

}  // namespace linnet::tools
