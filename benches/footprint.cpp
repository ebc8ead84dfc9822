// footprint FILE: what it takes to get the first answer from a model file: time since exec, memory, size of a program.
//
// Links liblinnet.a and nothing else of ours, so that its own size is that of the smallest program that classifies.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <vector>

#include "linnet/model.h"
#include "linnet/session.h"

namespace {

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// When this process began, on the clock of the boot, to the kernel's hundredth of a second.
double process_start() {
  char text[2048] = "";
  if (FILE* file = std::fopen("/proc/self/stat", "r")) {
    text[std::fread(text, 1, sizeof text - 1, file)] = '\0';
    std::fclose(file);
  }
  const char* field = std::strrchr(text, ')');  // the end of field 2; the start is field 22
  for (int i = 2; field != nullptr && i < 22; ++i) field = std::strchr(field + 1, ' ');
  long long ticks = 0;
  if (field != nullptr) std::sscanf(field, "%lld", &ticks);
  return static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

void run(const char* path) {
  const double begin = seconds_of(CLOCK_MONOTONIC);
  const linnet::Model model = linnet::load_model(path);
  const double loaded = seconds_of(CLOCK_MONOTONIC);
  const auto plan = linnet::compile(model);
  linnet::Session session(plan, 1);
  const double compiled = seconds_of(CLOCK_MONOTONIC);
  const std::vector<float> input(static_cast<std::size_t>(linnet::element_count(plan->input_shape())), 0.5f);
  std::vector<float> output(static_cast<std::size_t>(linnet::element_count(plan->output_shape())));
  session.run(input, output);
  const double answered = seconds_of(CLOCK_MONOTONIC);
  const double since_exec = seconds_of(CLOCK_BOOTTIME) - process_start();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "{\"load_ms\": %.2f, \"compile_ms\": %.2f, \"first_run_ms\": %.2f, \"since_exec_ms\": %.0f, \"peak_rss_bytes\": "
      "%lld, "
      "\"weight_bytes\": %zu, \"arena_bytes\": %zu}\n",
      1e3 * (loaded - begin), 1e3 * (compiled - loaded), 1e3 * (answered - compiled), 1e3 * since_exec,
      1024LL * usage.ru_maxrss, plan->weight_bytes(), plan->arena_bytes());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: footprint MODEL_FILE\n");
    return 2;
  }
  try {
    run(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "footprint: %s\n", error.what());
    return 1;
  }
  return 0;
}
