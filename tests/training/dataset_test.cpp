#include "linnet/training/dataset.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <set>

#include "linnet/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/training/golden_json.h"

namespace linnet::training {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

void write_gzip(const fs::path& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
}

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

/// Three pictures of 2 x 3 pixels.
std::string idx_images() {
  std::string bytes = big_endian(0x803) + big_endian(3) + big_endian(2) + big_endian(3);
  for (char i = 0; i < 18; ++i) {
    bytes += i;
  }
  return bytes;
}

std::string idx_labels() { return big_endian(0x801) + big_endian(3) + std::string("\2\0\1", 3); }

std::string dataset_error(const std::string& path, const DatasetOptions& options = {}) {
  try {
    open_dataset(path, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void expect_parts(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(std::string::npos, message.find(part)) << "expected " << part << " in: " << message;
  }
}

TEST(Dataset, ReadsIdxPlainAndPacked) {
  for (const bool packed : {false, true}) {
    SCOPED_TRACE(packed);
    const TemporaryFolder folder;
    if (packed) {
      write_gzip(folder.file("train-images-idx3-ubyte.gz"), idx_images());
      write_gzip(folder.file("train-labels-idx1-ubyte.gz"), idx_labels());
    } else {
      write(folder.file("train-images.idx3-ubyte"), idx_images());
      write(folder.file("train-labels.idx1-ubyte"), idx_labels());
    }
    const auto dataset = open_dataset(folder.path());
    ASSERT_EQ(3, dataset->size());
    EXPECT_EQ((std::vector<std::string>{"0", "1", "2"}), dataset->classes());
    EXPECT_EQ(2, dataset->label(0));
    EXPECT_EQ(1, dataset->label(2));
    const Image second = dataset->read(1);
    EXPECT_EQ(2, second.height);
    EXPECT_EQ(3, second.width);
    EXPECT_EQ(1, second.channels);
    EXPECT_EQ((std::vector<std::uint8_t>{6, 7, 8, 9, 10, 11}), second.pixels);
    EXPECT_NE(std::string::npos, dataset->name(1).find("[1]"));
    expect_parts(dataset_error(folder.path(), {.split = Split::test}), {folder.path(), "t10k-images"});
  }
}

TEST(Dataset, IdxClassNamesMayLieBesideTheData) {
  const TemporaryFolder folder;
  write(folder.file("train-images-idx3-ubyte"), idx_images());
  write(folder.file("train-labels-idx1-ubyte"), idx_labels());
  write(folder.file("classes.txt"), "cat\r\ndog\nbird\n");
  EXPECT_EQ((std::vector<std::string>{"cat", "dog", "bird"}), open_dataset(folder.path())->classes());
}

TEST(Dataset, DamagedIdxFilesNameTheSizes) {
  const TemporaryFolder folder;
  const std::string images = folder.file("train-images-idx3-ubyte");
  const std::string labels = folder.file("train-labels-idx1-ubyte");
  write(labels, idx_labels());
  write(images, idx_images().substr(0, 30));
  expect_parts(dataset_error(folder.path()), {images, "expected 18", "found 14"});
  write(images, idx_images() + "x");
  expect_parts(dataset_error(folder.path()), {images, "expected 18", "found 19"});
  write(images, idx_images().substr(0, 10));
  expect_parts(dataset_error(folder.path()), {images, "header of 16", "10 bytes"});
  write(images, idx_labels() + "padding");
  expect_parts(dataset_error(folder.path()), {images, "not an idx file", "3 dimensions"});
  write(images, big_endian(0x803) + big_endian(0xffffffff) + big_endian(0xffffffff) + big_endian(0xffffffff));
  expect_parts(dataset_error(folder.path()), {images, "more than 2^31", "found 0"});
  write(images, big_endian(0x803) + big_endian(0) + big_endian(2) + big_endian(2));
  write(labels, big_endian(0x801) + big_endian(0));
  expect_parts(dataset_error(folder.path()), {images, "no pictures"});
  write(images, idx_images());
  expect_parts(dataset_error(folder.path()), {images, "3 pictures", "0 labels"});
  fs::remove(labels);
  expect_parts(dataset_error(folder.path()), {"train-labels"});

  fs::remove(images);
  write_gzip(images + ".gz", idx_images());
  write(labels, idx_labels());
  const std::string packed = read_file(images + ".gz");
  write(images + ".gz", packed.substr(0, packed.size() - 6));
  expect_parts(dataset_error(folder.path()), {images + ".gz", "unexpected end of file"});
}

TEST(Dataset, ReadsFashionMnistFromDebian) {
  const std::string path = "/usr/share/datasets/fashion-mnist";
  if (!fs::exists(path)) {
    GTEST_SKIP() << path << " is not here; Debian's package dataset-fashion-mnist has it";
  }
  const auto test = open_dataset(path, {.split = Split::test});
  ASSERT_EQ(10000, test->size());
  EXPECT_EQ("Ankle boot", test->classes().at(9));
  std::vector<int> counts(10);
  for (Index i = 0; i < test->size(); ++i) {
    ++counts.at(static_cast<std::size_t>(test->label(i)));
  }
  EXPECT_EQ(std::vector<int>(10, 1000), counts);
  EXPECT_EQ(28, test->read(0).width);
}

std::string cifar_record(std::size_t label_bytes, int label) {
  std::string record(label_bytes, '\1');
  record.back() = static_cast<char>(label);
  for (const char colour : std::initializer_list<char>{10, 20, 30}) {
    record += std::string(1024, colour);
  }
  record.at(label_bytes + 1) = 99;  // red of the second pixel
  return record;
}

TEST(Dataset, ReadsCifar) {
  const TemporaryFolder folder;
  const fs::path ten = fs::path(folder.file("ten")) / "cifar-10-batches-bin";
  for (const char* number : {"1", "2", "3", "4", "5"}) {
    write(ten / ("data_batch_" + std::string(number) + ".bin"), cifar_record(1, 3) + cifar_record(1, 9));
  }
  write(ten / "test_batch.bin", cifar_record(1, 4));
  write(ten / "batches.meta.txt", "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
  const auto train = open_dataset(folder.file("ten"));
  ASSERT_EQ(10, train->size());
  EXPECT_EQ("cat", train->classes().at(static_cast<std::size_t>(train->label(0))));
  const Image image = train->read(1);
  EXPECT_EQ(32, image.height);
  EXPECT_EQ((std::vector<std::uint8_t>{10, 20, 30, 99, 20, 30}),
            std::vector<std::uint8_t>(image.pixels.begin(), image.pixels.begin() + 6));
  EXPECT_EQ(1, open_dataset(folder.file("ten"), {.split = Split::test})->size());

  const fs::path hundred = folder.file("hundred");
  write(hundred / "train.bin", cifar_record(2, 77));
  EXPECT_EQ(77, open_dataset(hundred)->label(0));
  EXPECT_EQ(100u, open_dataset(hundred)->classes().size());

  write(ten / "data_batch_3.bin", cifar_record(1, 3).substr(1));
  expect_parts(dataset_error(ten), {"data_batch_3.bin", "3073", "found 3072"});
  write(ten / "data_batch_3.bin", cifar_record(1, 10));
  expect_parts(dataset_error(ten), {"data_batch_3.bin", "record 0", "class 10"});
  fs::remove(ten / "data_batch_3.bin");
  expect_parts(dataset_error(ten), {"data_batch_3.bin", "No such file"});
  expect_parts(dataset_error(ten, {.kind = DatasetKind::cifar100}), {"not there"});
}

std::string picture() { return "P6 1 1 255\n\1\2\3"; }

TEST(Dataset, ReadsImageFolders) {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  write(root / "train/dog/b.ppm", picture());
  write(root / "train/dog/a.PPM", picture());
  write(root / "train/cat/deeper/x.ppm", picture());
  write(root / "train/dog/notes.txt", "");
  write(root / "train/list.csv", "");
  write(root / "val/cat/y.ppm", picture());
  fs::create_directories(root / "train/empty");
  const auto train = open_dataset(folder.path());
  ASSERT_EQ(3, train->size());
  EXPECT_EQ((std::vector<std::string>{"cat", "dog", "empty"}), train->classes());
  EXPECT_EQ("cat/deeper/x.ppm", train->name(0));
  EXPECT_EQ("dog/a.PPM", train->name(1));
  EXPECT_EQ(1, train->label(2));
  EXPECT_EQ((std::vector<std::uint8_t>{1, 2, 3}), train->read(2).pixels);
  EXPECT_EQ((std::vector<std::string>{"dog/notes.txt", "list.csv"}), train->foreign_files());
  EXPECT_EQ(1, open_dataset(folder.path(), {.split = Split::test})->size());
  expect_parts(dataset_error(folder.path(), {.strict = true}), {"2 files", "dog/notes.txt"});
  EXPECT_EQ(3, open_dataset((root / "train").string(), {.split = Split::test})->size()) << "no splits within";
  fs::remove_all(root / "val");
  expect_parts(dataset_error(folder.path(), {.split = Split::test}), {folder.path(), "no test"});
}

TEST(Dataset, ReadsFlatFoldersByTheNumberInTheName) {
  const TemporaryFolder folder;
  for (const char* name : {"0002_two.ppm", "0000_zero.ppm", "none.ppm", "x1_y.ppm", "9999999_y.ppm", "0001_text.txt"}) {
    write(folder.file(name), picture());
  }
  const auto dataset = open_dataset(folder.path());
  ASSERT_EQ(2, dataset->size());
  EXPECT_EQ(0, dataset->label(0));
  EXPECT_EQ(2, dataset->label(1));
  EXPECT_EQ(3u, dataset->classes().size());
  EXPECT_EQ(4u, dataset->foreign_files().size());
}

TEST(Dataset, NoPicturesAreAnError) {
  const TemporaryFolder folder;
  expect_parts(dataset_error(folder.path()), {folder.path(), "no pictures"});
  expect_parts(dataset_error(folder.file("absent")), {"absent", "no such folder"});
  write(folder.file("file"), "");
  expect_parts(dataset_error(folder.file("file")), {"no such folder"});
  EXPECT_THROW(dataset_kind_from_name("mnist"), Error);
  EXPECT_EQ(DatasetKind::cifar10, dataset_kind_from_name("cifar10"));
}

TEST(Dataset, LoadsIntoMemoryAndNamesDamage) {
  const TemporaryFolder folder;
  for (int i = 0; i < 50; ++i) {
    const std::string value(1, static_cast<char>(i));
    write(folder.file(std::to_string(i % 10) + "_" + std::to_string(100 + i) + ".ppm"),
          i % 7 == 0 ? "P6 1" : "P6 1 1 255\n" + value + value + value);
  }
  const auto on_disk = open_dataset(folder.path());
  for (const int threads : {1, 3}) {
    std::vector<std::string> problems;
    const auto in_memory = load_into_memory(*on_disk, threads, problems);
    ASSERT_EQ(8u, problems.size());
    expect_parts(problems.front(), {"0_100.ppm"});
    ASSERT_EQ(42, in_memory->size());
    Index found = 0;
    for (Index i = 0; i < on_disk->size(); ++i) {
      if (found < in_memory->size() && in_memory->name(found) == on_disk->name(i)) {
        EXPECT_EQ(on_disk->label(i), in_memory->label(found));
        EXPECT_EQ(on_disk->read(i), in_memory->read(found));
        ++found;
      }
    }
    EXPECT_EQ(42, found);
  }
}

TEST(Dataset, NothingButDamageIsAnError) {
  const TemporaryFolder folder;
  write(folder.file("0_x.ppm"), "P6 1");
  std::vector<std::string> problems;
  try {
    load_into_memory(*open_dataset(folder.path()), 2, problems);
    ADD_FAILURE() << "expected an error";
  } catch (const Error& error) {
    expect_parts(error.what(), {"none of 1 pictures", "0_x.ppm"});
  }
}

TEST(Dataset, FingerprintsTellDataApartWhereverItLies) {
  const TemporaryFolder here, there;
  for (const TemporaryFolder* folder : {&here, &there}) {
    write(folder->file("a/one.ppm"), "P6 1 1 255 abc");
    write(folder->file("b/two.ppm"), "P6 1 1 255 abcd");
  }
  const auto print = [](const TemporaryFolder& folder) { return fingerprint(*open_dataset(folder.path())); };
  const std::string first = print(here);
  EXPECT_EQ(first.size(), 16u);
  EXPECT_EQ(first, print(there));
  write(there.file("b/two.ppm"), "P6 1 1 255 abc");
  EXPECT_NE(first, print(there)) << "another size";
  write(there.file("b/two.ppm"), "P6 1 1 255 abcd");
  EXPECT_EQ(first, print(there));
  fs::rename(there.file("b"), there.file("c"));
  EXPECT_NE(first, print(there)) << "another class";

  std::vector<std::string> problems;
  const auto in_memory = load_into_memory(*open_dataset(here.path()), 1, problems);
  const std::string pixels = fingerprint(*in_memory);
  write(here.file("a/one.ppm"), "P6 1 1 255 abd");
  EXPECT_NE(pixels, fingerprint(*load_into_memory(*open_dataset(here.path()), 1, problems)));
}

}  // namespace
}  // namespace linnet::training
