// The binary versions of CIFAR-10 and CIFAR-100: records of one or two label bytes and 32 x 32 pixels, all of red, then
// green, then blue.
#include "linnet/error.h"
#include "training/data/files.h"
#include "training/data/memory_dataset.h"
#include "training/data/readers.h"

namespace linnet::training {
namespace {

namespace fs = std::filesystem;

constexpr Index side = 32;
constexpr std::size_t plane = side * side;

struct Layout {
  std::vector<std::string> train_files, test_files;
  std::string folder;  ///< that the archive unpacks to
  std::string names;   ///< file of class names
  std::size_t labels;  ///< bytes before the pixels; the last one is the class
  std::size_t classes;
};

const Layout cifar10{
    {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
    {"test_batch.bin"},
    "cifar-10-batches-bin",
    "batches.meta.txt",
    1,
    10};
const Layout cifar100{{"train.bin"}, {"test.bin"}, "cifar-100-binary", "fine_label_names.txt", 2, 100};

std::optional<fs::path> find(const fs::path& path, const Layout& layout) {
  for (const fs::path& folder : {path, path / layout.folder}) {
    if (find_file(folder, {layout.train_files.front(), layout.test_files.front()})) {
      return folder;
    }
  }
  return std::nullopt;
}

std::vector<std::string> class_names(const fs::path& folder, const Layout& layout) {
  std::vector<std::string> names = read_lines(folder / layout.names);
  if (names.size() != layout.classes) {
    names.clear();
    for (std::size_t i = 0; i < layout.classes; ++i) {
      names.push_back(std::to_string(i));
    }
  }
  return names;
}

Image interleaved(const std::uint8_t* planes) {
  Image image(side, side, 3);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = planes[i % 3 * plane + i / 3];
  }
  return image;
}

void add_file(MemoryDataset& dataset, const fs::path& path, const Layout& layout) {
  constexpr std::uint64_t most_bytes = 0x7fffffff;
  const std::vector<std::uint8_t> bytes = read_bytes(path, most_bytes);
  const std::size_t record = layout.labels + 3 * plane;
  if (bytes.empty() || bytes.size() % record != 0) {
    throw Error("'" + path.string() + "': expected whole records of " + std::to_string(record) + " bytes, found " +
                std::to_string(bytes.size()) + " bytes");
  }
  for (std::size_t i = 0; i < bytes.size() / record; ++i) {
    const std::uint8_t* begin = &bytes[i * record];
    const int label = begin[layout.labels - 1];
    const std::string place = path.filename().string() + "[" + std::to_string(i) + "]";
    if (static_cast<std::size_t>(label) >= layout.classes) {
      throw Error("'" + path.string() + "': record " + std::to_string(i) + " has class " + std::to_string(label) +
                  ", expected less than " + std::to_string(layout.classes));
    }
    dataset.add(interleaved(begin + layout.labels), label, place);
  }
}

std::shared_ptr<const Dataset> open(const fs::path& folder, Split split, const Layout& layout) {
  auto dataset = std::make_shared<MemoryDataset>(class_names(folder, layout));
  for (const std::string& file : split == Split::train ? layout.train_files : layout.test_files) {
    add_file(*dataset, folder / file, layout);
  }
  return dataset;
}

}  // namespace

std::optional<fs::path> find_cifar10(const fs::path& path) { return find(path, cifar10); }
std::optional<fs::path> find_cifar100(const fs::path& path) { return find(path, cifar100); }

std::shared_ptr<const Dataset> open_cifar10(const fs::path& folder, Split split) {
  return open(folder, split, cifar10);
}
std::shared_ptr<const Dataset> open_cifar100(const fs::path& folder, Split split) {
  return open(folder, split, cifar100);
}

}  // namespace linnet::training
