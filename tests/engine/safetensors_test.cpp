#include "linnet/safetensors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <fstream>
#include <limits>

#include "linnet/error.h"
#include "tests/support/temporary_folder.h"

namespace linnet {
namespace {

std::string file_with(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file + header + std::string(data_bytes, '\1');
}

SafetensorsFile parse(const std::string& bytes) { return parse_safetensors(bytes.data(), bytes.size(), "made"); }

/// The message of the error that parsing ends in; empty if it does not.
std::string error_of(const std::string& bytes) {
  try {
    parse(bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Weights sample_weights() {
  return {{"conv.weight", Tensor::from({2, 1, 1, 2}, {1.5f, -0.0f, std::numeric_limits<float>::denorm_min(), 1e38f})},
          {"bn.num_batches_tracked", Tensor::full({}, 12345)},
          {"a.scalar", Tensor::full({}, -7)},
          {"nothing", Tensor(Shape{0, 3})}};
}

void expect_same(const Weights& expected, const Weights& found) {
  ASSERT_EQ(expected.size(), found.size());
  for (const auto& [key, tensor] : expected) {
    SCOPED_TRACE(key);
    ASSERT_TRUE(found.contains(key));
    ASSERT_EQ(tensor.shape(), found.at(key).shape());
    EXPECT_TRUE(std::equal(tensor.data(), tensor.data() + tensor.size(), found.at(key).data()));
  }
}

TEST(Safetensors, RoundTripKeepsEveryBit) {
  const TemporaryFolder folder;
  const std::string path = folder.file("weights.safetensors");
  const std::map<std::string, std::string> metadata = {{"note", "line\nand \"quotes\" and \xC3\xA9"}, {"empty", ""}};
  write_safetensors(path, sample_weights(), metadata);
  const SafetensorsFile found = read_safetensors(path);
  EXPECT_EQ(metadata, found.metadata);
  expect_same(sample_weights(), found.tensors);
  EXPECT_TRUE(std::signbit(found.tensors.at("conv.weight").data()[1]));

  const std::string bytes = read_file(path);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  EXPECT_EQ(0u, (sizeof header + header) % 64) << "the data should be aligned";
  EXPECT_EQ(std::vector<std::string>{"weights.safetensors"}, folder.names()) << "nothing should be left beside it";

  write_safetensors(path, {}, {});
  EXPECT_TRUE(read_safetensors(path).tensors.empty());
}

TEST(Safetensors, ReadsHalfPrecisionAndCounters) {
  const std::string header =
      R"({"h":{"dtype":"F16","shape":[5],"data_offsets":[8,18]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[18,22]},)"
      R"("n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}})";
  std::string bytes = file_with(header, 0);
  const std::int64_t counter = -3;
  const std::uint16_t values[] = {0x3c00, 0xc100, 0x0001, 0x7c00, 0x83ff, 0x3fc0, 0xc2f7};
  bytes.append(reinterpret_cast<const char*>(&counter), sizeof counter);
  bytes.append(reinterpret_cast<const char*>(values), sizeof values);
  const Weights tensors = parse(bytes).tensors;
  const std::vector<float> half = {1, -2.5f, 0x1p-24f, std::numeric_limits<float>::infinity(), -1023 * 0x1p-24f};
  EXPECT_TRUE(std::equal(half.begin(), half.end(), tensors.at("h").data()));
  EXPECT_EQ(1.5f, tensors.at("b").data()[0]);
  EXPECT_EQ(-123.5f, tensors.at("b").data()[1]);
  EXPECT_EQ(-3, *tensors.at("n").data());
}

TEST(Safetensors, NamesWhatIsWrong) {
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  struct Case {
    std::string bytes;
    std::vector<std::string> expected;  ///< parts of the message
  };
  std::string too_long = file_with("{}", 0);
  too_long[7] = '\x10';
  std::string longer_than_file = file_with("{}", 0);
  longer_than_file[0] = '\x7f';
  const std::vector<Case> cases = {
      {"", {"truncated", "0 bytes"}},
      {"1234567", {"truncated", "7 bytes"}},
      {too_long, {"100000000"}},
      {longer_than_file, {"truncated", "127"}},
      {file_with("", 0), {"'{'", "byte 8"}},
      {file_with("[]", 0), {"'{'", "byte 8"}},
      {file_with(" {}", 0), {"'{'", "byte 8"}},
      {file_with("{\"a", 0), {"not valid JSON", "byte"}},
      {file_with(std::string("{}\0", 3), 0), {"zero byte", "byte 10"}},
      {file_with("{}x", 0), {"not valid JSON"}},
      {file_with("{" + a + "}", 7), {"'a'", "[0, 8]", "7 bytes"}},
      {file_with("{" + a + "}", 9), {"8 bytes", "9", "trailing"}},
      {file_with("{" + a + "," + a + "}", 8), {"'a'", "twice"}},
      {file_with("{" + a + R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12), {"'b'", "4", "overlap"}},
      {file_with("{" + a + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})", 16), {"'b'", "12", "hole"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})", 6), {"'a'", "misaligned", "2"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8), {"'a'", "12 bytes", "8"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), {"'a'", "[8, 0]"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}})", 8), {"'a'", "more than 2"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8), {"'a'", "1 numbers"}},
      {file_with(R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})", 8), {"'a'", "'F64'"}},
      {file_with(R"({"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", 8), {"'a'", "'I64'"}},
      {file_with(R"({"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}})", 8), {"'a'", "72340172838076673"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0), {"'a'", "large"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}})", 4), {"'a'", "large"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,0]}})", 0), {"'a'", "shape"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,0]}})", 0), {"not valid JSON", "'a'"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4), {"'a'", "shape", "negative"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}})", 4), {"not valid JSON", "'a'"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4), {"'a'", "1.0"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4), {"'a'", "shape", "an array"}},
      {file_with(R"({"a":{"dtype":4,"shape":[1],"data_offsets":[0,4]}})", 4), {"'a'", "dtype"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[1]}})", 4), {"'a'", "data_offsets", "missing"}},
      {file_with(R"({"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}})", 4), {"'shape'", "twice"}},
      {file_with(R"({"a":{"dtype":"F32","size":[1],"data_offsets":[0,4]}})", 4), {"'a'", "'size'"}},
      {file_with(R"({"a":[1]})", 0), {"'a'", "an object", "an array"}},
      {file_with(R"({"a":null})", 0), {"'a'", "null"}},
      {file_with(R"({"__metadata__":{"x":1}})", 0), {"__metadata__", "'x'"}},
      {file_with(R"({"__metadata__":{"x":"","x":""}})", 0), {"__metadata__", "'x'", "twice"}},
      {file_with(R"({"__metadata__":{"x":{}}})", 0), {"__metadata__", "'x'", "an object"}},
      {file_with("{\"\xff\":{}}", 0), {"not valid JSON"}},
      {file_with("{\"a\":" + std::string(100000, '['), 0), {"'a'", "an array"}},
  };
  for (const Case& test : cases) {
    const std::string message = error_of(test.bytes);
    SCOPED_TRACE(test.bytes.substr(0, 120));
    EXPECT_NE(std::string::npos, message.find("'made'")) << message;
    EXPECT_EQ(std::string::npos, message.find('\n')) << message;
    for (const std::string& part : test.expected) {
      EXPECT_NE(std::string::npos, message.find(part)) << "expected " << part << " in: " << message;
    }
  }
  EXPECT_EQ("", error_of(file_with("{" + a + "}   ", 8)));
  EXPECT_EQ("", error_of(file_with(R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},)" + a + "}", 12)))
      << "keys may stand in any order";
}

TEST(Safetensors, MissingAndOddFilesAreErrors) {
  const TemporaryFolder folder;
  for (const std::string& path : {folder.file("absent"), folder.path(), std::string("/dev/null"), std::string()}) {
    SCOPED_TRACE(path);
    try {
      read_safetensors(path);
      ADD_FAILURE() << "expected an error";
    } catch (const Error& error) {
      EXPECT_NE(std::string::npos, std::string(error.what()).find("'" + path + "'")) << error.what();
    }
  }
}

TEST(WriteFileAtomically, FailuresNameTheReasonAndLeaveTheOldFile) {
  const TemporaryFolder folder;
  const std::string path = folder.file("kept");
  write_file_atomically(path, "old", 3);
  const auto message = [](const std::string& target, std::size_t size) -> std::string {
    try {
      write_file_atomically(target, std::string(size, 'x').data(), size);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };

  // A limit on the size of files stands in for a full disk: the write comes back short, then fails.
  rlimit before{};
  ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &before));
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 4096;
  ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &small));
  const std::string too_large = message(path, 10000);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_NE(std::string::npos, too_large.find("'" + path + "': File too large")) << too_large;
  EXPECT_EQ("old", read_file(path));

  const std::string below_a_file = message(path + "/below", 1);
  EXPECT_NE(std::string::npos, below_a_file.find("kept/below': Not a directory")) << below_a_file;
  const std::string no_folder = message(folder.file("none/below"), 1);
  EXPECT_NE(std::string::npos, no_folder.find("No such file or directory")) << no_folder;
  const std::string device = message("/dev/full", 1);
  EXPECT_NE(std::string::npos, device.find("'/dev/full'")) << device;
  EXPECT_NE(std::string::npos, message("", 1).find("without a name"));
  EXPECT_NE(std::string::npos, message(folder.path(), 1).find("not a regular file"));
  EXPECT_EQ(std::vector<std::string>{"kept"}, folder.names()) << "nothing should be left beside it";
}

TEST(WriteFileAtomically, ReplacesWhatASymbolicLinkPointsTo) {
  const TemporaryFolder folder;
  write_file_atomically(folder.file("real"), "1", 1);
  std::filesystem::create_symlink("real", folder.file("link"));
  write_file_atomically(folder.file("link"), "22", 2);
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link")));
  EXPECT_EQ("22", read_file(folder.file("real")));
}

TEST(Safetensors, WriterRefusesWhatTheFormatCannotHold) {
  const TemporaryFolder folder;
  const std::string path = folder.file("out");
  EXPECT_THROW(write_safetensors(path, {{"__metadata__", Tensor::zeros({1})}}, {}), Error);
  EXPECT_THROW(write_safetensors(path, {{"a", Tensor()}}, {}), Error);
  EXPECT_THROW(write_safetensors(path, {{"\xff", Tensor::zeros({1})}}, {}), Error);
  EXPECT_THROW(write_safetensors(path, {}, {{"key", "\xc3"}}), Error);
  EXPECT_THROW(write_safetensors(path, {{"a.num_batches_tracked", Tensor::full({}, 0.5f)}}, {}), Error);
  EXPECT_THROW(write_safetensors(path, {{"a.num_batches_tracked", Tensor::zeros({2})}}, {}), Error);
  EXPECT_TRUE(folder.names().empty());
}

TEST(Safetensors, ThePythonPackageReadsOurFiles) {
  if (std::system("python3 -c 'import safetensors, numpy' >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "python3 with the packages safetensors and numpy is not here";
  }
  const TemporaryFolder folder;
  write_safetensors(folder.file("ours"), sample_weights(), {{"note", "\xC3\xA9"}});
  std::ofstream(folder.file("check.py")) << R"(
import sys, numpy
from safetensors import safe_open
from safetensors.numpy import save_file
with safe_open(sys.argv[1], framework="numpy") as file:
    assert file.metadata() == {"note": "\u00e9"}, file.metadata()
    tensors = {key: file.get_tensor(key) for key in file.keys()}
assert sorted(tensors) == ["a.scalar", "bn.num_batches_tracked", "conv.weight", "nothing"], sorted(tensors)
assert tensors["conv.weight"].dtype == numpy.float32 and tensors["conv.weight"].shape == (2, 1, 1, 2)
assert tensors["conv.weight"].flatten()[0] == 1.5
assert tensors["bn.num_batches_tracked"].dtype == numpy.int64 and tensors["bn.num_batches_tracked"] == 12345
assert tensors["nothing"].shape == (0, 3)
tensors["half"] = numpy.array([[0.5, -2]], numpy.float16)
save_file(tensors, sys.argv[2], metadata={"from": "python"})
)";
  const std::string command =
      "python3 " + folder.file("check.py") + " " + folder.file("ours") + " " + folder.file("theirs");
  ASSERT_EQ(0, std::system(command.c_str()));
  SafetensorsFile theirs = read_safetensors(folder.file("theirs"));
  EXPECT_EQ("python", theirs.metadata.at("from"));
  EXPECT_EQ(-2, theirs.tensors.at("half").data()[1]);
  theirs.tensors.erase("half");
  expect_same(sample_weights(), theirs.tensors);
}

}  // namespace
}  // namespace linnet
