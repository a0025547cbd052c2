// What the host room reads of other processes: state, parent, exit code, children, credentials, namespaces.
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

#include "host/birth.h"
#include "host/children.h"
#include "host/facts.h"
#include "unit/cmocka_cpp.h"

// A child that does `work`, says so and waits to be killed.
struct Child {
  pid_t pid = -1;
  int ready[2] = {-1, -1};
};

template <class Work>
static Child start_child(Work work) {
  Child child;
  assert_int_equal(pipe2(child.ready, O_CLOEXEC), 0);
  fflush(stdout);
  child.pid = fork();
  if (child.pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    work();
    const ssize_t written = write(child.ready[1], "x", 1);
    while (written == 1) pause();
    _exit(1);
  }
  char byte = 0;
  assert_int_equal(read(child.ready[0], &byte, 1), 1);
  return child;
}

static void end_child(const Child& child) {
  kill(child.pid, SIGKILL);
  waitpid(child.pid, nullptr, 0);
  close(child.ready[0]);
  close(child.ready[1]);
}

// Waits until the process is a zombie, without reaping it.
static void await_zombie(pid_t pid) {
  siginfo_t info;
  assert_int_equal(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
}

static reaper::ProcessStat stat_of(pid_t pid) {
  auto stat = reaper::read_process_stat(pid);
  if (!stat.has_value()) fail_msg("%s", stat.error().message.c_str());
  return *stat;
}

static void own_stat(void**) {
  const reaper::ProcessStat stat = stat_of(getpid());
  assert_int_equal(stat.state, 'R');
  assert_int_equal(stat.parent, getppid());
  assert_true(stat.start_time > 0);
  assert_false(stat.exiting);
  assert_false(stat.exit_code_visible);
}

static void hostile_names(void**) {
  for (const char* name : {") R 1 1 1", "a b", "((", "))", ") (", "x) Z 7 (", "\n) Z 7", ""}) {
    const Child child = start_child([name] { prctl(PR_SET_NAME, name); });
    const reaper::ProcessStat stat = stat_of(child.pid);
    const reaper::ProcessStat parent = stat_of(getpid());
    end_child(child);
    if (stat.parent != getpid()) fail_msg("the name \"%s\" makes the parent %d", name, stat.parent);
    assert_true(stat.state == 'S' || stat.state == 'R');
    assert_true(stat.start_time >= parent.start_time);
  }
}

static void zombies(void**) {
  const struct {
    int exit_code;
    int signal;
  } rows[] = {{0, 0}, {3, 0}, {255, 0}, {0, SIGKILL}, {0, SIGTERM}};
  for (const auto& row : rows) {
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
      if (row.signal != 0) raise(row.signal);
      _exit(row.exit_code);
    }
    await_zombie(pid);
    const reaper::ProcessStat stat = stat_of(pid);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(stat.state, 'Z');
    assert_true(stat.exiting);
    assert_true(stat.exit_code_visible);
    assert_int_equal(stat.exit_code, status);
    const auto gone = reaper::read_process_stat(pid);
    assert_false(gone.has_value());
    assert_int_equal(gone.error().code, REAPER_ERR_NOT_FOUND);
  }
}

// Another user's zombie reads 0, and that must not look like success.
static void foreign_zombie(void**) {
  if (geteuid() != 0) {
    printf("SKIP: two other users are needed, so root\n");
    skip();
  }
  fflush(stdout);
  const pid_t zombie = fork();
  if (zombie == 0) _exit(setresgid(12345, 12345, 12345) == 0 && setresuid(12345, 12345, 12345) == 0 ? 7 : 1);
  await_zombie(zombie);
  assert_int_equal(stat_of(zombie).exit_code, 7 << 8);
  const pid_t reader = fork();
  if (reader == 0) {
    if (setresgid(12346, 12346, 12346) != 0 || setresuid(12346, 12346, 12346) != 0) _exit(1);
    const auto stat = reaper::read_process_stat(zombie);
    if (!stat.has_value()) _exit(2);
    _exit(stat->state == 'Z' && stat->exit_code == 0 && !stat->exit_code_visible ? 0 : 3);
  }
  int status = 0;
  assert_int_equal(waitpid(reader, &status, 0), reader);
  assert_int_equal(status, 0);
  assert_int_equal(waitpid(zombie, nullptr, 0), zombie);
}

static void no_such_pid(void**) {
  for (const int32_t pid : {0, -1, INT32_MAX, INT32_MIN}) {
    assert_int_equal(reaper::read_process_stat(pid).error().code, REAPER_ERR_NOT_FOUND);
    assert_int_equal(reaper::read_children(pid).error().code, REAPER_ERR_NOT_FOUND);
    assert_int_equal(reaper::scan_children(pid).error().code, REAPER_ERR_NOT_FOUND);
    assert_int_equal(reaper::read_credentials(pid).error().code, REAPER_ERR_NOT_FOUND);
  }
}

static void children(void**) {
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);  // the grandchild comes to us, to be reaped
  const Child first = start_child([] {});
  const Child second = start_child([] {
    // A grandchild is nobody's direct child here.
    if (fork() == 0)
      for (;;) pause();
  });
  std::vector<int32_t> wanted = {first.pid, second.pid};
  std::sort(wanted.begin(), wanted.end());
  const auto listed = reaper::read_children(getpid());
  auto scanned = reaper::scan_children(getpid());
  const auto below = reaper::read_children(second.pid);
  const auto none = reaper::read_children(first.pid);
  end_child(first);
  end_child(second);
  if (below.has_value())
    for (const int32_t grandchild : *below) {
      kill(grandchild, SIGKILL);
      assert_int_equal(waitpid(grandchild, nullptr, 0), grandchild);
    }
  assert_true(listed.has_value() && *listed == wanted);
  assert_true(scanned.has_value());
  std::sort(scanned->begin(), scanned->end());
  assert_true(*scanned == wanted);
  assert_true(below.has_value() && below->size() == 1);
  assert_true(none.has_value() && none->empty());
}

// The kernel lists a child under the thread that made it.
static void children_of_threads(void**) {
  Child child;
  int done[2];
  assert_int_equal(pipe2(done, O_CLOEXEC), 0);
  std::thread thread([&child, &done] {
    child.pid = fork();
    if (child.pid == 0)
      for (;;) pause();
    char byte = 0;
    // Lives until the test has looked: the children of an ended thread move.
    if (read(done[0], &byte, 1) != 1) abort();
  });
  std::vector<int32_t> found;
  while (found.empty()) {
    const auto listed = reaper::read_children(getpid());
    if (!listed.has_value()) break;
    found = *listed;
  }
  assert_int_equal(write(done[1], "x", 1), 1);
  thread.join();
  kill(child.pid, SIGKILL);
  waitpid(child.pid, nullptr, 0);
  close(done[0]);
  close(done[1]);
  assert_int_equal(found.size(), 1);
  assert_int_equal(found[0], child.pid);
}

static void credentials(void**) {
  const auto own = reaper::read_credentials(getpid());
  assert_true(own.has_value());
  assert_int_equal(own->uid[0], getuid());
  assert_int_equal(own->gid[1], getegid());
  const Child child = start_child([] {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_NAME, "\nUid:\t7 7 7");
  });
  const auto other = reaper::read_credentials(child.pid);
  end_child(child);
  assert_true(other.has_value());
  assert_true(other->no_new_privs);
  assert_int_equal(other->uid[0], getuid());
  assert_true(other->capabilities.bounding == own->capabilities.bounding);
}

static void boot_id(void**) {
  const auto id = reaper::read_boot_id();
  assert_true(id.has_value());
  assert_int_equal(id->size(), 36);
  assert_true(id->find_first_not_of("0123456789abcdef-") == std::string::npos);
  assert_string_equal(id->c_str(), reaper::read_boot_id()->c_str());
}

static void namespaces(void**) {
  for (const char* name : {"pid", "net", "mnt", "uts", "user"}) {
    const std::string path = std::string("/proc/self/ns/") + name;
    struct stat status = {};
    assert_int_equal(stat(path.c_str(), &status), 0);
    const auto inode = reaper::namespace_inode(name);
    assert_true(inode.has_value() && *inode == status.st_ino);
    const auto own = reaper::same_namespace(name, path);
    assert_true(own.has_value() && *own);
    const auto other = reaper::same_namespace(name, "/proc/self/ns/ipc");
    assert_true(other.has_value() && !*other);
  }
  assert_false(reaper::namespace_inode("no-such").has_value());
  // A kernel without a namespace type: no path can be ours.
  const auto unknown = reaper::same_namespace("no-such", "/proc/self/ns/net");
  assert_true(unknown.has_value() && !*unknown);
  const auto missing = reaper::same_namespace("net", "/proc/self/ns/no-such");
  assert_false(missing.has_value());
  assert_int_equal(missing.error().sys_errno, ENOENT);
  const auto file = reaper::same_namespace("net", "/dev/null");
  assert_true(file.has_value() && !*file);
}

// The calling thread's, not the process's.
static void namespaces_of_a_thread(void**) {
  bool unshared = false;
  bool same = true;
  bool same_as_process = true;
  std::thread thread([&] {
    unshared = unshare(CLONE_NEWUTS) == 0;
    if (!unshared) return;
    same = reaper::same_namespace("uts", "/proc/thread-self/ns/uts").value_or(false);
    same_as_process = reaper::same_namespace("uts", "/proc/self/ns/uts").value_or(true);
  });
  thread.join();
  if (!unshared) {
    printf("SKIP: unshare(CLONE_NEWUTS) needs CAP_SYS_ADMIN\n");
    skip();
  }
  assert_true(same);
  assert_false(same_as_process);
}

// What two readings of the clock say of a process that was born between them is what procfs says; and they say nothing
// when they lie in different ticks.
static void births(void**) {
  int decided = 0;
  for (int i = 0; i < 100; ++i) {
    const int64_t before = reaper::boottime_ns();
    const pid_t child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    const auto start_time = reaper::start_time_between(before, reaper::boottime_ns());
    const auto stat = reaper::read_process_stat(child);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    assert_true(stat.has_value());
    if (!start_time) continue;
    ++decided;
    assert_int_equal(*start_time, stat->start_time);
  }
  assert_true(decided > 0);
  constexpr int64_t tick = 10'000'000;
  assert_int_equal(reaper::start_time_between(7 * tick + 2000, 8 * tick - 2000).value_or(0), 7);
  assert_false(reaper::start_time_between(7 * tick + 2000, 8 * tick + 1).has_value());
  assert_false(reaper::start_time_between(7 * tick - 1, 7 * tick + 2000).has_value());
  // Too close to the edge of a tick to be sure.
  assert_false(reaper::start_time_between(7 * tick + 1, 7 * tick + 2000).has_value());
  assert_false(reaper::start_time_between(7 * tick + 2000, 8 * tick - 1).has_value());
  // A clock that cannot be read, or goes back.
  assert_false(reaper::start_time_between(-1, 2000).has_value());
  assert_false(reaper::start_time_between(7 * tick + 2000, -1).has_value());
  assert_false(reaper::start_time_between(7 * tick + 3000, 7 * tick + 2000).has_value());
}

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(births),         cmocka_unit_test(own_stat),
                              cmocka_unit_test(hostile_names),  cmocka_unit_test(zombies),
                              cmocka_unit_test(foreign_zombie), cmocka_unit_test(no_such_pid),
                              cmocka_unit_test(children),       cmocka_unit_test(children_of_threads),
                              cmocka_unit_test(credentials),    cmocka_unit_test(boot_id),
                              cmocka_unit_test(namespaces),     cmocka_unit_test(namespaces_of_a_thread)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
