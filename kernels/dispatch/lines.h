// The lines of a text file, without the streams of the C++ library, which would be a fifth of a small program.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

namespace linnet::kernels {

/// None if there is no such file.
class Lines {
 public:
  explicit Lines(const std::string& path) : file_(std::fopen(path.c_str(), "re"), &std::fclose) {}

  bool next(std::string& line) {
    line.clear();
    if (file_ == nullptr) return false;
    int letter = std::getc(file_.get());
    const bool found = letter != EOF;
    for (; letter != EOF && letter != '\n'; letter = std::getc(file_.get())) line += static_cast<char>(letter);
    return found;
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

}  // namespace linnet::kernels
