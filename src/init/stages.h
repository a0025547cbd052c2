// The operations, one function each. A file per concern; run.cpp calls them in the plan's order.
#pragma once

#include "init/operation.h"
#include "init/state.h"

namespace reaper::init {

// descriptors.cpp
// Puts the program's descriptors at 0, 1, 2, 3 ... and closes every other but the handshake and the state directory.
Outcome place_descriptors(State& state, const wire::LaunchHeader& launch, const int32_t* extra);
Outcome close_others(State& state, const Operation& operation);
// For a process that only stays: /dev/null at 0, 1 and 2, and of the others these two alone, which are at 3 and 4 then.
Outcome keep_only(int& third, int& fourth);

// process.cpp
// Both return in the child, which carries on with the plan; the process that called never leaves them.
Outcome supervise(State& state, const Operation& operation);
Outcome supervise_beside(State& state);
Outcome report(State& state);
Outcome carry_on_beside(State& state);
Outcome carry_on_inside(State& state, const Operation& operation);

// exit_record.cpp
// Makes the file that the record of the end will be written to, so that a full disk cannot lose it then. Negative
// errno.
int prepare_exit_record(int state_directory);
struct Ending {
  int32_t code;    // CLD_*, waitid(2)
  int32_t status;  // the exit status, or the signal
  int64_t user_us, system_us, max_rss_kib;
};
void write_exit_record(int state_directory, int record, const Ending& ending);

// gate.cpp
Outcome bind_gate(State& state);
// Returns when a client has won the start. Exits when the creator dies before GO, or on a signal that ends a process.
Outcome wait_for_start(State& state);
// READY, then GO. Exits when the library is gone.
Outcome await_go(State& state);

// terminal.cpp
Outcome open_terminal(const State& state, const Operation& operation);

// proc_file.cpp
// The one way to write to /proc: a file that is not procfs (something mounted over it) is never opened.
Outcome open_proc(const char* path, int& fd);
// Writes all of it at once, and closes; `what` is the text of the error.
Outcome write_proc(int fd, const char* text, uint64_t size, const char* what);

// attributes.cpp: each of these is read back, but for the label, which the kernel does not show before execve.
Outcome set_scheduler(const Operation& operation);
Outcome set_io_priority(const Operation& operation);
Outcome set_personality(const Operation& operation);
Outcome set_affinity(const Operation& operation);
Outcome set_memory_policy(const Operation& operation);
Outcome set_exec_label(const Operation& operation);

// namespaces.cpp
Outcome unshare_namespaces(const Operation& operation);
Outcome check_first_process();
Outcome join_namespace(const Operation& operation);
Outcome join_process(State& state, const Operation& operation);
Outcome enter_outer_namespaces(const State& state, const Operation& operation);
Outcome enter_namespaces(State& state, const Operation& operation);
Outcome set_hostname(const Operation& operation);
Outcome set_domainname(const Operation& operation);
Outcome set_loopback_up();
Outcome enter_new_network(State& state);
Outcome await_net_devices(State& state);
Outcome show_user_namespace(const State& state);
Outcome set_propagation(const Operation& operation);

// sysctl.cpp
Outcome set_sysctl(const Operation& operation);
Outcome set_time_offsets(const Operation& operation);

// user_namespace.cpp
Outcome enter_user_namespace(State& state, const Operation& operation);
Outcome become_root(const Operation& operation);
Outcome check_mapped(const Operation& operation);
Outcome check_id_map(const Operation& operation);

// root.cpp
Outcome enter_root(State& state, const Operation& operation);
Outcome make_device(State& state, const Operation& operation);
Outcome make_link(State& state, const Operation& operation);
Outcome change_root(State& state);
Outcome move_root(State& state);
Outcome mask_path(const Operation& operation);
Outcome make_path_read_only(const Operation& operation);
Outcome finish_root(const Operation& operation);
Outcome bind_console();

// mounts.cpp
Outcome make_mount(State& state, const Operation& operation);
Outcome await_mapped_mount(State& state, const Operation& operation);
Outcome set_label(State& state, const Operation& operation);

// keyring.cpp
Outcome join_session_keyring(const Operation& operation);

// limits.cpp
Outcome set_rlimit(const Operation& operation);
Outcome set_oom_score_adj(const Operation& operation);

// identity.cpp
long set_capability_sets(uint64_t permitted, uint64_t effective, uint64_t inheritable);
Outcome set_keep_caps(const Operation& operation);
Outcome drop_bounding(const Operation& operation);
Outcome set_groups(const Operation& operation);
Outcome set_gid(const Operation& operation);
Outcome set_uid(const Operation& operation);
Outcome set_capabilities(const Operation& operation);
Outcome set_ambient(const Operation& operation);

// verify.cpp
Outcome verify(const Operation& operation);

// program.cpp
Outcome change_directory(const Operation& operation);
Outcome find_executable(State& state, const Operation& operation);
// Every signal's default.
Outcome set_dispositions();
// The same, unless it was done while the library committed; and none is blocked.
Outcome reset_signals(const State& state);
Outcome announce_listeners(State& state, const Operation& operation);
Outcome execute(State& state, const Operation& operation);

// seccomp.cpp
Outcome keep_filter(State& state, const Operation& operation);
// EXEC to the client, with a page for what goes wrong from here on where there is a filter. `sent`: as send_frame().
Outcome say_exec(State& state, long& sent);
// The filter, if there is one, and the capset(2) that goes with it. Nothing may be taken for possible after it.
Outcome load_filter(State& state);

// process_thread.cpp
// A further thread of this process, with a stack that ends at `stack_end` (16-byte aligned) and every descriptor; it
// ends when `main` returns. Its number or a negative errno.
long start_thread(void (*main)(void*), void* argument, char* stack_end);
// Once, in a loop that waits for that thread and may make no system call.
void let_thread_run();

// pause.cpp
Outcome pause(State& state, const Operation& operation);

}  // namespace reaper::init
