// `linnet dashboard` as a program: wrong use, Ctrl-C.
#include <gtest/gtest.h>

#include "connection.h"
#include "dashboard_fixture.h"

namespace linnet {
namespace {

using namespace std::chrono_literals;

class DashboardProgram : public DashboardTest {
 protected:
  void expect_error(const std::string& arguments, int code, const std::string& part) const {
    const CommandResult result = run_command("timeout 20 " + linnet_ + " dashboard " + arguments);
    EXPECT_EQ(result.exit_code, code) << arguments;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_NE(result.err.find(part), std::string::npos) << result.err;
  }
};

TEST_F(DashboardProgram, WrongUseIsOneLine) {
  expect_error(database_ + " --port " + std::to_string(port_), 1, "is in use: choose another with --port");
  expect_error(database_ + " --port 70000", 2, "--port");
  expect_error(database_ + " --address 192.0.2.1", 1, "192.0.2.1 cannot be opened");
  expect_error(database_ + " --token short", 2, "16 or more");
  expect_error(folder_.file("none.db"), 1, "none.db: cannot open this record of runs");
  EXPECT_NE(run_command(linnet_ + " dashboard --help").out.find("--address"), std::string::npos);
}

TEST_F(DashboardProgram, CtrlCEndsItWithWhateverIsOpen) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Connection idle(port_), events(port_), half(port_);
    events.send("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    half.send("GET /api");
    std::this_thread::sleep_for(100ms);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(program_->end(signal), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
    start({});
  }
}

}  // namespace
}  // namespace linnet
