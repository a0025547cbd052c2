// Whole documents: a full host-mode config, the specification's examples, and what `runc spec` and `crun spec` write.
#include <linux/capability.h>
#include <sys/resource.h>

#include "unit/test_config_cases.h"

using namespace reaper_test;

static void a_full_host_mode_config(void**) {
  reaper::Config config = accepted_silently(data("host_full.json"));
  assert_true(config.oci_version == "1.3.0");
  assert_int_equal(config.annotations.size(), 2);
  assert_true(config.annotations.at("com.example.owner") == "team-a");
  assert_int_equal(config.namespaces.size(), 3);
  assert_true(config.namespaces[1].type == "ipc" && config.namespaces[1].path == "/proc/1/ns/ipc");

  assert_true(config.process.has_value());
  const reaper::Process& process = *config.process;
  assert_true(process.args == (std::vector<std::string>{"python3", "-m", "http.server", "80"}));
  assert_true(process.env == (std::vector<std::string>{"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "EMPTY="}));
  assert_true(process.cwd == "/srv");
  assert_true(process.no_new_privileges);
  assert_int_equal(*process.oom_score_adj, -17);
  assert_int_equal(process.user->uid, 65534);
  assert_int_equal(process.user->gid, 65533);
  assert_int_equal(*process.user->umask, 027);
  assert_true(*process.user->additional_gids == (std::vector<uint32_t>{4, 27}));
  constexpr uint64_t bind = uint64_t{1} << CAP_NET_BIND_SERVICE;
  assert_true(process.capabilities->ambient == bind && process.capabilities->permitted == bind);
  assert_true(process.capabilities->effective == bind && process.capabilities->inheritable == bind);
  assert_true(process.capabilities->bounding == (bind | uint64_t{1} << CAP_KILL));
  assert_int_equal(process.rlimits.size(), 2);
  assert_int_equal(process.rlimits[0].resource, RLIMIT_NOFILE);
  assert_int_equal(process.rlimits[0].soft, 512);
  assert_int_equal(process.rlimits[0].hard, 1024);
  assert_int_equal(process.rlimits[1].resource, RLIMIT_CORE);
  assert_true(process.rlimits[1].hard == RLIM_INFINITY);
}

// config.md, Configuration Schema Example: everything in it is right, so nothing is INVALID.
static void the_full_example_of_the_specification(void**) {
  std::string text = data("spec_full_example.json");
  // The first of it that this build cannot apply.
  assert_refused(text, REAPER_ERR_UNSUPPORTED, "/linux/resources/network");
}

// config.md, User, Example (Linux).
static void the_process_example_of_the_specification(void**) {
  std::string text = data("spec_process_example.json");
  reaper::Config config = accepted_silently(text);
  assert_int_equal(config.process->user->uid, 1);
  assert_int_equal(*config.process->user->umask, 077);
  assert_true(*config.process->user->additional_gids == (std::vector<uint32_t>{5, 6}));
  assert_true(config.process->cwd == "/root");
  assert_int_equal(config.process->terminal->rows, 25);
  assert_int_equal(config.process->terminal->columns, 80);
  assert_true(config.process->apparmor_profile == "acme_secure_profile");
  assert_true(config.process->selinux_label == "system_u:system_r:svirt_lxc_net_t:s0:c124,c675");
  assert_int_equal(config.process->io_priority->level, 4);
  assert_int_equal(config.process->exec_cpu_affinity->final.size(), 2);
  assert_true(config.process->capabilities->ambient == uint64_t{1} << CAP_NET_BIND_SERVICE);
}

// What stands in their way is cgroup limits alone. Both of Debian 12 ask for ambient capabilities that are not
// inheritable, which no kernel grants: warnings.
static void what_spec_commands_write(void**) {
  for (const char* name : {"runc_1_1_spec.json", "crun_1_8_spec.json"}) {
    std::string text = data(name);
    assert_refused(text, REAPER_ERR_UNSUPPORTED, "/linux/resources/devices/0");
  }
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_full_host_mode_config),
      cmocka_unit_test(the_full_example_of_the_specification),
      cmocka_unit_test(the_process_example_of_the_specification),
      cmocka_unit_test(what_spec_commands_write),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
