// footprint FILE: what it takes to get the first answer from a model file: time since exec, memory, the program's size.
//
// Links liblinnet.a and nothing else of ours, so that its own size is that of the smallest program that classifies.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <vector>

#include "linnet/model.h"
#include "linnet/session.h"

namespace {

double seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// The environment variable that tells the second exec of this program when it was begun.
constexpr const char* began = "FOOTPRINT_BEGAN";

/// Begins the program anew, so that it knows to the microsecond when that was. Does not return if that works.
void exec_again(char** argv) {
  char now[64];
  std::snprintf(now, sizeof now, "%.9f", seconds_now());
  setenv(began, now, 1);
  execvp(argv[0], argv);
}

long long program_bytes() {
  struct stat status {};
  return stat("/proc/self/exe", &status) == 0 ? static_cast<long long>(status.st_size) : -1;
}

/// The most memory that this process has held, from /proc/self/status.
long long peak_resident_bytes() {
  long long kilobytes = -1;
  if (FILE* file = std::fopen("/proc/self/status", "r")) {
    char line[256];
    while (std::fgets(line, sizeof line, file) != nullptr && std::sscanf(line, "VmHWM: %lld", &kilobytes) != 1) {
    }
    std::fclose(file);
  }
  return kilobytes * 1024;
}

void run(const char* path) {
  const double begin = seconds_now();
  const linnet::Model model = linnet::load_model(path);
  const double loaded = seconds_now();
  const auto plan = linnet::compile(model);
  linnet::Session session(plan, 1);
  const double compiled = seconds_now();
  const std::vector<float> input(static_cast<std::size_t>(linnet::element_count(plan->input_shape())), 0.5f);
  std::vector<float> output(static_cast<std::size_t>(linnet::element_count(plan->output_shape())));
  session.run(input, output);
  const double answered = seconds_now();
  const char* exec = std::getenv(began);
  std::printf(
      "{\"exec_to_answer_ms\": %.2f, \"load_ms\": %.2f, \"compile_ms\": %.2f, \"first_run_ms\": %.2f, "
      "\"peak_resident_bytes\": %lld, \"weight_bytes\": %zu, \"arena_bytes\": %zu, \"program_bytes\": %lld}\n",
      exec == nullptr ? -1.0 : 1e3 * (answered - std::strtod(exec, nullptr)), 1e3 * (loaded - begin),
      1e3 * (compiled - loaded), 1e3 * (answered - compiled), peak_resident_bytes(), plan->weight_bytes(),
      plan->arena_bytes(), program_bytes());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: footprint MODEL_FILE\n");
    return 2;
  }
  if (std::getenv(began) == nullptr) exec_again(argv);
  try {
    run(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "footprint: %s\n", error.what());
    return 1;
  }
  return 0;
}
