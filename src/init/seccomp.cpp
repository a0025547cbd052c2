// The filter of the program (seccomp(2)): loaded as the last thing before it, by init's own call, so that nothing that
// init needs has to be allowed. What the filter denies then, execve and every way to say so included, stands in a page
// that the client of the start has.
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

}  // namespace

Outcome keep_filter(State& state, const Operation& operation) {
  static Operation kept;
  kept = operation;
  state.filter = &kept;
  return {};
}

Outcome say_exec(State& state, long& sent) {
  if (state.filter == nullptr) {
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
  const uint32_t count = operation.number_count() - wire::seccomp_fixed_numbers;
  const struct {
    uint16_t count;
    const uint64_t* instructions;
  } program = {static_cast<uint16_t>(count), operation.numbers() + wire::seccomp_fixed_numbers};  // sock_fprog
  if (const long result = call(__NR_seccomp, SECCOMP_SET_MODE_FILTER, operation.number(0), &program); result < 0)
    return failed_call(result);
  if (operation.number(2) != 0)
    if (const long result = set_capability_sets(operation.number(3), operation.number(4), operation.number(5));
        result < 0)
      return failed_call(result, "capset");
  state.blamed = nullptr;
  return {};
}

}  // namespace reaper::init
