#include <map>

#include "linnet/error.h"
#include "linnet/model.h"

namespace linnet {
namespace {

/// Names that have one fault in common: the first few, then a count.
class Fault {
 public:
  explicit Fault(const char* kind) : kind_(kind) {}

  void add(const std::string& what) {
    if (++count_ <= most_named) {
      names_ += (names_.empty() ? "" : ", ") + what;
    }
  }

  std::string text() const {
    if (count_ == 0) {
      return "";
    }
    const std::string more = count_ > most_named ? " and " + std::to_string(count_ - most_named) + " more" : "";
    return "; " + std::to_string(count_) + " " + kind_ + ": " + names_ + more;
  }

 private:
  static constexpr std::size_t most_named = 5;
  const char* kind_;
  std::size_t count_ = 0;
  std::string names_;
};

}  // namespace

void check_weights(const Graph& graph, Weights& weights) {
  Fault missing("missing");
  Fault extra("unexpected");
  Fault misshapen("misshapen");
  std::map<std::string, Shape> expected;
  for (Parameter& parameter : parameters(graph)) {
    const auto found = weights.find(parameter.name);
    if (found == weights.end()) {
      if (parameter.role == ParameterRole::counter) {
        weights.emplace(parameter.name, Tensor::zeros({}));
      } else {
        missing.add(parameter.name);
      }
    } else if (found->second.shape() != parameter.shape || found->second.empty()) {
      misshapen.add(parameter.name + " (expected " + to_string(parameter.shape) + ", found " +
                    to_string(found->second.shape()) + ")");
    }
    expected.emplace(std::move(parameter.name), std::move(parameter.shape));
  }
  for (const auto& [name, tensor] : weights) {
    if (!expected.contains(name)) {
      extra.add(name);
    }
  }
  const std::string faults = missing.text() + misshapen.text() + extra.text();
  if (!faults.empty()) {
    throw Error("the weights do not fit the network " + graph.name + faults);
  }
}

}  // namespace linnet
