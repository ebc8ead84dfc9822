#include <sched.h>

#include <cerrno>
#include <cstring>

#include "benches/machine/cores.h"
#include "linnet/error.h"

namespace linnet::bench {
namespace {

/// A set of CPUs of any size.
class CpuSet {
 public:
  explicit CpuSet(int size)
      : size_(size),
        bytes_(CPU_ALLOC_SIZE(static_cast<std::size_t>(size))),
        set_(CPU_ALLOC(static_cast<std::size_t>(size))) {
    if (set_ == nullptr) throw std::bad_alloc();
    CPU_ZERO_S(bytes_, set_);
  }
  ~CpuSet() { CPU_FREE(set_); }
  CpuSet(const CpuSet&) = delete;
  CpuSet& operator=(const CpuSet&) = delete;

  void add(int cpu) { CPU_SET_S(static_cast<std::size_t>(cpu), bytes_, set_); }
  bool has(int cpu) const { return CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes_, set_) != 0; }
  bool read() { return sched_getaffinity(0, bytes_, set_) == 0; }
  bool apply() const { return sched_setaffinity(0, bytes_, set_) == 0; }
  int size() const { return size_; }

 private:
  int size_;
  std::size_t bytes_;
  cpu_set_t* set_;
};

constexpr int most_cpus = 65536;

}  // namespace

std::string cpu_list_text(const std::vector<int>& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(cpus[i]);
    if (last > i) text += "-" + std::to_string(cpus[last]);
    i = last + 1;
  }
  return text;
}

std::vector<int> parse_cpu_list(const std::string& text) {
  const Error wrong("'" + text + "' is no list of CPUs; expected numbers and ranges as in 0-3,6");
  std::vector<int> cpus;
  std::size_t position = 0;
  const auto number = [&] {
    const std::size_t begin = position;
    int value = 0;
    while (position < text.size() && text[position] >= '0' && text[position] <= '9' && value < most_cpus)
      value = value * 10 + text[position++] - '0';
    if (position == begin || value >= most_cpus) throw wrong;
    return value;
  };
  while (true) {
    const int first = number();
    int last = first;
    if (position < text.size() && text[position] == '-') {
      ++position;
      last = number();
    }
    if (last < first) throw wrong;
    for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
    if (position == text.size()) return cpus;
    if (text[position++] != ',') throw wrong;
  }
}

std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
  // The kernel refuses a set that is smaller than its own.
  for (int size = CPU_SETSIZE; size <= most_cpus && cpus.empty(); size *= 4) {
    CpuSet set(size);
    if (!set.read()) continue;
    for (int cpu = 0; cpu < size; ++cpu)
      if (set.has(cpu)) cpus.push_back(cpu);
  }
  return cpus;
}

void stay_on(const std::vector<int>& cpus) {
  CpuSet set(most_cpus);
  for (const int cpu : cpus) set.add(cpu);
  if (!set.apply()) throw Error("cannot run on CPUs " + cpu_list_text(cpus) + ": " + std::strerror(errno));
  // The kernel keeps what is there of what was asked for.
  const std::vector<int> found = allowed_cpus();
  if (found.size() != cpus.size())
    throw Error("cannot run on CPUs " + cpu_list_text(cpus) + ": of these there are " + cpu_list_text(found));
}

}  // namespace linnet::bench
