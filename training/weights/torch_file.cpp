#include "training/weights/torch_file.h"

#include <minizip/unzip.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <set>

#include "engine/files/quote.h"
#include "linnet/error.h"

namespace linnet::training {
namespace {

/// PROTO 2, LONG1 of ten bytes (0x1950a86a20f9469cfc6c), STOP.
constexpr unsigned char legacy_magic[] = {0x80, 2,    0x8a, 10,   0x6c, 0xfc, 0x9c, 0x46,
                                          0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
constexpr std::uint64_t largest_pickle = std::uint64_t{256} << 20;

class Zip {
 public:
  explicit Zip(const std::string& path) : path_(path), handle_(unzOpen64(path.c_str())) {
    if (handle_ == nullptr) throw Error(path + ": not a readable zip archive");
  }
  ~Zip() { unzClose(handle_); }
  Zip(const Zip&) = delete;
  Zip& operator=(const Zip&) = delete;

  /// The part of the name before "data.pkl".
  std::string find_folder() {
    constexpr std::string_view wanted = "data.pkl";
    for (int state = unzGoToFirstFile(handle_); state == UNZ_OK; state = unzGoToNextFile(handle_)) {
      const std::string name = current_name();
      if (name == wanted || name.ends_with("/data.pkl")) return name.substr(0, name.size() - wanted.size());
    }
    throw Error(path_ + ": a zip archive without data.pkl, so not written by torch.save");
  }

  std::vector<char> read(const std::string& name, std::uint64_t most) {
    if (unzLocateFile(handle_, name.c_str(), 1) != UNZ_OK) {
      throw Error(path_ + ": the archive has no " + files::in_quotes(name));
    }
    unz_file_info64 info{};
    if (unzGetCurrentFileInfo64(handle_, &info, nullptr, 0, nullptr, 0, nullptr, 0) != UNZ_OK) damaged(name);
    // torch.save stores; so no small file can ask for much memory.
    if (info.compression_method != 0) throw Error(path_ + ": " + files::in_quotes(name) + " is compressed");
    if (info.uncompressed_size > most) {
      throw Error(path_ + ": " + files::in_quotes(name) + " has " + std::to_string(info.uncompressed_size) +
                  " bytes, expected at most " + std::to_string(most));
    }
    if (unzOpenCurrentFile(handle_) != UNZ_OK) damaged(name);
    // Grows as data comes: the size in the archive may be a lie.
    std::vector<char> bytes;
    int count = 0;
    do {
      constexpr std::size_t piece = 1 << 20;
      const std::size_t before = bytes.size();
      bytes.resize(before + piece);
      count = unzReadCurrentFile(handle_, bytes.data() + before, static_cast<unsigned>(piece));
      bytes.resize(before + static_cast<std::size_t>(std::max(count, 0)));
    } while (count > 0 && bytes.size() <= most);
    const int closed = unzCloseCurrentFile(handle_);  // compares the checksum
    if (count < 0 || closed != UNZ_OK || bytes.size() != info.uncompressed_size) damaged(name);
    return bytes;
  }

 private:
  std::string current_name() {
    char name[1024] = {};
    if (unzGetCurrentFileInfo64(handle_, nullptr, name, sizeof name - 1, nullptr, 0, nullptr, 0) != UNZ_OK) {
      damaged("the list of files");
    }
    return name;
  }

  [[noreturn]] void damaged(const std::string& what) const {
    throw Error(path_ + ": " + files::in_quotes(what) + " of the archive is damaged");
  }

  std::string path_;
  unzFile handle_;
};

std::uint64_t bytes_of_storage(const pickle::Storage& storage, const std::string& path) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  if (storage.elements < 0 || storage.elements > most) {
    throw Error(path + ": storage " + files::in_quotes(storage.key) + " has " + std::to_string(storage.elements) +
                " elements, expected 0 to 2^40");
  }
  return static_cast<std::uint64_t>(storage.elements) * element_size(storage.type);
}

}  // namespace

std::size_t element_size(const std::string& storage_type) {
  static const std::map<std::string, std::size_t> sizes = {
      {"FloatStorage", 4}, {"HalfStorage", 2},  {"BFloat16Storage", 2}, {"DoubleStorage", 8}, {"LongStorage", 8},
      {"IntStorage", 4},   {"ShortStorage", 2}, {"CharStorage", 1},     {"ByteStorage", 1},   {"BoolStorage", 1}};
  return sizes.at(storage_type);
}

bool is_zip(std::span<const char> beginning) {
  return beginning.size() >= 4 && std::memcmp(beginning.data(), "PK\3\4", 4) == 0;
}

bool is_legacy_torch(std::span<const char> beginning) {
  return beginning.size() >= sizeof legacy_magic &&
         std::memcmp(beginning.data(), legacy_magic, sizeof legacy_magic) == 0;
}

TorchFile read_torch_zip(const std::string& path) {
  auto zip = std::make_shared<Zip>(path);
  const std::string folder = zip->find_folder();
  const std::vector<char> pickle = zip->read(folder + "data.pkl", largest_pickle);
  std::span<const char> bytes(pickle);
  TorchFile file;
  file.root = pickle::read(bytes, path);
  file.bytes_of = [zip, folder, path](const pickle::Storage& storage) {
    const std::uint64_t expected = bytes_of_storage(storage, path);
    std::vector<char> data = zip->read(folder + "data/" + storage.key, expected);
    if (data.size() != expected) {
      throw Error(path + ": storage " + files::in_quotes(storage.key) + " has " + std::to_string(data.size()) +
                  " bytes, expected " + std::to_string(expected));
    }
    return data;
  };
  return file;
}

TorchFile read_legacy_torch(std::span<const char> bytes, const std::string& path) {
  bytes = bytes.subspan(sizeof legacy_magic);
  pickle::read(bytes, path);  // the version of the protocol
  pickle::read(bytes, path);  // facts on the system
  TorchFile file;
  file.root = pickle::read(bytes, path);
  const pickle::Value keys = pickle::read(bytes, path);
  const auto* list = std::get_if<std::shared_ptr<pickle::List>>(&keys);
  if (list == nullptr) throw Error(path + ": expected the list of storages behind the state dict");

  // A storage's size in bytes follows from its type, which only the tensors know.
  std::map<std::string, std::size_t> sizes;
  std::set<const void*> seen;  // containers may be shared, many times over
  const auto note_sizes = [&](const auto& self, const pickle::Value& value) -> void {
    if (const auto* tensor = std::get_if<pickle::TensorView>(&value)) {
      sizes[tensor->storage.key] = element_size(tensor->storage.type);
    } else if (const auto* items = std::get_if<std::shared_ptr<pickle::List>>(&value)) {
      if (!seen.insert(items->get()).second) return;
      for (const pickle::Value& item : (*items)->items) self(self, item);
    } else if (const auto* pairs = std::get_if<std::shared_ptr<pickle::Dictionary>>(&value)) {
      if (!seen.insert(pairs->get()).second) return;
      for (const auto& [key, item] : (*pairs)->pairs) self(self, item);
    }
  };
  note_sizes(note_sizes, file.root);

  auto places = std::make_shared<std::map<std::string, std::span<const char>>>();
  for (const pickle::Value& value : (*list)->items) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) throw Error(path + ": expected the keys of storages as texts");
    const std::string& key = *text;
    std::uint64_t elements = 0;
    if (bytes.size() < sizeof elements) throw Error(path + ": cut off before storage " + files::in_quotes(key));
    std::memcpy(&elements, bytes.data(), sizeof elements);
    bytes = bytes.subspan(sizeof elements);
    const auto size = sizes.find(key);
    if (size == sizes.end()) throw Error(path + ": storage " + files::in_quotes(key) + " belongs to no tensor");
    if (elements > bytes.size() / size->second) {
      throw Error(path + ": cut off within storage " + files::in_quotes(key) + ", expected " +
                  std::to_string(elements) + " elements");
    }
    const std::size_t count = static_cast<std::size_t>(elements) * size->second;
    (*places)[key] = bytes.first(count);
    bytes = bytes.subspan(count);
  }
  file.bytes_of = [places, path](const pickle::Storage& storage) {
    const auto place = places->find(storage.key);
    if (place == places->end() || place->second.size() != bytes_of_storage(storage, path)) {
      throw Error(path + ": storage " + files::in_quotes(storage.key) + " is missing or has another size than said");
    }
    return std::vector<char>(place->second.begin(), place->second.end());
  };
  return file;
}

}  // namespace linnet::training
