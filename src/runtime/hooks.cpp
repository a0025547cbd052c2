#include "runtime/hooks.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file_size.h"
#include "core/json.h"
#include "core/memory.h"
#include "launch/launch.h"
#include "plan/plan.h"
#include "runtime/container.h"
#include "runtime/namespaces.h"
#include "runtime/process.h"
#include "runtime/report.h"
#include "runtime/tree.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U  // Linux 6.3
#endif

namespace reaper {

namespace {

constexpr std::chrono::seconds end_limit{2};

// One hook of a container, and what every message about it needs.
struct Call {
  const Hook& hook;
  std::string pointer;
  std::string directory;
  HookPlace place = {};
  int container = -1;  // a pidfd, for `place`
};

Error hook_error(const Call& call, std::string_view pointer, int number, const std::string& what) {
  return {REAPER_ERR_HOOK, number, std::string(pointer) + ": hook \"" + printable(call.hook.path) + "\" " + what,
          std::string(pointer), "hook"};
}

// The words of a failed start of a program (callers.md, row 10) mean the container's own: a hook's are others.
std::string why_not_executed(const Error& error) {
  std::string text = "cannot be executed: " + errno_name(error.sys_errno);
  switch (error.sys_errno) {
    case ENOENT:
      return text + (error.stage == "execve" ? ": the interpreter that it names is missing" : ": it is missing");
    case EACCES:
      return text + ": it is no regular file, or this user may not execute it";
    case ENOEXEC:
      return text + ": not a program that this machine runs, and no #! line";
    default:
      return text;
  }
}

Error explain(const Call& call, const Error& error) {
  if (error.code == REAPER_ERR_EXEC)
    return hook_error(call, call.pointer + "/path", error.sys_errno, why_not_executed(error));
  std::string_view message = error.message;
  if (message.starts_with(call.pointer + ": ")) message.remove_prefix(call.pointer.size() + 2);
  return hook_error(call, call.pointer, error.sys_errno, "failed: " + std::string(message));
}

Status judge(const Call& call, const ProcessEnd& end) {
  if (end.code == CLD_EXITED && end.status == 0) return {};
  if (end.code == CLD_EXITED)
    return fail(hook_error(call, call.pointer, 0, "failed with exit status " + std::to_string(end.status)));
  return fail(hook_error(call, call.pointer, 0, "was ended by " + signal_name(end.status)));
}

// The state as a file that nobody can change, to be read from its beginning. Not a pipe: the state may be larger than
// a pipe holds, and a hook need not read it. Where a filter denies seals it can be changed, but it is this hook's
// alone.
Result<Fd> state_file(std::string_view text) {
  constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  // vm.memfd_noexec=2 refuses those that could be executed; before 6.3 the flag is EINVAL.
  Fd file(memfd_create("reaper-state", flags | MFD_NOEXEC_SEAL));
  if (!file && errno == EINVAL) file = Fd(memfd_create("reaper-state", flags));
  if (!file) return fail(system_error("hook", "memfd_create for the state"));
  if (!fits_file_size_limit(text.size())) return fail(system_error("hook", "write the state (RLIMIT_FSIZE)", EFBIG));
  for (off_t at = 0; static_cast<size_t>(at) < text.size();) {
    const ssize_t written = pwrite(file.get(), text.data() + at, text.size() - static_cast<size_t>(at), at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail(system_error("hook", "write the state"));
    at += written;
  }
  (void)fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  return file;
}

// Our own standard output or error, where any program that this process executes would have it. What is close-on-exec
// there may be a descriptor of the library itself, in a host that has closed its own.
Result<int> inherited(int number) {
  const int flags = fcntl(number, F_GETFD);
  if (flags < 0 && errno != EBADF)
    return fail(system_error("hook", "fcntl F_GETFD on descriptor " + std::to_string(number)));
  return flags < 0 || (flags & FD_CLOEXEC) != 0 ? -1 : number;
}

// A hook at work. It is not at the end of this object's life.
struct Running {
  Launched launched;
  Running() = default;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { end_launched(launched); }
};

// Ends the hook and everything that it has started.
Status end_hook(const Launched& launched) {
  const auto limit = [] { return std::chrono::steady_clock::now() + end_limit; };
  // At this end of file reaper-init, a subreaper, ends all that is below it, and then itself.
  shutdown(launched.handshake.get(), SHUT_RDWR);
  if (!TRY(await_end(launched.keeper_pidfd, limit())))
    TRY(signal_tree(launched.keeper, launched.keeper_pidfd, SIGKILL));  // the hook may have stopped it
  if (!TRY(has_ended(launched.pidfd))) TRY(signal_tree(launched.pid, launched.pidfd, SIGKILL));  // or killed it
  if (TRY(await_end(launched.pidfd, limit()))) return {};
  return fail({REAPER_ERR_TIMEOUT, ETIMEDOUT, "it does not die", "", "hook"});
}

Deadline deadline_of(const Hook& hook) {
  using namespace std::chrono;
  const auto now = steady_clock::now();
  const auto most = static_cast<uint64_t>(duration_cast<seconds>(Deadline::max() - now).count());
  if (hook.timeout_s == 0 || hook.timeout_s >= most) return Deadline::max();
  return now + seconds(hook.timeout_s);
}

Status await_hook(const Call& call, const Launched& launched, Deadline deadline) {
  const auto end = await_ended(launched, deadline);
  if (end.has_value()) return judge(call, *end);
  const Status ended = end_hook(launched);
  const std::string still = ended.has_value() ? "" : ", and could not be ended: " + ended.error().message;
  if (end.error().code != REAPER_ERR_TIMEOUT) {
    Error error = explain(call, end.error());
    error.message += still;
    return fail(std::move(error));
  }
  return fail(hook_error(call, call.pointer, ETIMEDOUT,
                         "did not end within " + std::to_string(call.hook.timeout_s) + " s" +
                             (ended.has_value() ? " and was killed" : still)));
}

Status run_hook(Runtime& runtime, const Call& call, std::string_view state) {
  const Deadline deadline = deadline_of(call.hook);
  const auto launch = [&](Launched& launched) -> Status {
    const ProcessFacts facts = TRY(read_process_facts());
    const Plan plan = TRY(make_hook_plan(call.hook, call.pointer, call.directory, facts, call.place));
    const std::string blob = TRY(encode_plan(plan));
    const int output = TRY(inherited(STDOUT_FILENO));  // before anything is opened
    const int errors = TRY(inherited(STDERR_FILENO));
    const Fd file = TRY(state_file(state));
    LaunchRequest request;
    request.init_image = TRY(init_image(runtime));
    request.plan = blob;
    request.stdio[0] = file.get();
    request.stdio[1] = output;
    request.stdio[2] = errors;
    const int32_t container = call.container;
    if (call.place.namespaces != 0) request.extra_fds = {&container, 1};
    request.facts = &facts;
    launched = TRY(clone_init(request));
    return await_cloned(launched);
  };
  Running running;
  const Status launched = launch(running.launched);
  if (!launched.has_value()) return fail(explain(call, launched.error()));
  return await_hook(call, running.launched, deadline);
}

std::string state_of(const Record& record, int status) {
  JsonWriter out;
  out.begin_object();
  write_state(out, record, status);
  out.end_object();
  return out.take();
}

// config.md: CreateContainer and StartContainer Hooks are in the container's namespaces; the latter's path is too.
Result<HookPlace> place_of(const Record& record, HookKind kind) {
  HookPlace place;
  if (kind != HookKind::create_container && kind != HookKind::start_container) return place;
  place.namespaces = TRY(namespace_flags(record));
  place.path_inside = kind == HookKind::start_container;
  return place;
}

// Known when the container's process is: it is alive, as the moment has said.
Status look_at_groups(const Record& record, HookPlace& place) {
  if ((place.namespaces & CLONE_NEWUSER) == 0 || !place.gids.empty()) return {};
  const UserNamespaceFacts facts = TRY(read_user_namespace(record.init.pid));
  place.setgroups_denied = facts.setgroups_denied;
  place.gids.reserve(facts.gids.size());
  for (const IdRange& range : facts.gids) place.gids.push_back({range.inside, range.outside, range.size});
  return {};
}

// The record for hooks there: the pid is the one that they see (runtime.md, State).
Result<Record> seen_from(const HookPlace& place, Record record) {
  if (place.namespaces != 0) record.init.pid = TRY(innermost_pid(record.init.pid));
  return record;
}

void warn(const Runtime& runtime, const std::string& message) {
  if (runtime.log) runtime.log(REAPER_LOG_WARNING, message.c_str());
}

// Where the hook begins: the bundle. Its removal must not keep poststop hooks from taking back what others have made.
std::string directory_for(const Runtime& runtime, const Record& record, HookKind kind) {
  struct stat status = {};
  const bool stands = stat(record.bundle.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  if (kind != HookKind::poststop || stands) return record.bundle;
  warn(runtime, "the bundle \"" + printable(record.bundle) + "\" is gone: poststop hooks are run in /");
  return "/";
}

// Empty where the record has none.
Result<Hooks> hooks_of(const Record& record) {
  return record.hooks_json.empty() ? Hooks() : hooks_from_json(record.hooks_json);
}

}  // namespace

Error hook_without_program(const Hook& hook, std::string pointer, int number) {
  const Call call = {hook, std::move(pointer), "", {}, -1};
  Error error;
  error.code = REAPER_ERR_EXEC;
  error.sys_errno = number;
  return explain(call, error);
}

bool has_hooks(const Record& record, HookKind kind) {
  const auto hooks = hooks_of(record);
  return !hooks.has_value() || !hooks->of(kind).empty();  // who runs them says what is wrong
}

Status run_hooks(Runtime& runtime, const Record& record, const Fd& container, HookKind kind, const Moment& moment) {
  const Hooks hooks = TRY(hooks_of(record));
  if (hooks.of(kind).empty()) return {};
  HookPlace place = TRY(place_of(record, kind));
  // The bundle may not be there.
  const bool root_inside = place.path_inside && (place.namespaces & CLONE_NEWNS) != 0;
  for (size_t i = 0; i < hooks.of(kind).size(); ++i) {
    const int status = TRY(moment());
    TRY(look_at_groups(record, place));
    const Record seen = TRY(seen_from(place, record));
    const Call call = {hooks.of(kind)[i], hook_pointer(kind, i), root_inside ? "/" : record.bundle, place,
                       container.get()};
    TRY(run_hook(runtime, call, state_of(seen, status)));
  }
  return {};
}

static void run_all_poststop_hooks(Runtime& runtime, const Record& record) {
  constexpr HookKind kind = HookKind::poststop;
  const auto hooks = hooks_of(record);
  if (!hooks.has_value()) return warn(runtime, "the record's poststop hooks cannot be read: " + hooks.error().message);
  if (hooks->of(kind).empty()) return;
  const std::string directory = directory_for(runtime, record, kind);
  for (size_t i = 0; i < hooks->of(kind).size(); ++i) {
    const Call call = {hooks->of(kind)[i], hook_pointer(kind, i), directory, {}, -1};
    const Status ran = run_hook(runtime, call, state_of(record, REAPER_STATUS_STOPPED));
    if (!ran.has_value()) warn(runtime, ran.error().message);
  }
}

void run_poststop_hooks(Runtime& runtime, const Record& record) {
  // The container is gone: that is no failure any more.
  if (!as_memory_allows([&] { run_all_poststop_hooks(runtime, record); }) && runtime.log)
    runtime.log(REAPER_LOG_WARNING, "poststop hooks were not run: out of memory");
}

}  // namespace reaper
