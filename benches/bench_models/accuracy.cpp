#include "benches/bench_models/accuracy.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "linnet/error.h"

namespace linnet::bench {
namespace {

namespace fs = std::filesystem;

bool is_picture(const fs::path& path) { return path.extension() == ".ppm" || path.extension() == ".pgm"; }

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

/// The whole text as a number of a class, or -1.
int class_number(const std::string& text) {
  constexpr std::size_t longest = 6;
  if (text.empty() || text.size() > longest || text.find_first_not_of("0123456789") != std::string::npos) return -1;
  return std::atoi(text.c_str());
}

std::vector<LabelledPicture> of_folder(const fs::path& folder) {
  std::vector<LabelledPicture> pictures;
  int classes = 0;
  const std::vector<fs::path> entries = sorted_entries(folder);
  for (const fs::path& entry : entries) {
    if (!fs::is_directory(entry)) continue;
    for (const fs::path& file : sorted_entries(entry))
      if (is_picture(file)) pictures.push_back({file.string(), classes});
    ++classes;
  }
  if (classes > 0) return pictures;
  for (const fs::path& file : entries) {
    if (!is_picture(file)) continue;
    const std::string name = file.filename().string();
    const int label = class_number(name.substr(0, name.find('_')));
    if (label < 0) throw Error(file.string() + ": expected a name as 12_x.ppm, with the class before the first '_'");
    pictures.push_back({file.string(), label});
  }
  return pictures;
}

std::vector<LabelledPicture> of_list(const fs::path& list) {
  std::ifstream stream(list);
  if (!stream) throw Error("cannot read " + list.string());
  std::vector<LabelledPicture> pictures;
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.empty()) continue;
    const std::size_t space = line.find_last_of(" \t");
    const int label = space == std::string::npos ? -1 : class_number(line.substr(space + 1));
    if (label < 0)
      throw Error(list.string() + ", line " + std::to_string(number) + ": expected a picture's path and its class");
    pictures.push_back({(list.parent_path() / line.substr(0, space)).string(), label});
  }
  return pictures;
}

/// A number of the head, after white space and comments.
Index head_number(std::istream& stream) {
  while (stream) {
    stream >> std::ws;
    if (stream.peek() != '#') break;
    for (int c = stream.get(); stream && c != '\n'; c = stream.get()) {
    }
  }
  Index value = 0;
  stream >> value;
  return value;
}

}  // namespace

std::vector<LabelledPicture> list_pictures(const std::string& file_or_folder) {
  const std::vector<LabelledPicture> pictures =
      fs::is_directory(file_or_folder) ? of_folder(file_or_folder) : of_list(file_or_folder);
  if (pictures.empty()) throw Error(file_or_folder + ": no .ppm or .pgm pictures");
  return pictures;
}

void read_picture(const std::string& path, const Shape& shape, const Preprocessing& preprocessing,
                  std::span<float> values) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error("cannot read " + path);
  const int p = stream.get(), kind = stream.get();
  const Index channels = kind == '6' ? 3 : 1;
  if (p != 'P' || (kind != '5' && kind != '6')) throw Error(path + ": no binary PPM or PGM file");
  const Index width = head_number(stream), height = head_number(stream), white = head_number(stream);
  if (!stream || white != 255) throw Error(path + ": damaged, or more than 8 bits per value");
  if (height != shape[0] || width != shape[1] || channels != shape[2]) {
    throw Error(path + ": expected a picture of the network's input size, " + to_string(shape) + ", found " +
                to_string(Shape{height, width, channels}));
  }
  stream.get();
  std::vector<char> bytes(values.size());
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) throw Error(path + ": cut short");
  normalise(preprocessing, height * width, channels, reinterpret_cast<const std::uint8_t*>(bytes.data()),
            values.data());
}

int best_class(std::span<const float> logits) {
  return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace linnet::bench
