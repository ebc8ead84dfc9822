// repeat NAME RUNS: runs a network so many times on one thread and does nothing else: for instruction counters and
// profilers.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

#include "linnet/architectures.h"
#include "linnet/model.h"
#include "linnet/session.h"

namespace {

void run(const char* name, long runs) {
  linnet::Model model;
  model.graph = linnet::architectures::build(name);
  model.weights = linnet::initial_weights(model.graph, 0);
  const auto plan = linnet::compile(model);
  linnet::Session session(plan);
  const std::vector<float> input(static_cast<std::size_t>(linnet::element_count(plan->input_shape())), 0.5f);
  std::vector<float> output(static_cast<std::size_t>(linnet::element_count(plan->output_shape())));
  for (long i = 0; i < runs; ++i) session.run(input, output);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: repeat NAME RUNS\n");
    return 2;
  }
  try {
    run(argv[1], std::strtol(argv[2], nullptr, 10));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "repeat: %s\n", error.what());
    return 1;
  }
  return 0;
}
