// What bench_models says about a machine, read from made-up ones.
#include <gtest/gtest.h>

#include <algorithm>

#include "benches/machine/describe.h"
#include "benches/machine/memory.h"
#include "benches/machine/monitor.h"
#include "linnet/error.h"
#include "tests/benches/fake_board.h"

namespace linnet::bench {
namespace {

using Lines = std::vector<std::string>;

/// The lines that the machine's files decide; CPU, instruction set, caches and cores are this machine's.
Lines description(const Machine& machine, const std::vector<int>& cpus) {
  Lines lines;
  std::istringstream text(describe_text(machine, cpus, CpuInfo{}));
  for (std::string line; std::getline(text, line);) {
    const std::string key = line.substr(0, line.find(':'));
    if (key != "cpu" && key != "isa" && key != "caches" && key != "cores") lines.push_back(line);
  }
  return lines;
}

TEST(DescribeMachine, RaspberryPi4) {
  FakeBoard board;
  make_pi4(board, false);
  EXPECT_EQ(description(board.machine(), {0, 1, 2, 3}),
            (Lines{"board:    Raspberry Pi 4 Model B Rev 1.4", "soc:      brcm,bcm2711",
                   "cluster:  4 x Cortex-A72 (cpu 0-3), up to 1800 MHz", "clock:    1800 1800 1800 1800 MHz now",
                   "governor: ondemand", "heat:     48.7 C (cpu-thermal)", "throttle: none now (Raspberry Pi firmware)",
                   "energy:   not readable: no RAPL, INA sensor or Jetson rail"}));
}

TEST(DescribeMachine, RaspberryPi4Throttled) {
  FakeBoard board;
  make_pi4(board, true);
  EXPECT_EQ(
      description(board.machine(), {0, 1, 2, 3}),
      (Lines{"board:    Raspberry Pi 4 Model B Rev 1.4", "soc:      brcm,bcm2711",
             "cluster:  4 x Cortex-A72 (cpu 0-3), up to 1800 MHz", "clock:    1000 1000 1000 1000 MHz now",
             "governor: ondemand", "heat:     82.8 C (cpu-thermal)",
             "throttle: frequency capped, throttled now; since boot: frequency capped, throttled, soft temperature "
             "limit (Raspberry Pi firmware)",
             "energy:   not readable: no RAPL, INA sensor or Jetson rail"}));
}

/// A firmware that answers through the mailbox alone, with bits and a measured clock.
Firmware mailbox(std::uint32_t bits, std::uint32_t hertz) {
  return [=](std::uint32_t tag, std::uint32_t argument) -> std::optional<std::uint32_t> {
    if (tag == 0x00030046) return bits;
    if (tag == 0x00030047 && argument == 3) return hertz;
    return std::nullopt;
  };
}

TEST(DescribeMachine, RaspberryPi5) {
  FakeBoard board;
  make_pi5(board);
  EXPECT_EQ(description(board.machine(mailbox(0, 2400000000)), {0, 1, 2, 3}),
            (Lines{"board:    Raspberry Pi 5 Model B Rev 1.0", "soc:      brcm,bcm2712",
                   "cluster:  4 x Cortex-A76 (cpu 0-3), up to 2400 MHz",
                   "clock:    2400 2400 2400 2400 MHz now (measured by the firmware)", "governor: ondemand",
                   "heat:     61.5 C (cpu-thermal)", "throttle: none now (Raspberry Pi firmware)",
                   "energy:   not readable: no RAPL, INA sensor or Jetson rail"}));
}

TEST(DescribeMachine, RaspberryPi5WithAWeakPowerSupply) {
  FakeBoard board;
  make_pi5(board);
  // cpufreq still reports 2400 MHz, the firmware knows better.
  const Lines lines = description(board.machine(mailbox(0x50005, 1500000000)), {0, 1});
  EXPECT_EQ(lines[3], "clock:    1500 1500 MHz now (measured by the firmware)");
  EXPECT_EQ(lines[6],
            "throttle: under-voltage, throttled now; since boot: under-voltage, throttled (Raspberry Pi firmware)");
}

TEST(DescribeMachine, JetsonNano) {
  FakeBoard board;
  make_nano(board, false);
  EXPECT_EQ(description(board.machine(), {0, 1, 2, 3}),
            (Lines{"board:    NVIDIA Jetson Nano Developer Kit", "soc:      nvidia,tegra210",
                   "cluster:  4 x Cortex-A57 (cpu 0-3), up to 1479 MHz", "clock:    1479 1479 1479 1479 MHz now",
                   "governor: schedutil", "heat:     41.5 C (CPU-therm)", "throttle: none now (cooling devices)",
                   "energy:   POM_5V_IN (ina3221x)"}));
}

TEST(DescribeMachine, JetsonNanoThrottled) {
  FakeBoard board;
  make_nano(board, true);
  const Lines lines = description(board.machine(), {0, 1, 2, 3});
  EXPECT_EQ(lines[3], "clock:    921 921 921 921 MHz now");
  EXPECT_EQ(lines[5], "heat:     97.0 C (CPU-therm)");
  EXPECT_EQ(lines[6], "throttle: cpu-balanced at 5 of 19 now (cooling devices)");
}

TEST(DescribeMachine, JetsonOrin) {
  FakeBoard board;
  make_orin(board, 0);
  EXPECT_EQ(
      description(board.machine(), {0, 1, 2, 3, 4, 5}),
      (Lines{"board:    NVIDIA Jetson Orin Nano Developer Kit", "soc:      nvidia,tegra234",
             "cluster:  6 x Cortex-A78AE (cpu 0-5), up to 1510 MHz", "clock:    1510 1510 1510 1510 1510 1510 MHz now",
             "governor: schedutil", "heat:     52.4 C (cpu-thermal)",
             "throttle: none now (cooling devices, over-current events)", "energy:   VDD_IN (ina3221)"}));
}

TEST(DescribeMachine, JetsonOrinWithOverCurrent) {
  FakeBoard board;
  make_orin(board, 7);
  EXPECT_EQ(description(board.machine(), {0})[6],
            "throttle: none now; 7 events since boot (cooling devices, over-current events)");
}

TEST(DescribeMachine, WorkstationWithCountersForRootAlone) {
  FakeBoard board;
  board.write("sys/class/dmi/id/sys_vendor", "Some Vendor\n");
  board.write("sys/class/dmi/id/product_name", "Workstation 5\n");
  board.write("sys/class/hwmon/hwmon0/name", "k10temp\n");
  board.write("sys/class/hwmon/hwmon0/temp1_input", "43250\n");
  board.write("sys/class/powercap/intel-rapl:0/name", "package-0\n");
  board.write("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3\n");
  EXPECT_EQ(description(board.machine(), {0}),
            (Lines{"board:    Some Vendor Workstation 5", "soc:      not readable",
                   "cluster:  1 x unknown core (cpu 0)", "clock:    not readable", "governor: not readable",
                   "heat:     43.2 C (k10temp)", "throttle: none now; 3 events since boot (processor counters)",
                   "energy:   not readable: RAPL is there, but only root may read it"}));
}

TEST(DescribeMachine, NothingReadable) {
  EXPECT_EQ(description(FakeBoard().machine(), {0, 1}),
            (Lines{"board:    not readable", "soc:      not readable", "clock:    not readable",
                   "governor: not readable", "heat:     not readable", "throttle: not readable",
                   "energy:   not readable: no RAPL, INA sensor or Jetson rail"}));
}

TEST(Clusters, BigAndLittle) {
  FakeBoard board;
  board.write_cores(0, 3, "0xd03", 1416, 1416, "schedutil");
  board.write_cores(4, 5, "0xd08", 1800, 1800, "schedutil");
  board.write("sys/devices/system/cpu/cpu2/online", "0\n");
  const std::vector<Cluster> clusters = read_clusters(board.machine().files);
  ASSERT_EQ(clusters.size(), 2u);
  EXPECT_EQ(clusters[0].core, "Cortex-A72");
  EXPECT_EQ(cpu_list_text(clusters[0].cpus), "4-5");
  EXPECT_EQ(clusters[1].core, "Cortex-A53");
  EXPECT_EQ(cpu_list_text(clusters[1].cpus), "0-1,3");
}

TEST(Clusters, ListsOfCpus) {
  EXPECT_EQ(parse_cpu_list("0-2,5"), (std::vector<int>{0, 1, 2, 5}));
  for (const char* wrong : {"", "a", "1-", "3-1", "1,,2", "1,", "-1", "99999999999"}) {
    EXPECT_THROW(parse_cpu_list(wrong), Error) << wrong;
  }
}

/// Of the board: this process may well have to make way for others.
Lines marks_of_the_board(Conditions conditions) {
  conditions.load = {};
  return marks(conditions);
}

TEST(Monitor, SeesTheClockFallAndTheHeatRise) {
  FakeBoard board;
  make_pi4(board, false);
  const Machine machine = board.machine();
  Monitor monitor(machine, {0, 1, 2, 3}, 2, 3600);
  monitor.start();
  monitor.sample(1);
  make_pi4(board, true);
  const Conditions conditions = monitor.stop();
  EXPECT_EQ(conditions.mhz.most, 1800);
  EXPECT_EQ(conditions.mhz.least, 1000);
  EXPECT_EQ(conditions.core_mhz.at(3).count, 2);
  EXPECT_NEAR(*conditions.celsius_before, 48.686, 1e-9);
  EXPECT_NEAR(*conditions.celsius_after, 82.764, 1e-9);
  EXPECT_FALSE(conditions.joules);
  EXPECT_EQ(marks_of_the_board(conditions),
            (Lines{"clock fell from 1800 to 1000 MHz", "throttled: frequency capped", "throttled: throttled"}));
}

TEST(Monitor, CountsOverCurrentEvents) {
  FakeBoard board;
  make_orin(board, 2);
  const Machine machine = board.machine();
  Monitor monitor(machine, {0}, 1, 3600);
  monitor.start();
  make_orin(board, 5);
  EXPECT_EQ(marks_of_the_board(monitor.stop()), (Lines{"throttled: 3 events counted"}));
}

TEST(Monitor, IdleCoresDoNotCountAsSlow) {
  FakeBoard board;
  make_pi4(board, false);
  board.write("sys/devices/system/cpu/cpu2/cpufreq/scaling_cur_freq", "600000\n");
  const Machine machine = board.machine();
  Monitor monitor(machine, {0, 1, 2, 3}, 3, 3600);
  monitor.start();
  const Conditions conditions = monitor.stop();
  EXPECT_EQ(conditions.mhz.least, 1800);
  EXPECT_EQ(conditions.core_mhz.at(2).most, 600);
  EXPECT_TRUE(marks_of_the_board(conditions).empty());
}

TEST(Monitor, SamplesWhileSomethingRuns) {
  FakeBoard board;
  make_pi5(board);
  const Machine machine = board.machine();
  Monitor monitor(machine, {0}, 1, 0.001);
  monitor.start();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_GE(monitor.stop().mhz.count, 3);
}

/// 100 ticks per second everywhere; `busy` and `stolen` in ticks.
std::string stat_text(int busy, int stolen) {
  return "cpu  0 0 0 0\ncpu0 " + std::to_string(busy) + " 0 0 9 0 0 0 " + std::to_string(stolen) +
         " 0 0\ncpu1 0 0 0 9 0\n";
}

TEST(Load, OthersAndTheHypervisor) {
  FakeBoard board;
  board.write("proc/stat", stat_text(500, 100));
  const SystemFiles files = board.machine().files;
  const Load before = read_load(files, {0, 1});
  board.write("proc/stat", stat_text(1400, 200));
  Conditions conditions;
  conditions.cpus = {0, 1};
  conditions.threads = 1;
  conditions.load = read_load(files, {0, 1}) - before;
  EXPECT_NEAR(conditions.load.busy, 9, 1e-9);
  EXPECT_NEAR(conditions.load.stolen, 1, 1e-9);
  conditions.load.wall = 5;
  conditions.load.own = 0;
  conditions.load.preempted = 0;
  EXPECT_EQ(marks(conditions),
            (Lines{"other processes kept 1.8 of 2 cores busy", "the hypervisor took 10 % of the processor time"}));
  conditions.load.own = 4.9;  // the other core was free for the others
  conditions.load.stolen = 0;
  conditions.load.preempted = 200;
  EXPECT_EQ(marks(conditions), (Lines{"preempted 200 times in 5.0 s"}));
  EXPECT_EQ(read_load(files, {1}).busy, 0);
}

TEST(Energy, PowerIsAddedUpOverTime) {
  FakeBoard board;
  make_orin(board, 0);
  const SystemFiles files = board.machine().files;
  EnergyMeter meter(files, find_energy_source(files));
  EXPECT_FALSE(meter.joules());
  meter.read(10);  // 5.048 W
  meter.read(12);
  board.write("sys/class/hwmon/hwmon1/curr1_input", "3000\n");
  meter.read(13);  // a mean of 10.096 W
  ASSERT_TRUE(meter.joules());
  EXPECT_NEAR(*meter.joules(), 2 * 5.048 + 10.096, 1e-9);
}

TEST(Energy, CountersBeginAnew) {
  FakeBoard board;
  for (const char* package : {"0", "1"}) {
    const std::string zone = std::string("sys/class/powercap/intel-rapl:") + package + "/";
    board.write(zone + "name", std::string("package-") + package + "\n");
    board.write(zone + "energy_uj", "262143000000\n");
    board.write(zone + "max_energy_range_uj", "262144000000\n");
  }
  const SystemFiles files = board.machine().files;
  EnergyMeter meter(files, find_energy_source(files));
  EXPECT_EQ(meter.source().name, "RAPL package-0, package-1");
  meter.read(0);
  board.write("sys/class/powercap/intel-rapl:0/energy_uj", "500000\n");
  meter.read(1);
  EXPECT_NEAR(*meter.joules(), 1.5, 1e-6);
}

TEST(Memory, TheKernelsEstimateWithinTheGroupsLimit) {
  FakeBoard board;
  const SystemFiles files = board.machine().files;
  EXPECT_FALSE(available_memory(files));
  board.write("proc/meminfo", "MemTotal: 1000000 kB\nMemFree: 1 kB\nMemAvailable:   900 kB\n");
  EXPECT_EQ(available_memory(files), 900.0 * 1024);
  board.write("sys/fs/cgroup/memory.max", "max\n");
  board.write("sys/fs/cgroup/memory.current", "100000\n");
  EXPECT_EQ(available_memory(files), 900.0 * 1024);
  board.write("sys/fs/cgroup/memory.max", "500000\n");
  EXPECT_EQ(available_memory(files), 400000.0);
}

}  // namespace
}  // namespace linnet::bench
