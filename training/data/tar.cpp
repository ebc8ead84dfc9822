#include "training/data/tar.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>

#include "linnet/error.h"

namespace linnet::training {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t tar_block = 512;
using TarHeader = std::array<char, tar_block>;

/// A file that is read at places of one's choice.
class TarFile {
 public:
  explicit TarFile(const fs::path& path) : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) throw Error(path_.string() + ": cannot open: " + std::generic_category().message(errno));
  }
  TarFile(const TarFile&) = delete;
  TarFile& operator=(const TarFile&) = delete;
  ~TarFile() { ::close(descriptor_); }

  [[noreturn]] void damaged(const std::string& what) const { throw Error(path_.string() + ": " + what); }

  /// `what` is for the message if the file ends before.
  void read(std::uint64_t offset, void* to, std::size_t count, const std::string& what) const {
    for (std::size_t done = 0; done < count;) {
      const ssize_t found =
          pread(descriptor_, static_cast<char*>(to) + done, count - done, static_cast<off_t>(offset + done));
      if (found < 0 && errno == EINTR) continue;
      if (found < 0) damaged("cannot read: " + std::generic_category().message(errno));
      if (found == 0) damaged("is cut off " + what);
      done += static_cast<std::size_t>(found);
    }
  }

  std::uint64_t size() const {
    const off_t end = lseek(descriptor_, 0, SEEK_END);
    if (end < 0) damaged("cannot read: " + std::generic_category().message(errno));
    return static_cast<std::uint64_t>(end);
  }

 private:
  fs::path path_;
  int descriptor_;
};

std::string_view tar_field(const TarHeader& header, std::size_t begin, std::size_t size) {
  const std::string_view field(header.data() + begin, size);
  return field.substr(0, std::min(field.find('\0'), size));
}

/// Octal digits, between spaces perhaps.
std::optional<std::uint64_t> tar_number(std::string_view field) {
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  field = field.substr(0, field.find_last_not_of(' ') + 1);
  if (field.empty() || field.find_first_not_of("01234567") != std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  for (const char digit : field) number = 8 * number + static_cast<std::uint64_t>(digit - '0');
  return number;
}

bool checksum_fits(const TarHeader& header) {
  constexpr std::size_t begin = 148, end = 156;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i)
    sum += i >= begin && i < end ? std::uint64_t{' '} : static_cast<unsigned char>(header[i]);
  return tar_number(tar_field(header, begin, end - begin)) == sum;
}

/// What a header before that of the file says about it.
struct TarExtras {
  std::optional<std::string> name;
  std::optional<std::uint64_t> size;
};

std::optional<std::uint64_t> decimal(std::string_view text) {
  constexpr std::size_t most_digits = 18;
  if (text.empty() || text.size() > most_digits || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  std::uint64_t number = 0;
  for (const char digit : text) number = 10 * number + static_cast<std::uint64_t>(digit - '0');
  return number;
}

/// Records "<length> <key>=<value>\n"; the length counts the whole record. False if they are none.
bool read_pax(std::string_view records, TarExtras& extras) {
  while (!records.empty()) {
    const std::size_t space = records.find(' ');
    const std::optional<std::uint64_t> length = decimal(records.substr(0, std::min(space, records.size())));
    if (space == std::string_view::npos || !length || *length < space + 2 || *length > records.size()) return false;
    const std::string_view record = records.substr(space + 1, static_cast<std::size_t>(*length) - space - 2);
    if (records[static_cast<std::size_t>(*length) - 1] != '\n') return false;
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") extras.name = std::string(value);
    if (key == "size") {
      extras.size = decimal(value);
      if (!extras.size) return false;
    }
    records.remove_prefix(static_cast<std::size_t>(*length));
  }
  return true;
}

}  // namespace

std::vector<TarMember> list_tar(const fs::path& path) {
  constexpr std::uint64_t most_extra = 1 << 20;
  const TarFile file(path);
  const std::uint64_t end = file.size();
  std::vector<TarMember> members;
  TarExtras extras;
  TarHeader header;
  std::string last = "before its first member";
  for (std::uint64_t at = 0;;) {
    file.read(at, header.data(), header.size(), last);
    if (std::all_of(header.begin(), header.end(), [](char c) { return c == 0; })) {
      file.read(at + tar_block, header.data(), header.size(), "in its end of two empty blocks");
      if (!std::all_of(header.begin(), header.end(), [](char c) { return c == 0; }))
        file.damaged("has one empty block where two should end it, " + last);
      return members;
    }
    const std::string place = " at byte " + std::to_string(at);
    if (!checksum_fits(header)) file.damaged("has a header with a wrong checksum" + place + "; is it a tar archive?");
    if (tar_field(header, 257, 5) != "ustar") file.damaged("has a header that is not of the ustar format" + place);
    std::string name(tar_field(header, 0, 100));
    const std::string_view prefix = header[262] == '\0' ? tar_field(header, 345, 155) : std::string_view();
    if (!prefix.empty()) name = std::string(prefix) + "/" + name;
    std::optional<std::uint64_t> size = tar_number(tar_field(header, 124, 12));
    const char type = header[156] == '\0' ? '0' : header[156];
    const bool describes = type == 'x' || type == 'g' || type == 'L';
    if (!describes) {
      if (extras.name) name = *extras.name;
      if (extras.size) size = extras.size;
      extras = {};
    }
    if (!size) file.damaged("member '" + name + "' has no size that could be read");
    at += tar_block;
    if (*size > end || at > end - *size) file.damaged("is cut off in member '" + name + "'");
    if (describes) {
      if (*size > most_extra) file.damaged("member '" + name + "' describes another one with too many bytes");
      std::string text(static_cast<std::size_t>(*size), '\0');
      file.read(at, text.data(), text.size(), "in member '" + name + "'");
      if (type == 'L') extras.name = text.substr(0, text.find('\0'));
      if (type == 'x' && !read_pax(text, extras)) file.damaged("member '" + name + "' is not made of pax records");
    } else if (type == '0') {
      members.push_back({name, at, *size});
    } else if (type != '5') {
      file.damaged("member '" + name + "' is of type '" + std::string(1, type) + "', expected files and folders");
    }
    at += (*size + tar_block - 1) / tar_block * tar_block;
    last = "after member '" + name + "'";
  }
}

std::vector<std::uint8_t> read_member(const fs::path& path, const TarMember& member) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(member.size));
  TarFile(path).read(member.offset, bytes.data(), bytes.size(), "in member '" + member.name + "'");
  return bytes;
}

}  // namespace linnet::training
