#include "dashboard.h"

#include <charconv>

#include "api.h"
#include "linnet/error.h"
#include "pages.h"

namespace linnet::tools {
namespace {

using namespace std::chrono_literals;
using httplib::Request;
using httplib::Response;

constexpr std::size_t curves_at_once = 500;

/// What is wrong with a request: 400.
struct BadRequest : Error {
  using Error::Error;
};

std::int64_t to_number(std::string_view text, const std::string& name) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    throw BadRequest(name + ": expected a number, found '" + std::string(text.substr(0, 30)) + "'");
  return value;
}

std::int64_t number(const Request& request, const std::string& name, std::int64_t otherwise) {
  return request.has_param(name) ? to_number(request.get_param_value(name), name) : otherwise;
}

/// "7,9:120": series 7 from its beginning, series 9 behind its point 120.
std::vector<CurveRequest> curves_of(std::string_view text) {
  std::vector<CurveRequest> curves;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const std::size_t colon = std::min(item.find(':'), item.size());
    const bool whole = colon == item.size();
    curves.push_back(
        {to_number(item.substr(0, colon), "series"), whole ? 0 : to_number(item.substr(colon + 1), "series")});
  }
  if (curves.size() > curves_at_once)
    throw BadRequest("series: at most " + std::to_string(curves_at_once) + " at once");
  return curves;
}

void send(Response& response, const Json& json) {
  response.set_content(json.dump(-1, ' ', false, Json::error_handler_t::replace), "application/json");
}

void send_error(Response& response, int status, const std::string& message) {
  response.status = status;
  send(response, {{"error", message}});
}

/// By its first bytes: what a browser may show as a picture. All else is to be saved.
const char* picture_type(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n")) return "image/png";
  if (bytes.starts_with("\xff\xd8\xff")) return "image/jpeg";
  return nullptr;
}

/// For a header: no quotes, no control characters, no folders.
std::string file_name(const std::string& name) {
  std::string result = name.substr(name.rfind('/') + 1);
  for (char& c : result)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e || c == '"' || c == '\\') c = '_';
  return result.empty() ? "asset" : result;
}

const httplib::Headers headers = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
     "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

}  // namespace

Dashboard::Dashboard(const DashboardOptions& options)
    : database_(options.database),
      watch_(options.database),
      server_([this](const Request& request, Response& response) { answer(request, response); }),
      answers_{{"/api/runs", &Dashboard::runs},     {"/api/run", &Dashboard::run},
               {"/api/points", &Dashboard::points}, {"/api/output", &Dashboard::output},
               {"/api/asset", &Dashboard::asset},   {"/api/tradeoff", &Dashboard::tradeoff},
               {"/api/events", &Dashboard::events}} {
  std::string token = options.token;
  if (token.empty() && !is_loopback(options.address)) token = random_token();
  const int port = server_.bind(options.address, options.port);
  access_ = std::make_unique<Access>(token, port);
  const bool v6 = options.address.find(':') != std::string::npos;
  link_ = "http://" + (v6 ? "[" + options.address + "]" : options.address) + ":" + std::to_string(port) + "/" +
          (token.empty() ? "" : "?token=" + token);
}

void Dashboard::stop() {
  watch_.stop();
  server_.stop();
}

void Dashboard::answer(const Request& request, Response& response) {
  response.headers = headers;
  try {
    if (!access_->admits(request, response)) return;
    response.status = 200;
    if (const auto found = answers_.find(request.path); found != answers_.end()) {
      if (request.path == "/api/events") return events(request, response);
      readers_.acquire();
      const std::unique_ptr<std::counting_semaphore<>, void (*)(std::counting_semaphore<>*)> release(
          &readers_, [](auto* readers) { readers->release(); });
      (this->*found->second)(request, response);
    } else if (const auto page = find_page(request.path)) {
      response.set_content(page->data(), page->size(), content_type(request.path));
    } else {
      send_error(response, 404, "there is no " + request.path);
    }
  } catch (const BadRequest& error) {
    send_error(response, 400, error.what());
  } catch (const std::exception& error) {
    send_error(response, 500, error.what());
  }
}

void Dashboard::runs(const Request& request, Response& response) {
  const tracking::RunSelection selection{
      .heard_since = number(request, "since", 0), .after = number(request, "after", 0), .longest_text = 1000};
  send(response, runs_json(tracking::Record(database_), selection));
}

void Dashboard::run(const Request& request, Response& response) {
  const tracking::Record record(database_);
  try {
    send(response, run_json(record, record.run(request.get_param_value("key"))));
  } catch (const Error& error) {
    send_error(response, 404, error.what());
  }
}

void Dashboard::points(const Request& request, Response& response) {
  const std::int64_t points = std::clamp<std::int64_t>(number(request, "points", 1000), 10, 20000);
  const bool logarithmic = request.get_param_value("spacing") == "log";
  const auto curves = curves_of(request.get_param_value("series"));
  send(response, points_json(tracking::Record(database_), curves, points, logarithmic));
}

void Dashboard::output(const Request& request, Response& response) {
  send(response, output_json(tracking::Record(database_), number(request, "run", 0), number(request, "after", 0)));
}

void Dashboard::asset(const Request& request, Response& response) {
  const tracking::Record record(database_);
  const auto asset = record.asset(number(request, "id", 0));
  if (!asset) return send_error(response, 404, "there is no such asset");
  const std::string bytes = record.bytes(*asset);
  const char* picture = picture_type(bytes);
  response.set_content(bytes, picture ? picture : "application/octet-stream");
  if (!picture) response.set_header("Content-Disposition", "attachment; filename=\"" + file_name(asset->name) + "\"");
}

void Dashboard::tradeoff(const Request&, Response& response) {
  send(response, tradeoff_json(tracking::Record(database_)));
}

/// Server-sent events: "change" whenever something was written, at most twice a second.
void Dashboard::events(const Request&, Response& response) {
  const auto begin = std::chrono::steady_clock::now();
  auto known = std::make_shared<std::int64_t>(0);
  response.set_chunked_content_provider("text/event-stream", [=, this](std::size_t, httplib::DataSink& sink) {
    const std::int64_t changes = watch_.wait(*known, 10s);
    if (watch_.stopped() || std::chrono::steady_clock::now() - begin > 4min) return false;  // the page asks again
    const std::string text = changes > *known ? "event: change\ndata: " + std::to_string(changes) + "\n\n" : ":\n\n";
    *known = changes;
    return sink.write(text.data(), text.size());
  });
}

}  // namespace linnet::tools
