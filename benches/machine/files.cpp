#include "benches/machine/files.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace linnet::bench {

bool SystemFiles::exists(const std::string& path) const {
  std::error_code ignored;
  return std::filesystem::exists(root_ + path, ignored);
}

std::optional<std::string> SystemFiles::text(const std::string& path) const {
  std::ifstream file(root_ + path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream all;
  all << file.rdbuf();
  // Drivers refuse at reading, too: a sensor that is off, a counter for the administrator alone.
  if (file.bad() || all.str().empty()) return std::nullopt;
  return all.str();
}

std::optional<std::string> SystemFiles::line(const std::string& path) const {
  std::optional<std::string> all = text(path);
  if (!all) return std::nullopt;
  all->erase(std::min(all->find('\n'), all->size()));
  while (!all->empty() && (all->back() == '\0' || all->back() == ' ' || all->back() == '\t')) all->pop_back();
  return all;
}

std::optional<double> SystemFiles::number(const std::string& path) const {
  const std::optional<std::string> first = line(path);
  if (!first) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(first->c_str(), &end);
  if (end == first->c_str()) return std::nullopt;
  return value;
}

std::vector<std::string> SystemFiles::list(const std::string& folder, const std::string& prefix) const {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(root_ + folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(prefix)) paths.push_back(folder + "/" + name);
  }
  std::sort(paths.begin(), paths.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  return paths;
}

}  // namespace linnet::bench
