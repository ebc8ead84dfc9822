// What the machine offers, read from this one and from made-up ones.
#include "kernels/dispatch/cpu_info.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

namespace linnet {
namespace {

TEST(CpuInfo, ThisMachineMakesSense) {
  const CpuInfo& info = cpu_info();
  EXPECT_FALSE(info.name.empty());
  EXPECT_GE(info.big_cores, 1);
  EXPECT_LE(info.big_cores, info.physical_cores);
  EXPECT_LE(info.physical_cores, info.logical_cores);
  EXPECT_GE(info.usable_cores, 1);
  EXPECT_LE(info.usable_cores, info.logical_cores);
}

/// A made-up /proc and /sys.
class FakeMachine : public testing::Test {
 protected:
  FakeMachine() : root_(std::filesystem::temp_directory_path() / ("linnet_cpu_" + std::to_string(getpid()))) {
    std::filesystem::remove_all(root_);
  }
  ~FakeMachine() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path full = root_ / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full, std::ios::binary) << text;
  }
  void write_cpu(int number, const std::string& file, const std::string& text) {
    write("sys/devices/system/cpu/cpu" + std::to_string(number) + "/" + file, text);
  }
  void write_cache(int number, int index, const std::string& level, const std::string& type, const std::string& size) {
    const std::string cache = "cache/index" + std::to_string(index) + "/";
    write_cpu(number, cache + "level", level + "\n");
    write_cpu(number, cache + "type", type + "\n");
    write_cpu(number, cache + "size", size + "\n");
  }
  std::string root() const { return root_.string(); }
  CpuInfo read(const std::vector<int>& cpus) const { return kernels::read_cpu_info(root(), cpus); }

 private:
  std::filesystem::path root_;
};

TEST_F(FakeMachine, WithoutAnyFile) {
  const CpuInfo info = read({0, 1, 2});
  EXPECT_EQ(info.logical_cores, 3);
  EXPECT_EQ(info.physical_cores, 3);
  EXPECT_EQ(info.big_cores, 3);
  EXPECT_EQ(info.usable_cores, 3);
  EXPECT_EQ(info.l2_bytes, 0u);
  EXPECT_FALSE(info.name.empty());
}

TEST_F(FakeMachine, WorkstationWithSiblings) {
  write("proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Some Xeon @ 2.00GHz\n");
  for (int cpu = 0; cpu < 8; ++cpu) {
    const std::string first = std::to_string(cpu % 4), second = std::to_string(cpu % 4 + 4);
    write_cpu(cpu, "topology/thread_siblings_list", first + "," + second + "\n");
    write_cpu(cpu, "cpufreq/cpuinfo_max_freq", cpu % 4 == 0 ? "5100000\n" : "5000000\n");  // one favoured core
    write_cache(cpu, 0, "1", "Data", "48K");
    write_cache(cpu, 1, "1", "Instruction", "64K");
    write_cache(cpu, 2, "2", "Unified", "2048K");
    write_cache(cpu, 3, "3", "Unified", "105M");
  }
  CpuInfo info = read({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(info.name, "Some Xeon @ 2.00GHz");
  EXPECT_EQ(info.logical_cores, 8);
  EXPECT_EQ(info.physical_cores, 4);
  EXPECT_EQ(info.big_cores, 4);
  EXPECT_EQ(info.l1d_bytes, 48u * 1024);
  EXPECT_EQ(info.l2_bytes, 2048u * 1024);
  EXPECT_EQ(info.l3_bytes, 105u * 1024 * 1024);
  // An affinity mask that holds one core with both its threads, and half of another.
  info = read({1, 5, 2});
  EXPECT_EQ(info.logical_cores, 3);
  EXPECT_EQ(info.physical_cores, 2);
}

TEST_F(FakeMachine, BoardWithBigAndLittleCores) {
  write("proc/device-tree/model", std::string("Some Board Rev 1.4") + '\0');
  write("proc/cpuinfo", "processor\t: 0\nmodel name\t: ARMv8 Processor rev 4\n");
  for (int cpu = 0; cpu < 6; ++cpu) {
    write_cpu(cpu, "topology/thread_siblings_list", std::to_string(cpu) + "\n");
    write_cpu(cpu, "cpu_capacity", cpu < 4 ? "485\n" : "1024\n");
    write_cache(cpu, 0, "1", "Data", "32K");
    write_cache(cpu, 1, "2", "Unified", cpu < 4 ? "512K" : "1024K");
  }
  CpuInfo info = read({0, 1, 2, 3, 4, 5});
  EXPECT_EQ(info.name, "Some Board Rev 1.4");
  EXPECT_EQ(info.physical_cores, 6);
  EXPECT_EQ(info.big_cores, 2);
  EXPECT_EQ(info.l2_bytes, 1024u * 1024) << "that of the big cores";
  EXPECT_EQ(info.l3_bytes, 0u);
  // Confined to the little cluster, those are the big ones.
  info = read({0, 1, 2});
  EXPECT_EQ(info.big_cores, 3);
}

TEST_F(FakeMachine, ClocksWhereCapacitiesAreMissing) {
  for (int cpu = 0; cpu < 12; ++cpu) {
    const std::string core =
        cpu < 8 ? std::to_string(cpu / 2 * 2) + "-" + std::to_string(cpu / 2 * 2 + 1) : std::to_string(cpu);
    write_cpu(cpu, "topology/thread_siblings_list", core + "\n");
    write_cpu(cpu, "cpufreq/cpuinfo_max_freq", cpu < 8 ? "4900000\n" : "3700000\n");
  }
  const CpuInfo info = read({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  EXPECT_EQ(info.logical_cores, 12);
  EXPECT_EQ(info.physical_cores, 8);
  EXPECT_EQ(info.big_cores, 4);
}

TEST_F(FakeMachine, DamagedFiles) {
  write("proc/cpuinfo", "model name\nmodel name\t:\n");
  write_cpu(0, "cpu_capacity", "many\n");
  write_cpu(0, "cpufreq/cpuinfo_max_freq", "99999999999999999999999999\n");
  write_cache(0, 0, "two", "Unified", "?");
  const CpuInfo info = read({0});
  EXPECT_EQ(info.big_cores, 1);
  EXPECT_EQ(info.l2_bytes, 0u);
  EXPECT_FALSE(info.name.empty());
}

/// A made-up machine with control groups.
class FakeContainer : public FakeMachine {
 protected:
  double processors() const { return kernels::cgroup_processors(root()); }

  static constexpr const char* v2 =
      "22 28 0:20 / /sys rw,nosuid - sysfs sysfs rw\n"
      "30 22 0:25 / /sys/fs/cgroup rw,nosuid,nodev shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
  static constexpr const char* v1 =
      "32 31 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:5 master:2 - cgroup cgroup rw,cpu,cpuacct\n"
      "33 31 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n";
};

TEST_F(FakeContainer, QuotaOfVersion2) {
  write("proc/self/mountinfo", v2);
  write("proc/self/cgroup", "0::/\n");
  EXPECT_TRUE(std::isinf(processors())) << "no file: the root group has none";
  write("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_TRUE(std::isinf(processors()));
  write("sys/fs/cgroup/cpu.max", "250000 100000\n");
  EXPECT_DOUBLE_EQ(processors(), 2.5);
  EXPECT_EQ(read({0, 1, 2, 3, 4, 5, 6, 7}).usable_cores, 2);
  EXPECT_EQ(read({0, 1, 2, 3, 4, 5, 6, 7}).big_cores, 8) << "the hardware stays what it is";
  EXPECT_EQ(read({5}).usable_cores, 1) << "the affinity mask allows less than the quota";
  write("sys/fs/cgroup/cpu.max", "20000 100000\n");
  EXPECT_EQ(read({0, 1}).usable_cores, 1) << "at least one";
}

TEST_F(FakeContainer, TheTightestOfTheGroupsAboveCounts) {
  write("proc/self/mountinfo", v2);
  write("proc/self/cgroup", "0::/system.slice/board.service/inner\n");
  write("sys/fs/cgroup/system.slice/cpu.max", "300000 100000\n");
  write("sys/fs/cgroup/system.slice/board.service/cpu.max", "75000 50000\n");
  write("sys/fs/cgroup/system.slice/board.service/inner/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/elsewhere/cpu.max", "1000 100000\n");
  EXPECT_DOUBLE_EQ(processors(), 1.5);
}

TEST_F(FakeContainer, QuotaOfVersion1) {
  write("proc/self/mountinfo", v1);
  write("proc/self/cgroup", "5:cpuset:/elsewhere\n4:cpu,cpuacct:/kubepods/pod7\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_TRUE(std::isinf(processors()));
  write("sys/fs/cgroup/cpu,cpuacct/kubepods/pod7/cpu.cfs_quota_us", "400000\n");
  write("sys/fs/cgroup/cpu,cpuacct/kubepods/pod7/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(processors(), 4);
  write("sys/fs/cgroup/cpu,cpuacct/kubepods/cpu.cfs_quota_us", "50000\n");
  write("sys/fs/cgroup/cpu,cpuacct/kubepods/cpu.cfs_period_us", "25000\n");
  EXPECT_DOUBLE_EQ(processors(), 2);
}

TEST_F(FakeContainer, TheMountPointMayBeTheGroup) {
  // Without a namespace for groups a container sees its path outside, mounted at the top.
  write("proc/self/mountinfo", "40 39 0:28 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  write("proc/self/cgroup", "4:cpu:/docker/abc\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(processors(), 2);
  write("proc/self/cgroup", "4:cpu:/docker/abc/inner\n");
  write("sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "100000\n");
  write("sys/fs/cgroup/cpu/inner/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(processors(), 1);
  // Somebody else's path, and one that leaves the namespace.
  write("proc/self/cgroup", "4:cpu:/docker/abcd\n");
  EXPECT_DOUBLE_EQ(processors(), 2);
  write("proc/self/cgroup", "4:cpu:/../../other\n");
  EXPECT_DOUBLE_EQ(processors(), 2);
}

TEST_F(FakeContainer, BothVersionsAtOnce) {
  write("proc/self/mountinfo", std::string(v1) + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  write("proc/self/cgroup", "4:cpu,cpuacct:/\n0::/\n");
  EXPECT_TRUE(std::isinf(processors()));
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "300000\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(processors(), 3);
}

TEST_F(FakeContainer, DamagedFiles) {
  const auto has_no_limit = [&](const char* mounts, const char* groups, const char* quota) {
    write("proc/self/mountinfo", mounts);
    write("proc/self/cgroup", groups);
    write("sys/fs/cgroup/cpu.max", quota);
    return std::isinf(processors());
  };
  for (const char* mounts : {"", "\n", "30 22 0:25\n", "30 22 0:25 / /sys/fs/cgroup rw -\n"}) {
    EXPECT_TRUE(has_no_limit(mounts, "0::/\n", "100000 100000")) << mounts;
  }
  for (const char* groups : {"", "\n", "0\n", "0:\n", ":::\n", "0::\n"}) {
    EXPECT_FALSE(has_no_limit(v2, groups, "100000 100000")) << groups << "the mount point's own";
  }
  for (const char* quota : {"", "max", "100000", "-5 100000", "100000 0", "nan nan", "many few"}) {
    EXPECT_TRUE(has_no_limit(v2, "0::/\n", quota)) << quota;
  }
}

}  // namespace
}  // namespace linnet
