// linux.memoryPolicy: before the program's memory exists, and before the kernel's own choice for what init has.
#include "plan/concerns.h"

namespace reaper::planning {

std::optional<Operation> plan_memory_policy(const std::optional<MemoryPolicy>& policy) {
  constexpr uint32_t word_bits = 64;
  if (!policy) return std::nullopt;
  Operation operation{wire::Op::memory_policy, "/linux/memoryPolicy", {policy->mode | policy->flags}, {""}};
  std::string& list = operation.strings[0];
  for (const CpuRange& range : policy->nodes) {
    const size_t words = range.last / word_bits + 1;
    if (operation.numbers.size() < words + 1) operation.numbers.resize(words + 1);
    for (uint32_t node = range.first; node <= range.last; ++node)
      operation.numbers[1 + node / word_bits] |= uint64_t{1} << node % word_bits;
    if (!list.empty()) list += ',';
    list += std::to_string(range.first);
    if (range.last != range.first) list += "-" + std::to_string(range.last);
  }
  return operation;
}

}  // namespace reaper::planning
