#pragma once

#include <stdexcept>

namespace linnet {

/// Every error that the library raises on purpose. The message is one line and names the operation, the tensor or the
/// file, what was expected and what was found.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace linnet
