#include "training/weights/pickle_stack.h"

#include <algorithm>

#include "linnet/error.h"

namespace linnet::training::pickle {
namespace {

constexpr std::size_t most_values = 1 << 22;
constexpr std::size_t deepest = 32;

[[noreturn]] void refuse(const std::string& what) { throw Error(what); }

const void* container_of(const Value& value) {
  if (const auto* list = std::get_if<std::shared_ptr<List>>(&value)) return list->get();
  if (const auto* dictionary = std::get_if<std::shared_ptr<Dictionary>>(&value)) return dictionary->get();
  return nullptr;
}

}  // namespace

void Stack::push(Value value) {
  if (stack_.size() >= most_values) refuse("too many values");
  stack_.push_back(std::move(value));
}

Value Stack::pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) refuse("the stack is empty");
  Value value = std::move(stack_.back());
  stack_.pop_back();
  return value;
}

Items Stack::pop_to_mark() {
  if (marks_.empty()) refuse("no mark on the stack");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  Items items(std::make_move_iterator(begin), std::make_move_iterator(stack_.end()));
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

Value Stack::place(Value value) {
  if (const void* container = container_of(value)) {
    const std::size_t depth = depths_[container];
    if (depth >= deepest) refuse("containers are nested too deeply");
    placed_.insert_or_assign(container, true);
  }
  return value;
}

void Stack::check_open(const void* container) const {
  if (placed_.contains(container)) refuse("a container is changed after it was used");
}

void Stack::note_depth(const void* container, const Value& child) {
  if (const void* inner = container_of(child)) depths_[container] = std::max(depths_[container], depths_[inner] + 1);
}

void Stack::extend(List& list, Items items) {
  for (Value& item : items) {
    if (container_of(item) == &list) refuse("a list is put into itself");
    note_depth(&list, item);
    list.items.push_back(place(std::move(item)));
  }
}

void Stack::push_list(Items items, bool is_tuple) {
  auto list = std::make_shared<List>();
  list->is_tuple = is_tuple;
  keep_alive_.push_back(list);
  extend(*list, std::move(items));
  push(std::move(list));
}

void Stack::push_dictionary() {
  auto dictionary = std::make_shared<Dictionary>();
  keep_alive_.push_back(dictionary);
  push(std::move(dictionary));
}

void Stack::append_to_top(Items items) {
  if (stack_.empty()) refuse("the stack is empty");
  const auto* list = std::get_if<std::shared_ptr<List>>(&stack_.back());
  if (list == nullptr || (*list)->is_tuple) refuse("expected a list to append to");
  check_open(list->get());
  extend(**list, std::move(items));
}

void Stack::set_in_top(Items items) {
  if (stack_.empty()) refuse("the stack is empty");
  const auto* dictionary = std::get_if<std::shared_ptr<Dictionary>>(&stack_.back());
  if (dictionary == nullptr) refuse("expected a dictionary to fill");
  if (items.size() % 2 != 0) refuse("a key without a value");
  Dictionary& target = **dictionary;
  check_open(&target);
  for (std::size_t i = 0; i < items.size(); i += 2) {
    if (container_of(items[i + 1]) == &target) refuse("a dictionary is put into itself");
    note_depth(&target, items[i + 1]);
    target.pairs.emplace_back(std::move(items[i]), place(std::move(items[i + 1])));
  }
}

Items Stack::pop_some(std::size_t count) {
  Items items(count);
  for (std::size_t i = count; i-- > 0;) items[i] = pop();
  return items;
}

void Stack::put(std::uint64_t index) {
  if (stack_.empty()) refuse("the stack is empty");
  memo_[index] = stack_.back();
}

void Stack::get(std::uint64_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) refuse("nothing was remembered as " + std::to_string(index));
  push(found->second);
}

bool Stack::top_is_dictionary() const {
  return !stack_.empty() && std::holds_alternative<std::shared_ptr<Dictionary>>(stack_.back());
}

}  // namespace linnet::training::pickle
