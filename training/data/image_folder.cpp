#include <algorithm>
#include <cctype>

#include "linnet/error.h"
#include "training/data/readers.h"

namespace linnet::training {
namespace {

namespace fs = std::filesystem;

bool looks_like_a_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  for (const char* known : {".jpg", ".jpeg", ".png", ".ppm", ".pgm"}) {
    if (extension == known) {
      return true;
    }
  }
  return false;
}

/// The number before the first '_' of a file's name; -1 if there is none.
int class_in_name(const std::string& name) {
  const std::size_t digits = name.find('_');
  constexpr std::size_t most_digits = 6;
  if (digits == std::string::npos || digits == 0 || digits > most_digits ||
      !std::all_of(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(digits),
                   [](unsigned char letter) { return std::isdigit(letter) != 0; })) {
    return -1;
  }
  return std::stoi(name.substr(0, digits));
}

class ImageFolder final : public Dataset {
 public:
  ImageFolder(fs::path root, const DatasetOptions& options)
      : root_(std::move(root)), orientation_(options.orientation) {
    const std::vector<fs::path> folders = list(root_, true);
    if (folders.empty()) {
      add_flat();
    } else {
      for (const fs::path& folder : folders) {
        add_class(folder);
      }
      for (const fs::path& file : list(root_, false)) {
        foreign_files_.push_back(file.filename().string());
      }
    }
    check(options.strict);
  }

  Index size() const override { return static_cast<Index>(pictures_.size()); }
  const std::vector<std::string>& classes() const override { return classes_; }
  int label(Index index) const override { return at(index).label; }
  std::string name(Index index) const override { return at(index).name; }
  Image read(Index index) const override { return read_image((root_ / at(index).name).string(), orientation_); }
  std::uint64_t mark(Index index) const override {
    std::error_code ignored;  // reading it will tell
    return static_cast<std::uint64_t>(fs::file_size(root_ / at(index).name, ignored));
  }

 private:
  struct Picture {
    std::string name;  ///< below the root
    int label;
  };

  const Picture& at(Index index) const { return pictures_[static_cast<std::size_t>(index)]; }

  /// The folders or the other things in a folder, sorted by name.
  static std::vector<fs::path> list(const fs::path& folder, bool folders) {
    std::vector<fs::path> result;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (entry.is_directory() == folders) {
        result.push_back(entry.path());
      }
    }
    std::sort(result.begin(), result.end());
    return result;
  }

  void add_class(const fs::path& folder) {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_directory()) {
        names.push_back(entry.path().lexically_relative(root_).string());
      }
    }
    std::sort(names.begin(), names.end());
    const int label = static_cast<int>(classes_.size());
    classes_.push_back(folder.filename().string());
    for (std::string& name : names) {
      if (looks_like_a_picture(name)) {
        pictures_.push_back({std::move(name), label});
      } else {
        foreign_files_.push_back(std::move(name));
      }
    }
  }

  void add_flat() {
    int count = 0;
    for (const fs::path& file : list(root_, false)) {
      std::string name = file.filename().string();
      const int label = class_in_name(name);
      if (label < 0 || !looks_like_a_picture(file)) {
        foreign_files_.push_back(std::move(name));
      } else {
        count = std::max(count, label + 1);
        pictures_.push_back({std::move(name), label});
      }
    }
    for (int i = 0; i < count; ++i) {
      classes_.push_back(std::to_string(i));
    }
  }

  void check(bool strict) {
    std::sort(foreign_files_.begin(), foreign_files_.end());
    if (pictures_.empty()) {
      throw Error("data set '" + root_.string() +
                  "': no pictures, neither in one sub-folder per class nor named <class index>_<anything>");
    }
    if (strict && !foreign_files_.empty()) {
      throw Error("data set '" + root_.string() + "': " + std::to_string(foreign_files_.size()) +
                  " files are not pictures, the first is '" + foreign_files_.front() + "'");
    }
  }

  fs::path root_;
  Orientation orientation_;
  std::vector<std::string> classes_;
  std::vector<Picture> pictures_;
};

}  // namespace

fs::path split_folder(const fs::path& path, Split split) {
  const std::vector<std::string> test_names = {"test", "val", "validation"};
  bool divided = fs::is_directory(path / "train");
  fs::path test;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && name != "train") {
      divided = divided && std::find(test_names.begin(), test_names.end(), name) != test_names.end();
    }
  }
  if (!divided) {
    return path;
  }
  if (split == Split::train) {
    return path / "train";
  }
  for (const std::string& name : test_names) {
    if (fs::is_directory(path / name)) {
      return path / name;
    }
  }
  throw Error("data set '" + path.string() + "': a folder train, but no test, val or validation");
}

std::shared_ptr<const Dataset> open_image_folder(const fs::path& path, const DatasetOptions& options) {
  return std::make_shared<ImageFolder>(split_folder(path, options.split), options);
}

}  // namespace linnet::training
