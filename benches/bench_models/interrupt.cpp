#include "benches/bench_models/interrupt.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

namespace linnet::bench {
namespace {

volatile std::sig_atomic_t received = 0;

void remember(int signal) {
  received = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, remember);
  std::signal(SIGTERM, remember);
}

bool interrupted() { return received != 0; }

void sleep_seconds(double seconds) {
  constexpr double step = 0.1;
  for (; seconds > 0 && !interrupted(); seconds -= step)
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(seconds, step)));
}

}  // namespace linnet::bench
