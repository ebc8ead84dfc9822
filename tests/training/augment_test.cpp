#include "training/data/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "linnet/error.h"
#include "linnet/random.h"
#include "linnet/training/losses.h"
#include "tests/training/golden_json.h"
#include "training/data/mix.h"
#include "training/image/operators.h"

namespace linnet::training {
namespace {

std::vector<double> draws_of(const nlohmann::json& entry) {
  auto draws = entry.at("uniform_draws_0_to_1").get<std::vector<double>>();
  const auto whole = entry.at("integer_draws_0_to_1").get<std::vector<double>>();
  draws.insert(draws.end(), whole.begin(), whole.end());
  return draws;
}

TEST(Augment, RandomResizedCropBoxFollowsFromTheDrawsAsInTimm) {
  const auto file = testing::golden_data_file("augment/tensor_ops.json");
  ASSERT_TRUE(file);
  int cases = 0;
  const auto list = testing::read_json(*file).at("resized_crop_box").at("cases");
  for (const auto& entry : list) {
    SCOPED_TRACE(entry.dump());
    const std::vector<double> draws = draws_of(entry);
    std::size_t next = 0;
    const Box box = random_resized_crop_box(entry.at("image_wh").at(1), entry.at("image_wh").at(0), Augmentation{},
                                            [&] { return draws.at(next++); });
    const auto expected = entry.at("box_top_left_height_width").get<std::vector<Index>>();
    EXPECT_EQ(expected, (std::vector<Index>{box.top, box.left, box.height, box.width}));
    EXPECT_EQ(draws.size(), next);
    ++cases;
  }
  EXPECT_GT(cases, 3);
  std::printf("%d boxes\n", cases);
}

TEST(Augment, ErasedBoxesFollowFromTheDrawsAsInTimm) {
  const auto file = testing::golden_data_file("augment/tensor_ops.json");
  ASSERT_TRUE(file);
  int cases = 0;
  const auto list = testing::read_json(*file).at("erase_box").at("cases");
  for (const auto& entry : list) {
    SCOPED_TRACE(entry.dump());
    ++cases;
    const std::vector<double> draws = draws_of(entry);
    std::size_t next = 0;
    const Index height = entry.at("image_hw").at(0), width = entry.at("image_hw").at(1);
    std::vector<float> values(static_cast<std::size_t>(height * width), 1.0f);
    RandomErasing erasing;
    erasing.probability = 0.5;
    erase_at_random(values.data(), height, width, 1, erasing, [&] { return draws.at(next++); });
    EXPECT_EQ(draws.size(), next);
    const auto& box = entry.at("box_top_left_height_width");
    for (Index y = 0; y < height; ++y) {
      for (Index x = 0; x < width; ++x) {
        const bool inside = !box.is_null() && y >= box[0] && y < box[0].get<Index>() + box[2].get<Index>() &&
                            x >= box[1] && x < box[1].get<Index>() + box[3].get<Index>();
        EXPECT_EQ(values[static_cast<std::size_t>(y * width + x)], inside ? 0.0f : 1.0f) << y << " " << x;
      }
    }
  }
  EXPECT_GT(cases, 3);
}

/// [channels, height, width] or [n, channels, height, width] as it lies here, channels last.
Tensor channels_last(const nlohmann::json& recorded) {
  const Tensor from = testing::tensor_from(recorded);
  const Shape& shape = from.shape();
  const std::size_t rank = shape.size();
  const Index channels = shape[rank - 3], pixels = shape[rank - 2] * shape[rank - 1];
  const Index count = rank == 4 ? shape[0] : 1;
  Tensor to(Shape{count, shape[rank - 2], shape[rank - 1], channels});
  for (Index n = 0; n < count; ++n)
    for (Index c = 0; c < channels; ++c)
      for (Index i = 0; i < pixels; ++i)
        to.data()[(n * pixels + i) * channels + c] = from.data()[(n * channels + c) * pixels + i];
  return to;
}

TEST(Augment, ErasesAsTorchvision) {
  const auto file = testing::golden_data_file("augment/tensor_ops.json");
  ASSERT_TRUE(file);
  const auto golden = testing::read_json(*file).at("erase");
  int cases = 0;
  for (const auto& entry : golden.at("cases")) {
    const std::string value = entry.at("value");
    SCOPED_TRACE(value);
    ++cases;
    const Tensor picture = channels_last(golden.at("image")), expected = channels_last(entry.at("result"));
    const auto& box = entry.at("box_top_left_height_width");
    const Box where{box[0], box[1], box[2], box[3]};
    const std::string fill = value.starts_with("constant") ? "zero" : value.starts_with("per") ? "colour" : "noise";
    const CounterRandom random(1, 1);
    std::uint64_t next = 0;
    Tensor result = picture.clone();
    erase(result.data(), picture.dimension(2), 3, where, fill,
          [&] { return static_cast<double>(random.uniform(next++)); });
    // What is drawn here is not what was given there: the same pixels change, in the same pattern.
    std::set<std::vector<float>> colours;
    for (Index i = 0; i < result.size(); i += 3) {
      const bool changed = !std::equal(result.data() + i, result.data() + i + 3, picture.data() + i);
      const bool expected_change = !std::equal(expected.data() + i, expected.data() + i + 3, picture.data() + i);
      EXPECT_EQ(changed, expected_change) << i;
      if (changed) colours.insert({result.data() + i, result.data() + i + 3});
    }
    EXPECT_EQ(colours.size(), fill == "noise" ? static_cast<std::size_t>(where.height * where.width) : 1u);
    if (fill == "zero") {
      EXPECT_TRUE(std::equal(result.data(), result.data() + result.size(), expected.data()));
    }
  }
  EXPECT_EQ(cases, 3);
}

TEST(Augment, MixesAsTimm) {
  const auto file = testing::golden_data_file("augment/tensor_ops.json");
  ASSERT_TRUE(file);
  const auto golden = testing::read_json(*file).at("mix");
  const auto labels = golden.at("labels").get<std::vector<int>>();
  int cases = 0;
  for (const auto& entry : golden.at("cases")) {
    SCOPED_TRACE(std::to_string(cases++));
    Tensor pictures = channels_last(golden.at("images"));
    Mixing mixing;
    mixing.mode = entry.at("mode") == "elem" ? "element" : entry.at("mode").get<std::string>();
    mixing.correct_share = entry.at("correct_lambda");
    const auto as_list = [](const nlohmann::json& value) { return value.is_array() ? value : nlohmann::json{value}; };
    const nlohmann::json shares = as_list(entry.at("lambda")), cutmix = as_list(entry.at("use_cutmix"));
    std::vector<Mixture> mixtures;
    for (std::size_t i = 0; i < shares.size(); ++i) mixtures.push_back({shares[i], cutmix[i]});
    std::size_t next = 0;
    const std::vector<float> found = mix_pictures(pictures, mixing, mixtures, [&] {
      const double size = static_cast<double>(pictures.dimension(1 + next % 2));
      return (entry.at("centres_cy_cx").at(next++).get<double>() + 0.5) / size;
    });
    EXPECT_EQ(next, entry.at("centres_cy_cx").size());
    const Tensor expected = channels_last(entry.at("images"));
    for (Index i = 0; i < expected.size(); ++i) ASSERT_NEAR(pictures.data()[i], expected.data()[i], 1e-6) << i;
    const Tensor targets =
        mixed_targets(smoothed_targets(labels, golden.at("num_classes"), entry.at("label_smoothing")), found);
    const Tensor expected_targets = testing::tensor_from(entry.at("targets"));
    for (Index i = 0; i < targets.size(); ++i) EXPECT_NEAR(targets.data()[i], expected_targets.data()[i], 1e-6) << i;
  }
  EXPECT_GT(cases, 5);
}

TEST(Augment, MixturesAreDrawnAsTheyShould) {
  const CounterRandom random(8, 8);
  std::uint64_t next = 0;
  const Uniform draw = [&] { return static_cast<double>(random.uniform(next++)); };
  const auto mixed = [&](const Mixing& mixing) {
    int count = 0;
    for (int i = 0; i < 400; ++i) {
      Tensor pictures = Tensor::full({3, 4, 4, 1}, 1);
      count += !mix_at_random(pictures, mixing, draw).empty();
    }
    return count;
  };
  EXPECT_EQ(mixed({}), 0);
  EXPECT_EQ(mixed({.mixup_alpha = 0.2}), 400);
  EXPECT_NEAR(mixed({.cutmix_alpha = 1, .probability = 0.25}), 100, 40);
  // The middle one of an odd batch has no partner.
  Tensor pictures = Tensor::full({3, 4, 4, 1}, 1);
  const std::vector<float> shares = mix_at_random(pictures, {.mixup_alpha = 1, .mode = "pair"}, draw);
  EXPECT_EQ(shares[0], shares[2]);
  EXPECT_EQ(shares[1], 1.0f);
}

TEST(Augment, ColourJitterFollowsFromItsDraws) {
  Image image(3, 3, 3);
  std::iota(image.pixels.begin(), image.pixels.end(), std::uint8_t{100});
  Augmentation augmentation;
  augmentation.brightness = 0.4;
  augmentation.hue = 0.1;
  // Three draws for the order (each the last place: nothing moves), then two factors.
  const std::vector<double> draws = {0.99, 0.99, 0.99, 0.75, 0.0};
  std::size_t next = 0;
  EXPECT_EQ(jitter_colours(image, augmentation, [&] { return draws.at(next++); }),
            adjust_hue(adjust_brightness(image, 1.2), -0.1));
  EXPECT_EQ(next, draws.size());
}

TEST(Augment, TenCropShowsCornersCentreAndTheirMirrorImages) {
  Image image(4, 6, 1);
  std::iota(image.pixels.begin(), image.pixels.end(), std::uint8_t{0});
  const std::vector<Image> views = ten_crop(image, 3, 3);
  ASSERT_EQ(views.size(), 10u);
  std::vector<int> firsts;
  for (const Image& view : views) firsts.push_back(view.pixels[0]);
  // Of the centre: (4 - 3) / 2 and (6 - 3) / 2, halves to the even number.
  EXPECT_EQ(firsts, (std::vector<int>{0, 3, 6, 9, 2, 5, 2, 11, 8, 3}));
  EXPECT_EQ(views[5], flip_horizontally(views[1]));
  EXPECT_THROW(ten_crop(image, 5, 3), Error);
}

TEST(Augment, RandomCropReachesEveryPlaceAndFlipsHalf) {
  Image image(3, 3, 1);
  std::iota(image.pixels.begin(), image.pixels.end(), std::uint8_t{1});
  const Augmentation augmentation{.crop_padding = 1, .flip_probability = 0.5};
  Preprocessing preprocessing;
  std::map<std::vector<int>, int> seen;
  std::uint64_t state = 1;
  for (int i = 0; i < 1800; ++i) {
    const Image result = augment(image, augmentation, preprocessing, 3, 3, [&state] {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return static_cast<double>(state >> 11) * 0x1p-53;
    });
    ++seen[{result.pixels.begin(), result.pixels.end()}];
  }
  EXPECT_EQ(18u, seen.size()) << "nine places, each as it is and flipped";
  EXPECT_TRUE(seen.contains({0, 0, 0, 0, 1, 2, 0, 4, 5}));
  EXPECT_TRUE(seen.contains({0, 0, 0, 2, 1, 0, 5, 4, 0}));
  for (const auto& [pixels, count] : seen) {
    EXPECT_NEAR(100, count, 45);
  }
}

}  // namespace
}  // namespace linnet::training
