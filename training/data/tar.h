// Tar archives as lists of places.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace linnet::training {

struct TarMember {
  std::string name;
  std::uint64_t offset = 0, size = 0;  ///< of its bytes in the archive
};

/// The files in an archive, in their order, by its headers alone: ustar with the long names of GNU tar and the records
/// of pax (IEEE 1003.1, "pax Interchange Format"). Folders are passed over. Throws linnet::Error that names the
/// archive, the member and what is wrong: cut off, a wrong checksum, a link or device, no end.
std::vector<TarMember> list_tar(const std::filesystem::path& path);

/// The bytes of a member. Throws linnet::Error.
std::vector<std::uint8_t> read_member(const std::filesystem::path& path, const TarMember& member);

}  // namespace linnet::training
