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

Outcome start_session() {
  return checked(call(__NR_setsid));
}

Outcome forbid_dumps() {
  return checked(call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0));
}

Outcome set_umask(const Operation& operation) {
  call(__NR_umask, operation.number(0));
  return {};
}

// The library puts this process into its cgroups, and says so.
Outcome await_placement(State& state) {
  return await_frame(state.handshake, wire::Frame::placed);
}

Outcome await_class(State& state) {
  return await_frame(state.handshake, wire::Frame::classed);
}

Outcome await_hooks(State& state) {
  if (send_frame(state.handshake, wire::Frame::mounted, nullptr, 0) < 0) exit_now(exit_failed);
  return await_frame(state.handshake, wire::Frame::hooked);
}

Outcome set_no_new_privs() {
  return checked(call(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

// A stage takes of these what it needs.
template <auto stage>
Outcome run_stage(State& state, const Operation& operation) {
  if constexpr (requires { stage(state, operation); })
    return stage(state, operation);
  else if constexpr (requires { stage(operation); })
    return stage(operation);
  else if constexpr (requires { stage(state); })
    return stage(state);
  else
    return stage();
}

constexpr uint32_t any = UINT32_MAX;

// How many numbers and strings an operation must have, so that its stage can take them unseen.
struct Row {
  wire::Op op;
  uint32_t least_numbers, most_numbers;
  uint32_t strings;
  Outcome (*run)(State&, const Operation&);
};

constexpr Row rows[] = {
    {wire::Op::session, 0, 0, 0, run_stage<start_session>},
    {wire::Op::gate, 0, 0, 0, run_stage<bind_gate>},
    {wire::Op::rlimit, 3, 3, 0, run_stage<set_rlimit>},
    {wire::Op::oom_score_adj, 1, 1, 0, run_stage<set_oom_score_adj>},
    {wire::Op::umask, 1, 1, 0, run_stage<set_umask>},
    {wire::Op::keep_caps, 1, 1, 0, run_stage<set_keep_caps>},
    {wire::Op::bounding, 2, 2, 0, run_stage<drop_bounding>},
    {wire::Op::groups, 0, wire::max_groups, 0, run_stage<set_groups>},
    {wire::Op::gid, 1, 1, 0, run_stage<set_gid>},
    {wire::Op::uid, 1, 1, 0, run_stage<set_uid>},
    {wire::Op::chdir, 0, 0, 1, run_stage<change_directory>},
    {wire::Op::find, 0, 0, 2, run_stage<find_executable>},
    {wire::Op::capabilities, 3, 3, 0, run_stage<set_capabilities>},
    {wire::Op::ambient, 1, 1, 0, run_stage<set_ambient>},
    {wire::Op::no_new_privs, 0, 0, 0, run_stage<set_no_new_privs>},
    {wire::Op::wait, 0, 0, 0, run_stage<wait_for_start>},
    {wire::Op::signals, 0, 0, 0, run_stage<reset_signals>},
    {wire::Op::descriptors, 1, 1, 0, run_stage<close_others>},
    {wire::Op::verify, wire::verify_fixed_numbers, wire::verify_fixed_numbers + wire::max_groups, 0, run_stage<verify>},
    {wire::Op::exec, 1, 1, any, run_stage<execute>},
    {wire::Op::not_dumpable, 0, 0, 0, run_stage<forbid_dumps>},
    {wire::Op::supervise, 1, 1, 0, run_stage<supervise>},
    {wire::Op::report, 0, 0, 0, run_stage<report>},
    {wire::Op::terminal, 3, 3, 0, run_stage<open_terminal>},
    {wire::Op::keyring, 0, 0, 1, run_stage<join_session_keyring>},
    {wire::Op::scheduler, 7, 7, 0, run_stage<set_scheduler>},
    {wire::Op::io_priority, 2, 2, 0, run_stage<set_io_priority>},
    {wire::Op::personality, 1, 1, 0, run_stage<set_personality>},
    {wire::Op::exec_label, 1, 1, 1, run_stage<set_exec_label>},
    {wire::Op::listen, 1, 1, 0, run_stage<announce_listeners>},
    {wire::Op::pause, 0, 0, 1, run_stage<pause>},
    {wire::Op::cgroup, 1, 1, any, run_stage<await_placement>},
    {wire::Op::resctrl, 1, 1, any, run_stage<await_class>},
    {wire::Op::unshare, 1, 1, 0, run_stage<unshare_namespaces>},
    {wire::Op::first_process, 0, 0, 0, run_stage<check_first_process>},
    {wire::Op::join, 1, 1, 1, run_stage<join_namespace>},
    {wire::Op::hostname, 0, 0, 1, run_stage<set_hostname>},
    {wire::Op::domainname, 0, 0, 1, run_stage<set_domainname>},
    {wire::Op::loopback, 0, 0, 0, run_stage<set_loopback_up>},
    {wire::Op::propagation, 1, 1, 0, run_stage<set_propagation>},
    {wire::Op::root, 0, 0, 1, run_stage<enter_root>},
    {wire::Op::mount, 6, 6, any, run_stage<make_mount>},
    {wire::Op::device, 5, 5, 1, run_stage<make_device>},
    {wire::Op::link, 0, 0, 2, run_stage<make_link>},
    {wire::Op::pivot, 0, 0, 0, run_stage<change_root>},
    {wire::Op::mask, 0, 0, any, run_stage<mask_path>},
    {wire::Op::read_only_path, 0, 0, 1, run_stage<make_path_read_only>},
    {wire::Op::finish_root, 2, 2, 0, run_stage<finish_root>},
    {wire::Op::console, 0, 0, 0, run_stage<bind_console>},
    {wire::Op::user_namespace, 2, 2, any, run_stage<enter_user_namespace>},
    {wire::Op::sysctl, 0, 0, 2, run_stage<set_sysctl>},
    {wire::Op::time_offsets, 4, 4, 0, run_stage<set_time_offsets>},
    {wire::Op::network, 0, 0, 0, run_stage<enter_new_network>},
    {wire::Op::hooks, 0, 0, 0, run_stage<await_hooks>},
    {wire::Op::join_process, 2, 2, 0, run_stage<join_process>},
    {wire::Op::move_root, 0, 0, 0, run_stage<move_root>},
    {wire::Op::seccomp, wire::seccomp_fixed_numbers + 1, wire::seccomp_fixed_numbers + wire::max_instructions, 1,
     run_stage<keep_filter>},
    {wire::Op::affinity, 1, wire::max_affinity_words, 1, run_stage<set_affinity>},
    {wire::Op::enter, 1, 1, 0, run_stage<enter_namespaces>},
    {wire::Op::beside, 0, 0, 0, run_stage<carry_on_beside>},
    {wire::Op::ready, 0, 0, 0, run_stage<await_go>},
    {wire::Op::enter_outer, 1, 1, 0, run_stage<enter_outer_namespaces>},
    {wire::Op::supervise_beside, 0, 0, 0, run_stage<supervise_beside>},
    {wire::Op::beside_into, 1, 1, 0, run_stage<carry_on_inside>},
    {wire::Op::become_root, 2, 2, 0, run_stage<become_root>},
    {wire::Op::mapped, 2, 1 + wire::max_groups, 0, run_stage<check_mapped>},
    {wire::Op::id_map, 4, 1 + 3 * wire::max_id_ranges, 1, run_stage<check_id_map>},
    {wire::Op::mount_ids, 1, 1, 2, run_stage<await_mapped_mount>},
    {wire::Op::net_devices, 0, 0, any, run_stage<await_net_devices>},
    {wire::Op::show_user, 0, 0, 0, run_stage<show_user_namespace>},
    {wire::Op::label, 0, 0, 2, run_stage<set_label>},
    {wire::Op::memory_policy, 1, 1 + wire::max_node_words, 1, run_stage<set_memory_policy>},
};

Outcome carry_out(State& state, const Operation& operation) {
  const uint32_t numbers = operation.number_count();
  for (const Row& row : rows) {
    if (row.op != operation.op()) continue;
    const bool well_formed = numbers >= row.least_numbers && numbers <= row.most_numbers &&
                             (row.strings == any || row.strings == operation.string_count());
    return well_formed ? row.run(state, operation) : malformed(0);
  }
  return malformed(0);  // an operation that this init does not know is never skipped
}

int fail_with(const State& state, const Operation* operation, const Outcome& outcome) {
  if (state.blamed != nullptr) operation = state.blamed;
  // First: a filter may end this process for the other.
  if (state.error_page != nullptr) write_error(state.error_page, operation, outcome);
  send_error(peer_of(state), operation, outcome);
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
  if (argv[1] == argv[0] + length_of(argv[0]) + 1) {  // as execve(2) lays them out
    state.arguments = argv[0];
    state.arguments_size = length_of(argv[0]) + 1 + length_of(argv[1]) + 1;
  }
  // The same from a memfd and from a file; `state` looks at it, and would take a process of another name for the
  // program.
  const Outcome named = checked(call(__NR_prctl, PR_SET_NAME, wire::init_name), "prctl(PR_SET_NAME)");
  Launch launch;
  if (const Outcome outcome = receive(state.handshake, launch); !outcome.ok())
    return fail_with(state, nullptr, outcome);
  if (!named.ok()) return fail_with(state, nullptr, named);
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
