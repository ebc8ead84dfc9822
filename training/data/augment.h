// Random changes of training pictures.
#pragma once

#include <functional>

#include "linnet/training/loader.h"

namespace linnet::training {

/// Numbers in [0, 1), one per call.
using Uniform = std::function<double()>;

/// The box of timm's RandomResizedCropAndInterpolation: ten attempts that draw an area and the logarithm of an aspect
/// ratio; the first box that fits is placed by two more draws, top and left. Otherwise the largest central box whose
/// ratio is allowed.
Box random_resized_crop_box(Index height, Index width, const Augmentation& augmentation, const Uniform& draw);

/// A picture with the channels of the network's input -> one of its size.
Image augment(const Image& image, const Augmentation& augmentation, const Preprocessing& preprocessing, Index height,
              Index width, const Uniform& draw);

}  // namespace linnet::training
