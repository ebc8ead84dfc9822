// linnet dashboard [DB]: the record of runs in a browser, live.
#include "tools/dashboard/dashboard.h"

#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <thread>

#include "commands.h"

namespace linnet::tools {
namespace {

void run_dashboard(const DashboardOptions& options) {
  // Every thread leaves them to sigwait below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  Dashboard dashboard(options);
  std::printf("%s\nCtrl-C ends it.\n", dashboard.link().c_str());
  std::fflush(stdout);
  std::thread server([&dashboard] { dashboard.serve(); });
  int signal = 0;
  sigwait(&signals, &signal);
  dashboard.stop();
  server.join();
}

}  // namespace

void add_dashboard(CLI::App& app) {
  CLI::App* command = app.add_subcommand("dashboard", "The record of runs in a browser, live");
  auto options = std::make_shared<DashboardOptions>();
  options->database = tracking::default_database();
  command->add_option("database", options->database, "Record of runs; default: $LINNET_TRACKING, else runs/linnet.db")
      ->capture_default_str();
  command->add_option("--port", options->port, "Where it listens; 0: any free port")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command
      ->add_option("--address", options->address,
                   "127.0.0.1: programs of this machine; another (0.0.0.0: all networks) demands a token")
      ->capture_default_str();
  command->add_option("--token", options->token, "What the reader has to know; default, if one is needed: a random one")
      ->check([](const std::string& token) {
        const bool plain = std::all_of(token.begin(), token.end(),
                                       [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
        return plain && token.size() >= 16 ? "" : "a token is 16 or more letters, digits, - and _";
      });
  command->footer("Over ssh: ssh -L 8090:localhost:8090 MACHINE, and open http://localhost:8090/ at home.");
  command->callback([options] { run_dashboard(*options); });
}

}  // namespace linnet::tools
