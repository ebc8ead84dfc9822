// The readers behind open_dataset, one per kind.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "linnet/training/dataset.h"

namespace linnet::training {

/// Where the files of a kind lie: `path` or one of the folders that its archive unpacks to; nothing if they are not
/// there.
std::optional<std::filesystem::path> find_idx(const std::filesystem::path& path);
std::optional<std::filesystem::path> find_cifar10(const std::filesystem::path& path);
std::optional<std::filesystem::path> find_cifar100(const std::filesystem::path& path);

/// The folder of a split. A folder is divided into splits if it has a sub-folder `train` and none that is no split.
std::filesystem::path split_folder(const std::filesystem::path& path, Split split);

/// Whether there are tar archives where the pictures of the split would be, and no sub-folders, which would be classes.
bool holds_shards(const std::filesystem::path& path, Split split);

std::shared_ptr<const Dataset> open_idx(const std::filesystem::path& folder, Split split);
std::shared_ptr<const Dataset> open_cifar10(const std::filesystem::path& folder, Split split);
std::shared_ptr<const Dataset> open_cifar100(const std::filesystem::path& folder, Split split);
std::shared_ptr<const Dataset> open_shards(const std::filesystem::path& path, const DatasetOptions& options);
std::shared_ptr<const Dataset> open_image_folder(const std::filesystem::path& path, const DatasetOptions& options);

}  // namespace linnet::training
