#include "web_driver.h"

#include <fstream>
#include <stdexcept>

#include "training/tracking/comet/base64.h"

namespace linnet {

using nlohmann::json;

WebDriver::WebDriver() : client_("127.0.0.1", std::atoi(program_.word_behind("successfully on port ").c_str())) {
  client_.set_read_timeout(60);
  const json options = {{"args",
                         {"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                          "--hide-scrollbars", "--disable-background-networking"}}};
  const json always = {{"goog:chromeOptions", options}, {"goog:loggingPrefs", {{"browser", "ALL"}}}};
  session_ =
      "/session/" + ask("/session", {{"capabilities", {{"alwaysMatch", always}}}})["sessionId"].get<std::string>();
}

WebDriver::~WebDriver() { client_.Delete(session_); }

json WebDriver::ask(const std::string& path, const json& body) {
  const httplib::Result answer = client_.Post(path, body.dump(), "application/json");
  if (!answer) throw std::runtime_error("chromedriver does not answer: " + program_.printed());
  if (answer->status != 200) throw std::runtime_error(path + ": " + answer->body.substr(0, 500));
  return json::parse(answer->body)["value"];
}

json WebDriver::devtools(const std::string& command, const json& parameters) {
  return ask(session_ + "/goog/cdp/execute", {{"cmd", command}, {"params", parameters}});
}

void WebDriver::set_view(int width, int height, bool dark) {
  devtools("Emulation.setDeviceMetricsOverride",
           {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", width < 600}});
  const json colours = {{"name", "prefers-color-scheme"}, {"value", dark ? "dark" : "light"}};
  devtools("Emulation.setEmulatedMedia", {{"features", {colours}}});
}

void WebDriver::open(const std::string& link) { ask(session_ + "/url", {{"url", link}}); }

json WebDriver::run(const std::string& script) {
  return ask(session_ + "/execute/sync", {{"script", script}, {"args", json::array()}});
}

bool WebDriver::wait_for(const std::string& expression) {
  for (int i = 0; i < 400; ++i, std::this_thread::sleep_for(std::chrono::milliseconds(50)))
    if (run("return Boolean(" + expression + ");") == true) return true;
  return false;
}

void WebDriver::press(const std::string& key) {
  const json actions = {{{"type", "keyDown"}, {"value", key}}, {{"type", "keyUp"}, {"value", key}}};
  ask(session_ + "/actions", {{"actions", {{{"type", "key"}, {"id", "keyboard"}, {"actions", actions}}}}});
}

std::vector<std::string> WebDriver::complaints() {
  std::vector<std::string> result;
  for (const json& entry : ask(session_ + "/se/log", {{"type", "browser"}}))
    if (entry["level"] == "SEVERE" || entry["level"] == "WARNING") result.push_back(entry["message"]);
  return result;
}

void WebDriver::picture(const std::string& path, int width) {
  const double height = devtools("Page.getLayoutMetrics", json::object())["cssContentSize"]["height"];
  const json clip = {{"x", 0}, {"y", 0}, {"width", width}, {"height", std::min(height, 4000.0)}, {"scale", 1}};
  const json made = devtools("Page.captureScreenshot", {{"captureBeyondViewport", true}, {"clip", clip}});
  std::ofstream(path, std::ios::binary) << tracking::comet::from_base64(made["data"]);
}

}  // namespace linnet
