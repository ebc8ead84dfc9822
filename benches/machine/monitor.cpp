#include "benches/machine/monitor.h"

#include <algorithm>
#include <chrono>

namespace linnet::bench {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

void Span::add(double value) {
  least = count == 0 ? value : std::min(least, value);
  most = count == 0 ? value : std::max(most, value);
  ++count;
  mean += (value - mean) / count;
}

Monitor::Monitor(const Machine& machine, std::vector<int> cpus, int threads, double period)
    : machine_(machine),
      period_(period),
      thermometer_(find_thermometer(machine.files)),
      energy_(machine.files, find_energy_source(machine.files)) {
  conditions_.cpus = std::move(cpus);
  conditions_.threads = threads;
}

Monitor::~Monitor() {
  if (thread_.joinable()) stop();
}

void Monitor::sample(double seconds) {
  energy_.read(seconds);
  std::vector<CoreClock> clocks = read_clocks(machine_, conditions_.cpus);
  for (const CoreClock& clock : clocks) conditions_.core_mhz[clock.cpu].add(clock.mhz);
  // Idle cores slow down; the threads are where the clock is fast.
  std::sort(clocks.begin(), clocks.end(), [](const CoreClock& a, const CoreClock& b) { return a.mhz > b.mhz; });
  clocks.resize(std::min(clocks.size(), static_cast<std::size_t>(conditions_.threads)));
  double sum = 0;
  for (const CoreClock& clock : clocks) {
    sum += clock.mhz;
    conditions_.max_mhz = std::max(conditions_.max_mhz, clock.max_mhz);
  }
  if (!clocks.empty()) conditions_.mhz.add(sum / static_cast<double>(clocks.size()));

  const std::optional<double> celsius = read_temperature(machine_.files, thermometer_);
  if (celsius) conditions_.celsius_most = std::max(*celsius, conditions_.celsius_most.value_or(*celsius));
  conditions_.celsius_after = celsius;
  conditions_.after = read_throttling(machine_);
  for (const std::string& cause : conditions_.after.now)
    if (std::find(conditions_.throttled.begin(), conditions_.throttled.end(), cause) == conditions_.throttled.end())
      conditions_.throttled.push_back(cause);
}

void Monitor::start() {
  sample(now());
  conditions_.celsius_before = conditions_.celsius_after;
  conditions_.before = conditions_.after;
  // The clock may still be on its way up when a run begins.
  conditions_.mhz = {};
  conditions_.core_mhz.clear();
  begin_ = read_load(machine_.files, conditions_.cpus);
  thread_ = std::thread([this] { loop(); });
}

void Monitor::loop() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::duration<double>(period_), [this] { return stop_; })) sample(now());
}

Conditions Monitor::stop() {
  conditions_.load = read_load(machine_.files, conditions_.cpus) - begin_;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  sample(now());
  conditions_.seconds = conditions_.load.wall;
  conditions_.joules = energy_.joules();
  return conditions_;
}

}  // namespace linnet::bench
