// What the error says that an action ends in.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "linnet/error.h"

namespace linnet::test {

/// The message of the linnet::Error that `action` throws; fails the test if it throws none.
template <class Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "expected linnet::Error";
  return "";
}

}  // namespace linnet::test
