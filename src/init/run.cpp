#include "init/run.h"

#include <asm/errno.h>
#include <linux/prctl.h>

#include "init/frames.h"
#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

// The status of a process that never became the program. Nobody should read a meaning into it: the error was reported.
constexpr int exit_failed = 1;

// What the library sent: the header, the extra descriptors and the plan, in memory of our own.
struct Launch {
  const wire::LaunchHeader* header = nullptr;
  const int32_t* extra = nullptr;
  const unsigned char* plan = nullptr;
};

Outcome receive(int handshake, Launch& launch) {
  wire::FrameHeader frame;
  const long got = read_exactly(handshake, &frame, sizeof frame);
  if (got <= 0) exit_now(exit_failed);  // the library is gone: nobody to tell
  if (frame.magic != wire::frame_magic || frame.version != wire::version ||
      frame.type != static_cast<uint16_t>(wire::Frame::launch) || frame.size < sizeof(wire::LaunchHeader) ||
      frame.size > wire::max_plan_bytes + wire::max_frame_bytes)
    return malformed(0);
  auto* bytes = static_cast<unsigned char*>(map_memory(frame.size));
  if (bytes == nullptr) return failed_call(-ENOMEM, "mmap");
  if (const long result = read_exactly(handshake, bytes, frame.size); result <= 0) return failed_call(result, "read");
  launch.header = reinterpret_cast<const wire::LaunchHeader*>(bytes);
  launch.extra = reinterpret_cast<const int32_t*>(bytes + sizeof(wire::LaunchHeader));
  if (launch.header->extra_count > wire::max_extra_fds) return malformed(sizeof(wire::LaunchHeader));
  const uint64_t extra_bytes = (launch.header->extra_count * sizeof(int32_t) + 7) / 8 * 8;
  const uint64_t before_plan = sizeof(wire::LaunchHeader) + extra_bytes;
  if (before_plan > frame.size || frame.size - before_plan != launch.header->plan_size) return malformed(before_plan);
  launch.plan = bytes + before_plan;
  return {};
}

// How many numbers and strings an operation must have, so that the stages can take them unseen.
bool well_formed(const Operation& operation) {
  const uint32_t numbers = operation.number_count();
  const uint32_t strings = operation.string_count();
  switch (operation.op()) {
    case wire::Op::session:
    case wire::Op::gate:
    case wire::Op::wait:
    case wire::Op::signals:
    case wire::Op::no_new_privs:
    case wire::Op::not_dumpable:
    case wire::Op::supervise:
    case wire::Op::report:
      return numbers == 0 && strings == 0;
    case wire::Op::rlimit:
    case wire::Op::capabilities:
      return numbers == 3 && strings == 0;
    case wire::Op::bounding:
      return numbers == 2 && strings == 0;
    case wire::Op::oom_score_adj:
    case wire::Op::umask:
    case wire::Op::keep_caps:
    case wire::Op::gid:
    case wire::Op::uid:
    case wire::Op::ambient:
    case wire::Op::descriptors:
      return numbers == 1 && strings == 0;
    case wire::Op::groups:
      return numbers <= wire::max_groups && strings == 0;
    case wire::Op::chdir:
      return numbers == 0 && strings == 1;
    case wire::Op::find:
      return numbers == 0 && strings == 2;
    case wire::Op::verify:
      return numbers >= wire::verify_fixed_numbers && numbers <= wire::verify_fixed_numbers + wire::max_groups &&
             strings == 0;
    case wire::Op::exec:
      return numbers == 1 && operation.number(0) >= 1 && operation.number(0) <= strings;
  }
  return false;  // an operation that this init does not know is never skipped
}

Outcome carry_out(State& state, const Operation& operation) {
  if (!well_formed(operation)) return malformed(0);
  switch (operation.op()) {
    case wire::Op::session:
      return checked(call(__NR_setsid));
    case wire::Op::gate:
      return bind_gate(state);
    case wire::Op::rlimit:
      return set_rlimit(operation);
    case wire::Op::oom_score_adj:
      return set_oom_score_adj(operation);
    case wire::Op::not_dumpable:
      return checked(call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0));
    case wire::Op::supervise:
      return supervise(state);
    case wire::Op::report:
      return report(state);
    case wire::Op::umask:
      call(__NR_umask, operation.number(0));
      return {};
    case wire::Op::keep_caps:
      return set_keep_caps(operation);
    case wire::Op::bounding:
      return drop_bounding(operation);
    case wire::Op::groups:
      return set_groups(operation);
    case wire::Op::gid:
      return set_gid(operation);
    case wire::Op::uid:
      return set_uid(operation);
    case wire::Op::chdir:
      return change_directory(operation);
    case wire::Op::find:
      return find_executable(state, operation);
    case wire::Op::capabilities:
      return set_capabilities(operation);
    case wire::Op::ambient:
      return set_ambient(operation);
    case wire::Op::no_new_privs:
      return checked(call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    case wire::Op::wait:
      return wait_for_start(state);
    case wire::Op::signals:
      return reset_signals();
    case wire::Op::descriptors:
      return close_others(state, operation);
    case wire::Op::verify:
      return verify(operation);
    case wire::Op::exec:
      return execute(state, operation);
  }
  return malformed(0);
}

int fail_with(const State& state, const Operation* operation, const Outcome& outcome) {
  send_error(state.connection >= 0 ? state.connection : state.handshake, operation, outcome);
  return exit_failed;
}

// "17" -> 17; anything else: -1.
int descriptor_number(const char* text) {
  int number = 0;
  if (*text == '\0') return -1;
  for (; *text != '\0'; ++text) {
    if (*text < '0' || *text > '9' || number > 100000000) return -1;
    number = number * 10 + (*text - '0');
  }
  return number;
}

}  // namespace

int run(int argc, char** argv) {
  State state;
  state.handshake = argc == 2 ? descriptor_number(argv[1]) : -1;
  if (state.handshake < 0) return exit_failed;
  call(__NR_prctl, PR_SET_NAME, wire::init_name);  // the same from a memfd and from a file; `state` looks at it
  Launch launch;
  if (const Outcome outcome = receive(state.handshake, launch); !outcome.ok())
    return fail_with(state, nullptr, outcome);
  if (const Outcome outcome = place_descriptors(state, *launch.header, launch.extra); !outcome.ok())
    return fail_with(state, nullptr, outcome);
  PlanReader reader;
  if (const Outcome outcome = reader.open(launch.plan, launch.header->plan_size); !outcome.ok())
    return fail_with(state, nullptr, outcome);
  Operation operation;
  while (reader.next(operation)) {
    const Outcome outcome = carry_out(state, operation);
    if (!outcome.ok()) return fail_with(state, &operation, outcome);
  }
  // A plan without `exec` (no /process) ends in `wait`, which no start ever leaves: the library refuses it.
  return fail_with(state, nullptr, reader.outcome().ok() ? malformed(launch.header->plan_size) : reader.outcome());
}

}  // namespace reaper::init
