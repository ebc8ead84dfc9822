#include "pages.h"

#include <string>

#define PAGE(path, name) extern const std::string_view embedded_##name;
#include "page_files.inc"
#undef PAGE

namespace linnet::tools {

std::optional<std::string_view> find_page(const std::string& path) {
  const std::string file = path == "/" ? "/index.html" : path.find('.') == std::string::npos ? path + ".html" : path;
#define PAGE(path, name) \
  if (file == path) return embedded_##name;
#include "page_files.inc"
#undef PAGE
  return std::nullopt;
}

const char* content_type(const std::string& path) {
  if (path.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  if (path.ends_with(".svg")) return "image/svg+xml";
  return "text/html; charset=utf-8";
}

}  // namespace linnet::tools
