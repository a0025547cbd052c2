// The filter of the program (seccomp(2)): loaded as the last thing before it, by init's own call, so that nothing that
// init needs has to be allowed. What the filter denies then, execve and every way to say so included, stands in a page
// that the client of the start has, unless the filter is known to let these pass.
//
// A filter that notifies has a listener, which comes with the loading, and until somebody has it, a call that it is
// asked about waits for nobody. So another thread of this process, without the filter, hands it to the client of the
// start, or to the library whose exec it is; this one makes no call between the filter and the client's word. The
// kernel ends the other with execve(2) at the latest.
#include <asm/errno.h>
#include <linux/filter.h>
#include <linux/memfd.h>
#include <linux/seccomp.h>

#include "init/frames.h"
#include "init/operation.h"
#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

static_assert(wire::max_instructions == BPF_MAXINSNS && sizeof(sock_filter) == sizeof(uint64_t));

constexpr unsigned mfd_noexec_seal = 8;  // MFD_NOEXEC_SEAL, Linux 6.3; vm.memfd_noexec=2 wants it
constexpr int prot_read_write = 3;       // PROT_READ | PROT_WRITE, mmap(2)
constexpr int map_shared = 1;            // MAP_SHARED

constexpr int no_listener = -1;

bool notifies(const Operation& filter) {
  return (filter.number(0) & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
}

// What fails behind the filter is said as ever: no page is wanted.
bool can_talk(const Operation& filter) {
  return filter.number(6) != 0 && !notifies(filter);
}

// Between this thread and the one that hands its listener over.
struct Handover {
  State* state = nullptr;
  int listener = no_listener;
  int taken = 0;
};

Outcome make_page(State& state, int& file) {
  long made = call(__NR_memfd_create, "reaper-error", MFD_CLOEXEC | mfd_noexec_seal);
  if (made == -EINVAL) made = call(__NR_memfd_create, "reaper-error", MFD_CLOEXEC);
  if (made < 0) return failed_call(made, "memfd_create");
  file = static_cast<int>(made);
  if (const long result = call(__NR_ftruncate, file, wire::error_page_bytes); result < 0)
    return failed_call(result, "ftruncate");
  const long page = call(__NR_mmap, nullptr, wire::error_page_bytes, prot_read_write, map_shared, file, 0);
  if (page < 0 && page > -4096) return failed_call(page, "mmap");
  state.error_page = reinterpret_cast<char*>(page);
  return {};
}

// The other thread: it has no filter. What becomes of the listener decides what becomes of all of us.
void hand_over(void* argument) {
  auto& handover = *static_cast<Handover*>(argument);
  State& state = *handover.state;
  int listener = no_listener;
  while ((listener = __atomic_load_n(&handover.listener, __ATOMIC_ACQUIRE)) == no_listener) call(__NR_sched_yield);
  const int peer = peer_of(state);
  const long sent = send_frame_with_descriptor(peer, wire::Frame::listener, nullptr, 0, listener);
  if (sent < 0) {
    write_error(state.error_page, state.filter, failed_call(sent, "sendmsg of the listener"));
    exit_now(1);
  }
  // Not TAKEN, but the end of the client or of its connection: exits.
  if (!await_frame(peer, wire::Frame::taken).ok()) exit_now(1);
  call(__NR_close, listener);
  __atomic_store_n(&handover.taken, 1, __ATOMIC_RELEASE);
}

Outcome begin_handover(Handover& handover) {
  constexpr uint64_t stack_bytes = 32U << 10;  // an error has a text of 16 KiB at most
  auto* stack = static_cast<char*>(map_memory(stack_bytes));
  if (stack == nullptr) return failed_call(-ENOMEM, "mmap");
  return checked(start_thread(hand_over, &handover, stack + stack_bytes), "clone of a thread");
}

// No system call: whatever the filter does with it, nobody could answer it yet.
void finish_handover(Handover& handover, int listener) {
  __atomic_store_n(&handover.listener, listener, __ATOMIC_RELEASE);
  while (__atomic_load_n(&handover.taken, __ATOMIC_ACQUIRE) == 0) let_thread_run();
}

}  // namespace

Outcome keep_filter(State& state, const Operation& operation) {
  static Operation kept;
  kept = operation;
  state.filter = &kept;
  return {};
}

Outcome say_exec(State& state, long& sent) {
  if (state.filter == nullptr || can_talk(*state.filter)) {
    state.blamed = state.filter;
    sent = send_frame(peer_of(state), wire::Frame::exec, nullptr, 0);
    return {};
  }
  int file = -1;
  state.blamed = state.filter;
  if (const Outcome outcome = make_page(state, file); !outcome.ok()) return outcome;
  sent = send_frame_with_descriptor(peer_of(state), wire::Frame::exec, nullptr, 0, file);
  call(__NR_close, file);
  return {};
}

Outcome load_filter(State& state) {
  if (state.filter == nullptr) return {};
  const Operation& operation = *state.filter;
  static Handover handover;  // for as long as the other thread lives
  handover = {&state, no_listener, 0};
  if (notifies(operation))
    if (const Outcome outcome = begin_handover(handover); !outcome.ok()) return outcome;
  const uint32_t count = operation.number_count() - wire::seccomp_fixed_numbers;
  const struct {
    uint16_t count;
    const uint64_t* instructions;
  } program = {static_cast<uint16_t>(count), operation.numbers() + wire::seccomp_fixed_numbers};  // sock_fprog
  const long loaded = call(__NR_seccomp, SECCOMP_SET_MODE_FILTER, operation.number(0), &program);
  if (loaded < 0) return failed_call(loaded);
  if (notifies(operation)) finish_handover(handover, static_cast<int>(loaded));
  if (operation.number(2) != 0)
    if (const long result = set_capability_sets(operation.number(3), operation.number(4), operation.number(5));
        result < 0)
      return failed_call(result, "capset");
  state.blamed = nullptr;
  return {};
}

}  // namespace reaper::init
