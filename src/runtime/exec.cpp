// exec: process document -> plan -> clone -> the container's cgroups and namespaces -> READY -> pid file and terminal
// -> GO -> execve. Nothing of it is written down: the process is its caller's child, and the caller's to wait for.
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "config/config.h"
#include "core/memory.h"
#include "launch/launch.h"
#include "plan/plan.h"
#include "runtime/cgroups.h"
#include "runtime/clock.h"
#include "runtime/console.h"
#include "runtime/container.h"
#include "runtime/exec_defaults.h"
#include "runtime/listener.h"
#include "runtime/process.h"
#include "runtime/report.h"
#include "runtime/request.h"
#include "runtime/resctrl.h"
#include "runtime/status.h"
#include "runtime/supervisor.h"

namespace reaper {

namespace {

// How long a container is given to end whose end something looks like; and once it is seen to be ending.
constexpr std::chrono::milliseconds doubt_limit{100};
constexpr std::chrono::seconds agent_farewell_limit{2};
constexpr std::chrono::seconds agent_limit{30};  // to answer for an execve(2), as a start has

Error not_running() {
  return status_error("container not running");
}

// Everything that can be known before anything is cloned.
struct PreparedExec {
  Config config;  // with the process alone
  ProcessFacts facts;
  Cgroups cgroups;
  std::optional<Resctrl> resctrl;
  Plan plan;
  bool notifies = false;  // its filter has a listener
};

Status check_status(const Container& container, const Cgroups& cgroups, bool ignore_paused) {
  switch (TRY(read_status(container))) {
    case REAPER_STATUS_RUNNING:
      break;
    case REAPER_STATUS_STOPPED:
      return fail(not_running());
    case REAPER_STATUS_CREATED:
      return fail(
          status_error("container \"" + container.id() + "\" is created, and its program has not been started"));
    default:
      return fail(still_creating(container.id()));
  }
  if (cgroups.list.empty() || ignore_paused || !TRY(are_frozen(cgroups))) return {};
  return fail(status_error("container \"" + container.id() + "\" is paused: its cgroup is frozen"));
}

Result<ExecProcess> read_exec_process(const ExecRequest& request, const ExecDefaults& defaults, const std::string& id) {
  std::optional<std::string_view> recorded;
  if (request.lay_over) {
    if (defaults.process_json.empty())
      return fail({REAPER_ERR_UNSUPPORTED, 0,
                   "container \"" + id +
                       "\" has no record of its own process, by an older version of Reaper: only a "
                       "whole process document can be executed in it",
                   "/process", "exec"});
    recorded = defaults.process_json;
  }
  ExecProcess exec = TRY(parse_exec_process(request.process, recorded));
  if (request.no_new_privileges) exec.process.no_new_privileges = true;
  return exec;
}

// Its namespaces that are not ours. The process is asked last whether it lives: alive now, it had its pid all the
// while.
Status find_namespaces(const Container& container, ExecPlanOptions& options, ProcessFacts& facts) {
  const int32_t pid = container.record->init.pid;
  const auto look = [&]() -> Status {
    options.namespaces = TRY(foreign_namespaces(pid));
    if ((options.namespaces & CLONE_NEWUSER) == 0) return {};
    options.user = TRY(read_user_namespace(pid));
    options.outer_namespaces = TRY(outer_namespaces(pid, options.namespaces));
    facts.id_maps = read_id_map_facts();
    return {};
  };
  Status looked = look();
  if (TRY(has_ended(container.pidfd))) return fail(not_running());
  return looked;
}

Result<PreparedExec> prepare(const Container& container, const ExecRequest& request) {
  for (Error& error : check_descriptors(request.io)) return fail(std::move(error));
  const ExecDefaults defaults = TRY(decode_exec_defaults(container.record->exec_json));
  if (defaults.has_filter && !defaults.filter)  // it would reach what the filter keeps the container from
    return fail({REAPER_ERR_UNSUPPORTED, 0,
                 "the container has a filter of system calls that its record does not hold, by an older version of "
                 "Reaper: nothing can be executed in it with this filter, and nothing is without",
                 "/linux/seccomp", "exec"});
  const ExecProcess exec = TRY(read_exec_process(request, defaults, container.id()));
  PreparedExec prepared;
  prepared.notifies = defaults.filter && (defaults.filter->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
  if (prepared.notifies && container.record->listener_json.empty())
    return fail(
        {REAPER_ERR_CORRUPT, 0, "state.json has a filter that notifies, and nobody who is notified", "", "record"});
  prepared.config.process = exec.process;
  TRY(check_console(request.io, prepared.config));
  prepared.cgroups = TRY(recorded_cgroups(*container.record));
  prepared.facts = TRY(read_process_facts());
  TRY(read_asked_facts(prepared.config, prepared.facts));
  ExecPlanOptions options;
  TRY(find_namespaces(container, options, prepared.facts));
  for (const Cgroup& cgroup : prepared.cgroups.list) options.cgroups.push_back(cgroup.place);
  prepared.resctrl = TRY(recorded_resctrl(*container.record));
  if (prepared.resctrl) options.resctrl = prepared.resctrl->place;
  options.personality = defaults.personality;
  options.memory_policy = defaults.memory_policy;
  if (defaults.new_keyring) options.session_keyring = "_ses." + container.id();
  options.extra_fds = static_cast<uint32_t>(request.io.extra_fds.size());
  options.strict = request.io.strict;
  options.filter = defaults.filter;
  prepared.plan = TRY(make_exec_plan(exec, prepared.facts, options));
  return prepared;
}

// Takes back what an exec has made, unless it is told that all went well.
struct UndoExec {
  Launched launched;
  const char* pid_file = nullptr;
  bool done = false;
  UndoExec() = default;
  UndoExec(const UndoExec&) = delete;
  UndoExec& operator=(const UndoExec&) = delete;
  ~UndoExec() {
    if (done) return;
    end_launched(launched);
    if (pid_file != nullptr) unlink(pid_file);
  }
};

// Under the container's lock: whoever deletes it comes before us, or finds the process in its cgroups.
Status bring_in(const Container& container, const PreparedExec& prepared, const ExecRequest& request,
                const LaunchRequest& launch, Launched& launched) {
  const ContainerDirectory directory = TRY(container.directory.reopen());
  const auto root = TRY(open_root(*container.runtime, false));
  const DirectoryLock lock = TRY(directory.lock(*root, container.runtime->lock_deadline()));
  TRY(check_status(container, prepared.cgroups, request.ignore_paused));
  launched = TRY(clone_init(launch));
  if (!prepared.cgroups.list.empty()) {
    TRY(join_cgroups(prepared.cgroups, launched.pid));
    TRY(send_unsent(launched));
    TRY(send_frame(launched, wire::Frame::placed));
  }
  if (!prepared.resctrl) return {};
  TRY(place_in_resctrl(*prepared.resctrl, launched.pid));
  TRY(send_unsent(launched));
  return send_frame(launched, wire::Frame::classed);
}

// Up to GO.
Status carry_in(const Container& container, const PreparedExec& prepared, const ExecRequest& request,
                const LaunchRequest& launch, const Fd& console, UndoExec& undo) {
  TRY(bring_in(container, prepared, request, launch, undo.launched));
  if (find_operation(prepared.plan, wire::Op::beside) != nullptr) TRY(await_beside(undo.launched));
  TRY(await_ready(undo.launched));
  if (console) TRY(send_terminal(console, undo.launched));
  if (request.io.pid_file) {
    TRY(write_file_atomically(*request.io.pid_file, std::to_string(undo.launched.pid)));
    undo.pid_file = request.io.pid_file->c_str();
  }
  if (TRY(has_ended(container.pidfd))) return fail(not_running());
  return send_go(undo.launched);
}

struct RunningExec {
  Launched launched;
  int64_t started_ns = 0;
};

// Who gets what the process sends on its way in.
struct Takers {
  Fd console;  // the terminal's master
  Fd agent;    // the listener of its filter
};

Result<RunningExec> run(const Container& container, const PreparedExec& prepared, const ExecRequest& request,
                        const LaunchRequest& launch, Takers takers) {
  UndoExec undo;
  TRY(carry_in(container, prepared, request, launch, takers.console, undo));
  const int64_t now = realtime_ns();
  const Deadline deadline = prepared.notifies ? std::chrono::steady_clock::now() + agent_limit : no_deadline;
  const auto taker = [&](const Fd& listener) {
    return send_listener(*container.record, {undo.launched.pid, REAPER_STATUS_RUNNING}, std::move(takers.agent),
                         listener, deadline);
  };
  TRY(await_exec(undo.launched, deadline, taker));
  undo.done = true;
  return RunningExec{std::move(undo.launched), now};
}

// Whether that is what the end of the container looks like from a process on its way in: its namespaces have gone, or
// it was killed with all others.
bool speaks_of_an_end(const Error& error) {
  const bool died = error.sys_errno == 0 && (error.stage == "handshake" || error.stage == "exec");
  return died || error.sys_errno == ESRCH || error.sys_errno == EPIPE ||
         (error.sys_errno == ENOENT && error.stage == "facts") ||  // its /proc/PID/ns is empty by then
         (error.sys_errno == ENOMEM && error.stage == operation_name(wire::Op::beside));  // pid_namespaces(7)
}

// A container that is about to end has lost its namespaces before its pidfd says so.
bool ends_soon(const Container& container) {
  const auto now = std::chrono::steady_clock::now();
  const auto ended = await_end(container.pidfd, now + doubt_limit);
  if (!ended.has_value() || *ended) return ended.has_value();
  const auto stat = read_process_stat(container.record->init.pid);  // alive a moment ago, it is this process
  if (stat.has_value() && !stat->exiting) return false;
  return await_end(container.pidfd, now + agent_farewell_limit).value_or(false);
}

Error explain(const Container& container, Error error) {
  if (error.code == REAPER_ERR_INVALID || error.code == REAPER_ERR_EXEC) return error;
  const bool over = speaks_of_an_end(error) ? ends_soon(container) : has_ended(container.pidfd).value_or(false);
  return over ? not_running() : error;
}

}  // namespace

ExecHandle::~ExecHandle() {
  if (!exit) reap_supervisor(pidfd);
}

Result<ExecHandlePtr> exec_in_container(const Container& container, const ExecRequest& request) {
  if (!TRY(container.directory.exists())) return fail(no_such_container(container.id()));
  if (!container.record) return exec_in_container(*TRY(look_again(container)), request);
  const Cgroups cgroups = TRY(recorded_cgroups(*container.record));
  TRY(check_status(container, cgroups, request.ignore_paused));
  auto looked = prepare(container, request);
  if (!looked.has_value()) return fail(explain(container, std::move(looked).error()));
  const PreparedExec& prepared = *looked;
  const std::string blob = TRY(encode_plan(prepared.plan));
  const bool joins = find_operation(prepared.plan, wire::Op::enter) != nullptr;
  LaunchRequest launch;
  launch.init_image = TRY(init_image(*container.runtime));
  launch.plan = blob;
  launch.facts = &prepared.facts;
  launch.extra_fds = request.io.extra_fds;
  if (joins) launch.state_directory = container.pidfd.get();
  for (int i = 0; i < 3 && !prepared.config.process->terminal; ++i) launch.stdio[i] = request.io.stdio[i];
  Takers takers;
  takers.console = TRY(connect_console(request.io, container.runtime->lock_deadline()));
  // Before anything is cloned: without an agent there is no process.
  if (prepared.notifies) takers.agent = TRY(connect_listener(*container.record, container.runtime->lock_deadline()));
  auto handle = std::make_unique<ExecHandle>();
  std::vector<std::string> warnings;
  warnings.reserve(prepared.plan.warnings.size());
  for (const Warning& warning : prepared.plan.warnings) warnings.push_back(warning_line(warning));

  // What failed is reaped by then: until that, the first process of its pid namespace could not end
  // (pid_namespaces(7)).
  auto ran = run(container, prepared, request, launch, std::move(takers));
  if (!ran.has_value()) return fail(explain(container, std::move(ran).error()));
  // From here on nothing can fail, nor want memory.
  handle->started_ns = ran->started_ns;
  handle->pid = ran->launched.pid;
  handle->pidfd = std::move(ran->launched.pidfd);
  if (request.io.console != nullptr) *request.io.console = ran->launched.terminal.release();
  for (const std::string& warning : warnings)
    if (container.runtime->log) container.runtime->log(REAPER_LOG_WARNING, warning.c_str());
  return handle;
}

Status kill_exec(const ExecHandle& handle, int signal) {
  TRY(check_signal(signal));
  const Error ended = status_error("the process has ended");
  if (TRY(has_ended(handle.pidfd))) return fail(ended);
  const Status sent = signal_process(handle.pidfd, signal, "the process");
  return !sent.has_value() && sent.error().sys_errno == ESRCH ? fail(ended) : sent;
}

Result<ExitStatus> wait_exec(const ExecHandle& handle, int64_t limit_ms) {
  const bool was_alive = !TRY(has_ended(handle.pidfd));
  if (was_alive && !TRY(await_end(handle.pidfd, deadline_after(limit_ms))))
    return fail({REAPER_ERR_TIMEOUT, ETIMEDOUT, "process " + std::to_string(handle.pid) + " still runs", "", "wait"});
  const int64_t now = realtime_ns();
  const std::lock_guard lock(handle.mutex);
  if (handle.exit) return *handle.exit;
  handle.exit = read_exit_status(handle.pidfd, handle.pid, true);
  if (!handle.exit)
    return fail({REAPER_ERR_UNKNOWN, 0,
                 "process " + std::to_string(handle.pid) + " has ended, but its exit status can no longer be known", "",
                 "wait"});
  handle.exit->started_ns = handle.started_ns;
  if (was_alive) handle.exit->finished_ns = now;
  return *handle.exit;
}

}  // namespace reaper
