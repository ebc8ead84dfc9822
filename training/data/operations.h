// The operations that augmentation policies are made of, in timm's and in torchvision's terms.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "training/data/random.h"
#include "training/image/operators.h"

namespace linnet::training {

/// What an operation needs to know beside its argument.
struct OperationContext {
  Sampling sampling = Sampling::nearest;
  std::vector<std::uint8_t> fill;  ///< colour outside the picture; empty: black
  const Uniform& draw;
};

using ApplyOperation = Image (*)(const Image& image, double argument, const OperationContext& context);

/// timm's operations (timm.data.auto_augment): a level from 0 to 10 says how strong.
struct LevelOperation {
  std::string_view name;
  bool is_signed;                                 ///< the sign is drawn
  double (*argument)(double level, double sign);  ///< `sign` is 1 or -1; ignored unless is_signed
  ApplyOperation apply;
};

std::span<const LevelOperation> level_operations();
/// Throws linnet::Error for an unknown name.
const LevelOperation& find_level_operation(std::string_view name);

/// torchvision's operations (torchvision.transforms.autoaugment): a bin from a range says how strong.
enum class BinRange : std::uint8_t { auto_augment, rand_augment, trivial_augment };

struct BinOperation {
  std::string_view name;
  bool is_signed;
  /// How strong bin `bin` of `bins` is on a picture of this size (used by TranslateX and TranslateY).
  double (*magnitude)(BinRange range, int bin, int bins, Index size);
  ApplyOperation apply;
};

/// All; RandAugment and TrivialAugment draw from all but the last, "Invert".
std::span<const BinOperation> bin_operations();
const BinOperation& find_bin_operation(std::string_view name);

}  // namespace linnet::training
