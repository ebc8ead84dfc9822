#include "http_server.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <thread>

#include "limited_stream.h"
#include "linnet/error.h"

namespace linnet::tools {
namespace {

using namespace std::chrono_literals;

/// What is answered without a request that could be understood.
void refuse(socket_t socket, const char* status) {
  const std::string text = std::string("HTTP/1.1 ") + status + "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  ::send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/// Closing while the other side still sends would take the answer back: what comes within a short time is thrown away.
void hang_up(socket_t socket) {
  ::shutdown(socket, SHUT_WR);
  std::array<char, 65536> ignored;
  pollfd entry{socket, POLLIN, 0};
  const auto end = std::chrono::steady_clock::now() + 500ms;
  while (std::chrono::steady_clock::now() < end && ::poll(&entry, 1, 500) > 0)
    if (::recv(socket, ignored.data(), ignored.size(), MSG_DONTWAIT) <= 0) return;
}

}  // namespace

class HttpServer::Threads final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> task) override {
    {
      const std::scoped_lock lock(mutex_);
      ++running_;
    }
    const auto work = [this, task = std::move(task)] {
      task();
      const std::scoped_lock lock(mutex_);
      --running_;
      ended_.notify_all();
    };
    try {
      std::thread(work).detach();
    } catch (const std::system_error&) {  // no further thread can be had
      work();
    }
  }

  void shutdown() override {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  int running_ = 0;
};

HttpServer::HttpServer(Handler handler) {
  new_task_queue = [] { return new Threads; };
  // Not its default, SO_REUSEPORT: with that a second server would take half of the first one's requests.
  set_socket_options([](socket_t socket) {
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  set_pre_routing_handler([handler = std::move(handler)](const auto& request, auto& response) {
    handler(request, response);
    return HandlerResponse::Handled;
  });
}

int HttpServer::bind(const std::string& address, int port) {
  errno = 0;
  const int bound = port == 0 ? bind_to_any_port(address) : bind_to_port(address, port) ? port : -1;
  if (bound > 0) {
    ::listen(svr_sock_, static_cast<int>(connections));  // it has asked for a queue of 5
    return bound;
  }
  const std::string place = "port " + std::to_string(port) + " of " + address;
  if (errno == EADDRINUSE) throw Error(place + " is in use: choose another with --port, or 0 for any free one");
  throw Error(place + " cannot be opened: " + (errno == 0 ? "no such address" : std::strerror(errno)));
}

void HttpServer::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    for (const socket_t socket : open_) ::shutdown(socket, SHUT_RDWR);
  }
  Server::stop();
}

bool HttpServer::process_and_close_socket(socket_t socket) {
  bool welcome = false;
  {
    const std::scoped_lock lock(mutex_);
    welcome = !stopping_ && open_.size() < connections;
    if (welcome) open_.insert(socket);
  }
  if (welcome)
    answer(socket);
  else
    refuse(socket, "503 Service Unavailable");
  hang_up(socket);
  const std::scoped_lock lock(mutex_);
  open_.erase(socket);
  ::close(socket);
  return true;
}

void HttpServer::answer(socket_t socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  LimitedStream stream(socket);
  // A request that was not understood, or has a body, is the last one: the rest must not be taken for the next.
  bool closed = false, last = true;
  const auto look_at = [&last](httplib::Request& request) {
    request.headers.erase("Accept-Encoding");  // neither packed nor in pieces: both cost much for nothing here
    request.ranges.clear();
    last = request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
  };
  do {
    if (!stream.wait_for_request(30s)) return;
    last = true;
    if (!process_request(stream, false, closed, look_at)) break;
  } while (!closed && !last);
  if (stream.trouble() == LimitedStream::Trouble::too_long) refuse(socket, "431 Request Header Fields Too Large");
  if (stream.trouble() == LimitedStream::Trouble::too_slow) refuse(socket, "408 Request Timeout");
}

}  // namespace linnet::tools
