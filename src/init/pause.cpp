// The pause process of a pod: it holds what belongs to the pod, reaps what is left to it, and ends on INT or TERM.
#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/prctl.h>
#include <linux/wait.h>

#include "init/frames.h"
#include "init/signals.h"
#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

const char* base_name(const char* path) {
  const char* name = path;
  for (; *path != '\0'; ++path)
    if (*path == '/') name = path + 1;
  return name;
}

// What ps(1) shows.
void show_as(const State& state, const char* name) {
  for (uint64_t i = 0; i < state.arguments_size; ++i) {
    state.arguments[i] = i + 1 < state.arguments_size ? *name : '\0';
    if (*name != '\0') ++name;
  }
}

// One SIGCHLD may stand for many.
void reap_all() {
  WaitInfo info = {};
  do info.pid = 0;
  while (call(__NR_waitid, P_ALL, 0, &info, WEXITED | WNOHANG, nullptr) == 0 && info.pid != 0);
}

}  // namespace

Outcome pause(State& state, const Operation& operation) {
  // As the program that it stands for, it can be looked at by its own user (prctl(2)): what is in its memory is the
  // container's. Its name is no longer init's, which tells `created` from `running`.
  if (const long result = call(__NR_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); result < 0)
    return failed_call(result, "prctl(PR_SET_DUMPABLE)");
  if (const long result = call(__NR_prctl, PR_SET_NAME, base_name(operation.string(0))); result < 0)
    return failed_call(result, "prctl(PR_SET_NAME)");
  show_as(state, operation.string(0));
  // From here on these three wait for us; every other signal does what it does by default.
  const uint64_t awaited = signal_bit(SIGINT) | signal_bit(SIGTERM) | signal_bit(SIGCHLD);
  if (const long result = call(__NR_rt_sigprocmask, SIG_SETMASK, &awaited, nullptr, signal_set_size); result < 0)
    return failed_call(result, "rt_sigprocmask");
  // To the client this is execve(2): EXEC, then end of file.
  long sent = 0;
  if (const Outcome outcome = say_exec(state, sent); !outcome.ok()) return outcome;
  if (const Outcome outcome = load_filter(state); !outcome.ok()) return outcome;
  if (const long result = call(__NR_close, state.connection); result < 0) return failed_call(result, "close");
  for (;;) {
    const long signal = call(__NR_rt_sigtimedwait, &awaited, nullptr, nullptr, signal_set_size);
    if (signal < 0 && signal != -EINTR) exit_now(1);  // the filter denies it: better no pod than one that spins
    if (signal == SIGINT || signal == SIGTERM) exit_now(0);
    if (signal == SIGCHLD) reap_all();
  }
}

}  // namespace reaper::init
