// Which board this is.
#pragma once

#include "benches/machine/files.h"

namespace linnet::bench {

struct Board {
  std::string name;  ///< "Raspberry Pi 4 Model B Rev 1.4", or vendor and product of a computer; empty if unknown
  std::string soc;   ///< as the device tree has it, "brcm,bcm2711"; empty if unknown
};

Board read_board(const SystemFiles& files);

}  // namespace linnet::bench
