// Parts of a data set.
#pragma once

#include <memory>
#include <vector>

#include "linnet/training/dataset.h"

namespace linnet::training {

/// The pictures at `indices`, in this order, with all classes.
std::shared_ptr<const Dataset> select(std::shared_ptr<const Dataset> dataset, std::vector<Index> indices);

/// What is drawn below follows from the seed, the number of classes and their sizes; which pictures come first in a
/// class from the seed alone: a smaller subset lies in a larger one. Indices rise.
struct DrawnParts {
  std::vector<Index> drawn, rest;
};

/// `share` of the pictures, in (0, 1), the same of each class up to rounding.
DrawnParts draw_share(const Dataset& dataset, double share, std::uint64_t seed);

/// Fold number `fold` of `folds`, which are alike in size up to one picture, in each class and in all.
DrawnParts draw_fold(const Dataset& dataset, Index folds, Index fold, std::uint64_t seed);

/// `count` pictures, as many of each class as of the others where there are so many.
DrawnParts draw_count(const Dataset& dataset, Index count, std::uint64_t seed);

}  // namespace linnet::training
