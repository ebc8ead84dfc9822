// Who is let in, and what the others cannot do.
#include <gtest/gtest.h>

#include "connection.h"
#include "dashboard_fixture.h"

namespace linnet {
namespace {

using namespace std::chrono_literals;

class DashboardSecurity : public DashboardTest {};

TEST_F(DashboardSecurity, OtherNamesOfThisMachineAreRefused) {
  for (const std::string host : {"localhost", "127.0.0.1", "127.0.0.1:1", "[::1]:8090", "localhost:9000"})
    EXPECT_EQ(status("/", {{"Host", host}}), 200) << host;
  for (const std::string host : {"evil.example", "evil.example:8090", "127.0.0.1.evil.example",
                                 "localhost.evil.example", "0.0.0.0", "[::2]", ""})
    EXPECT_GE(status("/", {{"Host", host}}), 400) << host;  // a rebound name
  Connection none(port_);
  none.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_NE(none.receive(2s).find(" 400 "), std::string::npos);
}

TEST_F(DashboardSecurity, OtherSitesCannotReadOrEmbed) {
  const std::string host = "127.0.0.1:" + std::to_string(port_);
  EXPECT_EQ(status("/api/runs", {{"Host", host}, {"Origin", "http://" + host}}), 200);
  EXPECT_EQ(status("/api/runs", {{"Origin", "http://evil.example"}}), 403);
  EXPECT_EQ(status("/api/runs", {{"Origin", "null"}}), 403);
  EXPECT_EQ(status("/api/runs", {{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "no-cors"}}), 403);
  EXPECT_EQ(status("/api/runs",
                   {{"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}}),
            403);
  EXPECT_EQ(
      status("/", {{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "iframe"}}),
      403);
  EXPECT_EQ(
      status("/", {{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}}),
      200);  // a link
  const auto page = get("/");
  const std::string policy = page->get_header_value("Content-Security-Policy");
  for (const std::string part : {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"})
    EXPECT_NE(policy.find(part), std::string::npos) << policy;
  EXPECT_FALSE(page->has_header("Access-Control-Allow-Origin"));
}

TEST_F(DashboardSecurity, NothingBesidesThePagesIsServed) {
  for (const std::string path :
       {"/../../../../etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd", "//etc/passwd", "/%2e%2e/linnet.db", "/linnet.db",
        "/run.html%00", "/page/run.js", "/./run.js/..", "\\..\\run.js"}) {
    Connection raw(port_);
    raw.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const std::string answer = raw.receive(3s);
    EXPECT_TRUE(answer.find(" 404 ") != answer.npos || answer.find(" 400 ") != answer.npos) << path << ": " << answer;
    EXPECT_EQ(answer.find("root:"), std::string::npos);
  }
}

TEST_F(DashboardSecurity, NothingCanBeChanged) {
  const std::string before = read_file(database_);
  auto browser = client();
  EXPECT_EQ(browser.Post("/api/runs", "x=1", "application/x-www-form-urlencoded")->status, 405);
  EXPECT_EQ(browser.Put("/api/runs", "{}", "application/json")->status, 405);
  EXPECT_EQ(browser.Delete("/api/runs")->status, 405);
  EXPECT_EQ(browser.Options("/api/runs")->status, 405);
  EXPECT_EQ(browser.Head("/")->status, 200);
  Connection body(port_);
  body.send("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nGET /");
  EXPECT_NE(body.receive(3s).find(" 400 "), std::string::npos);
  EXPECT_EQ(read_file(database_), before);
}

TEST_F(DashboardSecurity, OversizedRequestsAreCutOff) {
  const std::string begin = "GET / HTTP/1.1\r\nHost: localhost\r\n";
  Connection line(port_), lines(port_), address(port_);
  line.send(begin + "X: " + std::string(1 << 20, 'a'));  // without an end
  std::string many = begin;
  for (int i = 0; i < 10000; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  lines.send(many);
  address.send("GET /" + std::string(12000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(line.receive().starts_with("HTTP/1.1 431 "));
  const std::string answer = lines.receive();  // which limit is reached first does not matter
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 4")) << answer;
  EXPECT_EQ(answer.find("(still open)"), std::string::npos);
  EXPECT_TRUE(address.receive().starts_with("HTTP/1.1 414 "));
  EXPECT_EQ(status("/"), 200);
}

TEST_F(DashboardSecurity, TwoHundredConnectionsAndSlowOnesLeaveRoomForMore) {
  Connection slow(port_);
  std::vector<std::unique_ptr<Connection>> many;
  for (int i = 0; i < 200; ++i) {
    many.push_back(std::make_unique<Connection>(port_));
    ASSERT_TRUE(many.back()->is_open());
    // Idle ones, ones that listen to events, ones that have begun a request.
    if (i % 4 == 1) many.back()->send("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    if (i % 4 == 2) many.back()->send("GET / HT");
    if (i % 4 == 3) many.back()->send("GET /api/runs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(status("/api/runs"), 200);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  for (int i = 3; i < 200; i += 4)
    EXPECT_NE(many[static_cast<std::size_t>(i)]->receive().find(" 200 "), std::string::npos);
  // One byte now and then: the whole request has its time, not each byte.
  std::string answer = "(still open)";
  for (int i = 0; i < 40 && answer == "(still open)" && slow.send("G"); ++i) answer = slow.receive(250ms);
  EXPECT_NE(answer.find(" 408 "), std::string::npos) << answer;
  EXPECT_EQ(status("/"), 200);
  for (int i = 0; i < 200; ++i) many.push_back(std::make_unique<Connection>(port_));
  EXPECT_NE(many.back()->receive(3s).find(" 503 "), std::string::npos);
  many.clear();
  for (int i = 0; i < 300 && status("/") != 200; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(status("/"), 200);
}

TEST_F(DashboardSecurity, ATokenIsDemandedOfEverybody) {
  const std::string token = "0123456789abcdefg";
  start({"--token", token});
  EXPECT_NE(link_.find("?token=" + token), std::string::npos);
  EXPECT_EQ(status("/"), 401);
  EXPECT_NE(get("/")->body.find("<form"), std::string::npos);
  EXPECT_EQ(status("/api/runs"), 401);
  EXPECT_EQ(status("/?token=0123456789abcdefh"), 401);
  EXPECT_EQ(status("/?token="), 401);
  EXPECT_EQ(status("/api/runs", {{"Authorization", "Bearer wrong"}}), 401);
  EXPECT_EQ(status("/api/runs", {{"Authorization", "Bearer " + token}}), 200);
  EXPECT_EQ(status("/api/runs", {{"Authorization", "Bearer " + token}, {"Origin", "http://evil.example"}}), 403);
  const auto opened = get("/tradeoff?token=" + token);
  ASSERT_EQ(opened->status, 303);
  EXPECT_EQ(opened->get_header_value("Location"), "/tradeoff");
  EXPECT_EQ(get("//evil.example?token=" + token)->get_header_value("Location"), "/");
  const std::string cookie = opened->get_header_value("Set-Cookie");
  EXPECT_NE(cookie.find("HttpOnly; SameSite=Strict"), std::string::npos);
  EXPECT_EQ(status("/api/runs", {{"Cookie", "a=b; " + cookie.substr(0, cookie.find(';'))}}), 200);
  EXPECT_EQ(status("/api/runs", {{"Cookie", "x" + cookie.substr(0, cookie.find(';'))}}), 401);
}

TEST_F(DashboardSecurity, AnotherAddressMakesItsOwnToken) {
  start({"--address", "0.0.0.0"});
  const std::string token = link_.substr(link_.find("?token=") + 7);
  EXPECT_EQ(token.size(), 32U);
  EXPECT_EQ(status("/"), 401);
  EXPECT_EQ(status("/api/runs", {{"Authorization", "Bearer " + token}, {"Host", "board.example:8090"}}), 200);
}

}  // namespace
}  // namespace linnet
