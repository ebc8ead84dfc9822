// What the firmware of a Raspberry Pi tells: it sets the clock, whatever the kernel asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "benches/machine/files.h"

namespace linnet::bench {

/// Asks for a property with one argument; returns its value, or nothing if there is no such firmware. A tag is a
/// number of the "mailbox property interface" (wiki of github.com/raspberrypi/firmware).
using Firmware = std::function<std::optional<std::uint32_t>(std::uint32_t tag, std::uint32_t argument)>;

/// Through /dev/vcio, which only root and the group "video" may open on most systems.
Firmware open_firmware(const SystemFiles& files);

/// What a machine is read from.
struct Machine {
  SystemFiles files;
  Firmware firmware;  ///< may be empty
};

/// The machine that this program runs on.
Machine this_machine();

/// Bits 0-3: under-voltage, frequency capped, throttled, soft temperature limit now; bits 16-19: since boot. From sysfs
/// (kernel 4.14 and later) or the mailbox.
std::optional<std::uint32_t> firmware_throttle_bits(const Machine& machine);

/// The clock of the Arm cores as measured: while throttled, cpufreq reports what was asked for.
std::optional<double> firmware_clock_mhz(const Machine& machine);

}  // namespace linnet::bench
