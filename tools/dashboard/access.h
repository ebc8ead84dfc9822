// Who may read: pages of this server, opened by somebody who can know the token; never another site in the same
// browser.
#pragma once

#include <httplib.h>

#include <string>

namespace linnet::tools {

/// Whether only programs of this machine reach the address: 127.x.x.x, ::1, localhost.
bool is_loopback(const std::string& address);

/// 32 hexadecimal digits.
std::string random_token();

class Access {
 public:
  /// Without a token (empty) everybody is let in whose Host is a name of this machine: a page elsewhere cannot
  /// disguise its own name as this server (DNS rebinding). With one, every request has to bring it: as ?token=...,
  /// which becomes a cookie, or as "Authorization: Bearer ...".
  Access(std::string token, int port);

  /// True if the request may be answered; else `response` says why not, or asks for the token.
  bool admits(const httplib::Request& request, httplib::Response& response) const;

 private:
  bool knows_token(const httplib::Request& request) const;

  std::string token_, cookie_;
};

}  // namespace linnet::tools
