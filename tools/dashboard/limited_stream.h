// A connection that cannot be held for ever: so long for a request, so many bytes for its headers.
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>

namespace linnet::tools {

class LimitedStream final : public httplib::Stream {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t request_bytes = 16 * 1024;  ///< request line and headers; there is no body
  static constexpr std::chrono::seconds request_time{5};   ///< from the first byte to the last header
  static constexpr std::chrono::minutes total_time{5};     ///< request and answer
  static constexpr std::chrono::seconds write_time{20};    ///< without taking a single byte

  explicit LimitedStream(socket_t socket) : socket_(socket) {}

  /// Until the first byte of the next request; false: it did not come in time, or the other side hung up.
  bool wait_for_request(std::chrono::milliseconds patience);

  enum class Trouble { none, too_long, too_slow };
  Trouble trouble() const { return trouble_; }

  bool is_readable() const override { return true; }
  bool is_writable() const override;
  ssize_t read(char* bytes, std::size_t size) override;
  ssize_t write(const char* bytes, std::size_t size) override;
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

 private:
  socket_t socket_;
  Clock::time_point began_{};
  std::array<char, 4096> buffer_{};
  std::size_t begin_ = 0, end_ = 0;
  std::size_t taken_ = 0;  ///< of this request
  Trouble trouble_ = Trouble::none;
};

}  // namespace linnet::tools
