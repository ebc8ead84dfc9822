#include <gtest/gtest.h>

#include <cstring>

#include "linnet/error.h"
#include "linnet/random.h"
#include "linnet/safetensors.h"
#include "tests/support/temporary_folder.h"

namespace linnet {
namespace {

/// A chain of random numbers.
class Dice {
 public:
  explicit Dice(std::uint64_t stream) : random_(2024, stream) {}
  std::size_t below(std::size_t bound) { return random_.below(index_++, static_cast<std::uint32_t>(bound)); }

 private:
  CounterRandom random_;
  std::uint64_t index_ = 0;
};

void flip_bits(std::string& bytes, std::size_t begin, std::size_t end, Dice& dice) {
  for (std::size_t flips = 1 + dice.below(4); flips > 0; --flips) {
    char& byte = bytes[begin + dice.below(end - begin)];
    byte = static_cast<char>(byte ^ (1 << dice.below(8)));
  }
}

void lie_about_the_length(std::string& bytes, Dice& dice) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  const std::uint64_t lies[] = {
      length - 1,       length + 1,  length + 8, length * 2, 0, 1, 100000001, ~std::uint64_t{0}, std::uint64_t{1} << 63,
      bytes.size() - 8, bytes.size()};
  length = lies[dice.below(std::size(lies))];
  std::memcpy(bytes.data(), &length, sizeof length);
}

/// Changes the header's text and keeps its length right, so that the JSON is what is tested.
void edit_header(std::string& bytes, Dice& dice) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  std::string header = bytes.substr(8, static_cast<std::size_t>(length));
  static constexpr const char* pieces[] = {
      "{",           "}",   "[",   "]",      ",",    ":",       "\"",
      "0",           "9",   "-",   "1e99",   "null", "true",    "\\u00",
      "\\",          "F16", "I64", "\"a\":", "\xff", "[[[[[[[", "18446744073709551615",
      "{\"dtype\":", " "};
  const std::string piece = pieces[dice.below(std::size(pieces))];
  const std::size_t position = dice.below(header.size());
  switch (dice.below(4)) {
    case 0:
      header.insert(position, piece);
      break;
    case 1:
      header.replace(position, std::min(piece.size(), header.size() - position), piece);
      break;
    case 2:
      header.erase(position, 1 + dice.below(20));
      break;
    default:
      header.insert(dice.below(header.size()), header.substr(position, 1 + dice.below(100)));
  }
  length = header.size();
  std::string changed(8, '\0');
  std::memcpy(changed.data(), &length, sizeof length);
  bytes = changed + header + bytes.substr(bytes.size() - std::min<std::size_t>(bytes.size(), 64 + dice.below(200)));
}

void damage(std::string& bytes, std::size_t header_end, Dice& dice) {
  switch (dice.below(6)) {
    case 0:
      flip_bits(bytes, 0, bytes.size(), dice);
      break;
    case 1:
      flip_bits(bytes, 0, header_end, dice);
      break;
    case 2:
      bytes.resize(dice.below(bytes.size()));
      break;
    case 3:
      bytes.append(1 + dice.below(64), static_cast<char>(dice.below(256)));
      break;
    case 4:
      lie_about_the_length(bytes, dice);
      break;
    default:
      edit_header(bytes, dice);
  }
}

TEST(Safetensors, TenThousandDamagedFilesEndInErrorsOnly) {
  const TemporaryFolder folder;
  write_safetensors(folder.file("good"),
                    {{"conv.weight", Tensor::full({4, 3, 1, 1}, 1)},
                     {"bn.weight", Tensor::full({4}, 2)},
                     {"bn.num_batches_tracked", Tensor::full({}, 3)},
                     {"fc.bias", Tensor::full({10}, 4)}},
                    {{"linnet", "1"}, {"note", "\xC3\xA9"}});
  const std::string good = read_file(folder.file("good"));
  std::uint64_t length = 0;
  std::memcpy(&length, good.data(), sizeof length);
  const auto header_end = static_cast<std::size_t>(8 + length);

  int errors = 0;
  int loads = 0;
  for (std::uint64_t seed = 0; seed < 10000; ++seed) {
    Dice dice(seed);
    std::string bytes = good;
    damage(bytes, header_end, dice);
    // A copy of the exact size, so that a sanitizer sees a read past its end.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    try {
      const SafetensorsFile file = parse_safetensors(exact.data(), exact.size(), "damaged");
      std::size_t values = 0;
      for (const auto& [key, tensor] : file.tensors) {
        ASSERT_EQ(element_count(tensor.shape()), tensor.size()) << key << ", seed " << seed;
        values += static_cast<std::size_t>(tensor.size());
      }
      ASSERT_LE(values, exact.size()) << "seed " << seed;
      ++loads;
    } catch (const Error& error) {
      ASSERT_NE(std::string::npos, std::string(error.what()).find("'damaged'")) << error.what();
      ++errors;
    }
  }
  EXPECT_GT(errors, 6000);
  EXPECT_GT(loads, 100) << "flipped bits of values are no damage that a reader could see";
  std::printf("%d damaged files were refused, %d had damaged values only\n", errors, loads);
}

}  // namespace
}  // namespace linnet
