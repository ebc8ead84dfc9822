// Learned and random policies of augmentation.
#pragma once

#include "linnet/training/loader.h"
#include "training/data/operations.h"

namespace linnet::training {

/// Throws linnet::Error if an option of the policy is wrong.
void check_policy(const AugmentationPolicy& policy);

/// `fill` is the mean colour, for policies that fill with it.
Image apply_policy(const Image& image, const AugmentationPolicy& policy, const std::vector<std::uint8_t>& fill,
                   const Uniform& draw);

/// One step of a learned policy; the level of a torchvision policy is a bin of 10.
struct PolicyStep {
  std::string_view operation;
  double probability, level;
};

/// The pairs of steps of a learned policy, for tests; empty for random policies.
std::vector<std::vector<PolicyStep>> learned_steps(const std::string& policy);

/// The operations from which timm's RandAugment draws, and their weights if they are to be weighted.
std::vector<std::string_view> rand_augment_operations(bool increasing);
double rand_augment_weight(std::string_view operation);

}  // namespace linnet::training
