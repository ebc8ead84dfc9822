#include "filled_record.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <vector>

#include "linnet/random.h"
#include "linnet/tracking/import.h"
#include "linnet/tracking/tracker.h"
#include "tests/support/temporary_folder.h"

namespace linnet {
namespace {

using tracking::Place;
using tracking::Tracker;

/// A PNG of 8 x 8 pixels: a dark disc.
constexpr unsigned char disc[] = {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
                                  0x44, 0x52, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x08, 0x08, 0x00, 0x00, 0x00,
                                  0x00, 0xe1, 0x64, 0xe1, 0x57, 0x00, 0x00, 0x00, 0x1b, 0x49, 0x44, 0x41, 0x54, 0x78,
                                  0xda, 0x63, 0x78, 0x00, 0x05, 0x0c, 0x0f, 0x1e, 0xd8, 0x00, 0x01, 0x88, 0x61, 0x03,
                                  0x06, 0xf8, 0x19, 0x70, 0xc5, 0x50, 0x00, 0x00, 0xfe, 0x84, 0x23, 0x81, 0x4d, 0xb7,
                                  0x63, 0x3c, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

void train(Tracker& tracker, int run, int steps, double rate) {
  const CounterRandom random(static_cast<std::uint64_t>(run), 1);
  for (int step = 1; step <= steps; ++step) {
    const double share = static_cast<double>(step) / steps, noise = random.uniform(static_cast<std::uint64_t>(step));
    const Place place{.step = step, .epoch = 1 + (step - 1) * 10 / steps, .context = "train"};
    double loss = 0.2 + 2.1 * std::exp(-30 * rate * share) + 0.3 * noise;
    if (run == 1 && step == spike_at) loss = spike;
    if (run == 1 && step == dip_at) loss = dip;
    if (run == 1 && step == strange_at) loss = std::numeric_limits<double>::quiet_NaN();
    tracker.metric("loss", loss, place);
    if (step % (steps / 10) != 0) continue;
    tracker.metric("loss", 0.4 + 2 * std::exp(-30 * rate * share), {step, place.epoch, "validate"});
    tracker.metric("top1", 0.95 - 0.8 * std::exp(-30 * rate * share), {step, place.epoch, "validate"});
    tracker.metric("sys.cpu.percent.avg", 90 + 10 * noise, {.step = step});
  }
  tracker.parameters(R"({"optimiser": {"lr": )" + std::to_string(rate) +
                     R"(, "kind": "sgd"}, "data": {"train": "shapes"}, "batch": 64})");
  tracker.text("model", "mobilenetv1_025");
  tracker.metric("bytes", 1.8e6, {.step = steps, .context = "model"});
  tracker.metric("macs", 41e6, {.step = steps, .context = "model"});
  tracker.metric("parameters", 470e3, {.step = steps, .context = "model"});
  tracker.output("epoch 10/10  loss 0.3\n");
}

void add_files(Tracker& tracker) {
  const std::string picture(reinterpret_cast<const char*>(disc), sizeof disc);
  const CounterRandom random(7, 7);
  std::vector<float> weights(2000);
  for (std::int64_t step = 1000; step <= 3000; step += 1000) {
    tracker.image("samples/disc.png", picture, {.step = step});
    for (std::size_t i = 0; i < weights.size(); ++i)
      weights[i] = (random.uniform(i) + random.uniform(i + 5000) - 1) * static_cast<float>(step) / 1000;
    tracker.histogram("conv_stem.weight", weights, {.step = step});
    tracker.confusion_matrix({{40, 3, 0}, {5, 38, 2}, {0, 1, 44}}, {"disc", "square", "<b>star</b>"}, {.step = step});
  }
  for (int layer = 0; layer < 20; ++layer)
    tracker.histogram("blocks." + std::to_string(layer) + ".weight", weights, {.step = 3000});
  tracker.asset({.name = "notes/page.html"}, "<script>alert(1)</script>");
  tracker.output("a warning\n", true);
  tracker.text("graph", R"({"model": "mobilenetv1_025", "layers": [
    {"name": "conv_stem", "op": "conv2d", "shape": [112, 112, 8], "parameters": 216, "macs": 2709504}]})");
}

}  // namespace

void fill_record(const std::string& database) {
  const auto info = [](const std::string& name) { return tracking::RunInfo{.name = name, .system_seconds = 0}; };
  {
    Tracker tracker(database, info("first"));
    train(tracker, 1, long_curve, 0.1);
    add_files(tracker);
    tracker.tag("shapes");
    tracker.finish("finished");
  }
  {
    Tracker tracker(database, info("second"));
    train(tracker, 2, 3000, 0.4);
    tracker.finish("finished");
  }
  {
    Tracker tracker(database, info("third <i>"));
    train(tracker, 3, 500, 0.2);
    tracker.finish("failed", "loss is not finite at step 500");
  }
  const TemporaryFolder folder;
  std::ofstream(folder.file("bench.json")) << R"([
    {"model": "mobilenetv1_025", "precision": "f32", "threads": 4, "batch": 1, "resolution": 224, "median_ms": 9.5,
     "mj_per_image": 31.5, "weight_bytes": 1869472},
    {"model": "mobilenetv2_100", "precision": "f32", "threads": 4, "batch": 1, "resolution": 224, "median_ms": 42.25,
     "mj_per_image": null, "weight_bytes": 13951328, "top1": 71.5}])";
  tracking::import_runs(database, folder.file("bench.json"), "pi4");
}

}  // namespace linnet
