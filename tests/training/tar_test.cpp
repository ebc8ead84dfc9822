// Tar archives in WebDataset's layout, as others write them and damaged.
#include "training/data/tar.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "linnet/error.h"
#include "linnet/training/dataset.h"
#include "tests/support/temporary_folder.h"

namespace linnet::training {
namespace {

namespace fs = std::filesystem;

const fs::path tar_samples = fs::path(LINNET_TEST_DATA_DIR) / "tar";

std::string tar_header(const std::string& name, std::size_t size, char type) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  char digits[16];
  std::snprintf(digits, sizeof digits, "%011zo", size);
  header.replace(124, 11, digits);
  header.replace(148, 8, "        ");
  header[156] = type;
  header.replace(257, 5, "ustar");
  header.replace(263, 2, "00");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::snprintf(digits, sizeof digits, "%06o", sum);
  header.replace(148, 7, std::string(digits, 7));
  return header;
}

std::string member(const std::string& name, const std::string& bytes, char type = '0') {
  return tar_header(name, bytes.size(), type) + bytes + std::string((512 - bytes.size() % 512) % 512, '\0');
}

const std::string end_of_tar(1024, '\0');

std::string pixel(char value) { return "P6 1 1 255\n" + std::string(3, value); }

class Tar : public ::testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& bytes) const {
    const fs::path path = folder_.file(name);
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  /// Of reading a data set of one shard.
  std::string message(const std::string& bytes) const {
    write("shards/a.tar", bytes);
    try {
      open_dataset(folder_.file("shards"));
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  const TemporaryFolder folder_;
};

TEST_F(Tar, ReadsWhatOthersWrite) {
  const std::vector<TarMember> pax = list_tar(tar_samples / "pax.tar");
  ASSERT_EQ(pax.size(), 6u);
  EXPECT_EQ(pax[0].name, "sample000.ppm");
  EXPECT_EQ(pax[4].name.size(), 150 + std::string("sample002.ppm").size());
  const std::vector<std::uint8_t> bytes = read_member(tar_samples / "pax.tar", pax[5]);
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "0");
  const std::vector<TarMember> gnu = list_tar(tar_samples / "gnu.tar");
  ASSERT_EQ(gnu.size(), 4u);
  EXPECT_TRUE(gnu[3].name.ends_with("/a1.ppm")) << gnu[3].name;
  EXPECT_GT(gnu[3].name.size(), 100u);
}

TEST_F(Tar, ShardsAreADataSet) {
  for (const char* name : {"pax.tar", "gnu.tar"})
    fs::copy_file(tar_samples / name, write(std::string("shards/") + name, ""), fs::copy_options::overwrite_existing);
  const auto dataset = open_dataset(folder_.file("shards"));
  ASSERT_EQ(dataset->size(), 5);
  EXPECT_EQ(dataset->classes(), (std::vector<std::string>{"0", "1"}));
  EXPECT_TRUE(dataset->name(0).starts_with("gnu.tar/part/")) << dataset->name(0);
  EXPECT_EQ(dataset->name(2), "pax.tar/sample000.ppm");
  const int labels[] = {1, 0, 0, 1, 0}, values[] = {100, 101, 0, 10, 20};
  for (Index i = 0; i < 5; ++i) {
    EXPECT_EQ(dataset->label(i), labels[i]) << i;
    EXPECT_EQ(dataset->read(i).pixels.at(0), values[i]) << i;
  }
  write("shards/classes.txt", "cat\ndog\nbird\n");
  EXPECT_EQ(open_dataset(folder_.file("shards"))->classes(), (std::vector<std::string>{"cat", "dog", "bird"}));
}

TEST_F(Tar, NamesAndFoldersTellTheSplits) {
  const auto shard = [](char value) { return member("x.ppm", pixel(value)) + member("x.cls", "0\n") + end_of_tar; };
  write("one/set-train-000.tar", shard(1));
  write("one/set-train-001.tar", shard(2));
  write("one/set-validation-000.tar", shard(3));
  write("two/train/a.tar", shard(1));
  write("two/train/b.tar", shard(2));
  write("two/val/c.tar", shard(3));
  for (const char* name : {"one", "two"}) {
    EXPECT_EQ(open_dataset(folder_.file(name))->size(), 2) << name;
    const auto test = open_dataset(folder_.file(name), {.kind = DatasetKind::tar, .split = Split::test});
    ASSERT_EQ(test->size(), 1) << name;
    EXPECT_EQ(test->read(0).pixels.at(0), 3);
  }
  write("none/0_x.ppm", pixel(1));
  EXPECT_THROW(open_dataset(folder_.file("none"), {.kind = DatasetKind::tar}), Error);
}

TEST_F(Tar, SamplesMustBeWhole) {
  const std::string picture = member("a.ppm", pixel(1)), label = member("a.cls", "3");
  EXPECT_EQ(message(picture + label + end_of_tar), "no error");
  EXPECT_EQ(message(member("dir/", "", '5') + picture + member("a.txt", "hello") + label + end_of_tar), "no error");
  for (const auto& [bytes, part] : std::vector<std::pair<std::string, std::string>>{
           {picture, "sample 'a' has no class"},
           {label, "sample 'a' has no picture"},
           {picture + label + member("a.png", "x"), "has both a.ppm and a.png"},
           {picture + label + member("b.ppm", pixel(1)) + member("b.cls", "0") + picture + label, "stands there twice"},
           {picture + member("a.cls", "cat"), "a.cls must hold the number of a class, as text"},
           {picture + member("a.cls", "-1"), "must hold the number"},
           {picture + member("a.cls", ""), "must hold the number"},
           {picture + member("a.json", "{\"label\": \"x\"}"), "under \"label\" or \"cls\""},
           {member("readme", "no sample"), "no samples"}}) {
    const std::string found = message(bytes + end_of_tar);
    EXPECT_NE(found.find(part), std::string::npos) << found;
    EXPECT_EQ(found.find('\n'), std::string::npos);
  }
}

TEST_F(Tar, DamageIsNamed) {
  const std::string good = member("a.ppm", pixel(1)) + member("a.cls", "3") + end_of_tar;
  for (std::size_t size = 0; size < good.size(); size += 100) {
    const std::string found = message(good.substr(0, size));
    EXPECT_NE(found.find("a.tar: is cut off"), std::string::npos) << size << ": " << found;
  }
  std::string broken = good;
  broken[3] ^= 1;
  EXPECT_NE(message(broken).find("wrong checksum at byte 0"), std::string::npos) << message(broken);
  broken = member("a.ppm", pixel(1)) + std::string(512, 'x') + end_of_tar;
  EXPECT_NE(message(broken).find("wrong checksum at byte 1024"), std::string::npos) << message(broken);
  EXPECT_NE(message(member("l", "", '2') + good).find("member 'l' is of type '2'"), std::string::npos);
  EXPECT_NE(message(member("x", "9 path=ab\n", 'x') + good).find("not made of pax records"), std::string::npos);
  EXPECT_NE(message(std::string(512, '\0') + good).find("one empty block"), std::string::npos);
  EXPECT_NE(message(tar_header("a.ppm", 1 << 20, '0') + end_of_tar).find("cut off in member 'a.ppm'"),
            std::string::npos);
}

}  // namespace
}  // namespace linnet::training
