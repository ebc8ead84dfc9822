#include "linnet/training/loader.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>

#include "linnet/error.h"
#include "linnet/random.h"
#include "training/data/augment.h"

namespace linnet::training {
namespace {

/// Names all random numbers of an epoch; the stream within it is a sample, or this for the order of the samples.
constexpr std::uint64_t order_stream = std::numeric_limits<std::uint64_t>::max();

CounterRandom epoch_random(std::uint64_t seed, Index epoch, std::uint64_t stream) {
  return {mix_bits(seed) + static_cast<std::uint64_t>(epoch), stream};
}

void check(const Dataset& dataset, const LoaderOptions& options) {
  const auto require = [](bool fulfilled, const std::string& what) {
    if (!fulfilled) {
      throw Error("loader: " + what);
    }
  };
  require(dataset.size() > 0, "the data set has no pictures");
  require(options.batch >= 1, "batch is " + std::to_string(options.batch) + ", expected 1 or more");
  require(!options.drop_last || dataset.size() >= options.batch, "the data set has " + std::to_string(dataset.size()) +
                                                                     " pictures, less than one batch of " +
                                                                     std::to_string(options.batch));
  require(options.threads >= 0, "threads is " + std::to_string(options.threads) + ", expected 0 or more");
  require(options.height >= 1 && options.width >= 1 && (options.channels == 1 || options.channels == 3),
          "an input of " + std::to_string(options.height) + " x " + std::to_string(options.width) + " x " +
              std::to_string(options.channels) + ", expected positive sizes and 1 or 3 channels");
  check_preprocessing(options.preprocessing, options.channels);
  if (options.augmentation) {
    const Augmentation& augmentation = *options.augmentation;
    require(augmentation.crop_padding >= 0 && augmentation.crop_padding <= std::max(options.height, options.width),
            "crop_padding is " + std::to_string(augmentation.crop_padding) + ", expected 0 to the size of the input");
    require(augmentation.flip_probability >= 0 && augmentation.flip_probability <= 1,
            "flip_probability is " + std::to_string(augmentation.flip_probability) + ", expected 0 to 1");
    require(augmentation.area_min > 0 && augmentation.area_min <= augmentation.area_max && augmentation.area_max <= 1,
            "areas from " + std::to_string(augmentation.area_min) + " to " + std::to_string(augmentation.area_max) +
                ", expected 0 < smallest <= largest <= 1");
    require(augmentation.ratio_min > 0 && augmentation.ratio_min <= augmentation.ratio_max,
            "aspect ratios from " + std::to_string(augmentation.ratio_min) + " to " +
                std::to_string(augmentation.ratio_max) + ", expected 0 < smallest <= largest");
  }
}

/// What the workers need to know about an epoch. Workers hold on to the one they work for.
struct Epoch {
  Index number = 0;
  std::vector<Index> order;
  std::atomic<bool> abandoned{false};
};

struct Prepared {
  Batch batch;
  std::exception_ptr failure;
};

}  // namespace

struct Loader::State {
  State(std::shared_ptr<const Dataset> the_dataset, LoaderOptions the_options)
      : dataset(std::move(the_dataset)), options(std::move(the_options)) {
    const Index samples = dataset->size();
    steps = options.drop_last ? samples / options.batch : (samples - 1) / options.batch + 1;
  }

  void start_workers() {
    for (int i = 0; i < options.threads; ++i) {
      workers.emplace_back([this] { work(); });
    }
  }

  ~State() {
    finish_epoch();
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    work_to_do.notify_all();
    for (std::thread& worker : workers) {
      worker.join();
    }
  }

  const std::shared_ptr<const Dataset> dataset;
  const LoaderOptions options;
  Index steps = 0;

  mutable std::mutex mutex;
  std::condition_variable work_to_do;  ///< for workers
  std::condition_variable work_done;   ///< for next()
  std::shared_ptr<Epoch> epoch;
  Index next_to_make = 0;
  Index next_to_take = 0;
  std::map<Index, Prepared> prepared;
  std::set<std::string> problems;
  bool stopping = false;
  std::vector<std::thread> workers;

  Index window() const { return options.threads + 1; }  ///< batches made or in the making ahead of the trainer

  Image sample(Index index, Index epoch_number) const {
    const Image image = with_channels(dataset->read(index), options.channels);
    if (!options.augmentation) {
      return prepare_for_evaluation(image, options.preprocessing, options.height, options.width, options.channels);
    }
    const CounterRandom random = epoch_random(options.seed, epoch_number, static_cast<std::uint64_t>(index));
    std::uint64_t draws = 0;
    return augment(image, *options.augmentation, options.preprocessing, options.height, options.width,
                   [&] { return static_cast<double>(random.bits(draws++) >> 11) * 0x1p-53; });
  }

  Batch make(const Epoch& of, Index step) {
    Batch batch;
    batch.step = step;
    std::vector<std::uint8_t> pixels;
    const Index begin = step * options.batch;
    const Index end = std::min(begin + options.batch, static_cast<Index>(of.order.size()));
    const Index values = options.height * options.width * options.channels;
    pixels.reserve(static_cast<std::size_t>((end - begin) * values));
    for (Index i = begin; i < end && !of.abandoned; ++i) {
      const Index index = of.order[static_cast<std::size_t>(i)];
      try {
        const Image image = sample(index, of.number);
        pixels.insert(pixels.end(), image.pixels.begin(), image.pixels.end());
      } catch (const Error& error) {
        if (options.strict) {
          throw;
        }
        const std::lock_guard lock(mutex);
        problems.insert(error.what());
        continue;
      }
      batch.labels.push_back(dataset->label(index));
      batch.indices.push_back(index);
    }
    const auto samples = static_cast<Index>(batch.labels.size());
    batch.input = Tensor({samples, options.height, options.width, options.channels});
    normalise(options.preprocessing, samples * options.height * options.width, options.channels, pixels.data(),
              batch.input.data());
    return batch;
  }

  Prepared prepare(const Epoch& of, Index step) {
    Prepared result;
    try {
      result.batch = make(of, step);
    } catch (...) {
      result.failure = std::current_exception();
    }
    return result;
  }

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      work_to_do.wait(lock, [this] {
        return stopping || (epoch && next_to_make < steps && next_to_make < next_to_take + window());
      });
      if (stopping) {
        return;
      }
      const std::shared_ptr<Epoch> mine = epoch;
      const Index step = next_to_make++;
      lock.unlock();
      Prepared result = prepare(*mine, step);
      lock.lock();
      if (mine == epoch) {
        prepared.emplace(step, std::move(result));
        work_done.notify_one();
      }
    }
  }

  /// The batch `next_to_take`, which exists.
  Prepared take() {
    std::unique_lock lock(mutex);
    const Index step = next_to_take;
    if (workers.empty()) {
      ++next_to_take;
      lock.unlock();
      return prepare(*epoch, step);
    }
    work_done.wait(lock, [&] { return prepared.contains(step); });
    Prepared result = std::move(prepared.at(step));
    prepared.erase(step);
    ++next_to_take;
    work_to_do.notify_one();
    return result;
  }

  void finish_epoch() {
    const std::lock_guard lock(mutex);
    if (epoch) {
      epoch->abandoned = true;
    }
    epoch.reset();
    prepared.clear();
  }
};

Loader::Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options) {
  check(*dataset, options);
  state_ = std::make_unique<State>(std::move(dataset), std::move(options));
  state_->start_workers();
}

Loader::~Loader() = default;

const Dataset& Loader::dataset() const { return *state_->dataset; }
const LoaderOptions& Loader::options() const { return state_->options; }
Index Loader::steps_per_epoch() const { return state_->steps; }

void Loader::begin_epoch(Index epoch, Index first_step) {
  if (epoch < 0 || first_step < 0) {
    throw Error("loader: epoch " + std::to_string(epoch) + " from step " + std::to_string(first_step) +
                ", expected 0 or more");
  }
  state_->finish_epoch();
  auto started = std::make_shared<Epoch>();
  started->number = epoch;
  started->order = epoch_order(state_->dataset->size(), state_->options.seed, epoch, state_->options.shuffle);
  {
    const std::lock_guard lock(state_->mutex);
    state_->epoch = std::move(started);
    state_->next_to_make = state_->next_to_take = first_step;
  }
  state_->work_to_do.notify_all();
}

std::optional<Batch> Loader::next() {
  while (state_->epoch && state_->next_to_take < state_->steps) {
    Prepared prepared = state_->take();
    if (prepared.failure) {
      state_->finish_epoch();
      std::rethrow_exception(prepared.failure);
    }
    if (!prepared.batch.labels.empty()) {
      return std::move(prepared.batch);
    }
  }
  return std::nullopt;
}

std::vector<std::string> Loader::problems() const {
  const std::lock_guard lock(state_->mutex);
  return {state_->problems.begin(), state_->problems.end()};
}

std::vector<Index> epoch_order(Index samples, std::uint64_t seed, Index epoch, bool shuffle) {
  std::vector<Index> order(static_cast<std::size_t>(samples));
  std::iota(order.begin(), order.end(), Index{0});
  if (shuffle) {
    const CounterRandom random = epoch_random(seed, epoch, order_stream);
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[random.below(i, static_cast<std::uint32_t>(i))]);
    }
  }
  return order;
}

}  // namespace linnet::training
