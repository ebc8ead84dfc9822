// The registry: every family, in an explicit list.
#include "linnet/architectures.h"

#include "architectures/families.h"
#include "architectures/names.h"
#include "linnet/error.h"

namespace linnet::architectures {

namespace {

const Family* const families[] = {&mobilenetv1, &mobilenetv2, &mobilenetv3};

}  // namespace

std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const Family* family : families) {
    for (Variant& variant : family->variants()) all.push_back(std::move(variant));
  }
  return all;
}

Graph build(std::string_view name, const BuildOptions& options) {
  const ParsedName parsed = parse_name(name);
  BuildOptions chosen = options;
  if (parsed.height) chosen.height = *parsed.height;
  if (parsed.width) chosen.width = *parsed.width;
  if (parsed.classes) chosen.classes = *parsed.classes;
  if (chosen.classes < 0 || chosen.height < 0 || chosen.width < 0 || chosen.in_channels < 1) {
    throw Error("build \"" + std::string(name) + "\": expected classes and sizes of at least 0 and input channels of " +
                "at least 1, found " +
                to_string(Shape{chosen.classes, chosen.height, chosen.width, chosen.in_channels}));
  }
  for (const Family* family : families) {
    if (auto graph = family->build(parsed.variant, name, chosen)) return std::move(*graph);
  }
  std::string message = "unknown network \"" + std::string(name) + "\"; the nearest known ones are";
  for (const std::string& nearest : nearest_names(parsed.variant, variants(), 3)) message += " " + nearest;
  throw Error(message);
}

}  // namespace linnet::architectures
