#include "training/data/selection.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "linnet/random.h"

namespace linnet::training {
namespace {

class Selection final : public Dataset {
 public:
  Selection(std::shared_ptr<const Dataset> dataset, std::vector<Index> indices)
      : dataset_(std::move(dataset)), indices_(std::move(indices)) {}

  Index size() const override { return static_cast<Index>(indices_.size()); }
  const std::vector<std::string>& classes() const override { return dataset_->classes(); }
  int label(Index index) const override { return dataset_->label(at(index)); }
  std::string name(Index index) const override { return dataset_->name(at(index)); }
  Image read(Index index) const override { return dataset_->read(at(index)); }
  std::uint64_t mark(Index index) const override { return dataset_->mark(at(index)); }

 private:
  Index at(Index index) const { return indices_[static_cast<std::size_t>(index)]; }

  std::shared_ptr<const Dataset> dataset_;
  std::vector<Index> indices_;
};

/// The pictures of each class in the order in which they are drawn.
std::vector<std::vector<Index>> shuffled_classes(const Dataset& dataset, std::uint64_t seed) {
  constexpr std::uint64_t selection_stream = 0x73656c656374;  // any fixed number that no other stream has
  std::vector<std::vector<Index>> classes(dataset.classes().size());
  for (Index i = 0; i < dataset.size(); ++i) classes[static_cast<std::size_t>(dataset.label(i))].push_back(i);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const CounterRandom random(seed, selection_stream + c);
    for (std::size_t left = classes[c].size(); left > 1; --left)
      std::swap(classes[c][left - 1], classes[c][random.below(left, static_cast<std::uint32_t>(left))]);
  }
  return classes;
}

DrawnParts parts_of(const Dataset& dataset, const std::vector<char>& is_drawn) {
  DrawnParts parts;
  for (Index i = 0; i < dataset.size(); ++i)
    (is_drawn[static_cast<std::size_t>(i)] ? parts.drawn : parts.rest).push_back(i);
  return parts;
}

/// The first so many of each class.
DrawnParts draw_first(const Dataset& dataset, const std::vector<std::vector<Index>>& classes,
                      const std::vector<Index>& counts) {
  std::vector<char> is_drawn(static_cast<std::size_t>(dataset.size()));
  for (std::size_t c = 0; c < classes.size(); ++c)
    for (Index i = 0; i < counts[c]; ++i)
      is_drawn[static_cast<std::size_t>(classes[c][static_cast<std::size_t>(i)])] = 1;
  return parts_of(dataset, is_drawn);
}

}  // namespace

std::shared_ptr<const Dataset> select(std::shared_ptr<const Dataset> dataset, std::vector<Index> indices) {
  return std::make_shared<Selection>(std::move(dataset), std::move(indices));
}

DrawnParts draw_share(const Dataset& dataset, double share, std::uint64_t seed) {
  const std::vector<std::vector<Index>> classes = shuffled_classes(dataset, seed);
  // What rounding takes from one class the next one gets.
  std::vector<Index> counts;
  double wanted = 0;
  Index given = 0;
  for (const std::vector<Index>& one : classes) {
    wanted += share * static_cast<double>(one.size());
    const Index count = std::min(static_cast<Index>(std::llround(wanted)) - given, static_cast<Index>(one.size()));
    given += count;
    counts.push_back(count);
  }
  return draw_first(dataset, classes, counts);
}

DrawnParts draw_fold(const Dataset& dataset, Index folds, Index fold, std::uint64_t seed) {
  std::vector<char> is_drawn(static_cast<std::size_t>(dataset.size()));
  Index place = 0;
  for (const std::vector<Index>& one : shuffled_classes(dataset, seed))
    for (const Index index : one) is_drawn[static_cast<std::size_t>(index)] = place++ % folds == fold;
  return parts_of(dataset, is_drawn);
}

DrawnParts draw_count(const Dataset& dataset, Index count, std::uint64_t seed) {
  const std::vector<std::vector<Index>> classes = shuffled_classes(dataset, seed);
  // The smallest class first: what it lacks is shared by those that are left.
  std::vector<std::size_t> order(classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&classes](std::size_t a, std::size_t b) { return classes[a].size() < classes[b].size(); });
  std::vector<Index> counts(classes.size());
  Index left = std::min(count, dataset.size()), classes_left = static_cast<Index>(classes.size());
  for (const std::size_t c : order) {
    counts[c] = std::min(left / classes_left--, static_cast<Index>(classes[c].size()));
    left -= counts[c];
  }
  return draw_first(dataset, classes, counts);
}

}  // namespace linnet::training
