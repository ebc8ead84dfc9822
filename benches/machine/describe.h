// The machine in words: the head of every table.
#pragma once

#include "benches/machine/board.h"
#include "benches/machine/cores.h"
#include "benches/machine/energy.h"
#include "benches/machine/firmware.h"
#include "benches/machine/throttling.h"
#include "linnet/cpu.h"

namespace linnet::bench {

/// What does not change while the program runs, and what it began with.
struct Description {
  Board board;
  std::vector<Cluster> clusters;
  std::vector<std::string> governors;
  std::string thermometer, energy_source;  ///< empty: there is none
  Throttling throttling;
};

Description describe(const Machine& machine, const std::vector<int>& cpus);

/// A line for each of board, chip, CPU, instruction set, caches, cores, clock, governor, temperature, throttling and
/// energy. What cannot be read is said to be missing.
std::string describe_text(const Machine& machine, const std::vector<int>& cpus, const CpuInfo& cpu);

}  // namespace linnet::bench
