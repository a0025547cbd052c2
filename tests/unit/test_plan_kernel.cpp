// Plans against the real kernel: a child becomes the caller that a golden test's facts describe, plans, executes this
// program again as init would be executed, carries the operations for identity and capabilities out, compares, and
// executes it once more to see what execve(2) makes of the sets. It shows that execve.cpp describes this kernel.
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "unit/test_plan_support.h"

using namespace reaper_test;
namespace wire = reaper::wire;
using reaper::CapabilitySets;
using reaper::ProcessFacts;

// What the children exit with.
enum Exit {
  as_planned = 0,
  refused = 10,
  not_set_up = 11,
  operation_failed = 12,
  verify_differs = 13,
  after_differs = 14,
  broken = 15
};

static bool capset(uint64_t permitted, uint64_t effective, uint64_t inheritable) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  for (int half = 0; half < 2; ++half) {
    data[half].permitted = static_cast<uint32_t>(permitted >> (32 * half));
    data[half].effective = static_cast<uint32_t>(effective >> (32 * half));
    data[half].inheritable = static_cast<uint32_t>(inheritable >> (32 * half));
  }
  return syscall(SYS_capset, &header, data) == 0;
}

static bool raise_ambient(uint64_t mask) {
  for (int capability = 0; capability < 64; ++capability)
    if ((mask & bit(capability)) != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0)
      return false;
  return true;
}

static bool keep_bounding(uint64_t mask) {
  for (int capability = 0; capability <= last_capability; ++capability)
    if ((mask & bit(capability)) == 0 && prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1 &&
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
      return false;
  return true;
}

// Makes this process the wanted caller, as far as the machine's root holds the capabilities for it.
static bool become(const ProcessFacts& wanted) {
  const auto own = reaper::read_process_facts();
  if (!own.has_value()) return false;
  const uint64_t held = own->capabilities.permitted;
  const CapabilitySets& sets = wanted.capabilities;
  const std::vector<gid_t> groups(wanted.groups.begin(), wanted.groups.end());
  // Without the fix-up, no set changes with the uid.
  return prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) == 0 &&
         syscall(SYS_setgroups, groups.size(), groups.data()) == 0 &&
         syscall(SYS_setresgid, wanted.real_gid, wanted.effective_gid, wanted.saved_gid) == 0 &&
         syscall(SYS_setresuid, wanted.real_uid, wanted.effective_uid, wanted.saved_uid) == 0 &&
         capset(held, held, sets.inheritable & held) && raise_ambient(sets.ambient & held) &&
         keep_bounding(sets.bounding) && prctl(PR_SET_SECUREBITS, wanted.securebits, 0, 0, 0) == 0 &&
         (!wanted.no_new_privs || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) &&
         capset(sets.permitted & held, sets.effective & held, sets.inheritable & held);
}

static void execute(const char* role, int plan_fd) {
  const int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const std::string number = std::to_string(plan_fd);
  const char* const argv[] = {"test_plan_kernel", role, number.c_str(), nullptr};
  syscall(SYS_execveat, self, "", argv, environ, AT_EMPTY_PATH);
}

// The plan, and behind it the five sets that execve(2) is said to make.
static std::string message_of(const reaper::Plan& plan) {
  const auto bytes = reaper::encode_plan(plan);
  if (!bytes.has_value()) return "";
  const CapabilitySets& after = plan.identity.after_exec;
  const uint64_t sets[] = {after.permitted, after.effective, after.inheritable, after.ambient, after.bounding};
  return *bytes + std::string(reinterpret_cast<const char*>(sets), sizeof sets);
}

static int caller(const reaper::Config& config) {
  const auto facts = reaper::read_process_facts();
  if (!facts.has_value()) return broken;
  const auto plan = reaper::make_plan(config, *facts, {});
  if (!plan.has_value()) return plan.error().code == REAPER_ERR_PERMISSION ? refused : broken;
  const std::string message = message_of(*plan);
  const int fd = memfd_create("plan", 0);
  if (fd < 0 || write(fd, message.data(), message.size()) != static_cast<ssize_t>(message.size())) return broken;
  const reaper::CarriedCapabilities carried = reaper::carried_capabilities(*facts);
  const CapabilitySets& own = facts->capabilities;
  if (!capset(own.permitted, own.effective, carried.inheritable)) return operation_failed;
  if (!raise_ambient(carried.ambient & ~own.ambient)) return operation_failed;
  execute("--init", fd);
  return broken;
}

static std::string read_message(int fd) {
  std::string message;
  char buffer[4096];
  lseek(fd, 0, SEEK_SET);
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;) message.append(buffer, static_cast<size_t>(got));
  return message;
}

static bool apply(const reaper::Operation& operation) {
  const std::vector<uint64_t>& n = operation.numbers;
  switch (operation.op) {
    case wire::Op::keep_caps:
      return prctl(PR_SET_KEEPCAPS, n[0], 0, 0, 0) == 0;
    case wire::Op::bounding:
      return keep_bounding(n[0]);
    case wire::Op::groups: {
      const std::vector<gid_t> groups(n.begin(), n.end());
      return syscall(SYS_setgroups, groups.size(), groups.data()) == 0;
    }
    case wire::Op::gid:
      return syscall(SYS_setresgid, n[0], n[0], n[0]) == 0;
    case wire::Op::uid:
      return syscall(SYS_setresuid, n[0], n[0], n[0]) == 0;
    case wire::Op::capabilities:
      return capset(n[0], n[1], n[2]);
    case wire::Op::ambient:
      return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 && raise_ambient(n[0]);
    case wire::Op::no_new_privs:
      return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    default:
      return true;  // nothing of identity or capabilities
  }
}

static bool verified(const std::vector<uint64_t>& n) {
  const auto facts = reaper::read_process_facts();
  if (!facts.has_value()) return false;
  for (const uint32_t id : {facts->real_uid, facts->effective_uid, facts->saved_uid})
    if (id != n[0]) return false;
  for (const uint32_t id : {facts->real_gid, facts->effective_gid, facts->saved_gid})
    if (id != n[1]) return false;
  const CapabilitySets wanted = {n[2], n[3], n[4], n[5], n[6]};
  if (!(facts->capabilities == wanted) || facts->no_new_privs != (n[8] != 0) || facts->securebits != n[9]) return false;
  if (!std::equal(facts->groups.begin(), facts->groups.end(), n.begin() + wire::verify_fixed_numbers, n.end()))
    return false;
  if ((n[10] & wire::verify_no_regain_uid) != 0 && syscall(SYS_setresuid, 0, 0, 0) == 0) return false;
  if ((n[10] & wire::verify_no_regain_gid) != 0 && syscall(SYS_setresgid, 0, 0, 0) == 0) return false;
  if ((n[10] & wire::verify_no_regain_groups) != 0 && syscall(SYS_setgroups, 0, nullptr) == 0) return false;
  return true;
}

static int init(int fd) {
  const std::string message = read_message(fd);
  for (const reaper::Operation& operation : decode(message.substr(0, message.size() - 5 * sizeof(uint64_t)))) {
    if (!apply(operation)) {
      fprintf(stderr, "%s: %s\n", std::string(reaper::operation_name(operation.op)).c_str(), strerror(errno));
      return operation_failed;
    }
    if (operation.op == wire::Op::verify && !verified(operation.numbers)) return verify_differs;
  }
  execute("--program", fd);
  return broken;
}

static int program(int fd) {
  const std::string message = read_message(fd);
  uint64_t sets[5];
  memcpy(sets, message.data() + message.size() - sizeof sets, sizeof sets);
  const auto facts = reaper::read_process_facts();
  const CapabilitySets wanted = {sets[0], sets[1], sets[2], sets[3], sets[4]};
  return facts.has_value() && facts->capabilities == wanted ? as_planned : after_differs;
}

static int run_case(const reaper::Config& config, const ProcessFacts* wanted) {
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    if (wanted != nullptr && !become(*wanted)) _exit(not_set_up);
    _exit(caller(config));
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static std::string directory() {
  const char* data = getenv("REAPER_TEST_DATA");
  return std::string(data != nullptr ? data : "tests/data") + "/plan/";
}

static reaper::Config config_of(const std::string& name) {
  auto config = reaper::parse_config(read_text(directory() + name + ".json"));
  if (!config.has_value()) stop(name + ": " + config.error().message);
  config->namespaces.clear();
  config->uid_mappings.clear();  // tests/api/test_user_namespace.c
  config->gid_mappings.clear();
  config->sysctl.clear();
  config->seccomp.reset();  // tests/api/test_seccomp.c
  config->monotonic = config->boottime = {};
  config->root.reset();  // tests/api/test_root.c
  config->mounts.clear();
  config->devices.clear();
  config->masked_paths.clear();
  config->readonly_paths.clear();
  config->rootfs_propagation = 0;
  config->hostname.clear();
  config->domainname.clear();
  if (config->process.has_value()) {
    config->process->rlimits.clear();
    config->process->apparmor_profile.clear();  // few machines have one of the two, none has both
    config->process->selinux_label.clear();
  }
  config->cgroups_path.reset();  // tests/cli/cgroups_test.go
  config->intel_rdt.reset();     // tests/api/test_intel_rdt.c
  return *config;
}

static void as_we_are(void**) {
  for (const char* name : {"user-no-user", "no-new-privs", "user-capabilities-whole-bounding", "root-no-user"})
    assert_int_equal(run_case(config_of(name), nullptr), as_planned);
}

static void every_golden(void**) {
  const auto own = reaper::read_process_facts();
  if (!own.has_value() || own->effective_uid != 0 ||
      (own->capabilities.effective & bit(CAP_SETPCAP) & own->capabilities.bounding) == 0) {
    printf("SKIP: becoming other callers needs root with CAP_SETPCAP\n");
    skip();
  }
  DIR* entries = opendir(directory().c_str());
  assert_non_null(entries);
  int run = 0;
  int bad = 0;
  while (const dirent* entry = readdir(entries)) {
    std::string name = entry->d_name;
    if (!name.ends_with(".facts")) continue;
    name.resize(name.size() - strlen(".facts"));
    const reaper::Config config = config_of(name);
    if (!config.process.has_value()) continue;
    const ProcessFacts wanted = read_situation(directory() + name + ".facts").facts;
    const int result = run_case(config, &wanted);
    if (result == as_planned) ++run;
    if (result == as_planned || result == refused) continue;
    ++bad;
    print_error("%s: %d\n", name.c_str(), result);
  }
  closedir(entries);
  assert_int_equal(bad, 0);
  assert_true(run > 50);
}

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "--init") == 0) return init(atoi(argv[2]));
  if (argc == 3 && strcmp(argv[1], "--program") == 0) return program(atoi(argv[2]));
  const CMUnitTest tests[] = {cmocka_unit_test(as_we_are), cmocka_unit_test(every_golden)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
