#include "architectures/initialisation.h"

#include <string>

#include "linnet/error.h"

namespace linnet::architectures {

namespace {

struct Entry {
  Initialisation initialisation;
  const char* name;
  InitialRule rule;
};

// stem, convolutions, classifier, beta
constexpr Entry table[] = {
    // timm models/_efficientnet_builder.py, after tensorflow/tpu's EfficientNet
    {Initialisation::timm, "timm", {Initial::normal_fan_out, Initial::normal_fan_out, Initial::uniform_fan_out}},
    // torchvision models/mobilenetv2.py, mobilenetv3.py
    {Initialisation::torchvision,
     "torchvision",
     {Initial::normal_fan_out_all, Initial::normal_fan_out_all, Initial::normal_hundredth}},
    // torchvision models/efficientnet.py
    {Initialisation::torchvision_efficientnet,
     "torchvision_efficientnet",
     {Initial::normal_fan_out_all, Initial::normal_fan_out_all, Initial::uniform_fan_out}},
    // torchvision models/squeezenet.py
    {Initialisation::torchvision_squeezenet,
     "torchvision_squeezenet",
     {Initial::he_uniform, Initial::he_uniform, Initial::normal_hundredth}},
    // torch nn/modules/conv.py, linear.py; torchvision's ShuffleNetV2 changes nothing
    {Initialisation::pytorch, "pytorch", {Initial::uniform_fan_in, Initial::uniform_fan_in, Initial::uniform_fan_in}},
    // pytorchcv models/shufflenet.py
    {Initialisation::pytorchcv, "pytorchcv", {Initial::he_uniform, Initial::he_uniform, Initial::uniform_fan_in}},
    // megvii-model/ShuffleNet-Series ShuffleNetV1/network.py
    {Initialisation::megvii,
     "megvii",
     {Initial::normal_hundredth, Initial::normal_channels, Initial::normal_hundredth, 1e-4f}},
    // tensorflow/models research/slim/nets/mobilenet_v1.py, mobilenet/mobilenet.py
    {Initialisation::slim,
     "slim",
     {Initial::truncated_nine_hundredth, Initial::truncated_nine_hundredth, Initial::truncated_nine_hundredth}},
    // tensorflow/models research/slim/nets/nasnet/nasnet.py, variance_scaling_initializer of tf.contrib.layers
    {Initialisation::slim_nasnet,
     "slim_nasnet",
     {Initial::truncated_fan_out, Initial::truncated_fan_out, Initial::truncated_fan_out}},
};

}  // namespace

InitialRule initial_rule(Initialisation initialisation) {
  for (const Entry& entry : table) {
    if (entry.initialisation == initialisation) return entry.rule;
  }
  throw Error("initialisation number " + std::to_string(static_cast<int>(initialisation)) + " does not exist");
}

Initialisation initialisation_from_name(std::string_view name) {
  std::string known;
  for (const Entry& entry : table) {
    if (name == entry.name) return entry.initialisation;
    known += std::string(known.empty() ? "" : ", ") + entry.name;
  }
  throw Error("initialisation: expected one of " + known + ", found \"" + std::string(name) + "\"");
}

}  // namespace linnet::architectures
