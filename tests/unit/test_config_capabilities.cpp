// process.capabilities: names, absent sets, and the kernel's rules.
#include <linux/capability.h>

#include <cstring>

#include "unit/test_config_cases.h"

using namespace reaper_test;

static reaper::Capabilities accepted_sets(std::string_view members) {
  reaper::Config config = accepted_silently(capabilities(members));
  assert_true(config.process->capabilities.has_value());
  return *config.process->capabilities;
}

static uint64_t bit(int number) {
  return uint64_t{1} << number;
}

static void sets(void**) {
  reaper::Capabilities none = accepted_sets("");
  assert_int_equal(none.bounding | none.effective | none.inheritable | none.permitted | none.ambient, 0);

  reaper::Capabilities got = accepted_sets(
      R"("bounding":["CAP_CHOWN","CAP_KILL","CAP_CHECKPOINT_RESTORE"],
         "permitted":["CAP_KILL","CAP_NET_BIND_SERVICE","CAP_SYS_ADMIN"],
         "effective":["CAP_KILL"],
         "inheritable":["CAP_NET_BIND_SERVICE","CAP_SETUID"],
         "ambient":["CAP_NET_BIND_SERVICE"])");
  assert_true(got.bounding == (bit(CAP_CHOWN) | bit(CAP_KILL) | bit(CAP_CHECKPOINT_RESTORE)));
  assert_true(got.permitted == (bit(CAP_KILL) | bit(CAP_NET_BIND_SERVICE) | bit(CAP_SYS_ADMIN)));
  assert_true(got.effective == bit(CAP_KILL));
  assert_true(got.inheritable == (bit(CAP_NET_BIND_SERVICE) | bit(CAP_SETUID)));
  assert_true(got.ambient == bit(CAP_NET_BIND_SERVICE));

  // An absent set is empty, whatever the others are. A name may stand twice: it is a set.
  got = accepted_sets(R"("permitted":["CAP_KILL","CAP_KILL"])");
  assert_true(got.permitted == bit(CAP_KILL));
  assert_int_equal(got.bounding | got.effective | got.inheritable | got.ambient, 0);
}

// Every number of linux/capability.h up to Debian 12's last one, by name.
static void every_name(void**) {
  constexpr struct {
    const char* name;
    int number;
  } rows[] = {
      {"CAP_CHOWN", 0},
      {"CAP_DAC_OVERRIDE", 1},
      {"CAP_DAC_READ_SEARCH", 2},
      {"CAP_FOWNER", 3},
      {"CAP_FSETID", 4},
      {"CAP_KILL", 5},
      {"CAP_SETGID", 6},
      {"CAP_SETUID", 7},
      {"CAP_SETPCAP", 8},
      {"CAP_LINUX_IMMUTABLE", 9},
      {"CAP_NET_BIND_SERVICE", 10},
      {"CAP_NET_BROADCAST", 11},
      {"CAP_NET_ADMIN", 12},
      {"CAP_NET_RAW", 13},
      {"CAP_IPC_LOCK", 14},
      {"CAP_IPC_OWNER", 15},
      {"CAP_SYS_MODULE", 16},
      {"CAP_SYS_RAWIO", 17},
      {"CAP_SYS_CHROOT", 18},
      {"CAP_SYS_PTRACE", 19},
      {"CAP_SYS_PACCT", 20},
      {"CAP_SYS_ADMIN", 21},
      {"CAP_SYS_BOOT", 22},
      {"CAP_SYS_NICE", 23},
      {"CAP_SYS_RESOURCE", 24},
      {"CAP_SYS_TIME", 25},
      {"CAP_SYS_TTY_CONFIG", 26},
      {"CAP_MKNOD", 27},
      {"CAP_LEASE", 28},
      {"CAP_AUDIT_WRITE", 29},
      {"CAP_AUDIT_CONTROL", 30},
      {"CAP_SETFCAP", 31},
      {"CAP_MAC_OVERRIDE", 32},
      {"CAP_MAC_ADMIN", 33},
      {"CAP_SYSLOG", 34},
      {"CAP_WAKE_ALARM", 35},
      {"CAP_BLOCK_SUSPEND", 36},
      {"CAP_AUDIT_READ", 37},
      {"CAP_PERFMON", 38},
      {"CAP_BPF", 39},
      {"CAP_CHECKPOINT_RESTORE", 40},
  };
  for (const auto& row : rows)
    assert_true(accepted_sets(R"("bounding":[")" + std::string(row.name) + "\"]").bounding == bit(row.number));
}

// config.md, Linux Process: what cannot be mapped is a warning and does not fail; it is left out of the set.
static void unknown_names(void**) {
  constexpr struct {
    const char* text;
    const char* pointer;
    const char* words;
  } rows[] = {
      {R"("bounding":["CAP_NONSENSE_AND_MORE"])", "/process/capabilities/bounding/0", "left out"},
      {R"("bounding":["CAP_KILL","CAP_CHWON"])", "/process/capabilities/bounding/1", "CAP_CHOWN"},
      {R"("permitted":["cap_kill"])", "/process/capabilities/permitted/0", "CAP_KILL"},
      {R"("permitted":["KILL"])", "/process/capabilities/permitted/0", "CAP_KILL"},
      {R"("permitted":["net_bind_service"])", "/process/capabilities/permitted/0", "CAP_NET_BIND_SERVICE"},
      {R"("effective":["CAP_SYSADMIN"])", "/process/capabilities/effective/0", "CAP_SYS_ADMIN"},
      {R"("inheritable":["CAP_63"])", "/process/capabilities/inheritable/0", "unknown capability"},
      {R"("inheritable":["21"])", "/process/capabilities/inheritable/0", "unknown capability"},
      {R"("ambient":["ALL"])", "/process/capabilities/ambient/0", "unknown capability"},
      {R"("ambient":[""])", "/process/capabilities/ambient/0", "unknown capability"},
      {R"("bounding":[" CAP_KILL"])", "/process/capabilities/bounding/0", "CAP_KILL"},
      {R"("bounding":["CAP_KILL "])", "/process/capabilities/bounding/0", "CAP_KILL"},
  };
  for (const auto& row : rows) assert_warning(capabilities(row.text), row.pointer, row.words);

  reaper::Config config = accepted(capabilities(R"("bounding":["X","CAP_KILL","Y"],"permitted":["X"])"));
  assert_int_equal(config.warnings.size(), 3);
  assert_true(config.process->capabilities->bounding == bit(CAP_KILL));
  assert_int_equal(config.process->capabilities->permitted, 0);
  // Unknown in all of the sets: nothing to compare.
  config = accepted(capabilities(R"("effective":["CAP_FUTURE"],"ambient":["CAP_FUTURE"])"));
  assert_int_equal(config.warnings.size(), 2);
}

// The list of warnings is bounded, and so is the search for what was meant.
static void many_unknown_names(void**) {
  std::string text = R"("bounding":["CAP_KILL")";
  for (int i = 0; i < 200000; ++i) text += ",\"X" + std::to_string(i) + "\"";
  reaper::Config config = accepted(capabilities(text + "]"));
  assert_int_equal(config.warnings.size(), 101);
  assert_true(config.warnings.back().message.find("199900 more") != std::string::npos);
  assert_true(config.process->capabilities->bounding == bit(CAP_KILL));
}

static void sets_inside_sets(void**) {
  constexpr Refusal rows[] = {
      {R"("effective":["CAP_KILL"])", REAPER_ERR_INVALID, "/process/capabilities/effective/0"},
      {R"("effective":["CAP_KILL"],"permitted":["CAP_CHOWN"])", REAPER_ERR_INVALID,
       "/process/capabilities/effective/0"},
      {R"("effective":["CAP_CHOWN","CAP_KILL"],"permitted":["CAP_CHOWN"])", REAPER_ERR_INVALID,
       "/process/capabilities/effective/1"},
      {R"("effective":["NO_SUCH","CAP_CHOWN","CAP_KILL"],"permitted":["CAP_CHOWN"])", REAPER_ERR_INVALID,
       "/process/capabilities/effective/2"},
      {R"("effective":["CAP_KILL"],"bounding":["CAP_KILL"],"inheritable":["CAP_KILL"])", REAPER_ERR_INVALID,
       "/process/capabilities/effective/0"},
  };
  assert_refusals(capabilities, rows);
  // capabilities(7): the bounding set does not limit the others.
  accepted_sets(R"("bounding":[],"permitted":["CAP_KILL"],"effective":["CAP_KILL"],"inheritable":["CAP_KILL"],
                   "ambient":["CAP_KILL"])");
  accepted_sets(R"("inheritable":["CAP_KILL"])");
}

// The specification makes a capability that cannot be granted a warning: `runc spec` writes such sets.
static void ambient_that_no_kernel_grants(void**) {
  struct Row {
    const char* sets;
    const char* pointer;
    uint64_t left;
  };
  const Row rows[] = {
      {R"("ambient":["CAP_KILL"])", "/process/capabilities/ambient/0", 0},
      {R"("ambient":["CAP_KILL"],"permitted":["CAP_KILL"])", "/process/capabilities/ambient/0", 0},
      {R"("ambient":["CAP_KILL"],"inheritable":["CAP_KILL"])", "/process/capabilities/ambient/0", 0},
      {R"("ambient":["CAP_KILL","CAP_CHOWN"],"permitted":["CAP_KILL","CAP_CHOWN"],"inheritable":["CAP_KILL"])",
       "/process/capabilities/ambient/1", bit(CAP_KILL)},
      {R"("ambient":["CAP_KILL","CAP_CHOWN"],"inheritable":["CAP_KILL","CAP_CHOWN"],"permitted":["CAP_KILL"])",
       "/process/capabilities/ambient/1", bit(CAP_KILL)},
  };
  for (const Row& row : rows) {
    assert_warning(capabilities(row.sets), row.pointer, "left out");
    assert_true(accepted(capabilities(row.sets)).process->capabilities->ambient == row.left);
  }
}

static void wrong_types(void**) {
  constexpr Refusal rows[] = {
      {R"("bounding":null)", REAPER_ERR_INVALID, "/process/capabilities/bounding"},
      {R"("bounding":"CAP_KILL")", REAPER_ERR_INVALID, "/process/capabilities/bounding"},
      {R"("permitted":{})", REAPER_ERR_INVALID, "/process/capabilities/permitted"},
      {R"("permitted":0)", REAPER_ERR_INVALID, "/process/capabilities/permitted"},
      {R"("effective":[5])", REAPER_ERR_INVALID, "/process/capabilities/effective/0"},
      {R"("inheritable":["CAP_KILL",null])", REAPER_ERR_INVALID, "/process/capabilities/inheritable/1"},
      {R"("ambient":[["CAP_KILL"]])", REAPER_ERR_INVALID, "/process/capabilities/ambient/0"},
      {R"("ambient":[true])", REAPER_ERR_INVALID, "/process/capabilities/ambient/0"},
  };
  assert_refusals(capabilities, rows);
  // The form that the specification had before 1.0.0-rc5.
  assert_refused(process(R"("capabilities":["CAP_KILL"])"), REAPER_ERR_INVALID, "/process/capabilities");
  assert_refused(process(R"("capabilities":null)"), REAPER_ERR_INVALID, "/process/capabilities");
  assert_false(accepted_process("").capabilities.has_value());
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(sets),
      cmocka_unit_test(every_name),
      cmocka_unit_test(unknown_names),
      cmocka_unit_test(many_unknown_names),
      cmocka_unit_test(sets_inside_sets),
      cmocka_unit_test(ambient_that_no_kernel_grants),
      cmocka_unit_test(wrong_types),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
