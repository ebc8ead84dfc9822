// Top-1 on the device itself.
//
// Pictures are binary PPM or PGM files of exactly the network's input size: decoders for JPEG and PNG would need
// libraries, and resizing is the business of `linnet evaluate`, which belongs to the training side of the house.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "linnet/model.h"

namespace linnet::bench {

struct LabelledPicture {
  std::string path;
  int label = 0;
};

struct Accuracy {
  int pictures = 0;
  int right = 0;
  double top1() const { return 100.0 * right / pictures; }
};

/// A folder: the class is the index of the sub-folder among the sorted ones, or, without sub-folders, the number before
/// the first '_' of the name. A file: lines "PICTURE CLASS", paths relative to the file. Throws linnet::Error that
/// names what is wrong, also for no pictures at all.
std::vector<LabelledPicture> list_pictures(const std::string& file_or_folder);

/// Reads a picture of this [height, width, channels], normalised. Throws linnet::Error for anything else.
void read_picture(const std::string& path, const Shape& shape, const Preprocessing& preprocessing,
                  std::span<float> values);

/// The index of the largest value, the first of equal ones.
int best_class(std::span<const float> logits);

}  // namespace linnet::bench
