// What the host room reads of the user namespace of another process: its maps, and what belongs to it.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "host/facts.h"
#include "unit/cmocka_cpp.h"

// A child in new user and network namespaces, without a map; -1: they cannot be made here.
static pid_t start_child() {
  int ready[2];
  char word = 'n';
  assert_int_equal(pipe(ready), 0);
  fflush(stdout);
  const pid_t pid = fork();
  if (pid == 0) {
    const bool made = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
    if (write(ready[1], made ? "y" : "n", 1) != 1 || !made) _exit(0);
    for (;;) pause();
  }
  assert_int_equal(read(ready[0], &word, 1), 1);
  close(ready[0]);
  close(ready[1]);
  if (word == 'y') return pid;
  waitpid(pid, nullptr, 0);
  return -1;
}

static void of_another_process(void**) {
  const pid_t pid = start_child();
  if (pid < 0) {
    printf("SKIP: user namespaces cannot be made here\n");
    skip();
  }
  const auto facts = reaper::read_user_namespace(pid);
  const auto outer = reaper::outer_namespaces(pid, CLONE_NEWNET | CLONE_NEWUTS);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  assert_true(facts.has_value());
  assert_true(facts->uids.empty() && facts->gids.empty() && !facts->setgroups_denied);
  assert_true(outer.has_value());
  assert_int_equal(*outer, CLONE_NEWUTS);  // that is still ours
}

static void our_own(void**) {
  const auto facts = reaper::read_user_namespace(getpid());
  assert_true(facts.has_value());
  assert_false(facts->uids.empty() || facts->gids.empty());
  assert_true(facts->uids[0].size != 0 && facts->gids[0].size != 0);
}

static void of_nobody(void**) {
  constexpr int32_t nobody = 1 << 22;  // above every pid_max (proc(5))
  const auto facts = reaper::read_user_namespace(nobody);
  assert_false(facts.has_value());
  assert_int_equal(facts.error().code, REAPER_ERR_NOT_FOUND);
  const auto outer = reaper::outer_namespaces(nobody, CLONE_NEWNET);
  assert_false(outer.has_value());
  assert_int_equal(outer.error().sys_errno, ENOENT);
}

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(of_another_process), cmocka_unit_test(our_own),
                              cmocka_unit_test(of_nobody)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
