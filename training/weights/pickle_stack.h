// The stack, the marks and the memory of a pickle machine.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "training/weights/pickle.h"

namespace linnet::training::pickle {

/// Containers are changed only until they lie in another one: so there are no cycles, and a limit on the nesting holds.
/// What does not fit throws linnet::Error without a place.
class Stack {
 public:
  void push(Value value);
  Value pop();
  Items pop_some(std::size_t count);
  void mark() { marks_.push_back(stack_.size()); }
  Items pop_to_mark();

  void push_list(Items items, bool is_tuple);
  void push_dictionary();
  void append_to_top(Items items);
  void set_in_top(Items items);  ///< keys and values by turns
  bool top_is_dictionary() const;

  void put(std::uint64_t index);
  void memoize() { put(memo_.size()); }
  void get(std::uint64_t index);

 private:
  Value place(Value value);
  void note_depth(const void* container, const Value& child);
  void check_open(const void* container) const;
  void extend(List& list, Items items);

  std::vector<Value> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint64_t, Value> memo_;
  std::map<const void*, std::size_t> depths_;      // of containers
  std::map<const void*, bool> placed_;             // containers that lie in others
  std::vector<std::shared_ptr<void>> keep_alive_;  // so that no address is used twice
};

}  // namespace linnet::training::pickle
