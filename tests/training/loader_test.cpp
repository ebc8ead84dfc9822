#include "linnet/training/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "linnet/error.h"
#include "linnet/random.h"
#include "linnet/training/losses.h"
#include "tests/training/golden_json.h"
#include "training/data/augment.h"
#include "training/data/mix.h"
#include "training/image/operators.h"

namespace linnet::training {
namespace {

/// Pictures that show their own index; some of them damaged.
class MadeDataset final : public Dataset {
 public:
  MadeDataset(Index size, std::set<Index> damaged, Index side = 12)
      : size_(size), damaged_(std::move(damaged)), side_(side) {}
  Index size() const override { return size_; }
  const std::vector<std::string>& classes() const override { return classes_; }
  int label(Index index) const override { return static_cast<int>(index % 3); }
  std::string name(Index index) const override { return "made " + std::to_string(index); }
  Image read(Index index) const override {
    if (damaged_.contains(index)) {
      throw Error(name(index) + " is damaged");
    }
    if (index == size_ - 1 && fail_at_the_last_) {
      throw std::bad_alloc();
    }
    Image image(side_, side_ + 2, 3);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      image.pixels[i] = static_cast<std::uint8_t>(static_cast<std::size_t>(index) * 7 + i * 13);
    }
    return image;
  }
  std::uint64_t mark(Index index) const override { return static_cast<std::uint64_t>(index); }
  void fail_at_the_last() { fail_at_the_last_ = true; }

 private:
  Index size_;
  std::set<Index> damaged_;
  Index side_;
  bool fail_at_the_last_ = false;
  std::vector<std::string> classes_ = {"a", "b", "c"};
};

LoaderOptions options(int threads) {
  LoaderOptions result;
  result.batch = 8;
  result.threads = threads;
  result.seed = 5;
  result.shuffle = true;
  result.height = 10;
  result.width = 10;
  result.channels = 3;
  result.preprocessing.mean = {0.5f, 0.4f, 0.3f};
  result.preprocessing.std = {0.2f, 0.3f, 0.4f};
  return result;
}

LoaderOptions augmented(int threads) {
  LoaderOptions result = options(threads);
  result.augmentation = Augmentation{.random_resized_crop = true, .crop_padding = 2, .flip_probability = 0.5};
  return result;
}

std::shared_ptr<const Dataset> made(Index size, std::set<Index> damaged = {}) {
  return std::make_shared<MadeDataset>(size, std::move(damaged));
}

std::vector<Batch> epoch(Loader& loader, Index number, Index first_step = 0) {
  std::vector<Batch> batches;
  loader.begin_epoch(number, first_step);
  while (auto batch = loader.next()) {
    batches.push_back(std::move(*batch));
  }
  return batches;
}

void expect_same(const std::vector<Batch>& expected, const std::vector<Batch>& found) {
  ASSERT_EQ(expected.size(), found.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(expected[i].step, found[i].step);
    EXPECT_EQ(expected[i].labels, found[i].labels);
    EXPECT_EQ(expected[i].indices, found[i].indices);
    EXPECT_EQ(expected[i].shares, found[i].shares);
    ASSERT_EQ(expected[i].input.shape(), found[i].input.shape());
    EXPECT_TRUE(std::equal(expected[i].input.data(), expected[i].input.data() + expected[i].input.size(),
                           found[i].input.data()));
  }
}

TEST(Loader, SameBitsForAnyNumberOfThreadsAndAnyFirstStep) {
  const auto dataset = made(101, {3, 50});
  Loader reference(dataset, augmented(0));
  for (const int threads : {0, 1, 2, 5}) {
    SCOPED_TRACE(threads);
    Loader loader(dataset, augmented(threads));
    for (const Index number : {0, 7}) {
      const std::vector<Batch> all = epoch(reference, number);
      ASSERT_EQ(13u, all.size());
      expect_same(all, epoch(loader, number));
      expect_same({all.begin() + 9, all.end()}, epoch(loader, number, 9));
    }
    EXPECT_TRUE(epoch(loader, 0, 13).empty());
    EXPECT_TRUE(epoch(loader, 0, 99).empty());
  }
}

TEST(Loader, EveryEpochShowsEverySampleOnceInAnotherOrder) {
  std::set<std::vector<Index>> orders;
  for (Index number = 0; number < 20; ++number) {
    std::vector<Index> order = epoch_order(50, 1, number, true);
    EXPECT_TRUE(orders.insert(order).second);
    std::sort(order.begin(), order.end());
    EXPECT_EQ(epoch_order(50, 1, number, false), order);
  }
  EXPECT_NE(epoch_order(50, 1, 0, true), epoch_order(50, 2, 0, true));
  // Every sample comes first about equally often.
  std::map<Index, int> first;
  for (Index number = 0; number < 5000; ++number) {
    ++first[epoch_order(5, 9, number, true).front()];
  }
  for (const auto& [sample, count] : first) {
    EXPECT_NEAR(1000, count, 150) << sample;
  }
}

TEST(Loader, NormalisesWithoutAugmentationAsForEvaluation) {
  LoaderOptions plain = options(1);
  plain.shuffle = false;
  plain.preprocessing.channel_order = "BGR";
  const auto dataset = made(3);
  Loader loader(dataset, plain);
  const std::vector<Batch> batches = epoch(loader, 0);
  ASSERT_EQ(1u, batches.size());
  EXPECT_EQ((Shape{3, 10, 10, 3}), batches[0].input.shape());
  EXPECT_EQ((std::vector<int>{0, 1, 2}), batches[0].labels);
  const Image image = prepare_for_evaluation(dataset->read(2), plain.preprocessing, 10, 10, 3);
  const float* pixel = batches[0].input.data() + (2 * 100 + 57) * 3;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const auto value = static_cast<float>(image.pixels[57 * 3 + (2 - channel)]);
    EXPECT_EQ((value / 255.0f - plain.preprocessing.mean[channel]) / plain.preprocessing.std[channel], pixel[channel]);
  }
}

TEST(Loader, DropsTheLastBatchIfAsked) {
  LoaderOptions drop = options(2);
  drop.drop_last = true;
  Loader loader(made(20), drop);
  EXPECT_EQ(2, loader.steps_per_epoch());
  EXPECT_EQ(2u, epoch(loader, 0).size());
  Loader keep(made(20), options(2));
  EXPECT_EQ(3, keep.steps_per_epoch());
  EXPECT_EQ(4, epoch(keep, 0).back().input.dimension(0));
}

TEST(Loader, LeavesOutDamagedPicturesAndNamesThem) {
  LoaderOptions ordered = options(2);
  ordered.shuffle = false;
  std::set<Index> damaged = {1, 30};
  for (Index i = 8; i < 16; ++i) {
    damaged.insert(i);  // all of the second batch
  }
  Loader loader(made(32, damaged), ordered);
  for (int repeat = 0; repeat < 2; ++repeat) {
    const std::vector<Batch> batches = epoch(loader, repeat);
    ASSERT_EQ(3u, batches.size());
    EXPECT_EQ((std::vector<Index>{0, 2, 3, 4, 5, 6, 7}), batches[0].indices);
    EXPECT_EQ(7, batches[0].input.dimension(0));
    EXPECT_EQ(2, batches[1].step) << "the step of a batch that is skipped is not reused";
  }
  EXPECT_EQ(damaged.size(), loader.problems().size());
  EXPECT_EQ("made 1 is damaged", loader.problems().front());

  ordered.strict = true;
  Loader strict(made(32, {1}), ordered);
  strict.begin_epoch(0);
  EXPECT_THROW(strict.next(), Error);
  EXPECT_FALSE(strict.next()) << "the epoch is over";
}

TEST(Loader, FailuresOfWorkersSurface) {
  for (const int threads : {0, 2}) {
    const auto dataset = std::make_shared<MadeDataset>(32, std::set<Index>{});
    dataset->fail_at_the_last();
    LoaderOptions ordered = options(threads);
    ordered.shuffle = false;
    Loader loader(dataset, ordered);
    loader.begin_epoch(0);
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(loader.next());
    }
    EXPECT_THROW(loader.next(), std::bad_alloc);
    EXPECT_FALSE(loader.next());
    loader.begin_epoch(1);
    EXPECT_TRUE(loader.next()) << "the next epoch begins afresh";
  }
}

TEST(Loader, StopsAtAnyMoment) {
  const auto dataset = made(400);
  for (int taken = 0; taken < 12; ++taken) {
    Loader loader(dataset, augmented(3));
    EXPECT_FALSE(loader.next()) << "no epoch has begun";
    for (Index number = 0; number < 3; ++number) {
      loader.begin_epoch(number);
      for (int i = 0; i < taken; ++i) {
        EXPECT_EQ(i, loader.next()->step);
      }
    }
  }
}

TEST(Loader, RefusesWrongOptions) {
  const auto refused = [](auto change, Index size = 20) {
    LoaderOptions wrong = augmented(1);
    change(wrong);
    EXPECT_THROW(Loader(made(size), wrong), Error);
  };
  refused([](LoaderOptions& o) { o.batch = 0; });
  refused([](LoaderOptions& o) { o.threads = -1; });
  refused([](LoaderOptions& o) { o.height = 0; });
  refused([](LoaderOptions& o) { o.channels = 2; });
  refused([](LoaderOptions& o) { o.preprocessing.std = {1, 0, 1}; });
  refused([](LoaderOptions& o) { o.preprocessing.channel_order = "L"; });
  refused([](LoaderOptions& o) { o.augmentation->crop_padding = -1; });
  refused([](LoaderOptions& o) { o.augmentation->flip_probability = 1.5; });
  refused([](LoaderOptions& o) { o.augmentation->area_min = 0; });
  refused([](LoaderOptions& o) { o.augmentation->ratio_max = 0.5; });
  refused([](LoaderOptions& o) { o.augmentation->hue = 0.6; });
  refused([](LoaderOptions& o) { o.augmentation->policy.kind = "best"; });
  refused([](LoaderOptions& o) { o.augmentation->erasing.fill = "white"; });
  refused([](LoaderOptions& o) { o.augmentation->erasing.area_max = 2; });
  refused([](LoaderOptions& o) { o.mixing.mode = "all"; });
  refused([](LoaderOptions& o) { o.repeats = 0; });
  refused([](LoaderOptions& o) { o.views = 5; });
  refused([](LoaderOptions& o) { o.views = 10; });
  refused([](LoaderOptions&) {}, 0);
  refused([](LoaderOptions& o) { o.drop_last = true; }, 7);
}

TEST(Loader, TenViewsOfASampleLieInARow) {
  LoaderOptions ten = options(2);
  ten.shuffle = false;
  ten.views = 10;
  ten.height = ten.width = 9;
  ten.preprocessing.resize = 11;
  const auto dataset = made(11, {4});
  Loader loader(dataset, ten);
  const std::vector<Batch> batches = epoch(loader, 0);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].input.shape(), (Shape{70, 9, 9, 3}));
  EXPECT_EQ(batches[1].labels.size(), 3u);
  const Image scaled = scaled_for_evaluation(dataset->read(9), ten.preprocessing, 9, 9);
  EXPECT_EQ(scaled.height, 11);
  const Image view = ten_crop(scaled, 9, 9)[7];
  std::vector<float> expected(view.pixels.size());
  normalise(ten.preprocessing, 81, 3, view.pixels.data(), expected.data());
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), batches[1].input.data() + (10 + 7) * 243));
}

TEST(Loader, RepeatedPicturesFollowEachOtherAndDiffer) {
  LoaderOptions repeated = augmented(2);
  repeated.repeats = 3;
  Loader loader(made(16), repeated);
  const std::vector<Batch> batches = epoch(loader, 0);
  ASSERT_EQ(batches.size(), 2u);
  const std::vector<Index> order = epoch_order(16, repeated.seed, 0, true);
  EXPECT_EQ(batches[0].indices,
            (std::vector<Index>{order[0], order[0], order[0], order[1], order[1], order[1], order[2], order[2]}));
  EXPECT_EQ(batches[1].indices.back(), order[5]);
  const float* input = batches[0].input.data();
  EXPECT_FALSE(std::equal(input, input + 300, input + 300));
  EXPECT_FALSE(std::equal(input + 300, input + 600, input + 600));
}

/// All that is random at once.
LoaderOptions everything(int threads) {
  LoaderOptions result = augmented(threads);
  Augmentation& augmentation = *result.augmentation;
  augmentation.vertical_flip_probability = 0.3;
  augmentation.policy.kind = "rand";
  augmentation.policy.magnitude_deviation = 0.5;
  augmentation.brightness = augmentation.contrast = augmentation.saturation = 0.4;
  augmentation.hue = 0.1;
  augmentation.erasing.probability = 0.5;
  augmentation.erasing.fill = "noise";
  augmentation.erasing.count = 2;
  result.mixing = {.mixup_alpha = 0.4, .cutmix_alpha = 1, .probability = 0.8, .mode = "element"};
  result.repeats = 2;
  return result;
}

TEST(Loader, AllAugmentationsHaveTheSameBitsForAnyNumberOfThreadsAndAnyFirstStep) {
  const auto dataset = made(61, {3});
  for (const std::string_view policy : augmentation_policies()) {
    SCOPED_TRACE(policy);
    LoaderOptions one = everything(0), three = everything(3);
    one.augmentation->policy.kind = three.augmentation->policy.kind = policy;
    Loader reference(dataset, one), loader(dataset, three);
    const std::vector<Batch> all = epoch(reference, 2);
    expect_same(all, epoch(loader, 2));
    expect_same({all.begin() + 3, all.end()}, epoch(loader, 2, 3));
    EXPECT_FALSE(all[0].shares.empty());
  }
}

}  // namespace
}  // namespace linnet::training
