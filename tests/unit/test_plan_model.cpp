// A small model of the kernel's credentials carries out plans for many callers and configs. The property: a plan that
// was made does not fail, and what verify expects is what is there. The model is written from the kernel's rules
// (security/commoncap.c, kernel/sys.c), not from the planner.
#include <linux/capability.h>
#include <linux/securebits.h>

#include <algorithm>
#include <random>

#include "unit/test_plan_support.h"

using namespace reaper_test;
namespace wire = reaper::wire;
using reaper::CapabilitySets;
using reaper::ProcessFacts;

namespace {

struct Task {
  uint32_t uid[3];  // real, effective, saved
  uint32_t gid[3];
  std::vector<uint32_t> groups;
  CapabilitySets caps;
  uint32_t securebits = 0;
  bool no_new_privs = false;

  bool capable(int capability) const { return (caps.effective & bit(capability)) != 0; }
  static bool any(const uint32_t (&ids)[3], uint32_t id) { return ids[0] == id || ids[1] == id || ids[2] == id; }
};

bool inside(uint64_t small, uint64_t large) {
  return (small & ~large) == 0;
}

bool capset(Task& task, uint64_t permitted, uint64_t effective, uint64_t inheritable) {
  CapabilitySets& old = task.caps;
  if (!task.capable(CAP_SETPCAP) && !inside(inheritable, old.inheritable | old.permitted)) return false;
  if (!inside(inheritable, old.inheritable | old.bounding)) return false;
  if (!inside(permitted, old.permitted) || !inside(effective, permitted)) return false;
  old.permitted = permitted;
  old.effective = effective;
  old.inheritable = inheritable;
  old.ambient &= permitted & inheritable;
  return true;
}

bool ambient_raise(Task& task, int capability) {
  if ((task.caps.permitted & task.caps.inheritable & bit(capability)) == 0) return false;
  if ((task.securebits & SECBIT_NO_CAP_AMBIENT_RAISE) != 0) return false;
  task.caps.ambient |= bit(capability);
  return true;
}

bool setresuid(Task& task, uint32_t uid) {
  if (!Task::any(task.uid, uid) && !task.capable(CAP_SETUID)) return false;
  const bool was_root = Task::any(task.uid, 0);
  const bool was_effective_root = task.uid[1] == 0;
  std::fill(task.uid, task.uid + 3, uid);
  if ((task.securebits & SECBIT_NO_SETUID_FIXUP) != 0) return true;
  if (was_root && uid != 0) {
    if ((task.securebits & SECBIT_KEEP_CAPS) == 0) task.caps.permitted = task.caps.effective = 0;
    task.caps.ambient = 0;
  }
  if (was_effective_root && uid != 0) task.caps.effective = 0;
  if (!was_effective_root && uid == 0) task.caps.effective = task.caps.permitted;
  return true;
}

bool setresgid(Task& task, uint32_t gid) {
  if (!Task::any(task.gid, gid) && !task.capable(CAP_SETGID)) return false;
  std::fill(task.gid, task.gid + 3, gid);
  return true;
}

// `ambient_survives_mixed_ids`: Linux 6.16 and later.
void execve(Task& task, bool ambient_survives_mixed_ids) {
  const CapabilitySets old = task.caps;
  const bool mixed = task.uid[0] != task.uid[1] || task.gid[0] != task.gid[1];
  uint64_t permitted = 0;
  bool effective = false;
  if ((task.securebits & SECBIT_NOROOT) == 0 && (task.uid[0] == 0 || task.uid[1] == 0)) {
    permitted = old.bounding | old.inheritable;
    effective = task.uid[1] == 0;
  }
  const bool gained = !inside(permitted, old.permitted);
  if ((gained || mixed) && task.no_new_privs) permitted &= old.permitted;
  task.uid[2] = task.uid[1];
  task.gid[2] = task.gid[1];
  if (mixed && !ambient_survives_mixed_ids) task.caps.ambient = 0;
  task.caps.permitted = permitted | task.caps.ambient;
  task.caps.effective = effective ? task.caps.permitted : task.caps.ambient;
  task.securebits &= ~uint32_t{SECBIT_KEEP_CAPS};
}

Task task_of(const ProcessFacts& facts) {
  Task task;
  const uint32_t uid[3] = {facts.real_uid, facts.effective_uid, facts.saved_uid};
  const uint32_t gid[3] = {facts.real_gid, facts.effective_gid, facts.saved_gid};
  std::copy(uid, uid + 3, task.uid);
  std::copy(gid, gid + 3, task.gid);
  task.groups = facts.groups;
  task.caps = facts.capabilities;
  task.securebits = facts.securebits;
  task.no_new_privs = facts.no_new_privs;
  return task;
}

// What the child of the host does before it executes init.
bool carry(Task& task, const ProcessFacts& facts) {
  const reaper::CarriedCapabilities carried = reaper::carried_capabilities(facts);
  if (!capset(task, task.caps.permitted, task.caps.effective, carried.inheritable)) return false;
  for (int capability = 0; capability < 64; ++capability)
    if ((carried.ambient & ~task.caps.ambient & bit(capability)) != 0 && !ambient_raise(task, capability)) return false;
  return task.caps.ambient == carried.ambient;
}

// Carries one operation out. False: EPERM.
bool apply(Task& task, const reaper::Operation& operation) {
  const std::vector<uint64_t>& n = operation.numbers;
  switch (operation.op) {
    case wire::Op::keep_caps:
      if ((task.securebits & SECBIT_KEEP_CAPS_LOCKED) != 0) return false;
      task.securebits &= ~uint32_t{SECBIT_KEEP_CAPS};
      if (n[0] != 0) task.securebits |= SECBIT_KEEP_CAPS;
      return true;
    case wire::Op::bounding:
      if (!inside(task.caps.bounding, n[0]) && !task.capable(CAP_SETPCAP)) return false;
      task.caps.bounding &= n[0];
      return true;
    case wire::Op::groups:
      if (!task.capable(CAP_SETGID)) return false;
      task.groups.assign(n.begin(), n.end());
      return std::is_sorted(n.begin(), n.end());
    case wire::Op::gid:
      return setresgid(task, static_cast<uint32_t>(n[0]));
    case wire::Op::uid:
      return setresuid(task, static_cast<uint32_t>(n[0]));
    case wire::Op::capabilities:
      return capset(task, n[0], n[1], n[2]);
    case wire::Op::ambient:
      task.caps.ambient = 0;
      for (int capability = 0; capability < 64; ++capability)
        if ((n[0] & bit(capability)) != 0 && !ambient_raise(task, capability)) return false;
      return true;
    case wire::Op::no_new_privs:
      task.no_new_privs = true;
      return true;
    default:
      return true;
  }
}

bool verified(Task task, const std::vector<uint64_t>& n) {
  for (int i = 0; i < 3; ++i)
    if (task.uid[i] != n[0] || task.gid[i] != n[1]) return false;
  if (!std::equal(task.groups.begin(), task.groups.end(), n.begin() + wire::verify_fixed_numbers, n.end()))
    return false;
  if (task.caps.permitted != n[2] || task.caps.effective != n[3] || task.caps.inheritable != n[4]) return false;
  if (task.caps.ambient != n[5] || task.caps.bounding != n[6]) return false;
  if (task.no_new_privs != (n[8] != 0) || task.securebits != n[9]) return false;
  // The flags promise that these fail.
  Task other = task;
  if ((n[10] & wire::verify_no_regain_uid) != 0 && setresuid(other, 0)) return false;
  other = task;
  if ((n[10] & wire::verify_no_regain_gid) != 0 && setresgid(other, 0)) return false;
  if ((n[10] & wire::verify_no_regain_groups) != 0 && task.capable(CAP_SETGID)) return false;
  return true;
}

std::mt19937_64 random_numbers(20240229);

uint64_t pick(uint64_t count) {
  return random_numbers() % count;
}

uint64_t random_mask() {
  switch (pick(4)) {
    case 0:
      return 0;
    case 1:
      return all_capabilities;
    case 2:
      return random_numbers() & all_capabilities;
    default:
      return bit(CAP_SETUID) | bit(CAP_SETGID) | bit(CAP_SETPCAP) | bit(static_cast<int>(pick(last_capability + 1)));
  }
}

uint32_t random_id() {
  constexpr uint32_t ids[] = {0, 0, 1000, 1001, 4294967294};
  return ids[pick(std::size(ids))];
}

ProcessFacts random_facts() {
  ProcessFacts facts = root_facts();
  facts.real_uid = facts.effective_uid = facts.saved_uid = random_id();
  facts.real_gid = facts.effective_gid = facts.saved_gid = random_id();
  if (pick(4) == 0) facts.real_uid = random_id();
  if (pick(4) == 0) facts.saved_uid = random_id();
  if (pick(4) == 0) facts.real_gid = random_id();
  for (uint64_t count = pick(4); count > 0; --count) facts.groups.push_back(random_id());
  std::sort(facts.groups.begin(), facts.groups.end());
  CapabilitySets& sets = facts.capabilities;
  sets.bounding = pick(2) == 0 ? all_capabilities : random_mask();
  sets.permitted = random_mask();
  sets.effective = pick(3) == 0 ? random_mask() & sets.permitted : sets.permitted;
  sets.inheritable = random_mask();
  sets.ambient = random_mask() & sets.permitted & sets.inheritable;
  if (pick(2) == 0)
    for (const uint32_t flag : {SECBIT_NOROOT, SECBIT_NO_SETUID_FIXUP, SECBIT_KEEP_CAPS, SECBIT_KEEP_CAPS_LOCKED,
                                SECBIT_NO_CAP_AMBIENT_RAISE})
      if (pick(3) == 0) facts.securebits |= flag;
  facts.no_new_privs = pick(4) == 0;
  return facts;
}

reaper::Config random_config(const ProcessFacts& facts) {
  reaper::Config config;
  reaper::Process process;
  process.args = {"true"};
  process.cwd = "/";
  process.no_new_privileges = pick(3) == 0;
  if (pick(3) != 0) {
    reaper::User user;
    user.uid = pick(2) == 0 ? facts.effective_uid : random_id();
    user.gid = pick(2) == 0 ? facts.effective_gid : random_id();
    if (pick(2) == 0) user.additional_gids = pick(2) == 0 ? facts.groups : std::vector<uint32_t>{20, 4, 20};
    process.user = user;
  }
  if (pick(3) != 0) {
    reaper::Capabilities sets;
    sets.bounding = pick(2) == 0 ? all_capabilities : random_mask();
    sets.permitted = random_mask();
    sets.inheritable = random_mask();
    sets.effective = random_mask() & sets.permitted;
    sets.ambient = random_mask() & sets.permitted & sets.inheritable;
    process.capabilities = sets;
  }
  config.process = process;
  return config;
}

// What was asked for and not refused is there, or a warning says why not.
bool is_as_asked(const reaper::Config& config, const reaper::Plan& plan) {
  const reaper::Process& process = *config.process;
  const reaper::PlannedIdentity& identity = plan.identity;
  if (process.user.has_value() && (identity.uid != process.user->uid || identity.gid != process.user->gid))
    return false;
  if (process.no_new_privileges && !identity.no_new_privs) return false;
  if (!process.capabilities.has_value()) return true;
  const reaper::Capabilities& asked = *process.capabilities;
  const CapabilitySets& got = identity.before_exec;
  const bool never_more = inside(got.bounding, asked.bounding) && inside(got.permitted, asked.permitted) &&
                          inside(got.effective, asked.effective) && inside(got.inheritable, asked.inheritable) &&
                          inside(got.ambient, asked.ambient);
  const CapabilitySets wanted = {asked.permitted, asked.effective, asked.inheritable, asked.ambient, asked.bounding};
  return never_more && (got == wanted || !plan.warnings.empty());
}

struct Tally {
  int made = 0;
  int refused = 0;
};

void check_one(Tally& tally) {
  const ProcessFacts facts = random_facts();
  const reaper::Config config = random_config(facts);
  const auto plan = reaper::make_plan(config, facts, {});
  if (!plan.has_value()) {
    assert_int_equal(plan.error().code, REAPER_ERR_PERMISSION);
    ++tally.refused;
    return;
  }
  ++tally.made;
  if (!is_as_asked(config, *plan)) fail_msg("not as asked:\n%s", reaper::plan_to_text(*plan).c_str());
  for (const bool ambient_survives_mixed_ids : {false, true}) {
    Task task = task_of(facts);
    if (!carry(task, facts)) fail_msg("the child cannot carry its capabilities");
    execve(task, ambient_survives_mixed_ids);
    for (const reaper::Operation& operation : plan->operations) {
      if (!apply(task, operation))
        fail_msg("%s fails in\n%s", std::string(reaper::operation_name(operation.op)).c_str(),
                 reaper::plan_to_text(*plan).c_str());
      if (operation.op == wire::Op::verify && !verified(task, operation.numbers))
        fail_msg("verify fails in\n%s", reaper::plan_to_text(*plan).c_str());
    }
    assert_true(task.caps == plan->identity.before_exec);
    execve(task, ambient_survives_mixed_ids);
    if (!(task.caps == plan->identity.after_exec))
      fail_msg("execve makes something else of\n%s", reaper::plan_to_text(*plan).c_str());
  }
}

// Fewer by REAPER_CALLERS, where a processor is emulated.
void plans_hold(void**) {
  Tally tally;
  const char* wanted = getenv("REAPER_CALLERS");
  const int callers = wanted != nullptr ? std::max(atoi(wanted), 100) : 20000;
  for (int i = 0; i < callers; ++i) check_one(tally);
  // Neither of them may be rare, or the test sees nothing.
  assert_true(tally.made > callers / 5);
  assert_true(tally.refused > callers / 20);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(plans_hold)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
