#include "linnet/training/dataset.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>

#include "linnet/error.h"
#include "training/data/fingerprint.h"
#include "training/data/memory_dataset.h"
#include "training/data/readers.h"

namespace linnet::training {

namespace fs = std::filesystem;

DatasetKind dataset_kind_from_name(const std::string& name) {
  constexpr std::pair<const char*, DatasetKind> names[] = {
      {"auto", DatasetKind::automatic},    {"idx", DatasetKind::idx},       {"cifar10", DatasetKind::cifar10},
      {"cifar100", DatasetKind::cifar100}, {"folder", DatasetKind::folder}, {"tar", DatasetKind::tar}};
  for (const auto& [known, kind] : names) {
    if (name == known) {
      return kind;
    }
  }
  throw Error("unknown kind of data set '" + name + "', expected auto, idx, cifar10, cifar100, folder or tar");
}

std::shared_ptr<const Dataset> open_dataset(const std::string& path, const DatasetOptions& options) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    throw Error("data set '" + path + "': no such folder");
  }
  const auto wanted = [&options](DatasetKind kind) {
    return options.kind == DatasetKind::automatic || options.kind == kind;
  };
  if (const auto folder = find_idx(path); folder && wanted(DatasetKind::idx)) {
    return open_idx(*folder, options.split);
  }
  if (const auto folder = find_cifar10(path); folder && wanted(DatasetKind::cifar10)) {
    return open_cifar10(*folder, options.split);
  }
  if (const auto folder = find_cifar100(path); folder && wanted(DatasetKind::cifar100)) {
    return open_cifar100(*folder, options.split);
  }
  try {
    if (wanted(DatasetKind::tar) && holds_shards(path, options.split)) {
      return open_shards(path, options);
    }
    if (wanted(DatasetKind::folder)) {
      return open_image_folder(path, options);
    }
  } catch (const fs::filesystem_error& error) {
    throw Error("data set '" + path + "': cannot list '" + error.path1().string() + "': " + error.code().message());
  }
  throw Error("data set '" + path + "': the files of its kind are not there");
}

std::shared_ptr<const Dataset> load_into_memory(const Dataset& dataset, int threads,
                                                std::vector<std::string>& problems) {
  const Index size = dataset.size();
  std::vector<Image> images(static_cast<std::size_t>(size));
  std::vector<std::string> damages(static_cast<std::size_t>(size));
  std::atomic<Index> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      for (Index i = next++; i < size; i = next++) {
        try {
          images[static_cast<std::size_t>(i)] = dataset.read(i);
        } catch (const Error& error) {
          damages[static_cast<std::size_t>(i)] = error.what();
        }
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 1; i < threads; ++i) {
      workers.emplace_back(work);
    }
    work();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
  auto result = std::make_shared<MemoryDataset>(dataset.classes());
  for (Index i = 0; i < size; ++i) {
    const auto index = static_cast<std::size_t>(i);
    if (damages[index].empty()) {
      result->add(std::move(images[index]), dataset.label(i), dataset.name(i));
    } else {
      problems.push_back(damages[index]);
    }
  }
  if (result->size() == 0) {
    throw Error("none of " + std::to_string(size) + " pictures can be read; the first: " + damages.front());
  }
  return result;
}

std::vector<Index> class_counts(const Dataset& dataset) {
  std::vector<Index> counts(dataset.classes().size());
  for (Index i = 0; i < dataset.size(); ++i) ++counts[static_cast<std::size_t>(dataset.label(i))];
  return counts;
}

std::string fingerprint(const Dataset& dataset) {
  Fingerprint print;
  for (const std::string& name : dataset.classes()) print.add(name);
  for (Index i = 0; i < dataset.size(); ++i) {
    print.add(dataset.name(i));
    print.add(static_cast<std::uint64_t>(dataset.label(i)));
    print.add(dataset.mark(i));
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(print.value()));
  return text;
}

}  // namespace linnet::training
