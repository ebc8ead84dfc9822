// Labelled pictures.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "linnet/training/image.h"

namespace linnet::training {

/// A fixed, ordered list of labelled pictures. read() may be called from several threads at once.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual Index size() const = 0;
  /// Names by class index.
  virtual const std::vector<std::string>& classes() const = 0;
  virtual int label(Index index) const = 0;
  /// For messages and predictions: the file's name below the data set's folder, or "train-images-idx3-ubyte.gz[17]".
  virtual std::string name(Index index) const = 0;
  /// Throws linnet::Error that names the picture if it is damaged.
  virtual Image read(Index index) const = 0;
  /// A number that changes when the picture does, without decoding it if possible: of the size of its file, or of its
  /// pixels.
  virtual std::uint64_t mark(Index index) const = 0;
  /// Files that were found beside the pictures and are none, in the order of their names; they are not counted in
  /// size().
  virtual const std::vector<std::string>& foreign_files() const { return foreign_files_; }

 protected:
  std::vector<std::string> foreign_files_;
};

enum class DatasetKind : std::uint8_t { automatic, idx, cifar10, cifar100, folder, tar };

/// "auto", "idx", "cifar10", "cifar100", "folder", "tar". Throws linnet::Error for other names.
DatasetKind dataset_kind_from_name(const std::string& name);

enum class Split : std::uint8_t { train, test };

struct DatasetOptions {
  DatasetKind kind = DatasetKind::automatic;
  Split split = Split::train;
  bool strict = false;                               ///< foreign files in an image folder are an error
  Orientation orientation = Orientation::as_stored;  ///< of the pictures in an image folder
};

/// Opens the data set at `path`:
/// - idx: a folder with the four MNIST files, plain or .gz, and perhaps `classes.txt` with one name per line; read into
///   memory;
/// - cifar10, cifar100: a folder with the binary version's files; read into memory;
/// - folder: `path/train` or `path/test` (`val`, `validation`) where these exist, else `path` itself, which holds one
///   sub-folder of pictures per class, sorted by name, or pictures named `<class index>_<anything>`. Decoded by read();
/// - tar: archives in the same places, in WebDataset's layout: `<key>.jpg` (.jpeg, .png, .ppm, .pgm) beside
/// `<key>.cls`,
///   the class index as text, or `<key>.json` with it under "label" or "cls"; `classes.txt` may have the names. Where
///   archives of both splits lie in one folder, "train", and "val" or "test", in their names tell. Decoded by read().
/// Throws linnet::Error for anything damaged (sizes expected and found) or if there are no pictures at all.
std::shared_ptr<const Dataset> open_dataset(const std::string& path, const DatasetOptions& options = {});

/// Reads every picture of a data set into memory, on `threads` threads. Damaged pictures are left out and their
/// messages appended to `problems`. Throws linnet::Error if no picture can be read.
std::shared_ptr<const Dataset> load_into_memory(const Dataset& dataset, int threads,
                                                std::vector<std::string>& problems);

/// The number of pictures by class index.
std::vector<Index> class_counts(const Dataset& dataset);

/// 16 hexadecimal digits that tell one data set from another: of the classes and of all names, labels and marks, in
/// order. Where the data lies does not matter.
std::string fingerprint(const Dataset& dataset);

}  // namespace linnet::training
