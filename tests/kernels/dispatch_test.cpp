#include "kernels/dispatch/dispatch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "kernels/dispatch/cpu_info.h"
#include "linnet/types.h"

namespace linnet {
namespace {

constexpr Isa every_isa[] = {Isa::scalar, Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon, Isa::neon32};

TEST(Isa, NamesAreDistinct) {
  std::set<std::string_view> names;
  for (const Isa isa : every_isa) names.insert(to_string(isa));
  EXPECT_EQ(names.size(), std::size(every_isa));
  EXPECT_THROW(to_string(static_cast<Isa>(99)), std::invalid_argument);
}

TEST(Isa, SupportedOnesEndWithScalar) {
  ASSERT_FALSE(supported_isas().empty());
  EXPECT_EQ(supported_isas().back(), Isa::scalar);
#if defined(__x86_64__)
  EXPECT_TRUE(kernels::is_supported(Isa::sse2));
  EXPECT_FALSE(kernels::is_supported(Isa::neon));
#elif defined(__aarch64__)
  EXPECT_TRUE(kernels::is_supported(Isa::neon));
  EXPECT_FALSE(kernels::is_supported(Isa::avx2));
#endif
}

TEST(Isa, RequestsAreHonouredOrRefused) {
  EXPECT_EQ(kernels::choose_isa(""), supported_isas().front());
  for (const Isa isa : every_isa) {
    SCOPED_TRACE(to_string(isa));
    if (kernels::is_supported(isa)) {
      EXPECT_EQ(kernels::choose_isa(to_string(isa)), isa);
      continue;
    }
    try {
      kernels::choose_isa(to_string(isa));
      ADD_FAILURE() << "accepted";
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find("not supported"), std::string::npos) << error.what();
    }
  }
  try {
    kernels::choose_isa("avx3");
    FAIL() << "accepted";
  } catch (const std::runtime_error& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("avx3"), std::string::npos) << message;
    EXPECT_NE(message.find("unknown"), std::string::npos) << message;
    for (const Isa isa : supported_isas()) EXPECT_NE(message.find(to_string(isa)), std::string::npos) << message;
  }
}

TEST(Isa, EnvironmentDecides) {
  const char* request = std::getenv("LINNET_ISA");
  EXPECT_EQ(selected_isa(), kernels::choose_isa(request == nullptr ? "" : request));
}

TEST(Isa, SelectTakesTheBestAtOrBelowTheSelectedOne) {
  const int values[] = {0, 1, 2};
  const Isa selected = selected_isa();
  const kernels::Variant<int> with[] = {{selected, &values[0]}, {Isa::scalar, &values[1]}};
  EXPECT_EQ(&kernels::select<int>(with), &values[0]);
  // A family that lacks the selected instruction set falls back, and never up to one that is not supported.
  const kernels::Variant<int> without[] = {{Isa::scalar, &values[2]}};
  EXPECT_EQ(&kernels::select<int>(without), &values[2]);
#if defined(__x86_64__)
  const kernels::Variant<int> better[] = {
      {Isa::avx512, &values[0]}, {Isa::avx2, &values[1]}, {Isa::scalar, &values[2]}};
  const int expected = selected == Isa::avx512 ? 0 : selected == Isa::avx2 ? 1 : 2;
  EXPECT_EQ(kernels::select<int>(better), expected);
#endif
}

TEST(ActivationNames, ThereAndBack) {
  for (int i = 0; i <= static_cast<int>(Activation::gelu); ++i) {
    const auto activation = static_cast<Activation>(i);
    EXPECT_EQ(activation_from_string(to_string(activation)), activation);
  }
  try {
    activation_from_string("swish2");
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("swish2"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("hard_swish"), std::string::npos);
  }
  EXPECT_THROW(to_string(static_cast<Activation>(200)), std::invalid_argument);
}

TEST(CpuInfo, ThisMachineMakesSense) {
  const CpuInfo& info = cpu_info();
  EXPECT_FALSE(info.name.empty());
  EXPECT_GE(info.big_cores, 1);
  EXPECT_LE(info.big_cores, info.physical_cores);
  EXPECT_LE(info.physical_cores, info.logical_cores);
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
  CpuInfo read(const std::vector<int>& cpus) const { return kernels::read_cpu_info(root_.string(), cpus); }

 private:
  std::filesystem::path root_;
};

TEST_F(FakeMachine, WithoutAnyFile) {
  const CpuInfo info = read({0, 1, 2});
  EXPECT_EQ(info.logical_cores, 3);
  EXPECT_EQ(info.physical_cores, 3);
  EXPECT_EQ(info.big_cores, 3);
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

}  // namespace
}  // namespace linnet
