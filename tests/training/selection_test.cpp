#include "training/data/selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "training/data/memory_dataset.h"

namespace linnet::training {
namespace {

/// Classes of 10, 3, 25 and 0 pictures, mixed.
std::shared_ptr<const Dataset> uneven() {
  auto dataset = std::make_shared<MemoryDataset>(std::vector<std::string>{"a", "b", "c", "d"});
  for (int i = 0; i < 25; ++i) {
    dataset->add(Image(1, 1, 1), 2, "c" + std::to_string(i));
    if (i < 10) dataset->add(Image(1, 1, 1), 0, "a" + std::to_string(i));
    if (i < 3) dataset->add(Image(1, 1, 1), 1, "b" + std::to_string(i));
  }
  return dataset;
}

std::vector<Index> counts_of(const std::shared_ptr<const Dataset>& dataset, const std::vector<Index>& indices) {
  EXPECT_TRUE(std::is_sorted(indices.begin(), indices.end()));
  return class_counts(*select(dataset, indices));
}

TEST(Selection, ASelectionIsADataSet) {
  const auto dataset = uneven();
  const auto some = select(dataset, {5, 1});
  EXPECT_EQ(some->size(), 2);
  EXPECT_EQ(some->classes(), dataset->classes());
  EXPECT_EQ(some->name(0), dataset->name(5));
  EXPECT_EQ(some->label(1), dataset->label(1));
  EXPECT_EQ(some->mark(0), dataset->mark(5));
  EXPECT_EQ(some->read(0), dataset->read(5));
}

TEST(Selection, SharesAreThoseOfEachClass) {
  const auto dataset = uneven();
  const DrawnParts parts = draw_share(*dataset, 0.2, 1);
  EXPECT_EQ(counts_of(dataset, parts.drawn), (std::vector<Index>{2, 1, 5, 0}));
  EXPECT_EQ(counts_of(dataset, parts.rest), (std::vector<Index>{8, 2, 20, 0}));
  EXPECT_EQ(draw_share(*dataset, 0.2, 1).drawn, parts.drawn);
  EXPECT_NE(draw_share(*dataset, 0.2, 2).drawn, parts.drawn);
}

TEST(Selection, FoldsAreDisjointAndAlike) {
  const auto dataset = uneven();
  std::set<Index> seen;
  for (Index fold = 0; fold < 5; ++fold) {
    const DrawnParts parts = draw_fold(*dataset, 5, fold, 3);
    EXPECT_EQ(parts.drawn.size() + parts.rest.size(), 38u);
    EXPECT_TRUE(parts.drawn.size() == 7 || parts.drawn.size() == 8) << fold;
    const std::vector<Index> counts = counts_of(dataset, parts.drawn);
    EXPECT_EQ(counts[0], 2);
    EXPECT_EQ(counts[2], 5);
    for (const Index index : parts.drawn) EXPECT_TRUE(seen.insert(index).second) << index;
  }
  EXPECT_EQ(seen.size(), 38u);
}

TEST(Selection, CountsAreAlikeForEachClassWhereTheyCan) {
  const auto dataset = uneven();
  EXPECT_EQ(counts_of(dataset, draw_count(*dataset, 9, 1).drawn), (std::vector<Index>{3, 3, 3, 0}));
  EXPECT_EQ(counts_of(dataset, draw_count(*dataset, 24, 1).drawn), (std::vector<Index>{10, 3, 11, 0}));
  EXPECT_EQ(counts_of(dataset, draw_count(*dataset, 1000, 1).drawn), (std::vector<Index>{10, 3, 25, 0}));
  const std::vector<Index> small = draw_count(*dataset, 9, 1).drawn, large = draw_count(*dataset, 20, 1).drawn;
  EXPECT_TRUE(std::includes(large.begin(), large.end(), small.begin(), small.end()));
}

}  // namespace
}  // namespace linnet::training
