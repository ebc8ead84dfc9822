#include "linnet/tensor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>

#include "engine/storage.h"
#include "linnet/error.h"

namespace linnet {
namespace {

TEST(Tensor, ShapesCountAndPrint) {
  EXPECT_EQ(to_string({1, 224, 224, 3}), "[1, 224, 224, 3]");
  EXPECT_EQ(to_string(Shape{}), "[]");
  EXPECT_EQ(element_count(Shape{}), 1);
  EXPECT_EQ(element_count({2, 3, 4}), 24);
  EXPECT_EQ(element_count({2, 0, 4}), 0);
  EXPECT_THROW(element_count({2, -1}), Error);
  constexpr Index large = Index{1} << (std::numeric_limits<Index>::digits / 2 + 1);
  EXPECT_THROW(element_count({large, large}), Error);
  EXPECT_THROW(Tensor({large, large}), Error);
}

TEST(Tensor, CopiesShareAndClonesDoNot) {
  const Tensor nothing;
  EXPECT_TRUE(nothing.empty());
  EXPECT_TRUE(nothing.clone().empty());

  Tensor a = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_FALSE(a.is_shared());
  Tensor view = a.reshaped({3, 2}), copy = a.clone();
  EXPECT_TRUE(a.is_shared());
  EXPECT_FALSE(copy.is_shared());
  a.data()[5] = 60;
  EXPECT_EQ(view.data()[5], 60);
  EXPECT_EQ(copy.data()[5], 6);
  EXPECT_EQ(view.dimension(0), 3);
  EXPECT_EQ(Tensor::full({}, 2.5f).size(), 1);
  EXPECT_EQ(*Tensor::full({}, 2.5f).data(), 2.5f);
  EXPECT_FALSE(Tensor({0, 4}).empty());

  EXPECT_THROW(Tensor::from({2, 2}, {1, 2, 3}), Error);
  try {
    a.reshaped({4, 2});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "reshape: expected a shape of 6 values for [2, 3], found [4, 2]");
  }
}

TEST(Tensor, BorrowedStorageIsKeptAlive) {
  auto owner = std::make_shared<std::vector<float>>(std::vector<float>{7, 8});
  const std::weak_ptr<std::vector<float>> watch = owner;
  {
    const Tensor tensor({2}, std::shared_ptr<float>(owner, owner->data()));
    owner.reset();
    EXPECT_FALSE(watch.expired());
    EXPECT_EQ(tensor.data()[1], 8);
  }
  EXPECT_TRUE(watch.expired());
}

TEST(Storage, IsAlignedForEverySize) {
  for (const Index size : {0, 1, 3, 17, 1000, 16383, 16384, 16385, 20480, 20481, 100000, 262145}) {
    Tensor tensor({size});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data()) % 64, 0u) << size;
    for (Index i = 0; i < size; ++i) tensor.data()[i] = 1;  // a block that is too small shows under asan
  }
}

TEST(Storage, ReleasedBlocksAreReusedAndBounded) {
  constexpr Index floats = 1 << 18;  // 1 MiB
  const Tensor resident({floats});   // something large stays live
  const float* first = nullptr;
  {
    const Tensor tensor({floats});
    first = tensor.data();
  }
  EXPECT_EQ(kept_storage_bytes(), floats * sizeof(float));
  {
    const Tensor again({floats - 1000});
    EXPECT_EQ(again.data(), first);
  }
  for (Index size = floats / 4; size < 4 * floats; size += floats / 16) Tensor{{size}};
  EXPECT_LE(kept_storage_bytes(), 1.5 * (1 + 4) * floats * sizeof(float));
}

TEST(Storage, NothingIsKeptWhenNothingIsLive) {
  { const Tensor a({1 << 18}), b({1 << 16}); }
  EXPECT_EQ(kept_storage_bytes(), 0u);
}

TEST(Storage, ThreadsShareTheCache) {
  std::atomic<int> mixed_up = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t, &mixed_up] {
      for (int i = 0; i < 200; ++i) {
        Tensor a({(1 << 15) + 4096 * ((i + t) % 7)}), b({1 << 16});
        a.data()[0] = b.data()[0] = static_cast<float>(t);
        if (a.data()[0] + b.data()[0] != 2 * static_cast<float>(t)) ++mixed_up;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(mixed_up, 0);
  EXPECT_EQ(kept_storage_bytes(), 0u);
}

}  // namespace
}  // namespace linnet
