#include "access.h"

#include <arpa/inet.h>

#include <random>

namespace linnet::tools {
namespace {

bool refuse(httplib::Response& response, int status, const std::string& why) {
  response.status = status;
  response.set_content(why + "\n", "text/plain; charset=utf-8");
  return false;
}

/// "localhost:8080" -> "localhost", "[::1]:8080" -> "::1"
std::string host_name(const std::string& host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

/// In a time that does not depend on where they differ.
bool same_secret(const std::string& a, const std::string& b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i % b.size()]);
  return difference == 0;
}

std::string cookie_value(const std::string& cookies, const std::string& name) {
  for (std::size_t at = cookies.find(name + "="); at != std::string::npos; at = cookies.find(name + "=", at + 1)) {
    if (at != 0 && cookies[at - 1] != ' ' && cookies[at - 1] != ';') continue;
    at += name.size() + 1;
    return cookies.substr(at, cookies.find(';', at) - at);
  }
  return "";
}

/// A link or the address line may lead here from anywhere; scripts, pictures and frames of other sites may not.
bool is_foreign(const httplib::Request& request) {
  const std::string origin = request.get_header_value("Origin"), host = request.get_header_value("Host");
  if (!origin.empty() && origin != "http://" + host && origin != "https://" + host) return true;
  const std::string site = request.get_header_value("Sec-Fetch-Site");
  if (site.empty() || site == "same-origin" || site == "none") return false;
  return request.get_header_value("Sec-Fetch-Mode") != "navigate" ||
         request.get_header_value("Sec-Fetch-Dest") != "document" || request.path.starts_with("/api/");
}

constexpr const char* token_page =
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    "<title>Linnet</title><link rel=stylesheet href=/style.css><main class=login><form><h1>Linnet</h1>"
    "<label>Token <input name=token type=password required autofocus autocomplete=current-password></label>"
    "<button>Open</button><p>It stands in the link that <code>linnet dashboard</code> has printed.</p></form></main>";

}  // namespace

bool is_loopback(const std::string& address) {
  in_addr v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  return address == "::1" || address == "localhost";
}

std::string random_token() {
  std::random_device random;
  std::string token;
  for (int i = 0; i < 32; ++i) token += "0123456789abcdef"[random() % 16];
  return token;
}

Access::Access(std::string token, int port) : token_(std::move(token)), cookie_("linnet_" + std::to_string(port)) {}

bool Access::knows_token(const httplib::Request& request) const {
  const std::string bearer = "Bearer ", authorization = request.get_header_value("Authorization");
  return same_secret(cookie_value(request.get_header_value("Cookie"), cookie_), token_) ||
         (authorization.starts_with(bearer) && same_secret(authorization.substr(bearer.size()), token_));
}

bool Access::admits(const httplib::Request& request, httplib::Response& response) const {
  if (request.method != "GET" && request.method != "HEAD") {
    response.set_header("Allow", "GET, HEAD");
    return refuse(response, 405, "this server is for reading only");
  }
  const std::string length = request.get_header_value("Content-Length");
  if (request.has_header("Transfer-Encoding") || (!length.empty() && length != "0")) {
    return refuse(response, 400, "a request with a body");
  }
  if (request.get_header_value_count("Host") != 1) return refuse(response, 400, "a request needs one Host");
  if (token_.empty() && !is_loopback(host_name(request.get_header_value("Host"))))
    return refuse(response, 403, "this server answers to localhost and 127.0.0.1 only");
  if (is_foreign(request)) return refuse(response, 403, "another site may not read this");
  if (token_.empty() || knows_token(request) || request.path == "/style.css") return true;
  if (same_secret(request.get_param_value("token"), token_)) {
    response.set_header("Set-Cookie", cookie_ + "=" + token_ + "; Path=/; HttpOnly; SameSite=Strict");
    response.set_redirect(request.path.starts_with("//") ? "/" : request.path, 303);  // "//x" would be another site
    return false;
  }
  response.status = 401;
  response.set_content(request.path.starts_with("/api/") ? "this needs the token\n" : token_page,
                       request.path.starts_with("/api/") ? "text/plain" : "text/html; charset=utf-8");
  return false;
}

}  // namespace linnet::tools
