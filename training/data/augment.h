// Random changes of training pictures.
#pragma once

#include "linnet/training/loader.h"
#include "training/data/random.h"

namespace linnet::training {

/// Throws linnet::Error if an option is wrong for a network's input of this size.
void check_augmentation(const Augmentation& augmentation, Index height, Index width);

/// The box of timm's RandomResizedCropAndInterpolation: ten attempts that draw an area and the logarithm of an aspect
/// ratio; the first box that fits is placed by two more draws, top and left. Otherwise the largest central box whose
/// ratio is allowed.
Box random_resized_crop_box(Index height, Index width, const Augmentation& augmentation, const Uniform& draw);

/// A picture with the channels of the network's input -> one of its size.
Image augment(const Image& image, const Augmentation& augmentation, const Preprocessing& preprocessing, Index height,
              Index width, const Uniform& draw);

/// What torchvision's ColorJitter does with the given draws: the order of the four parts, then each one's factor.
Image jitter_colours(const Image& image, const Augmentation& augmentation, const Uniform& draw);

/// The box of timm's RandomErasing, of its ten attempts, or nothing; without the draw that decides whether to erase.
std::optional<Box> erase_box(Index height, Index width, const RandomErasing& erasing, Index count, const Uniform& draw);

/// Fills a box of normalised values [height, width, channels].
void erase(float* values, Index width, Index channels, const Box& box, const std::string& fill, const Uniform& draw);

/// Erases or not, as the draws say.
void erase_at_random(float* values, Index height, Index width, Index channels, const RandomErasing& erasing,
                     const Uniform& draw);

/// Corners (top left, top right, bottom left, bottom right), centre, and the five mirrored, as torchvision's ten_crop.
/// Throws linnet::Error if the image is smaller than a crop.
std::vector<Image> ten_crop(const Image& image, Index height, Index width);

}  // namespace linnet::training
