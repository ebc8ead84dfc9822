// Changes of shape and colour against Pillow, timm and torchvision: golden_data/augment/parameters.json.
#include "training/image/operators.h"

#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "linnet/error.h"
#include "tests/training/golden_json.h"
#include "training/data/operations.h"
#include "training/tracking/sha256.h"

namespace linnet::training {
namespace {

using nlohmann::json;

OperationContext context_of(const json& args, const Uniform& draw) {
  static const std::map<std::string, Sampling> samplings = {
      {"nearest", Sampling::nearest}, {"bilinear", Sampling::bilinear}, {"bicubic", Sampling::bicubic}};
  OperationContext context{Sampling::nearest, {}, draw};
  if (args.contains("interpolation")) context.sampling = samplings.at(args.at("interpolation"));
  if (args.contains("fill")) context.fill = args.at("fill").get<std::vector<std::uint8_t>>();
  return context;
}

Image jitter_in_order(const Image& picture, const json& args) {
  constexpr std::pair<const char*, Image (*)(const Image&, double)> parts[] = {{"brightness", adjust_brightness},
                                                                               {"contrast", adjust_contrast},
                                                                               {"saturation", adjust_saturation},
                                                                               {"hue", adjust_hue}};
  Image result = picture;
  for (const std::size_t part : args.at("order")) result = parts[part].second(result, args.at(parts[part].first));
  return result;
}

/// Names of operations in our tables, by the names in the file.
const std::map<std::string, std::string> timm_names = {{"auto_contrast", "AutoContrast"},
                                                       {"equalize", "Equalize"},
                                                       {"invert", "Invert"},
                                                       {"rotate", "Rotate"},
                                                       {"shear_x", "ShearX"},
                                                       {"shear_y", "ShearY"},
                                                       {"translate_x_rel", "TranslateXRel"},
                                                       {"translate_y_rel", "TranslateYRel"},
                                                       {"translate_x_abs", "TranslateX"},
                                                       {"translate_y_abs", "TranslateY"},
                                                       {"posterize", "Posterize"},
                                                       {"solarize", "Solarize"},
                                                       {"solarize_add", "SolarizeAdd"},
                                                       {"color", "Color"},
                                                       {"contrast", "Contrast"},
                                                       {"brightness", "Brightness"},
                                                       {"sharpness", "Sharpness"},
                                                       {"gaussian_blur", "GaussianBlur"},
                                                       {"desaturate", "Desaturate"}};
const std::map<std::string, std::string> torchvision_names = {
    {"shearx", "ShearX"},         {"sheary", "ShearY"},     {"translatex", "TranslateX"},
    {"translatey", "TranslateY"}, {"rotate", "Rotate"},     {"brightness", "Brightness"},
    {"color", "Color"},           {"contrast", "Contrast"}, {"sharpness", "Sharpness"},
    {"posterize", "Posterize"},   {"solarize", "Solarize"}, {"autocontrast", "AutoContrast"},
    {"equalize", "Equalize"},     {"invert", "Invert"}};

// Throws for anything unknown: every case must be covered.
Image result_of(const json& golden, const Image& picture) {
  const std::string op = golden.at("op");
  const json& args = golden.at("args");
  const Uniform no_draws = []() -> double { throw Error("a draw"); };
  if (op == "resized_crop") {
    const Box box{args.at("top"), args.at("left"), args.at("height"), args.at("width")};
    return resize(crop(picture, box), args.at("size_hw").at(0), args.at("size_hw").at(1),
                  interpolation_from_name(args.at("interpolation")));
  }
  if (op == "hflip") return flip_horizontally(picture);
  if (op == "vflip") return flip_vertically(picture);
  if (op == "grayscale") return to_grey(picture);
  if (op == "jitter_brightness") return adjust_brightness(picture, args.at("factor"));
  if (op == "jitter_contrast") return adjust_contrast(picture, args.at("factor"));
  if (op == "jitter_saturation") return adjust_saturation(picture, args.at("factor"));
  if (op == "jitter_hue") return adjust_hue(picture, args.at("factor"));
  if (op == "jitter_sequence") return jitter_in_order(picture, args);
  // The argument is what stands there beside how to sample and fill.
  double argument = 0;
  for (const auto& [key, value] : args.items())
    if (key != "interpolation" && key != "fill") argument = value;
  const std::size_t mark = op.find('_') + 1;
  const OperationContext context = context_of(args, no_draws);
  if (op.starts_with("timm_"))
    return find_level_operation(timm_names.at(op.substr(mark))).apply(picture, argument, context);
  if (op.starts_with("torchvision_"))
    return find_bin_operation(torchvision_names.at(op.substr(mark))).apply(picture, argument, context);
  throw Error("no operator for " + op);
}

TEST(OperatorsGolden, EveryCaseBitForBit) {
  const auto list = testing::golden_data_file("augment/parameters.json");
  ASSERT_TRUE(list);
  int same = 0, absent = 0;
  for (const json& golden : testing::read_json(*list)) {
    SCOPED_TRACE(golden.at("op").get<std::string>() + " " + golden.at("input").dump() + " " + golden.at("args").dump());
    const auto path = testing::golden_data_file("augment/" + golden.at("input").get<std::string>());
    if (!path) {
      ++absent;
      continue;
    }
    const Image picture = read_image(path->string());
    const Image result = result_of(golden, picture);
    if (golden.contains("error")) {
      // Pillow 13 refuses to keep no bits; older ones made it black, and recipes were made with these.
      EXPECT_EQ(golden.at("op"), "timm_posterize");
      EXPECT_EQ(result, Image(picture.height, picture.width, 3));
      continue;
    }
    EXPECT_EQ(golden.at("sha256_rgb"), Sha256::hex(result.pixels));
    EXPECT_EQ(golden.at("equals_input"), result == picture);
    ++same;
  }
  EXPECT_GT(same, 50);
  std::cout << same << " results compared; the pictures of " << absent << " are not here\n";
}

Image grey_steps() {
  Image image(5, 7, 1);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(20 + 5 * i);
  return image;
}

// A grey picture changes as the same picture with three equal channels does.
TEST(Operators, TakeGreyPicturesToo) {
  const Image grey = grey_steps(), colour = with_channels(grey, 3);
  const Uniform draw = [] { return 0.5; };
  for (const LevelOperation& operation : level_operations()) {
    SCOPED_TRACE(operation.name);
    const double argument = operation.argument(7, -1);
    const OperationContext one{Sampling::bilinear, {9}, draw}, three{Sampling::bilinear, {9, 9, 9}, draw};
    const Image result = operation.apply(grey, argument, one);
    EXPECT_EQ(result.channels, 1);
    EXPECT_EQ(with_channels(result, 3), operation.apply(colour, argument, three));
  }
  EXPECT_EQ(adjust_hue(grey, 0.3), grey);
}

TEST(Operators, TinyPicturesPass) {
  const Uniform draw = [] { return 0.5; };
  for (const auto& [height, width] : {std::pair<Index, Index>{1, 1}, {1, 9}, {2, 1}}) {
    const Image image(height, width, 3, 77);
    for (const Sampling sampling : {Sampling::nearest, Sampling::bilinear, Sampling::bicubic}) {
      const OperationContext context{sampling, {}, draw};
      for (const LevelOperation& operation : level_operations()) {
        const Image result = operation.apply(image, operation.argument(9, 1), context);
        EXPECT_EQ(result.pixels.size(), image.pixels.size()) << operation.name;
      }
      for (const BinOperation& operation : bin_operations()) {
        const Image result =
            operation.apply(image, operation.magnitude(BinRange::trivial_augment, 30, 31, width), context);
        EXPECT_EQ(result.pixels.size(), image.pixels.size()) << operation.name;
      }
    }
  }
}

TEST(Operators, PosterizeTakesZeroToEightBits) {
  const Image grey = grey_steps();
  EXPECT_EQ(posterize(grey, 0), Image(5, 7, 1));
  EXPECT_EQ(posterize(grey, 8), grey);
  EXPECT_THROW(posterize(grey, 9), Error);
  EXPECT_THROW(posterize(grey, -1), Error);
}

}  // namespace
}  // namespace linnet::training
