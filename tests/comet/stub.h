// The stand-in for Comet's servers (tests/data/comet), started by a test, and a run with everything to send there.
#pragma once

#include <gtest/gtest.h>
#include <httplib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "linnet/tracking/comet.h"
#include "linnet/tracking/record.h"
#include "linnet/tracking/tracker.h"
#include "tests/support/command.h"

namespace linnet::tracking {

inline const std::string comet_key = "a-key-that-nobody-may-see";

/// python3 stub_server.py, until the end of the object.
class CometStub {
 public:
  explicit CometStub(int port = 0) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    process_ = fork();
    if (process_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      execlp("python3", "python3", LINNET_TEST_DATA_DIR "/comet/stub_server.py", "--strict", "--api-key",
             comet_key.c_str(), "--port", std::to_string(port).c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    close(ends[1]);
    FILE* lines = fdopen(ends[0], "r");
    if (std::fscanf(lines, "listening on %d", &port_) != 1) port_ = 0;
    std::fclose(lines);
  }
  ~CometStub() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  CometStub(const CometStub&) = delete;
  CometStub& operator=(const CometStub&) = delete;

  int port() const { return port_; }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(port_); }

  nlohmann::json state() const { return ask("/__stub__/state")["experiments"]; }
  nlohmann::json stats() const { return ask("/__stub__/stats"); }
  /// Rules as stub_server.py describes them.
  void faults(const std::string& rules) const {
    httplib::Client(address()).Post("/__stub__/faults", rules, "application/json");
  }

 private:
  nlohmann::json ask(const std::string& path) const {
    httplib::Client client(address());
    client.set_read_timeout(60);
    const auto result = client.Get(path);
    return result ? nlohmann::json::parse(result->body) : nlohmann::json();
  }

  pid_t process_ = -1;
  int port_ = 0;
};

inline bool has_python() { return run_command("python3 --version").exit_code == 0; }

/// As fast as can be: times that are minutes are fractions of a second.
inline CometPace quick_pace() {
  return {.requests_per_second = 1000,
          .values_per_second = 1e6,
          .interval_seconds = 0.05,
          .first_delay_seconds = 0.02,
          .longest_delay_seconds = 0.2,
          .throttled_seconds = 0.2,
          .settle_seconds = 0.15};
}

inline CometSettings stub_settings(const std::string& address) {
  CometSettings settings;
  settings.mode = CometMode::online;
  settings.api_key = comet_key;
  settings.workspace = "team";
  settings.project = "tests";
  settings.server = address;
  return settings;
}

/// All kinds of values; `steps` points on each of four curves.
inline void log_everything(Tracker& tracker, int steps, int first = 1) {
  tracker.parameters(R"({"lr": 0.05, "model": {"name": "a", "sizes": [1, 2]}, "none": null, "on": true})");
  tracker.text("graph", R"({"layers": []})");
  tracker.text("device", "Raspberry Pi 5 \xc3\xbc");
  tracker.text("model", "mobilenet");
  tracker.tag("int8");
  for (int step = first; step < first + steps; ++step) {
    tracker.metric("loss", 1.0 / step, {.step = step, .epoch = step / 10, .context = "train"});
    tracker.metric("loss", 2.0 / step, {.step = step, .context = "validate"});
    tracker.metric("rate", step % 7 == 0 ? std::nan("") : step * 1e-13, {.step = step});
    tracker.metric("huge", step % 11 == 0 ? -INFINITY : step * 1e300, {.step = step});
    if (step % 50 == 0) tracker.output("step " + std::to_string(step) + "\n", step % 100 == 0);
  }
  tracker.image("a.png", "no real picture", {.step = first});
  const std::vector<float> weights = {0, 1, -2};
  tracker.histogram("weights", weights, {.step = first});
  tracker.confusion_matrix({{5, 1}, {0, 4}}, {"cat", "dog"}, {.step = first});
  tracker.asset({.kind = "model", .name = "model.safetensors"}, std::string(100'000, 'm'));
  tracker.asset({.kind = "html", .name = "report.html"}, "<p>report</p>");
  tracker.asset({.name = "folder/empty.txt"}, "");
}

}  // namespace linnet::tracking
