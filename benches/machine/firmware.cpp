#include "benches/machine/firmware.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

namespace linnet::bench {
namespace {

/// A file descriptor.
class Device {
 public:
  explicit Device(const std::string& path) : descriptor_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {}
  ~Device() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

constexpr std::uint32_t get_throttled = 0x00030046, get_clock_rate_measured = 0x00030047, arm_clock = 3;

}  // namespace

Firmware open_firmware(const SystemFiles& files) {
  const auto device = std::make_shared<Device>(files.root() + "/dev/vcio");
  if (device->descriptor() < 0) return {};
  return [device](std::uint32_t tag, std::uint32_t argument) -> std::optional<std::uint32_t> {
    // Size of the message, request; tag, size of its values, request; the values; end.
    alignas(16) std::uint32_t message[8] = {sizeof message, 0, tag, 8, 0, argument, 0, 0};
    constexpr std::uint32_t answered = 0x80000000;
    if (ioctl(device->descriptor(), _IOWR(100, 0, char*), message) < 0) return std::nullopt;
    if (message[1] != answered || (message[4] & answered) == 0) return std::nullopt;
    // The clock answers with its number and its rate, the bits stand alone.
    return (message[4] & ~answered) > 4 ? message[6] : message[5];
  };
}

Machine this_machine() {
  const SystemFiles files;
  return {files, open_firmware(files)};
}

std::optional<std::uint32_t> firmware_throttle_bits(const Machine& machine) {
  std::vector<std::string> folders = machine.files.list("/sys/bus/platform/drivers/raspberrypi-firmware");
  folders.emplace_back("/sys/devices/platform/soc/soc:firmware");
  for (const std::string& folder : folders) {
    const std::optional<std::string> bits = machine.files.line(folder + "/get_throttled");
    if (!bits || bits->empty()) continue;
    char* end = nullptr;
    const unsigned long value = std::strtoul(bits->c_str(), &end, 16);
    if (*end == '\0') return static_cast<std::uint32_t>(value);
  }
  return machine.firmware ? machine.firmware(get_throttled, 0) : std::nullopt;
}

std::optional<double> firmware_clock_mhz(const Machine& machine) {
  if (!machine.firmware) return std::nullopt;
  const std::optional<std::uint32_t> hertz = machine.firmware(get_clock_rate_measured, arm_clock);
  if (!hertz || *hertz == 0) return std::nullopt;
  return *hertz * 1e-6;
}

}  // namespace linnet::bench
