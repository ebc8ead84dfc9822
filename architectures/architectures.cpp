// The registry: every family, in an explicit list.
#include "linnet/architectures.h"

#include "architectures/families.h"
#include "architectures/names.h"
#include "linnet/error.h"

namespace linnet::architectures {

namespace {

const Family* const families[] = {&mobilenetv1,  &mobilenetv2,  &mobilenetv3, &mobilenetv4, &efficientnet,
                                  &shufflenetv1, &shufflenetv2, &squeezenet,  &nasnet};

/// Names that other collections of models use.
struct Alias {
  std::string_view name, variant;
};
constexpr Alias aliases[] = {{"shufflenet_v1_g3", "shufflenetv1_g3_100"},
                             {"shufflenet_v1_g8", "shufflenetv1_g8_100"},
                             {"nasnet_a_mobile", "nasnetamobile"},
                             {"nasnet_a_large", "nasnetalarge"}};

void check(std::string_view name, const BuildOptions& options) {
  const auto expect = [&](bool fine, const char* expected, double found) {
    if (fine) return;
    throw Error("build \"" + std::string(name) + "\": expected " + expected + ", found " + std::to_string(found));
  };
  const auto is_rate = [](float rate) { return rate >= 0 && rate < 1; };
  expect(options.classes >= 0, "classes of at least 0", double(options.classes));
  expect(options.in_channels >= 1, "at least one input channel", double(options.in_channels));
  expect(options.height >= 0, "a height of at least 0", double(options.height));
  expect(options.width >= 0, "a width of at least 0", double(options.width));
  expect(options.stem_stride >= 1, "a stem stride of at least 1", double(options.stem_stride));
  expect(is_rate(options.dropout.value_or(0)), "a dropout rate in [0, 1)", options.dropout.value_or(0));
  for (const Index stride : options.feature_strides) {
    expect(stride >= 1, "feature strides of at least 1", double(stride));
  }
  expect(is_rate(options.drop_path), "a drop path rate in [0, 1)", options.drop_path);
  expect(options.bn_epsilon.value_or(1) > 0, "a batch norm epsilon above 0", options.bn_epsilon.value_or(1));
}

}  // namespace

std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const Family* family : families) {
    for (Variant& variant : family->variants(family->name)) all.push_back(std::move(variant));
  }
  return all;
}

Graph build(std::string_view name, const BuildOptions& options) {
  ParsedName parsed = parse_name(name);
  for (const Alias& alias : aliases) {
    if (parsed.variant == alias.name) parsed.variant = alias.variant;
  }
  BuildOptions chosen = options;
  if (parsed.height) chosen.height = *parsed.height;
  if (parsed.width) chosen.width = *parsed.width;
  if (parsed.classes) chosen.classes = *parsed.classes;
  check(name, chosen);
  for (const Family* family : families) {
    if (auto graph = family->build(parsed.variant, name, chosen)) return std::move(*graph);
  }
  std::string message = "unknown network \"" + std::string(name) + "\"; the nearest known ones are";
  for (const std::string& nearest : nearest_names(parsed.variant, variants(), 3)) message += " " + nearest;
  throw Error(message);
}

}  // namespace linnet::architectures
