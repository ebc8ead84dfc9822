#include "engine/compile/pass.h"

namespace linnet::compiler {

std::span<const Pass> passes() {
  static constexpr Pass table[] = {
      {"remove_training_nodes", remove_training_nodes},
      {"merge_equal_nodes", merge_equal_nodes},
      {"activate_before_concat", activate_before_concat},
      {"fold_batch_norm", fold_batch_norm},
      {"fuse_activation", fuse_activation},
      {"fuse_residual", fuse_residual},
  };
  return table;
}

}  // namespace linnet::compiler
