// Decoding, resizing and cutting against Pillow, timm and torchvision: golden_data/decode, eval and augment.
#include <gtest/gtest.h>

#include <cmath>

#include "linnet/error.h"
#include "linnet/training/image.h"
#include "tests/training/golden_json.h"
#include "training/tracking/sha256.h"

namespace linnet::training {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::golden_data_file;
using testing::read_json;

std::string hash(const Image& image) { return Sha256::hex(image.pixels); }

/// A path within the golden data: "photos/x.jpg" lies in the data folder beside it.
std::optional<fs::path> find_picture(const std::string& name) {
  if (name.starts_with("photos/")) {
    const fs::path file = fs::path(golden::shared_dir()) / "data" / name;
    return fs::exists(file) ? std::optional(file) : std::nullopt;
  }
  return golden_data_file(name);
}

TEST(ImageGolden, DecodesAsPillow) {
  const auto list = golden_data_file("decode/inputs.json");
  ASSERT_TRUE(list);
  int same = 0;
  int refused = 0;
  for (const json& entry : read_json(*list)) {
    const std::string name = entry.at("file");
    SCOPED_TRACE(name);
    const std::string path = (list->parent_path() / name).string();
    if (entry.contains("error")) {
      try {
        read_image(path);
        ADD_FAILURE() << "expected an error";
      } catch (const Error& error) {
        EXPECT_NE(std::string::npos, std::string(error.what()).find(path)) << error.what();
        ++refused;
      }
      continue;
    }
    const Image image = read_image(path);
    EXPECT_EQ(entry.at("w"), image.width);
    EXPECT_EQ(entry.at("h"), image.height);
    EXPECT_EQ(3, image.channels);
    if (entry.at("pil_mode") == "I;16") {
      continue;  // Pillow clips 16-bit grey to white; Linnet keeps the high byte, see Gray16KeepsTheHighByte.
    }
    EXPECT_EQ(entry.at("sha256_rgb"), hash(image));
    if (entry.contains("exif_transposed")) {
      const json& turned = entry.at("exif_transposed");
      const Image upright = read_image(path, Orientation::as_tagged);
      EXPECT_EQ(turned.at("w"), upright.width);
      EXPECT_EQ(turned.at("h"), upright.height);
      EXPECT_EQ(turned.at("sha256_rgb"), hash(upright));
    }
    ++same;
  }
  EXPECT_GT(same, 20);
  EXPECT_GT(refused, 3);
  std::printf("%d pictures decoded alike, %d refused\n", same, refused);
}

TEST(ImageGolden, Gray16KeepsTheHighByte) {
  const auto path = golden_data_file("decode/inputs/gray16.png");
  ASSERT_TRUE(path);
  const Image image = read_image(path->string());
  const auto [least, most] = std::minmax_element(image.pixels.begin(), image.pixels.end());
  EXPECT_LT(*least, 64);
  EXPECT_GT(*most, 128);
  EXPECT_EQ(image, with_channels(with_channels(image, 1), 3)) << "grey";
}

TEST(ImageGolden, DecodesPhotosAsPillow) {
  const auto list = golden_data_file("decode/photo_hashes.json");
  const fs::path folder = fs::path(golden::shared_dir()) / "data" / "photos";
  if (!list || !fs::exists(folder)) {
    GTEST_SKIP() << "the photos are not here: " << folder;
  }
  int same = 0;
  for (const json& entry : read_json(*list)) {
    SCOPED_TRACE(entry.at("file"));
    EXPECT_EQ(entry.at("sha256_rgb"), hash(read_image((folder / entry.at("file")).string())));
    ++same;
  }
  std::printf("%d photos\n", same);
}

TEST(ImageGolden, ResizesAsPillow) {
  const auto list = golden_data_file("eval/resize.json");
  ASSERT_TRUE(list);
  int same = 0;
  for (const json& entry : read_json(*list)) {
    const std::string interpolation = entry.at("interpolation");
    if (interpolation != "bilinear" && interpolation != "bicubic") {
      continue;
    }
    SCOPED_TRACE(entry.at("output"));
    const Image input = read_image((list->parent_path() / entry.at("input")).string());
    const Index width = entry.at("output_wh").at(0);
    const Index height = entry.at("output_wh").at(1);
    EXPECT_EQ(entry.at("sha256_rgb"), hash(resize(input, height, width, interpolation_from_name(interpolation))));
    ++same;
  }
  EXPECT_GT(same, 10);
  std::printf("%d resizes\n", same);
}

std::vector<std::uint8_t> mean_colour(const std::vector<float>& mean) {
  std::vector<std::uint8_t> colour;
  for (const float value : mean) {
    colour.push_back(static_cast<std::uint8_t>(std::lround(255 * value)));
  }
  return colour;
}

void check_normalised(const json& entry, const Image& image) {
  Preprocessing preprocessing;
  preprocessing.mean = entry.at("mean").get<std::vector<float>>();
  preprocessing.std = entry.at("std").get<std::vector<float>>();
  std::vector<float> values(image.pixels.size());
  normalise(preprocessing, image.height * image.width, 3, image.pixels.data(), values.data());
  const json& expected = entry.at("normalised");
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const json& first = expected.at("row0_first6").at(channel);
    for (std::size_t x = 0; x < first.size(); ++x) {
      EXPECT_NEAR(first.at(x).get<double>(), static_cast<double>(values[3 * x + channel]), 1e-6);
    }
    const Index centre = (image.height / 2) * image.width + image.width / 2;
    EXPECT_NEAR(expected.at("centre").at(channel).get<double>(),
                static_cast<double>(values[static_cast<std::size_t>(3 * centre) + channel]), 1e-6);
    double sum = 0;
    double magnitude = 0;
    for (std::size_t i = channel; i < values.size(); i += 3) {
      sum += static_cast<double>(values[i]);
      magnitude += std::fabs(static_cast<double>(values[i]));
    }
    EXPECT_NEAR(expected.at("sum_float64").at(channel).get<double>(), sum, 1e-6 * magnitude);
  }
}

TEST(ImageGolden, EvaluatesAsTimm) {
  const auto list = golden_data_file("eval/eval.json");
  ASSERT_TRUE(list);
  int same = 0;
  int absent = 0;
  for (const json& entry : read_json(*list)) {
    const std::string name = entry.at("input");
    SCOPED_TRACE(name + " " + entry.at("size_hw").dump() + " " + entry.at("crop_mode").dump());
    const auto path = find_picture(name);
    if (!path) {
      ++absent;
      continue;
    }
    if (name.ends_with("gray16.png")) {
      continue;  // see Gray16KeepsTheHighByte
    }
    const bool turned = entry.value("exif_transposed", false);
    const Image picture = read_image(path->string(), turned ? Orientation::as_tagged : Orientation::as_stored);
    const auto size = entry.at("size_hw").get<std::vector<Index>>();
    const auto scale = entry.at("scale_hw").get<std::vector<Index>>();
    const Image result = resize_and_crop(picture, scale[0], scale[1], size[0], size[1],
                                         interpolation_from_name(entry.at("interpolation")), entry.at("crop_mode"),
                                         mean_colour(entry.at("mean")));
    EXPECT_EQ(entry.at("sha256_rgb"), hash(result));
    check_normalised(entry, result);
    if (size[0] == size[1]) {
      Preprocessing preprocessing;
      preprocessing.resize = scale[0];
      preprocessing.interpolation = entry.at("interpolation");
      preprocessing.crop_mode = entry.at("crop_mode");
      preprocessing.mean = entry.at("mean").get<std::vector<float>>();
      EXPECT_EQ(result, prepare_for_evaluation(picture, preprocessing, size[0], size[1], 3));
    }
    ++same;
  }
  EXPECT_GT(same, 20);
  std::printf("%d evaluation transforms; the pictures of %d are not here\n", same, absent);
}

}  // namespace
}  // namespace linnet::training
