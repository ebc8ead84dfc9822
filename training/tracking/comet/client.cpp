#include "training/tracking/comet/client.h"

#include <httplib.h>

#include <csignal>
#include <cstdlib>

#include "linnet/error.h"

namespace linnet::tracking::comet {
namespace {

/// Writing to a connection that the other side closed is an error, not the end of the process.
class WithoutBrokenPipe {
 public:
  WithoutBrokenPipe() {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before_);
  }
  ~WithoutBrokenPipe() {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    const timespec at_once{};
    if (sigismember(&before_, SIGPIPE) == 0) {
      while (sigtimedwait(&pipe, nullptr, &at_once) > 0) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t before_{};
};

double number_or(const std::string& text, double otherwise) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return end == text.c_str() || !(value >= 0 && value < 1e6) ? otherwise : value;
}

std::string text_of(const Json& json, const char* name) {
  return json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : "";
}

int integer_of(const Json& json, const char* name) {
  return json.contains(name) && json[name].is_number_integer() ? json[name].get<int>() : 0;
}

Outcome outcome_of(int status) {
  if (status == 429) return Outcome::throttled;
  if (status == 408 || status >= 500 || status < 200) return Outcome::unknown;
  return status < 300 ? Outcome::done : Outcome::refused;
}

Outcome outcome_of(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
    case httplib::Error::BindIPAddress:
    case httplib::Error::SSLConnection:
    case httplib::Error::SSLLoadingCerts:
    case httplib::Error::SSLServerVerification:
      return Outcome::not_sent;
    default:
      return Outcome::unknown;
  }
}

Reply failure(httplib::Error error) {
  Reply reply;
  reply.outcome = outcome_of(error);
  reply.problem = error == httplib::Error::SSLServerVerification
                      ? "its certificate cannot be verified (SSL_CERT_FILE may name further authorities)"
                      : httplib::to_string(error);
  return reply;
}

Reply read(const httplib::Response& response) {
  Reply reply;
  reply.status = response.status;
  reply.outcome = outcome_of(response.status);
  const std::string type = response.get_header_value("Content-Type");
  Json json = Json::parse(response.body, nullptr, false);
  if (json.is_object()) {
    reply.json = std::move(json);
    reply.code = integer_of(reply.json, "sdk_error_code");
    if (const int inner = integer_of(reply.json, "code"); reply.outcome == Outcome::done && inner >= 400) {
      reply.status = inner;
      reply.outcome = outcome_of(inner);
    }
    reply.problem = text_of(reply.json, "msg");
  } else if (reply.outcome == Outcome::done && !response.body.empty() &&
             (type.starts_with("text/html") || type.starts_with("application/json"))) {
    reply.outcome = Outcome::unknown;  // the page of a proxy, or half an answer
    reply.problem = "this is no answer of Comet";
  }
  const std::string standard = response.get_header_value("Retry-After");
  reply.wait_seconds = number_or(response.get_header_value("Retry-After-Custom"), number_or(standard, -1));
  return reply;
}

}  // namespace

class Client::Connection {
 public:
  explicit Connection(const CometSettings& settings) : key_(settings.api_key) {
    const std::size_t scheme = settings.server.find("://") + 3;
    const std::size_t slash = std::min(settings.server.find('/', scheme), settings.server.size());
    host_ = settings.server.substr(0, slash);
    prefix_ = settings.server.substr(slash);
#ifndef CPPHTTPLIB_OPENSSL_SUPPORT
    if (host_.starts_with("https"))
      throw Error("this program was built without OpenSSL and cannot reach " + host_ +
                  ": pack runs with --mode offline, or upload the record from another machine");
#endif
    http_ = std::make_unique<httplib::Client>(host_);
    if (!http_->is_valid()) throw Error("cannot understand the address of Comet, " + settings.server);
    http_->set_keep_alive(true);
    http_->set_tcp_nodelay(true);
    http_->set_connection_timeout(5);
    http_->set_read_timeout(60);
    http_->set_write_timeout(60);
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
    http_->enable_server_certificate_verification(settings.check_certificate);
#endif
  }

  Reply send(const Request& request) {
    const WithoutBrokenPipe guard;
    const httplib::Result result = perform(request);
    Reply reply = result ? read(*result) : failure(result.error());
    if (reply.outcome != Outcome::done)
      reply.problem = host_ + " " + request.path + ": " +
                      (reply.status != 0 ? std::to_string(reply.status) + " " : "") + reply.problem;
    return reply;
  }

  void stop() { http_->stop(); }

 private:
  httplib::Result perform(const Request& request) {
    const httplib::Params query(request.query.begin(), request.query.end());
    const std::string path =
        query.empty() ? prefix_ + request.path : httplib::append_query_params(prefix_ + request.path, query);
    const httplib::Headers headers = {{"Authorization", key_}, {"User-Agent", "linnet/" LINNET_VERSION}};
    if (request.file) {
      const httplib::MultipartFormDataItems form = {{"file", *request.file, "file", "application/octet-stream"},
                                                    {"metadata", request.metadata, "", ""}};
      return http_->Post(path, headers, form);
    }
    if (request.body.is_null()) return http_->Get(path, headers);
    http_->set_compress(request.compressed);
    return http_->Post(path, headers, dumped(request.body), "application/json");
  }

  const std::string key_;
  std::string host_, prefix_;
  std::unique_ptr<httplib::Client> http_;
};

Client::Client(const CometSettings& settings) : connection_(std::make_unique<Connection>(settings)) {}

Client::~Client() = default;

Reply Client::send(const Request& request) { return connection_->send(request); }

void Client::stop() { connection_->stop(); }

}  // namespace linnet::tracking::comet
