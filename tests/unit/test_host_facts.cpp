// What read_process_facts() says of this process, against libc, /proc/self/status and changes made in children.
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>

#include "host/capability_names.h"
#include "host/facts.h"
#include "unit/cmocka_cpp.h"

using reaper::CapabilitySets;
using reaper::ProcessFacts;

static ProcessFacts facts_now() {
  auto facts = reaper::read_process_facts();
  if (!facts.has_value()) fail_msg("%s", facts.error().message.c_str());
  return *facts;
}

// Runs `check` in a child; true if it returned true.
static bool in_child(const std::function<bool()>& check) {
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) _exit(check() ? 0 : 1);
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// The same in a child, where no cmocka may be used.
static bool read_in_child(ProcessFacts& facts) {
  auto got = reaper::read_process_facts();
  if (got.has_value()) facts = *got;
  return got.has_value();
}

static void ids_and_groups(void**) {
  const ProcessFacts facts = facts_now();
  uint32_t real, effective, saved;
  assert_int_equal(getresuid(&real, &effective, &saved), 0);
  assert_true(facts.real_uid == real && facts.effective_uid == effective && facts.saved_uid == saved);
  assert_int_equal(getresgid(&real, &effective, &saved), 0);
  assert_true(facts.real_gid == real && facts.effective_gid == effective && facts.saved_gid == saved);
  std::vector<uint32_t> groups(static_cast<size_t>(getgroups(0, nullptr)));
  groups.resize(static_cast<size_t>(getgroups(static_cast<int>(groups.size()), groups.data())));
  std::sort(groups.begin(), groups.end());
  assert_true(facts.groups == groups);
}

static void against_proc_status(void**) {
  const ProcessFacts facts = facts_now();
  const auto status = reaper::read_credentials(getpid());
  assert_true(status.has_value());
  assert_true(facts.capabilities == status->capabilities);
  assert_true(facts.no_new_privs == status->no_new_privs);
  assert_true(facts.effective_uid == status->uid[1] && facts.saved_gid == status->gid[2]);
  assert_true(facts.groups == status->groups);
}

static void last_capability(void**) {
  const ProcessFacts facts = facts_now();
  int wanted = 0;
  std::ifstream file("/proc/sys/kernel/cap_last_cap");
  if (!(file >> wanted)) {
    printf("SKIP: no /proc/sys/kernel/cap_last_cap here\n");
    skip();
  }
  assert_int_equal(facts.last_capability, wanted);
  assert_int_equal(facts.capabilities.bounding >> wanted >> 1, 0);
}

static void securebits_and_limits(void**) {
  const ProcessFacts facts = facts_now();
  assert_int_equal(facts.securebits, prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
  for (int resource = 0; resource < RLIM_NLIMITS; ++resource) {
    rlimit limit = {};
    assert_int_equal(getrlimit(static_cast<__rlimit_resource>(resource), &limit), 0);
    assert_true(facts.rlimits[static_cast<size_t>(resource)] ==
                (reaper::ResourceLimit{limit.rlim_cur, limit.rlim_max}));
  }
}

static void sees_changes(void**) {
  assert_true(in_child([] {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    const rlimit limit = {5, 17};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    ProcessFacts facts;
    return read_in_child(facts) && facts.no_new_privs && facts.rlimits[RLIMIT_NOFILE] == reaper::ResourceLimit{5, 17};
  }));
}

static void many_groups(void**) {
  if (geteuid() != 0) {
    printf("SKIP: setgroups needs root\n");
    skip();
  }
  assert_true(in_child([] {
    for (const size_t count : {0, 1, 31, 32, 33, 1000}) {
      std::vector<gid_t> groups;
      for (size_t i = 0; i < count; ++i) groups.push_back(static_cast<gid_t>(70000 + i));
      if (setgroups(groups.size(), groups.data()) != 0) return false;
      ProcessFacts facts;
      if (!read_in_child(facts) || facts.groups != groups) return false;
    }
    return true;
  }));
}

// All five sets different, set by system calls and read back.
static void all_sets(void**) {
  const ProcessFacts own = facts_now();
  const uint64_t needed = 1U << CAP_SETPCAP | 1U << CAP_KILL | 1U << CAP_CHOWN | 1U << CAP_NET_RAW;
  if ((own.capabilities.effective & needed) != needed) {
    printf("SKIP: CAP_SETPCAP and others are not held\n");
    skip();
  }
  assert_true(in_child([] {
    if (prctl(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0) != 0) return false;
    constexpr uint32_t permitted = 1U << CAP_KILL | 1U << CAP_CHOWN | 1U << CAP_NET_RAW;
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {{1U << CAP_KILL, permitted, 1U << CAP_CHOWN | 1U << CAP_FOWNER}, {0, 0, 0}};
    if (syscall(SYS_capset, &header, data) != 0) return false;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) != 0) return false;
    ProcessFacts facts;
    if (!read_in_child(facts)) return false;
    const auto status = reaper::read_credentials(getpid());
    const CapabilitySets& sets = facts.capabilities;
    return status.has_value() && status->capabilities == sets && sets.permitted == permitted &&
           sets.effective == 1U << CAP_KILL && sets.inheritable == (1U << CAP_CHOWN | 1U << CAP_FOWNER) &&
           sets.ambient == 1U << CAP_CHOWN && (sets.bounding & 1U << CAP_NET_RAW) == 0;
  }));
}

static void carried(void**) {
  ProcessFacts facts;
  CapabilitySets& sets = facts.capabilities;
  facts.effective_uid = 1000;
  sets = {.permitted = 0b0111, .effective = 0b0001, .inheritable = 0b1001, .ambient = 0b0001, .bounding = 0b1011};
  reaper::CarriedCapabilities got = reaper::carried_capabilities(facts);
  assert_int_equal(got.inheritable, 0b1011);  // bit 2 is outside inheritable and bounding
  assert_int_equal(got.ambient, 0b0011);      // bit 3 is not permitted
  facts.securebits = SECBIT_NO_CAP_AMBIENT_RAISE;
  got = reaper::carried_capabilities(facts);
  assert_int_equal(got.inheritable, 0b1001);
  assert_int_equal(got.ambient, 0b0001);
  facts.securebits = 0;
  facts.effective_uid = 0;
  got = reaper::carried_capabilities(facts);
  assert_int_equal(got.inheritable, 0b1001);
  assert_int_equal(got.ambient, 0b0001);
  facts.securebits = SECBIT_NOROOT;
  got = reaper::carried_capabilities(facts);
  assert_int_equal(got.inheritable, 0b1011);
  assert_int_equal(got.ambient, 0b0011);
}

static void names(void**) {
  assert_int_equal(reaper::capability_number("CAP_CHOWN"), CAP_CHOWN);
  assert_int_equal(reaper::capability_number("CAP_SYS_ADMIN"), CAP_SYS_ADMIN);
  assert_int_equal(reaper::capability_number("CAP_CHECKPOINT_RESTORE"), CAP_CHECKPOINT_RESTORE);
  for (const char* name : {"", "CAP_", "CHOWN", "chown", "cap_chown", "CAP_chown", "CAP_Chown", "Cap_CHOWN", "CAP_0",
                           "CAP_63", "CAP_CAP_CHOWN", " CAP_CHOWN", "CAP_CHOWN ", "CAP_ CHOWN", "CAP_ALL", "CAP_-1"})
    if (reaper::capability_number(name) != -1) fail_msg("\"%s\" is a capability", name);
  assert_int_equal(reaper::capability_number(std::string_view("CAP_CHOWN\0X", 11)), -1);
  assert_int_equal(reaper::capability_number("CAP_" + std::string(100000, 'A')), -1);
  for (int number = 0; number <= CAP_LAST_CAP; ++number)
    assert_int_equal(reaper::capability_number(reaper::capability_name(number)), number);
  assert_string_equal(reaper::capability_name(CAP_NET_BIND_SERVICE).c_str(), "CAP_NET_BIND_SERVICE");
  assert_string_equal(reaper::capability_name(63).c_str(), "CAP_63");
  assert_string_equal(reaper::capability_name(-1).c_str(), "CAP_-1");
}

// Our table and libcap-ng's agree; and what is asked of it for want of a name of our own is answered.
static void names_in_the_library(void**) {
  for (int number = 0; number <= CAP_CHECKPOINT_RESTORE; ++number)
    assert_int_equal(reaper::capability_number_in_library(reaper::capability_name(number).substr(4)), number);
  assert_int_equal(reaper::capability_number_in_library("OF_TOMORROW"), -1);
  assert_int_equal(reaper::capability_number("CAP_OF_TOMORROW"), -1);
}

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(ids_and_groups),  cmocka_unit_test(against_proc_status),
                              cmocka_unit_test(last_capability), cmocka_unit_test(securebits_and_limits),
                              cmocka_unit_test(sees_changes),    cmocka_unit_test(many_groups),
                              cmocka_unit_test(all_sets),        cmocka_unit_test(carried),
                              cmocka_unit_test(names),           cmocka_unit_test(names_in_the_library)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
