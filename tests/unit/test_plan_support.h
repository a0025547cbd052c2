// What the tests of src/plan share: facts that are written down, and a decoder of the flat form.
#pragma once

#include <sys/resource.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "plan/plan.h"
#include "unit/cmocka_cpp.h"

namespace reaper_test {

inline constexpr int last_capability = 40;
inline constexpr uint64_t all_capabilities = (uint64_t{1} << (last_capability + 1)) - 1;

constexpr uint64_t bit(int capability) {
  return uint64_t{1} << capability;
}

// A root shell of a common machine.
inline reaper::ProcessFacts root_facts() {
  reaper::ProcessFacts facts;
  facts.capabilities = {all_capabilities, all_capabilities, 0, 0, all_capabilities};
  facts.last_capability = last_capability;
  facts.rlimits.fill({RLIM_INFINITY, RLIM_INFINITY});
  facts.rlimits[RLIMIT_NOFILE] = {1024, 1048576};
  facts.rlimits[RLIMIT_CORE] = {0, RLIM_INFINITY};
  return facts;
}

// An ordinary user's.
inline reaper::ProcessFacts user_facts() {
  reaper::ProcessFacts facts = root_facts();
  facts.real_uid = facts.effective_uid = facts.saved_uid = 1000;
  facts.real_gid = facts.effective_gid = facts.saved_gid = 1000;
  facts.groups = {4, 1000};
  facts.capabilities = {0, 0, 0, 0, all_capabilities};
  facts.rlimits[RLIMIT_NPROC] = {30000, 30000};
  return facts;
}

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

[[noreturn]] inline void stop(const std::string& message) {
  fprintf(stderr, "%s\n", message.c_str());
  abort();
}

inline uint64_t number_in(std::string_view text) {
  if (text == "unlimited") return RLIM_INFINITY;
  int base = 10;
  if (text.starts_with("0x")) {
    text.remove_prefix(2);
    base = 16;
  }
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) stop("no number: " + std::string(text));
  return number;
}

// "all", "none", "CAP_A CAP_B", "all -CAP_A".
inline uint64_t mask_in(const std::string& text) {
  std::istringstream words(text);
  uint64_t mask = 0;
  for (std::string word; words >> word;) {
    const bool without = word[0] == '-';
    if (word == "none") continue;
    if (word == "all") {
      mask = all_capabilities;
      continue;
    }
    const int number = reaper::capability_number(without ? word.substr(1) : word);
    if (number < 0) stop("no capability: " + word);
    mask = without ? mask & ~bit(number) : mask | bit(number);
  }
  return mask;
}

inline std::vector<uint32_t> ids_in(const std::string& text) {
  std::istringstream words(text);
  std::vector<uint32_t> ids;
  for (std::string word; words >> word;) ids.push_back(static_cast<uint32_t>(number_in(word)));
  return ids;
}

inline reaper::ResourceLimit limit_in(const std::string& text) {
  std::istringstream words(text);
  std::string soft, hard;
  words >> soft >> hard;
  return {number_in(soft), number_in(hard)};
}

// What a golden test's NAME.facts says: "key=value" lines; "base" comes first. `#` begins a comment.
struct Situation {
  reaper::ProcessFacts facts;
  reaper::PlanOptions options;
};

inline void read_ids(const std::string& value, uint32_t& real, uint32_t& effective, uint32_t& saved) {
  const std::vector<uint32_t> ids = ids_in(value);
  if (ids.size() != 3) stop("three ids are wanted: " + value);
  real = ids[0];
  effective = ids[1];
  saved = ids[2];
}

inline void apply_fact(Situation& situation, const std::string& key, const std::string& value) {
  reaper::ProcessFacts& facts = situation.facts;
  reaper::CapabilitySets& sets = facts.capabilities;
  if (key == "base" && value == "root")
    facts = root_facts();
  else if (key == "base" && value == "user")
    facts = user_facts();
  else if (key == "uid")
    read_ids(value, facts.real_uid, facts.effective_uid, facts.saved_uid);
  else if (key == "gid")
    read_ids(value, facts.real_gid, facts.effective_gid, facts.saved_gid);
  else if (key == "groups")
    facts.groups = ids_in(value);
  else if (key == "permitted")
    sets.permitted = mask_in(value);
  else if (key == "effective")
    sets.effective = mask_in(value);
  else if (key == "inheritable")
    sets.inheritable = mask_in(value);
  else if (key == "ambient")
    sets.ambient = mask_in(value);
  else if (key == "bounding")
    sets.bounding = mask_in(value);
  else if (key == "last_capability")
    facts.last_capability = static_cast<int>(number_in(value));
  else if (key == "securebits")
    facts.securebits = static_cast<uint32_t>(number_in(value));
  else if (key == "no_new_privs")
    facts.no_new_privs = number_in(value) != 0;
  else if (key == "nofile")
    facts.rlimits[RLIMIT_NOFILE] = limit_in(value);
  else if (key == "rlimit_nice")
    facts.rlimits[RLIMIT_NICE] = limit_in(value);
  else if (key == "rlimit_rtprio")
    facts.rlimits[RLIMIT_RTPRIO] = limit_in(value);
  else if (key == "scheduling") {
    const std::vector<uint32_t> numbers = ids_in(value);  // policy nice priority
    facts.scheduling = {numbers.at(0), static_cast<int>(numbers.at(1)), numbers.at(2)};
  } else if (key == "apparmor")
    facts.labels.apparmor = number_in(value) != 0;
  else if (key == "selinux")
    facts.labels.selinux = number_in(value) != 0;
  else if (key == "resctrl")
    facts.resctrl = value;
  else if (key == "id")
    situation.options.id = value;
  else if (key == "oom_score_adj")
    facts.oom_score_adj = static_cast<int>(number_in(value));
  else if (key == "setgroups_denied")
    facts.setgroups_denied = value == "1";
  else if (key == "in_initial_user_namespace")
    facts.in_initial_user_namespace = value == "1";
  else if (key == "uid_helper")
    facts.id_maps.uid_helper = value;
  else if (key == "gid_helper")
    facts.id_maps.gid_helper = value;
  else if (key == "bundle")
    situation.options.bundle = value;
  else if (key == "supervise")
    situation.options.supervise = value == "1";
  else if (key == "no_pivot")
    situation.options.no_pivot = value == "1";
  else if (key == "keyring")
    situation.options.session_keyring = value;
  else if (key == "listen_fds")
    situation.options.listen_fds = static_cast<uint32_t>(number_in(value));
  else if (key == "listen_names")
    situation.options.listen_names = value;
  else if (key == "cgroup") {
    std::istringstream words(value);
    reaper::CgroupHierarchy hierarchy;
    words >> hierarchy.name >> hierarchy.mount_point >> hierarchy.mount_root >> hierarchy.own;
    hierarchy.unified = hierarchy.name == "unified";
    facts.cgroups.hierarchies.push_back(hierarchy);
  } else if (key == "strict")
    situation.options.strict = number_in(value) != 0;
  else if (key == "extra_fds")
    situation.options.extra_fds = static_cast<uint32_t>(number_in(value));
  else
    stop("unknown fact: " + key + "=" + value);
}

inline Situation read_situation(const std::string& path) {
  Situation situation;
  std::istringstream lines(read_text(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const size_t equals = line.find('=');
    if (equals == std::string::npos) stop(path + ": no '=': " + line);
    apply_fact(situation, line.substr(0, equals), line.substr(equals + 1));
  }
  if (situation.facts.last_capability == 0) stop(path + ": no base");
  return situation;
}

// The flat form read back, by wire.h's words alone. Stops the test at the first byte that is not as it says.
inline std::vector<reaper::Operation> decode(const std::string& bytes) {
  namespace wire = reaper::wire;
  size_t at = 0;
  const auto take = [&](void* out, size_t size) {
    if (bytes.size() - at < size) stop("decode: the plan ends early");
    memcpy(out, bytes.data() + at, size);
    at += size;
  };
  wire::PlanHeader plan;
  take(&plan, sizeof plan);
  if (plan.magic != wire::plan_magic || plan.version != wire::version || plan.reserved != 0) stop("decode: header");
  if (plan.size != bytes.size()) stop("decode: size");
  std::vector<reaper::Operation> operations;
  for (uint32_t i = 0; i < plan.count; ++i) {
    const size_t begin = at;
    wire::OperationHeader header;
    take(&header, sizeof header);
    if (header.reserved != 0 || header.size % 8 != 0 || header.string_count == 0) stop("decode: operation header");
    reaper::Operation operation{static_cast<wire::Op>(header.op), "", {}, {}};
    operation.numbers.resize(header.number_count);
    for (uint64_t& number : operation.numbers) take(&number, sizeof number);
    for (uint32_t s = 0; s < header.string_count; ++s) {
      uint32_t length = 0;
      take(&length, sizeof length);
      std::string text(length, '\0');
      take(text.data(), length);
      char nul = 'x';
      take(&nul, 1);
      if (nul != '\0') stop("decode: no NUL after a string");
      if (s == 0)
        operation.pointer = text;
      else
        operation.strings.push_back(text);
    }
    if (begin + header.size < at || begin + header.size - at >= 8) stop("decode: operation size");
    while (at < begin + header.size) {
      char zero = 'x';
      take(&zero, 1);
      if (zero != '\0') stop("decode: padding");
    }
    operations.push_back(operation);
  }
  if (at != bytes.size()) stop("decode: bytes after the last operation");
  return operations;
}

inline const reaper::Operation* find_operation(const std::vector<reaper::Operation>& operations, reaper::wire::Op op) {
  for (const reaper::Operation& operation : operations)
    if (operation.op == op) return &operation;
  return nullptr;
}

}  // namespace reaper_test
