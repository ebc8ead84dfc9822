// Tar archives in WebDataset's layout: a sample is what lies side by side under one key, 0001.jpg and 0001.cls. The key
// ends at the first dot of the file's name (github.com/webdataset/webdataset, "The WebDataset Format").
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "linnet/error.h"
#include "training/data/files.h"
#include "training/data/readers.h"
#include "training/data/tar.h"

namespace linnet::training {
namespace {

namespace fs = std::filesystem;

std::string in_lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

/// Of those in a folder, sorted. Where the names tell training from test pictures, only those of the split.
std::vector<fs::path> shards_in(const fs::path& folder, Split split) {
  std::vector<fs::path> all, of_split;
  bool told = false;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".tar" || entry.is_directory()) continue;
    const std::string name = in_lower_case(entry.path().filename().string());
    const bool train = name.find("train") != std::string::npos;
    const bool test = name.find("val") != std::string::npos || name.find("test") != std::string::npos;
    told = told || train || test;
    all.push_back(entry.path());
    if (split == Split::train ? train : test && !train) of_split.push_back(entry.path());
  }
  std::vector<fs::path>& found = told ? of_split : all;
  std::sort(found.begin(), found.end());
  return found;
}

class TarShards final : public Dataset {
 public:
  TarShards(const std::vector<fs::path>& shards, const std::vector<std::string>& names, Orientation orientation)
      : orientation_(orientation) {
    for (const fs::path& shard : shards) add_shard(shard);
    int classes = 0;
    for (const Sample& sample : samples_) classes = std::max(classes, sample.label + 1);
    if (names.size() >= static_cast<std::size_t>(classes)) classes_ = names;
    for (int i = static_cast<int>(classes_.size()); i < classes; ++i) classes_.push_back(std::to_string(i));
  }

  Index size() const override { return static_cast<Index>(samples_.size()); }
  const std::vector<std::string>& classes() const override { return classes_; }
  int label(Index index) const override { return at(index).label; }
  std::string name(Index index) const override {
    return shards_[at(index).shard].filename().string() + "/" + at(index).picture.name;
  }
  Image read(Index index) const override {
    const Sample& sample = at(index);
    const fs::path& shard = shards_[sample.shard];
    return decode_image(read_member(shard, sample.picture), shard.string() + "/" + sample.picture.name, orientation_);
  }
  std::uint64_t mark(Index index) const override { return at(index).picture.size; }

 private:
  struct Sample {
    std::size_t shard;
    TarMember picture;
    int label;
  };
  /// A sample of which not all members were seen yet.
  struct Parts {
    std::string key;
    const TarMember *picture = nullptr, *cls = nullptr, *json = nullptr;
  };

  const Sample& at(Index index) const { return samples_[static_cast<std::size_t>(index)]; }

  void add_shard(const fs::path& shard) {
    const std::vector<TarMember> members = list_tar(shard);
    shards_.push_back(shard);
    std::set<std::string> keys;
    Parts parts;
    for (const TarMember& member : members) {
      const std::size_t file = member.name.rfind('/') == std::string::npos ? 0 : member.name.rfind('/') + 1;
      const std::size_t dot = member.name.find('.', file);
      if (dot == std::string::npos || dot == file) continue;  // no member of a sample
      const std::string key = member.name.substr(0, dot), kind = in_lower_case(member.name.substr(dot + 1));
      if (key != parts.key) {
        finish(parts);
        parts = Parts{key, nullptr, nullptr, nullptr};
        if (!keys.insert(key).second) throw Error(shard.string() + ": sample '" + key + "' stands there twice");
      }
      const bool is_picture = kind == "jpg" || kind == "jpeg" || kind == "png" || kind == "ppm" || kind == "pgm";
      const TarMember** const part = is_picture       ? &parts.picture
                                     : kind == "cls"  ? &parts.cls
                                     : kind == "json" ? &parts.json
                                                      : nullptr;
      if (part == nullptr) continue;
      if (*part != nullptr)
        throw Error(shard.string() + ": sample '" + key + "' has both " + (*part)->name + " and " + member.name);
      *part = &member;
    }
    finish(parts);
  }

  void finish(const Parts& parts) {
    if (parts.key.empty()) return;
    const std::string sample = shards_.back().string() + ": sample '" + parts.key + "'";
    if (parts.picture == nullptr) throw Error(sample + " has no picture (.jpg, .jpeg, .png, .ppm, .pgm)");
    if (parts.cls == nullptr && parts.json == nullptr) throw Error(sample + " has no class (.cls, .json)");
    const TarMember& source = parts.cls != nullptr ? *parts.cls : *parts.json;
    constexpr std::uint64_t most = 1 << 20;
    if (source.size > most) throw Error(sample + ": " + source.name + " is too large for a class");
    const std::vector<std::uint8_t> bytes = read_member(shards_.back(), source);
    nlohmann::json value = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
    if (parts.cls == nullptr) {
      const nlohmann::json whole = value.is_object() ? value : nlohmann::json::object();
      value = whole.value(whole.contains("label") ? "label" : "cls", nlohmann::json());
    }
    constexpr std::int64_t most_classes = 1 << 20;
    if (!value.is_number_integer() || value < 0 || value >= most_classes)
      throw Error(sample + ": " + source.name + " must hold the number of a class, " +
                  (parts.cls != nullptr ? "as text" : "under \"label\" or \"cls\""));
    samples_.push_back({shards_.size() - 1, *parts.picture, value.get<int>()});
  }

  Orientation orientation_;
  std::vector<fs::path> shards_;
  std::vector<std::string> classes_;
  std::vector<Sample> samples_;
};

}  // namespace

bool holds_shards(const fs::path& path, Split split) {
  const fs::path folder = split_folder(path, split);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_directory()) return false;
  return !shards_in(folder, split).empty();
}

std::shared_ptr<const Dataset> open_shards(const fs::path& path, const DatasetOptions& options) {
  const fs::path folder = split_folder(path, options.split);
  std::vector<std::string> names = read_lines(path / "classes.txt");
  if (names.empty()) names = read_lines(folder / "classes.txt");
  auto dataset = std::make_shared<TarShards>(shards_in(folder, options.split), names, options.orientation);
  if (dataset->size() == 0) throw Error("data set '" + path.string() + "': no samples in tar archives");
  return dataset;
}

}  // namespace linnet::training
