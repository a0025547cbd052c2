/*
 * Each system call between the claim and the program, made to fail, or made to say "done" without doing anything. The
 * first must be reported with operation, errno and pointer; the second must be found out by reading back. In no case
 * does the program run, and nothing is left behind.
 */
#include "containers.h"
#include "denial.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum moment { AT_CREATE, AT_START };

struct fault {
  const char* more; /* members of `process` */
  int needs_root;
  enum moment moment;
  struct denial denials[2];
  struct expected expected;
};

#define PRCTL(option, error) {SYS_prctl, error, 1, option}
#define USER ",\"user\":{\"uid\":12345,\"gid\":54321,\"additionalGids\":[7,9]}"
#define PORT "\"CAP_NET_BIND_SERVICE\""
#define AMBIENT                                                                                     \
  USER ",\"capabilities\":{\"bounding\":[" PORT "],\"permitted\":[" PORT "],\"inheritable\":[" PORT \
       "],\"ambient\":[" PORT "]}"
#define CORE ",\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0}]"
#define FILES ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":20,\"hard\":20}]"
#define DENIED REAPER_ERR_PERMISSION
#define FAILED REAPER_ERR_SYSTEM
/* How init opens what it writes to in /proc; nobody else opens anything so. */
#define PROC_WRITE (O_WRONLY | O_CLOEXEC | O_NOFOLLOW)

static const struct fault faults[] = {
    /* The caller's side. */
    {"", 0, AT_CREATE, {{SYS_mkdirat, ENOSPC, 0, 0}}, {FAILED, ENOSPC, "claim", "", "ENOSPC"}},
    {"", 0, AT_CREATE, {{SYS_flock, ENOLCK, 0, 0}}, {FAILED, ENOLCK, "lock", "", "flock"}},
    {"", 0, AT_CREATE, {{SYS_socketpair, EMFILE, 0, 0}}, {FAILED, EMFILE, "launch", "", "socketpair"}},
    {"", 0, AT_CREATE, {{SYS_clone3, ENOMEM, 0, 0}}, {REAPER_ERR_NO_MEMORY, ENOMEM, "clone", "", "ENOMEM"}},
    {"",
     0,
     AT_CREATE,
     {{SYS_clone3, ENOSYS, 0, 0}, {SYS_clone, EAGAIN, 0, 0}},
     {FAILED, EAGAIN, "clone", "", "EAGAIN"}},
    {"", 0, AT_CREATE, {{SYS_execveat, ENOEXEC, 0, 0}}, {FAILED, ENOEXEC, "execveat", "", "execveat of reaper-init"}},
    {"", 0, AT_CREATE, {{SYS_execveat, EACCES, 0, 0}}, {DENIED, EACCES, "execveat", "", "execveat of reaper-init"}},
#if defined(SYS_renameat)
    {"",
     0,
     AT_CREATE,
     {{SYS_renameat, EROFS, 0, 0}, {SYS_renameat2, EROFS, 0, 0}},
     {FAILED, EROFS, "record", "", "rename state.json"}},
#endif
    {"", 0, AT_CREATE, {{SYS_sendto, EPERM, 0, 0}}, {DENIED, EPERM, "handshake", "", "send to reaper-init: EPERM"}},
    /* reaper-init cannot even say that all is well, or what is wrong. */
    {"",
     0,
     AT_CREATE,
     {{SYS_sendto, EPERM, 4, MSG_NOSIGNAL}},
     {FAILED, 0, "handshake", "", "ended before it was ready"}},

    /* The operations of create, in the plan's order. */
    {"", 0, AT_CREATE, {{SYS_dup3, EMFILE, 0, 0}}, {FAILED, EMFILE, "setup", "", "setup: EMFILE: dup3"}},
    {"", 0, AT_CREATE, {{SYS_setsid, EPERM, 0, 0}}, {DENIED, EPERM, "setsid", "", "setsid: EPERM"}},
    {"", 0, AT_CREATE, {{SYS_fchdir, EIO, 0, 0}}, {FAILED, EIO, "gate", "", "gate: EIO: fchdir"}},
    {"", 0, AT_CREATE, {{SYS_socket, EMFILE, 0, 0}}, {FAILED, EMFILE, "gate", "", "gate: EMFILE: socket"}},
    {"", 0, AT_CREATE, {{SYS_bind, EACCES, 0, 0}}, {DENIED, EACCES, "gate", "", "gate: EACCES: bind"}},
    {"", 0, AT_CREATE, {{SYS_listen, ENOBUFS, 0, 0}}, {FAILED, ENOBUFS, "gate", "", "gate: ENOBUFS: listen"}},
    {"", 0, AT_CREATE, {{SYS_chdir, EIO, 0, 0}}, {FAILED, EIO, "gate", "", "gate: EIO: chdir /"}},
    {CORE,
     0,
     AT_CREATE,
     {{SYS_prlimit64, EPERM, -3, 0}},
     {DENIED, EPERM, "setrlimit", "/process/rlimits/0", "raising a hard limit needs CAP_SYS_RESOURCE"}},
    {CORE,
     0,
     AT_CREATE,
     {{SYS_prlimit64, EINVAL, -3, 0}},
     {FAILED, EINVAL, "setrlimit", "/process/rlimits/0", "/process/rlimits/0: setrlimit: EINVAL"}},
    {",\"oomScoreAdj\":1000",
     0,
     AT_CREATE,
     {{SYS_openat, EROFS, 3, PROC_WRITE}},
     {FAILED, EROFS, "oom_score_adj", "/process/oomScoreAdj", "/proc/self/oom_score_adj"}},
    {",\"oomScoreAdj\":1000",
     0,
     AT_CREATE,
     {{SYS_openat, EACCES, 3, PROC_WRITE}},
     {DENIED, EACCES, "oom_score_adj", "/process/oomScoreAdj", "needs CAP_SYS_RESOURCE"}},
    {"", 0, AT_CREATE, {PRCTL(PR_SET_DUMPABLE, EINVAL)}, {FAILED, EINVAL, "not_dumpable", "", "EINVAL"}},
    {AMBIENT,
     1,
     AT_CREATE,
     {PRCTL(PR_SET_KEEPCAPS, EPERM)},
     {DENIED, EPERM, "keep_caps", "/process/capabilities", "EPERM"}},
    {",\"capabilities\":{}",
     1,
     AT_CREATE,
     {PRCTL(PR_CAPBSET_DROP, EPERM)},
     {DENIED, EPERM, "bounding", "/process/capabilities/bounding", "EPERM: CAP_CHOWN; needs CAP_SETPCAP"}},
    {USER,
     1,
     AT_CREATE,
     {{SYS_setgroups, EPERM, 0, 0}},
     {DENIED, EPERM, "setgroups", "/process/user/additionalGids", "needs CAP_SETGID; run as root"}},
    {USER,
     1,
     AT_CREATE,
     {{SYS_setresgid, EPERM, 0, 0}},
     {DENIED, EPERM, "setresgid", "/process/user/gid", "needs CAP_SETGID; run as root"}},
    {USER,
     1,
     AT_CREATE,
     {{SYS_setresuid, EPERM, 0, 0}},
     {DENIED, EPERM, "setresuid", "/process/user/uid", "needs CAP_SETUID; run as root"}},
    /* RLIMIT_NPROC of the target: what older programs forgot to look at, and stayed root. */
    {USER,
     1,
     AT_CREATE,
     {{SYS_setresuid, EAGAIN, 0, 0}},
     {FAILED, EAGAIN, "setresuid", "/process/user/uid", "/process/user/uid: setresuid: EAGAIN"}},
    {"", 0, AT_CREATE, {{SYS_getcwd, EIO, 0, 0}}, {FAILED, EIO, "chdir", "/process/cwd", "EIO: getcwd"}},
    {"",
     0,
     AT_CREATE,
     {{SYS_faccessat, EIO, 0, 0}},
     {REAPER_ERR_EXEC, EIO, "find", "/process/args/0", "exec: \"/bin/sh\": EIO"}},
    {"", 0, AT_CREATE, {{SYS_capset, EPERM, 0, 0}}, {DENIED, EPERM, "capset", "", "capset: EPERM"}},
    {"", 0, AT_CREATE, {PRCTL(PR_CAP_AMBIENT, EPERM)}, {DENIED, EPERM, "ambient", "", "ambient: EPERM"}},
    {",\"noNewPrivileges\":true",
     0,
     AT_CREATE,
     {PRCTL(PR_SET_NO_NEW_PRIVS, EINVAL)},
     {FAILED, EINVAL, "no_new_privs", "/process/noNewPrivileges", "EINVAL"}},
    {"", 0, AT_CREATE, {{SYS_signalfd4, ENFILE, 0, 0}}, {FAILED, ENFILE, "wait", "", "wait: ENFILE: signalfd4"}},

    /* Those of start. */
    {FILES,
     0,
     AT_START,
     {{SYS_prlimit64, EPERM, -3, 0}},
     {DENIED, EPERM, "setrlimit", "/process/rlimits/0", "setrlimit: EPERM"}},
    {"", 0, AT_START, {{SYS_rt_sigaction, EINVAL, 0, 0}}, {FAILED, EINVAL, "signals", "", "EINVAL: rt_sigaction"}},
    {"",
     0,
     AT_START,
     {{SYS_execve, EPERM, 0, 0}},
     {REAPER_ERR_EXEC, EPERM, "execve", "/process/args", "exec: \"/bin/sh\": permission denied"}},
    {"",
     0,
     AT_START,
     {{SYS_execve, ENOMEM, 0, 0}},
     {REAPER_ERR_EXEC, ENOMEM, "execve", "/process/args", "exec: \"/bin/sh\": ENOMEM"}},

    /* "Done" without doing anything: an errno of 0. Only reading back can tell. */
    {USER,
     1,
     AT_START,
     {{SYS_setresuid, 0, 0, 0}},
     {REAPER_ERR_VERIFY, 0, "verify", "/process", "uid is 0 instead of 12345"}},
    {USER,
     1,
     AT_START,
     {{SYS_setresgid, 0, 0, 0}},
     {REAPER_ERR_VERIFY, 0, "verify", "/process", "gid is 0 instead of 54321"}},
    {USER, 1, AT_START, {{SYS_setgroups, 0, 0, 0}}, {REAPER_ERR_VERIFY, 0, "verify", "/process", "groups is"}},
    {",\"capabilities\":{}",
     1,
     AT_START,
     {{SYS_capset, 0, 0, 0}},
     {REAPER_ERR_VERIFY, 0, "verify", "/process", "permitted is 0x"}},
    {",\"capabilities\":{\"permitted\":[" PORT "]}",
     1,
     AT_START,
     {PRCTL(PR_CAPBSET_DROP, 0)},
     {REAPER_ERR_VERIFY, 0, "verify", "/process", "instead of 0x0: the program was not executed"}},
    {AMBIENT,
     1,
     AT_START,
     {PRCTL(PR_CAP_AMBIENT, 0)},
     {REAPER_ERR_VERIFY, 0, "verify", "/process", "ambient is 0x0 instead of 0x400"}},
    {",\"noNewPrivileges\":true",
     1,
     AT_START,
     {PRCTL(PR_SET_NO_NEW_PRIVS, 0)},
     {REAPER_ERR_VERIFY, 0, "verify", "/process", "no_new_privs is 0 instead of 1"}},
    /* What was given up comes back. */
    {USER,
     1,
     AT_START,
     {{SYS_setresuid, 0, 1, 0}},
     {REAPER_ERR_VERIFY, 0, "verify", "/process", "setresuid gives root back"}},
    {USER,
     1,
     AT_START,
     {{SYS_setresgid, 0, 1, 0}},
     {REAPER_ERR_VERIFY, 0, "verify", "/process", "setresgid gives root back"}},
    {USER,
     1,
     AT_START,
     {{SYS_setgroups, 0, 1, 0}},
     {REAPER_ERR_VERIFY, 0, "verify", "/process", "setgroups gives root back"}},
};

/* The program writes to its standard output, so that it cannot run unseen. */
static int provoke(struct scene* scene, const struct fault* fault) {
  const int output = memfd_create("output", MFD_CLOEXEC);
  char* config = shell_config("echo it runs", fault->more);
  reaper_create_options options = options_of(scene, config);
  options.flags = REAPER_CREATE_STDIO;
  options.stdio[0] = options.stdio[2] = -1;
  options.stdio[1] = output;
  CHECK(deny(fault->denials, fault->denials[1].call != 0 ? 2 : 1) == 0);
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  int result = reaper_create(scene->runtime, "fault", &options, &container, &error);
  if (fault->moment == AT_START) {
    if (result != REAPER_OK) return complain("create", error);
    result = reaper_start(container, &error);
  }
  int bad = error_differs(result, &error, &fault->expected);
  if (fault->moment == AT_START) {
    CHECK(must_status(container) == REAPER_STATUS_STOPPED);
    CHECK(reaper_delete(container, 0, &error) == REAPER_OK);
    reaper_container_free(container);
  } else {
    CHECK(container == NULL);
  }
  struct stat status;
  CHECK(fstat(output, &status) == 0 && status.st_size == 0);
  close(output);
  free(config);
  return bad;
}

static int one_fault(void* argument) {
  const struct fault* fault = argument;
  struct scene scene;
  scene_open(&scene);
  warm_up(&scene);
  const struct census before = take_census(scene.place.root);
  int bad = provoke(&scene, fault);
  const struct census after = take_census(scene.place.root);
  if (memcmp(&before, &after, sizeof before) != 0) {
    dprintf(2, "left behind: %d descriptors, %d children, %d entries\n", after.descriptors - before.descriptors,
            after.children - before.children, after.entries - before.entries);
    bad = 1;
  }
  scene_close(&scene);
  return bad;
}

static void provoke_all(int needs_root) {
  int bad = 0;
  for (size_t i = 0; i < COUNT_OF(faults); ++i) {
    if (faults[i].needs_root != needs_root) continue;
    struct fault fault = faults[i];
    if (in_child(one_fault, &fault) == 0) continue;
    dprintf(2, "fault %zu: system call %ld with %d, config: %s\n", i, fault.denials[0].call, fault.denials[0].error,
            fault.more);
    ++bad;
  }
  assert_int_equal(bad, 0);
}

static void test_faults(void** state) {
  (void)state;
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  provoke_all(0);
}

static void test_faults_of_the_privileged(void** state) {
  (void)state;
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  if (!is_root()) SKIP("needs root");
  provoke_all(1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_faults),
      cmocka_unit_test(test_faults_of_the_privileged),
  };
  return cmocka_run_group_tests_name("init_faults", tests, NULL, NULL);
}
