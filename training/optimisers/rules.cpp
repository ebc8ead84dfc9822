#include "training/optimisers/rules.h"

#include "linnet/error.h"

namespace linnet::training {
namespace {

constexpr const OptimiserRule* optimiser_rules[] = {&sgd_rule,   &rmsprop_rule, &rmsprop_tf_rule, &adam_rule,
                                                    &adamw_rule, &lamb_rule,    &lion_rule};

}  // namespace

std::vector<std::string_view> optimiser_kinds() {
  std::vector<std::string_view> kinds;
  for (const OptimiserRule* rule : optimiser_rules) kinds.push_back(rule->name);
  return kinds;
}

const OptimiserRule& find_optimiser_rule(const std::string& kind) {
  std::string known;
  for (const OptimiserRule* rule : optimiser_rules) {
    if (kind == rule->name) return *rule;
    known += (known.empty() ? "" : ", ") + std::string(rule->name);
  }
  throw Error("optimiser: unknown kind '" + kind + "', expected one of " + known);
}

}  // namespace linnet::training
