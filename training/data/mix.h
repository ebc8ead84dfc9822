// Mixup and CutMix of a batch.
#pragma once

#include "linnet/training/loader.h"
#include "training/data/random.h"

namespace linnet::training {

/// Throws linnet::Error if an option is wrong.
void check_mixing(const Mixing& mixing);

/// How a picture is mixed with its partner.
struct Mixture {
  double share = 1;     ///< of the picture itself
  bool cutmix = false;  ///< a box of the partner in place of a blend
};

/// Mixes pictures [samples, height, width, channels] with those at the mirrored places. One mixture for the batch, or
/// one per pair (the first half of the samples), or one per sample, as the mode says. `draw` is asked for the row and
/// the column of the centre of each box. Returns what part of each picture is its own then.
std::vector<float> mix_pictures(Tensor& pictures, const Mixing& mixing, const std::vector<Mixture>& mixtures,
                                const Uniform& draw);

/// Draws mixtures and applies them; empty if nothing was mixed.
std::vector<float> mix_at_random(Tensor& pictures, const Mixing& mixing, const Uniform& draw);

}  // namespace linnet::training
