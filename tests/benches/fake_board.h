// Boards made up of files, with the values that the real ones show.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "benches/machine/firmware.h"
#include "tests/support/temporary_folder.h"

namespace linnet::bench {

class FakeBoard {
 public:
  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path full = folder_.file(path);
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full, std::ios::binary) << text;
  }
  /// Cores first..last, alike.
  void write_cores(int first, int last, const std::string& part, int mhz, int max_mhz, const std::string& governor) {
    for (int cpu = first; cpu <= last; ++cpu) {
      cpuinfo_ += "processor\t: " + std::to_string(cpu) + "\nCPU implementer\t: 0x41\nCPU part\t: " + part + "\n\n";
      const std::string cpufreq = "sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpufreq/";
      write(cpufreq + "scaling_cur_freq", std::to_string(1000 * mhz) + "\n");
      write(cpufreq + "cpuinfo_max_freq", std::to_string(1000 * max_mhz) + "\n");
      write(cpufreq + "scaling_governor", governor + "\n");
    }
    write("proc/cpuinfo", cpuinfo_);
  }
  void write_model(const std::string& model, const std::string& compatible) {
    write("proc/device-tree/model", model + '\0');
    write("proc/device-tree/compatible", compatible + '\0');
  }
  void write_zone(int zone, const std::string& type, const std::string& temperature) {
    const std::string folder = "sys/class/thermal/thermal_zone" + std::to_string(zone) + "/";
    write(folder + "type", type + "\n");
    write(folder + "temp", temperature + "\n");
  }
  void write_cooling(int device, const std::string& type, int state, int most) {
    const std::string folder = "sys/class/thermal/cooling_device" + std::to_string(device) + "/";
    write(folder + "type", type + "\n");
    write(folder + "cur_state", std::to_string(state) + "\n");
    write(folder + "max_state", std::to_string(most) + "\n");
  }
  Machine machine(const Firmware& firmware = {}) const { return {SystemFiles(folder_.file("")), firmware}; }

 private:
  TemporaryFolder folder_;
  std::string cpuinfo_;
};

inline void make_pi4(FakeBoard& board, bool hot) {
  using namespace std::string_literals;
  board.write_model("Raspberry Pi 4 Model B Rev 1.4", "raspberrypi,4-model-b\0brcm,bcm2711"s);
  board.write_cores(0, 3, "0xd08", hot ? 1000 : 1800, 1800, "ondemand");
  board.write_zone(0, "cpu-thermal", hot ? "82764" : "48686");
  board.write("sys/devices/platform/soc/soc:firmware/get_throttled", hot ? "e0006\n" : "0\n");
}

inline void make_pi5(FakeBoard& board) {
  using namespace std::string_literals;
  board.write_model("Raspberry Pi 5 Model B Rev 1.0", "raspberrypi,5-model-b\0brcm,bcm2712"s);
  board.write_cores(0, 3, "0xd0b", 2400, 2400, "ondemand");
  board.write_zone(0, "cpu-thermal", "61500");
  board.write_cooling(0, "pwm-fan", 2, 4);
}

inline void make_nano(FakeBoard& board, bool hot) {
  using namespace std::string_literals;
  board.write_model("NVIDIA Jetson Nano Developer Kit", "nvidia,p3450-0000\0nvidia,jetson-nano\0nvidia,tegra210"s);
  board.write_cores(0, 3, "0xd07", hot ? 921 : 1479, 1479, "schedutil");
  board.write_zone(0, "AO-therm", "47500");
  board.write_zone(1, "CPU-therm", hot ? "97000" : "41500");
  board.write_zone(4, "PMIC-Die", "100000");
  board.write_cooling(0, "pwm-fan", 3, 10);
  board.write_cooling(1, "cpu-balanced", hot ? 5 : 0, 19);
  const std::string ina = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/";
  board.write(ina + "rail_name_0", "POM_5V_IN\n");
  board.write(ina + "in_power0_input", "4210\n");
  board.write(ina + "rail_name_2", "POM_5V_CPU\n");
  board.write(ina + "in_power2_input", "1630\n");
}

inline void make_orin(FakeBoard& board, int over_current_events) {
  using namespace std::string_literals;
  board.write_model("NVIDIA Jetson Orin Nano Developer Kit", "nvidia,p3768-0000+p3767-0003\0nvidia,tegra234"s);
  board.write_cores(0, 5, "0xd42", 1510, 1510, "schedutil");
  board.write_zone(0, "cpu-thermal", "52375");
  board.write_zone(8, "tj-thermal", "53000");
  board.write_cooling(0, "cpufreq-cpu0", 0, 12);
  const std::string ina = "sys/class/hwmon/hwmon1/";
  board.write(ina + "name", "ina3221\n");
  board.write(ina + "in1_label", "VDD_IN\n");
  board.write(ina + "in1_input", "5048\n");
  board.write(ina + "curr1_input", "1000\n");
  board.write(ina + "in2_label", "VDD_CPU_GPU_CV\n");
  board.write(ina + "in2_input", "5048\n");
  board.write(ina + "curr2_input", "300\n");
  board.write("sys/class/hwmon/hwmon4/name", "soctherm_oc\n");
  board.write("sys/class/hwmon/hwmon4/oc1_event_cnt", "0\n");
  board.write("sys/class/hwmon/hwmon4/oc3_event_cnt", std::to_string(over_current_events) + "\n");
}

}  // namespace linnet::bench
