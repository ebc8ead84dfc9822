// fill_record FILE RUNS POINTS: a record of made-up training runs, each with so many points in four curves, to load the
// dashboard with. See dashboard_load.py.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "linnet/random.h"
#include "linnet/tracking/tracker.h"

namespace {

void add_run(const std::string& file, int number, long points) {
  linnet::tracking::Tracker tracker(file, {.name = "run-" + std::to_string(number), .system_seconds = 0});
  const linnet::CounterRandom random(static_cast<std::uint64_t>(number), 0);
  const double rate = 0.01 * (1 + number % 10);
  tracker.parameters(R"({"optimiser": {"kind": "sgd", "lr": )" + std::to_string(rate) + R"(}, "batch": 64, "seed": )" +
                     std::to_string(number) + "}");
  const long steps = points / 4;
  for (long step = 1; step <= steps; ++step) {
    const double progress = static_cast<double>(step) / static_cast<double>(steps);
    const double noise = random.uniform(static_cast<std::uint64_t>(step));
    const double loss = 0.2 + 2 * std::exp(-300 * rate * progress) + 0.2 * noise;
    const linnet::tracking::Place train{.step = step, .epoch = 1 + step * 100 / (steps + 1), .context = "train"};
    tracker.metric("loss", loss, train);
    tracker.metric("top1", 1 / (1 + loss), train);
    tracker.metric("learning_rate", rate * (1 - progress), {.step = step, .epoch = train.epoch});
    tracker.metric("images_per_s", 3000 + 500 * noise, {.step = step, .epoch = train.epoch});
  }
  tracker.metric("top1", 0.9 + 0.0001 * (number % 100), {.step = steps, .context = "validate"});
  tracker.finish("finished");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: fill_record FILE RUNS POINTS\n");
    return 2;
  }
  try {
    for (int run = 1; run <= std::atoi(argv[2]); ++run) add_run(argv[1], run, std::atol(argv[3]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fill_record: %s\n", error.what());
    return 1;
  }
  return 0;
}
