// A headless Chromium, steered by chromedriver (W3C WebDriver).
#pragma once

#include <httplib.h>

#include <nlohmann/json.hpp>

#include "running_program.h"

namespace linnet {

class WebDriver {
 public:
  /// Throws std::runtime_error if the browser does not start.
  WebDriver();
  ~WebDriver();
  WebDriver(const WebDriver&) = delete;
  WebDriver& operator=(const WebDriver&) = delete;

  /// Width and height of the page, colours.
  void set_view(int width, int height, bool dark);
  void open(const std::string& link);
  /// What `return ...;` gives.
  nlohmann::json run(const std::string& script);
  /// Until the expression is true, for 20 seconds.
  bool wait_for(const std::string& expression);
  void press(const std::string& key);
  /// Errors and warnings on the console since the last call.
  std::vector<std::string> complaints();
  /// PNG of the whole page, into a file.
  void picture(const std::string& path, int width);

 private:
  nlohmann::json ask(const std::string& path, const nlohmann::json& body);
  nlohmann::json devtools(const std::string& command, const nlohmann::json& parameters);

  RunningProgram program_{{"chromedriver", "--port=0"}};
  httplib::Client client_;
  std::string session_;
};

}  // namespace linnet
