#include "engine/files/quote.h"

namespace linnet::files {

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 120;
  std::string result = "'";
  for (const char letter : text.substr(0, longest)) {
    const auto code = static_cast<unsigned char>(letter);
    result += code < 0x20 || code == 0x7f ? '?' : letter;
  }
  return result + (text.size() > longest ? "...'" : "'");
}

}  // namespace linnet::files
