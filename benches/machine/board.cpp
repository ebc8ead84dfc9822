#include "benches/machine/board.h"

namespace linnet::bench {
namespace {

/// The device tree lists what the board is compatible with, most special first: the last one is the chip.
std::string last_compatible(std::string list) {
  while (!list.empty() && list.back() == '\0') list.pop_back();
  return list.substr(list.rfind('\0') + 1);
}

}  // namespace

Board read_board(const SystemFiles& files) {
  Board board;
  board.soc = last_compatible(files.text("/proc/device-tree/compatible").value_or(""));
  board.name = files.line("/proc/device-tree/model").value_or("");
  if (!board.name.empty()) return board;
  const std::string vendor = files.line("/sys/class/dmi/id/sys_vendor").value_or("");
  const std::string product = files.line("/sys/class/dmi/id/product_name").value_or("");
  board.name = vendor + (vendor.empty() || product.empty() ? "" : " ") + product;
  return board;
}

}  // namespace linnet::bench
