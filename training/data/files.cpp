#include "training/data/files.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <system_error>

#include "linnet/error.h"

namespace linnet::training {

namespace fs = std::filesystem;

std::vector<std::uint8_t> read_bytes(const fs::path& path, std::uint64_t most) {
  // zlib reads files that are not packed as they are.
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) {
    throw Error("cannot open '" + path.string() + "': " + std::generic_category().message(errno));
  }
  constexpr std::size_t chunk = 1 << 20;
  std::vector<std::uint8_t> bytes;
  while (bytes.size() <= most) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(chunk, most + 1 - bytes.size()));
    const std::size_t begin = bytes.size();
    bytes.resize(begin + wanted);
    const int found = gzread(file.get(), bytes.data() + begin, static_cast<unsigned>(wanted));
    int status = Z_OK;
    const char* message = gzerror(file.get(), &status);
    if (found < 0 || (status != Z_OK && status != Z_STREAM_END)) {
      throw Error("cannot read '" + path.string() +
                  "': " + (status == Z_ERRNO ? std::generic_category().message(errno) : std::string(message)));
    }
    bytes.resize(begin + static_cast<std::size_t>(found));
    if (found == 0) {
      break;
    }
  }
  return bytes;
}

std::optional<fs::path> find_file(const fs::path& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::error_code ignored;
    if (fs::is_regular_file(folder / name, ignored)) {
      return folder / name;
    }
  }
  return std::nullopt;
}

std::vector<std::string> read_lines(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) {
      line.pop_back();
    }
    if (!line.empty()) {
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

}  // namespace linnet::training
