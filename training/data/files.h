// Files of data sets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace linnet::training {

/// The bytes of a file, unpacked if it is gzip. Reads at most `most` bytes and one more, so that a longer file shows.
/// Throws linnet::Error that names the file and the reason.
std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path, std::uint64_t most);

/// The first of `names` that exists in `folder`.
std::optional<std::filesystem::path> find_file(const std::filesystem::path& folder,
                                               const std::vector<std::string>& names);

/// The lines of a text file that are not empty; nothing if there is no such file.
std::vector<std::string> read_lines(const std::filesystem::path& path);

}  // namespace linnet::training
