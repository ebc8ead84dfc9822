// The files of MNIST and of the data sets made after it. Each begins with a big-endian number that says what it holds
// (0x803: bytes in three dimensions, 0x801: in one), then one number per dimension.
#include <algorithm>

#include "linnet/error.h"
#include "training/data/files.h"
#include "training/data/memory_dataset.h"
#include "training/data/readers.h"

namespace linnet::training {
namespace {

namespace fs = std::filesystem;

/// The image or label file of a split, in any of the spellings in use.
std::optional<fs::path> find(const fs::path& folder, Split split, const std::string& what, int dimensions) {
  const std::string stem = (split == Split::train ? "train-" : "t10k-") + what;
  const std::string type = "idx" + std::to_string(dimensions) + "-ubyte";
  return find_file(folder,
                   {stem + "-" + type, stem + "." + type, stem + "-" + type + ".gz", stem + "." + type + ".gz"});
}

fs::path require(const fs::path& folder, Split split, const std::string& what, int dimensions) {
  if (auto path = find(folder, split, what, dimensions)) {
    return *path;
  }
  throw Error("data set '" + folder.string() + "': no file " + (split == Split::train ? "train-" : "t10k-") + what +
              "-idx" + std::to_string(dimensions) + "-ubyte, plain or .gz");
}

struct IdxFile {
  std::vector<std::uint64_t> extents;
  std::vector<std::uint8_t> bytes;
  std::size_t data_begin = 0;

  const std::uint8_t* data() const { return bytes.data() + data_begin; }
};

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

IdxFile read_idx(const fs::path& path, std::uint32_t dimensions) {
  constexpr std::uint64_t most_bytes = 0x7fffffff;
  IdxFile file;
  file.bytes = read_bytes(path, most_bytes);
  const auto fail = [&path](const std::string& what) { throw Error("'" + path.string() + "': " + what); };
  file.data_begin = 4 + 4 * dimensions;
  if (file.bytes.size() < file.data_begin) {
    fail("truncated: expected a header of " + std::to_string(file.data_begin) + " bytes, found " +
         std::to_string(file.bytes.size()) + " bytes");
  }
  const std::uint32_t magic = big_endian(file.bytes.data());
  if (magic != (0x800 | dimensions)) {
    fail("not an idx file of bytes in " + std::to_string(dimensions) + " dimensions: it begins with " +
         std::to_string(magic) + " instead of " + std::to_string(0x800 | dimensions));
  }
  std::uint64_t expected = 1;
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    file.extents.push_back(big_endian(file.bytes.data() + 4 + 4 * i));
    expected = file.extents[i] > most_bytes ? most_bytes + 1 : std::min(expected * file.extents[i], most_bytes + 1);
  }
  const std::uint64_t found = file.bytes.size() - file.data_begin;
  if (found != expected) {
    fail("expected " + (expected > most_bytes ? "more than 2^31" : std::to_string(expected)) +
         " bytes of data for its header, found " + std::to_string(found));
  }
  return file;
}

/// Both splits together decide how many classes there are.
std::size_t class_count(const fs::path& folder) {
  std::size_t count = 0;
  for (const Split split : {Split::train, Split::test}) {
    if (const auto path = find(folder, split, "labels", 1)) {
      const IdxFile labels = read_idx(*path, 1);
      for (std::uint64_t i = 0; i < labels.extents[0]; ++i) {
        count = std::max<std::size_t>(count, labels.data()[i] + std::size_t{1});
      }
    }
  }
  return count;
}

/// A list beside the data, the published names of Fashion-MNIST, or the numbers.
std::vector<std::string> class_names(const fs::path& folder) {
  const std::size_t count = class_count(folder);
  std::vector<std::string> names = read_lines(folder / "classes.txt");
  if (names.size() == count) {
    return names;
  }
  std::string path = fs::absolute(folder).string();
  std::transform(path.begin(), path.end(), path.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  if (count == 10 && path.find("fashion") != std::string::npos) {
    return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};
  }
  names.clear();
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back(std::to_string(i));
  }
  return names;
}

}  // namespace

std::optional<fs::path> find_idx(const fs::path& path) {
  for (const fs::path& folder : {path, path / "raw"}) {
    if (find(folder, Split::train, "images", 3) || find(folder, Split::test, "images", 3)) {
      return folder;
    }
  }
  return std::nullopt;
}

std::shared_ptr<const Dataset> open_idx(const fs::path& folder, Split split) {
  const fs::path image_path = require(folder, split, "images", 3);
  const fs::path label_path = require(folder, split, "labels", 1);
  const IdxFile images = read_idx(image_path, 3);
  const IdxFile labels = read_idx(label_path, 1);
  if (images.extents[0] != labels.extents[0]) {
    throw Error("'" + image_path.string() + "' has " + std::to_string(images.extents[0]) + " pictures, '" +
                label_path.string() + "' has " + std::to_string(labels.extents[0]) + " labels");
  }
  if (std::count(images.extents.begin(), images.extents.end(), 0u) > 0) {
    throw Error("'" + image_path.string() + "': no pictures");
  }
  auto dataset = std::make_shared<MemoryDataset>(class_names(folder));
  const auto height = static_cast<Index>(images.extents[1]);
  const auto width = static_cast<Index>(images.extents[2]);
  const std::string name = image_path.filename().string();
  for (Index i = 0; i < static_cast<Index>(images.extents[0]); ++i) {
    Image image(height, width, 1);
    std::copy_n(images.data() + i * height * width, height * width, image.pixels.data());
    dataset->add(std::move(image), labels.data()[i], name + "[" + std::to_string(i) + "]");
  }
  return dataset;
}

}  // namespace linnet::training
