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
#include "training/data/mix.h"
#include "training/image/operators.h"

namespace linnet::training {
namespace {

/// Names all random numbers of an epoch; the stream within it is a sample, or this for the order of the samples, or
/// for the mixtures of a step so much less than that.
constexpr std::uint64_t order_stream = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t mixing_stream = order_stream - 1;

CounterRandom epoch_random(std::uint64_t seed, Index epoch, std::uint64_t stream) {
  return {mix_bits(seed) + static_cast<std::uint64_t>(epoch), stream};
}

/// Numbers in [0, 1), the first one at `first`.
Uniform uniform(const CounterRandom& random, std::uint64_t first) {
  return [random, next = first]() mutable { return static_cast<double>(random.bits(next++) >> 11) * 0x1p-53; };
}

Tensor first_of(const Tensor& tensor, Index count) {
  Shape shape = tensor.shape();
  shape.front() = count;
  Tensor result(shape);
  std::copy_n(tensor.data(), result.size(), result.data());
  return result;
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
  if (options.augmentation) check_augmentation(*options.augmentation, options.height, options.width);
  check_mixing(options.mixing);
  require(options.repeats >= 1, "repeats is " + std::to_string(options.repeats) + ", expected 1 or more");
  require(options.views == 1 || (options.views == 10 && !options.augmentation && !options.mixing.enabled()),
          "views is " + std::to_string(options.views) + ", expected 1, or 10 without augmentation and mixing");
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

  Index values() const { return options.height * options.width * options.channels; }  ///< of a picture

  void normalise_into(const Image& image, float* to) const {
    normalise(options.preprocessing, image.height * image.width, image.channels, image.pixels.data(), to);
  }

  /// The views of a sample, normalised.
  void make_sample(Index index, Index epoch_number, Index repeat, float* to) const {
    const Image image = with_channels(dataset->read(index), options.channels);
    if (options.views > 1) {
      for (const Image& view :
           ten_crop(scaled_for_evaluation(image, options.preprocessing, options.height, options.width), options.height,
                    options.width)) {
        normalise_into(view, to);
        to += values();
      }
      return;
    }
    if (!options.augmentation) {
      normalise_into(
          prepare_for_evaluation(image, options.preprocessing, options.height, options.width, options.channels), to);
      return;
    }
    const CounterRandom random = epoch_random(options.seed, epoch_number, static_cast<std::uint64_t>(index));
    const Uniform draw = uniform(random, static_cast<std::uint64_t>(repeat) << 32);
    normalise_into(augment(image, *options.augmentation, options.preprocessing, options.height, options.width, draw),
                   to);
    erase_at_random(to, options.height, options.width, options.channels, options.augmentation->erasing, draw);
  }

  Batch make(const Epoch& of, Index step) {
    Batch batch;
    batch.step = step;
    const Index begin = step * options.batch;
    const Index end = std::min(begin + options.batch, static_cast<Index>(of.order.size()));
    Tensor pictures({(end - begin) * options.views, options.height, options.width, options.channels});
    Index made = 0;
    for (Index i = begin; i < end && !of.abandoned; ++i) {
      const Index index = of.order[static_cast<std::size_t>(i)];
      try {
        make_sample(index, of.number, i % options.repeats, pictures.data() + made * options.views * values());
      } catch (const Error& error) {
        if (options.strict) {
          throw;
        }
        const std::lock_guard lock(mutex);
        problems.insert(error.what());
        continue;
      }
      ++made;
      batch.labels.push_back(dataset->label(index));
      batch.indices.push_back(index);
    }
    batch.input = made == end - begin ? pictures : first_of(pictures, made * options.views);
    if (made > 0) {
      const CounterRandom random =
          epoch_random(options.seed, of.number, mixing_stream - static_cast<std::uint64_t>(step));
      batch.shares = mix_at_random(batch.input, options.mixing, uniform(random, 0));
    }
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
  started->order = epoch_order(state_->dataset->size(), state_->options.seed, epoch, state_->options.shuffle,
                               state_->options.repeats);
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

std::vector<Index> epoch_order(Index samples, std::uint64_t seed, Index epoch, bool shuffle, Index repeats) {
  std::vector<Index> order(static_cast<std::size_t>(samples));
  std::iota(order.begin(), order.end(), Index{0});
  if (shuffle) {
    const CounterRandom random = epoch_random(seed, epoch, order_stream);
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[random.below(i, static_cast<std::uint32_t>(i))]);
    }
  }
  for (std::size_t i = order.size(); repeats > 1 && i-- > 0;) {
    order[i] = order[i / static_cast<std::size_t>(repeats)];
  }
  return order;
}

}  // namespace linnet::training
