#include "limited_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace linnet::tools {
namespace {

bool wait_for(socket_t socket, short event, LimitedStream::Clock::duration patience) {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(patience).count();
  pollfd entry{socket, event, 0};
  return milliseconds > 0 && ::poll(&entry, 1, static_cast<int>(milliseconds)) > 0;
}

}  // namespace

bool LimitedStream::wait_for_request(std::chrono::milliseconds patience) {
  taken_ = 0;
  trouble_ = Trouble::none;
  if (begin_ == end_ && !wait_for(socket_, POLLIN, patience)) return false;
  began_ = Clock::now();
  return true;
}

bool LimitedStream::is_writable() const {
  char byte = 0;
  const bool hung_up = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  return !hung_up && Clock::now() < began_ + total_time && wait_for(socket_, POLLOUT, write_time);
}

ssize_t LimitedStream::read(char* bytes, std::size_t size) {
  if (begin_ == end_) {
    if (!wait_for(socket_, POLLIN, began_ + request_time - Clock::now())) {
      trouble_ = Trouble::too_slow;
      return -1;
    }
    const ssize_t count = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (count <= 0) return count;
    begin_ = 0;
    end_ = static_cast<std::size_t>(count);
  }
  const std::size_t count = std::min(size, end_ - begin_);
  taken_ += count;
  if (taken_ > request_bytes) {
    trouble_ = Trouble::too_long;
    return -1;
  }
  std::memcpy(bytes, buffer_.data() + begin_, count);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t LimitedStream::write(const char* bytes, std::size_t size) {
  if (trouble_ != Trouble::none) return -1;  // what to say to that is not the parser's business
  const auto patience = std::min<Clock::duration>(write_time, began_ + total_time - Clock::now());
  if (!wait_for(socket_, POLLOUT, patience)) return -1;
  return ::send(socket_, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace linnet::tools
