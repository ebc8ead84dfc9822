#include "linnet/training/image.h"

#include <gtest/gtest.h>

#include "linnet/error.h"
#include "linnet/random.h"
#include "tests/support/temporary_folder.h"
#include "tests/training/golden_json.h"

namespace linnet::training {
namespace {

Image decode(const std::string& bytes) {
  return decode_image({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, "made");
}

std::string error_of(const std::string& bytes) {
  try {
    decode(bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// Pixels counted up from 0.
Image counting(Index height, Index width, Index channels) {
  Image image(height, width, channels);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(i);
  }
  return image;
}

TEST(Image, ReadsNetpbm) {
  const std::vector<std::uint8_t> rgb = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(rgb, decode("P6\n# a comment\n2 1 # another\n255\n\1\2\3\4\5\6").pixels);
  const std::vector<std::uint8_t> grey = {7, 7, 7, 8, 8, 8};
  EXPECT_EQ(grey, decode("P5 1 2 255\n\7\10").pixels);
  const std::vector<std::uint8_t> stretched = {0, 0, 0, 128, 128, 128, 255, 255, 255};
  EXPECT_EQ(stretched, decode(std::string("P5 3 1 2\n\0\1\2", 12)).pixels);
  const std::vector<std::uint8_t> high_byte = {0x12, 0x12, 0x12};
  EXPECT_EQ(high_byte, decode("P5 1 1 65535\n\x12\x34").pixels);
  EXPECT_NE(std::string::npos, error_of("P6 2 2 255\n123").find("expected 12 bytes of pixels, found 3"));
  EXPECT_NE(std::string::npos, error_of("P6 0 2 255\n").find("0 x 2"));
  EXPECT_NE(std::string::npos, error_of("P6 99999999 99999999 255\n").find("2^28"));
  EXPECT_NE(std::string::npos, error_of("P6 2 x").find("height"));
  EXPECT_NE(std::string::npos, error_of("P5 1 1 70000\n11").find("70000"));
  EXPECT_NE(std::string::npos, error_of("GIF89a").find("'made': not a JPEG, PNG, PPM or PGM file"));
}

TEST(Image, BecomesAPngAndComesBack) {
  const Image colour = counting(9, 5, 3), grey = counting(3, 7, 1);
  EXPECT_EQ(decode(encode_png(colour)), colour);
  EXPECT_EQ(decode(encode_png(grey)), with_channels(grey, 3));
}

TEST(Image, MissingFilesNameTheReason) {
  const TemporaryFolder folder;
  for (const std::string& path : {folder.file("absent.png"), folder.path()}) {
    try {
      read_image(path);
      ADD_FAILURE() << "expected an error";
    } catch (const Error& error) {
      EXPECT_NE(std::string::npos, std::string(error.what()).find("'" + path + "'")) << error.what();
    }
  }
}

/// Whatever the damage, decoding ends in an error or a picture.
TEST(Image, DamagedPicturesEndInErrorsOnly) {
  const auto list = testing::golden_data_file("decode/inputs.json");
  ASSERT_TRUE(list);
  int errors = 0;
  int pictures = 0;
  for (const auto& entry : testing::read_json(*list)) {
    const std::string good = read_file((list->parent_path() / entry.at("file")).string());
    for (std::uint64_t seed = 0; seed < 60 && good.size() > 100; ++seed) {
      const CounterRandom random(seed, good.size());
      std::string bytes = good;
      if (seed % 3 == 0) {
        bytes.resize(random.below(0, static_cast<std::uint32_t>(good.size())));
      } else {
        // Two thirds of the damage goes to the headers, where the decisions are.
        const auto reach = static_cast<std::uint32_t>(seed % 3 == 1 ? good.size() : good.size() / 8);
        for (std::uint64_t i = 1; i <= 1 + seed % 5; ++i) {
          char& byte = bytes[random.below(i, reach)];
          byte = static_cast<char>(byte ^ (1 << (random.bits(i) & 7)));
        }
      }
      try {
        const Image image = decode(bytes);
        ASSERT_EQ(static_cast<std::size_t>(image.height * image.width * 3), image.pixels.size());
        ++pictures;
      } catch (const Error&) {
        ++errors;
      }
    }
  }
  EXPECT_GT(errors, 500);
  EXPECT_GT(pictures, 100);
  std::printf("%d damaged pictures were refused, %d were shown\n", errors, pictures);
}

TEST(Image, CropsOverTheEdges) {
  const Image image = counting(2, 3, 1);
  const Image inside = crop(image, {1, 1, 1, 2});
  EXPECT_EQ((std::vector<std::uint8_t>{4, 5}), inside.pixels);
  const Image around = crop(image, {-1, -1, 3, 3}, {9});
  EXPECT_EQ((std::vector<std::uint8_t>{9, 9, 9, 9, 0, 1, 9, 3, 4}), around.pixels);
  const Image outside = crop(image, {5, 5, 1, 1});
  EXPECT_EQ(std::vector<std::uint8_t>{0}, outside.pixels);
  const Image coloured = crop(counting(1, 1, 3), {0, 1, 1, 2}, {7, 8, 9});
  EXPECT_EQ((std::vector<std::uint8_t>{7, 8, 9, 7, 8, 9}), coloured.pixels);
}

TEST(Image, FlipsPixelsNotChannels) {
  EXPECT_EQ((std::vector<std::uint8_t>{3, 4, 5, 0, 1, 2}), flip_horizontally(counting(1, 2, 3)).pixels);
}

TEST(Image, ChangesChannels) {
  Image grey(1, 1, 1, 77);
  EXPECT_EQ((std::vector<std::uint8_t>{77, 77, 77}), with_channels(grey, 3).pixels);
  EXPECT_EQ(grey, with_channels(with_channels(grey, 3), 1));
  EXPECT_THROW(with_channels(grey, 4), Error);
}

TEST(Image, ResizeKeepsFlatPicturesAndRefusesNothing) {
  for (const Interpolation interpolation : {Interpolation::bilinear, Interpolation::bicubic}) {
    for (const std::uint8_t level : std::initializer_list<std::uint8_t>{0, 1, 127, 255}) {
      EXPECT_EQ(Image(5, 31, 3, level), resize(Image(17, 9, 3, level), 5, 31, interpolation));
    }
    const Image image = counting(4, 4, 1);
    EXPECT_EQ(image, resize(image, 4, 4, interpolation));
    EXPECT_THROW(resize(image, 0, 4, interpolation), Error);
    EXPECT_THROW(resize(Image(), 4, 4, interpolation), Error);
  }
  EXPECT_THROW(interpolation_from_name("nearest"), Error);
}

TEST(Image, GreyIsResizedAsColourIs) {
  const Image grey = counting(13, 11, 1);
  const Image colour = with_channels(grey, 3);
  EXPECT_EQ(with_channels(resize(grey, 7, 19, Interpolation::bicubic), 3),
            resize(colour, 7, 19, Interpolation::bicubic));
}

TEST(Image, EvaluationWithoutResizeTakesThePictureAsItIs) {
  const Image image = counting(8, 8, 3);
  EXPECT_EQ(image, prepare_for_evaluation(image, {}, 8, 8, 3));
  const Image larger = prepare_for_evaluation(image, {}, 16, 16, 3);
  EXPECT_EQ(16, larger.height);
  EXPECT_EQ(resize(image, 16, 16, Interpolation::bilinear), larger);
}

}  // namespace
}  // namespace linnet::training
