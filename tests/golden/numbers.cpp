#include <algorithm>
#include <cmath>

#include "golden/golden.h"

namespace linnet::golden {

Numbers::Numbers(std::string_view name) : seed_(0xCBF29CE484222325u) {
  for (const char c : name) seed_ = (seed_ ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
}

double Numbers::u(std::uint64_t index) const {
  std::uint64_t z = seed_ + index * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z = z ^ (z >> 31);
  return static_cast<double>(z >> 40) / 16777216.0;
}

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool is_squeeze_excite(const Entry& entry) {
  return contains(entry.name, ".se.") || contains(entry.name, ".fc1.") || contains(entry.name, ".fc2.");
}

class GainRules {
 public:
  explicit GainRules(const std::vector<Entry>& state_dict) {
    Index depthwise = 0;
    bool squeeze_excite = false;
    for (const Entry& entry : state_dict) {
      squeeze_excite = squeeze_excite || is_squeeze_excite(entry);
      depthwise += entry.shape.size() == 4 && entry.shape[1] == 1;
      if (entry.name.ends_with("bias")) biases_[entry.name] = true;
    }
    pointwise_gain_ = squeeze_excite && depthwise <= 36 ? 0.7 : 0.5;
  }

  double gain(const Entry& entry) const {
    const std::string& name = entry.name;
    if (entry.shape.size() == 2) return 0.5;
    if (is_squeeze_excite(entry)) return 0.5;
    if (name.ends_with("weight") && biases_.contains(name.substr(0, name.size() - 6) + "bias")) return 2.0;
    if (entry.shape[1] == 1) return contains(name, "dw_start") || contains(name, "down_conv") ? 1.0 : 8.0;
    if (entry.shape[2] == 1 && entry.shape[3] == 1) return pointwise_gain_;
    return entry.shape[1] == 3 ? 2.0 : 1.0;
  }

 private:
  std::map<std::string, bool> biases_;
  double pointwise_gain_;
};

}  // namespace

Weights make_weights(const std::vector<Entry>& state_dict) {
  const GainRules rules(state_dict);
  Weights weights;
  for (const Entry& entry : state_dict) {
    Tensor& tensor = weights[entry.name] = Tensor::zeros(entry.shape);
    if (entry.name.ends_with("num_batches_tracked")) continue;
    const Numbers numbers(entry.name);
    const std::string& name = entry.name;
    double scale = 0, offset = 0;
    bool use_s = true;
    if (entry.shape.size() >= 2) {
      const double fan_in = static_cast<double>(tensor.size() / entry.shape[0]);
      scale = std::sqrt((3.0 * rules.gain(entry)) / fan_in);
    } else if (name.ends_with(".weight") || name.ends_with(".running_var") || name.ends_with(".gamma")) {
      use_s = false;
      offset = 0.75;
      scale = 0.5;
    } else {
      offset = name.ends_with(".se.conv_expand.bias") || name.ends_with(".fc2.bias") ? 2.0 : 0.0;
      scale = 0.0625;
    }
    for (Index i = 0; i < tensor.size(); ++i) {
      const auto index = static_cast<std::uint64_t>(i);
      tensor.data()[i] = static_cast<float>(offset + scale * (use_s ? numbers.s(index) : numbers.u(index)));
    }
  }
  return weights;
}

Tensor make_inputs(Index first, Index batch, Index height, Index width) {
  Tensor inputs({batch, height, width, 3});
  float* value = inputs.data();
  for (Index k = first; k < first + batch; ++k) {
    const std::string name = "linnet.input." + std::to_string(k);
    const Numbers level(name + ".level"), coarse(name + ".coarse"), fine(name + ".fine");
    for (Index y = 0; y < height; ++y)
      for (Index x = 0; x < width; ++x)
        for (Index c = 0; c < 3; ++c) {
          const auto coarse_index = static_cast<std::uint64_t>((c * 4 + y * 4 / height) * 4 + x * 4 / width);
          const auto fine_index = static_cast<std::uint64_t>((c * height + y) * width + x);
          *value++ = static_cast<float>(level.s(static_cast<std::uint64_t>(c)) + coarse.s(coarse_index) +
                                        0.5 * fine.s(fine_index));
        }
  }
  return inputs;
}

double relative_error(const float* found, const std::vector<double>& expected) {
  double largest_difference = 0, largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(found[i])) return HUGE_VAL;
    largest_difference = std::max(largest_difference, std::abs(static_cast<double>(found[i]) - expected[i]));
    largest = std::max(largest, std::abs(expected[i]));
  }
  return largest_difference == 0 ? 0 : largest_difference / largest;
}

}  // namespace linnet::golden
