// Further processes in a container, and how a process ended.
#include <fcntl.h>

#include <algorithm>
#include <cstddef>

#include "abi/handles.h"
#include "plan/wire.h"

using namespace reaper;

namespace {

constexpr size_t smallest_exec_options = offsetof(reaper_exec_options, console) + sizeof(int32_t*);
// The first version of the struct is the smallest that is accepted.
constexpr size_t smallest_exit_status = offsetof(reaper_exit_status, max_rss_kib) + sizeof(int64_t);
constexpr uint32_t exec_flags = REAPER_EXEC_STDIO | REAPER_EXEC_STRICT | REAPER_EXEC_LAY_OVER |
                                REAPER_EXEC_IGNORE_PAUSED | REAPER_EXEC_NO_NEW_PRIVS;

Status check_options(const reaper_exec_options& options) {
  if ((options.flags & ~exec_flags) != 0 || options.reserved != 0)
    return fail(
        {REAPER_ERR_UNSUPPORTED, 0, "options: flags has a bit that this version does not know", "", "arguments"});
  if (options.process == nullptr) return fail(abi::invalid_argument("options: process is NULL"));
  if (options.extra_fd_count > wire::max_extra_fds)
    return fail(abi::invalid_argument("options: extra_fd_count is over " + std::to_string(wire::max_extra_fds)));
  if (options.extra_fd_count != 0 && options.extra_fds == nullptr)
    return fail(abi::invalid_argument("options: extra_fds is NULL, but extra_fd_count is not 0"));
  if (options.console_socket != nullptr && options.console != nullptr)
    return fail(abi::invalid_argument("options: console_socket and console are both given"));
  return {};
}

Result<ExecRequest> read_request(const reaper_exec_options* given) {
  const auto options = TRY(abi::read_options(given, smallest_exec_options));
  TRY(check_options(options));
  ExecRequest request;
  request.process = std::string_view(options.process, options.process_length);
  request.lay_over = (options.flags & REAPER_EXEC_LAY_OVER) != 0;
  request.ignore_paused = (options.flags & REAPER_EXEC_IGNORE_PAUSED) != 0;
  request.no_new_privileges = (options.flags & REAPER_EXEC_NO_NEW_PRIVS) != 0;
  request.io.strict = (options.flags & REAPER_EXEC_STRICT) != 0;
  if (options.pid_file != nullptr) request.io.pid_file = options.pid_file;
  if (options.console_socket != nullptr) request.io.console_socket = options.console_socket;
  request.io.console = options.console;
  request.io.extra_fds.assign(options.extra_fds, options.extra_fds + options.extra_fd_count);
  if ((options.flags & REAPER_EXEC_STDIO) != 0)
    for (int i = 0; i < 3; ++i) request.io.stdio[i] = options.stdio[i];
  return request;
}

template <class Body>
int with_process(const reaper_process* process, reaper_error** err, Body&& body) noexcept {
  return abi::guarded(err, [&]() -> Status {
    if (process == nullptr) return fail(abi::invalid_argument("process is NULL"));
    return body(*process->process);
  });
}

}  // namespace

namespace reaper::abi {

Status check_exit_status(const reaper_exit_status* out) {
  if (out != nullptr && out->size >= smallest_exit_status && out->size <= 65536) return {};
  return fail(invalid_argument("out is NULL, or its size is not that of the struct"));
}

void give_exit_status(const ExitStatus& exit, reaper_exit_status* out) {
  reaper_exit_status status = {};
  status.size = out->size;
  status.exit_code = exit.exit_code;
  status.signal = exit.signal;
  status.core_dumped = exit.core_dumped ? 1 : 0;
  status.started_at_ns = exit.started_ns;
  status.finished_at_ns = exit.finished_ns;
  status.user_time_us = exit.user_us;
  status.system_time_us = exit.system_us;
  status.max_rss_kib = exit.max_rss_kib;
  memcpy(out, &status, std::min<size_t>(out->size, sizeof status));
}

}  // namespace reaper::abi

extern "C" {

int reaper_exec(const reaper_container* container, const reaper_exec_options* options, reaper_process** out,
                reaper_error** err) {
  return abi::guarded(err, [&]() -> Status {
    if (container == nullptr || out == nullptr) return fail(abi::invalid_argument("container or out is NULL"));
    const ExecRequest request = TRY(read_request(options));
    auto handle = std::make_unique<reaper_process>();
    handle->process = TRY(exec_in_container(*container->container, request));
    *out = handle.release();
    return {};
  });
}

void reaper_process_free(reaper_process* process) {
  delete process;
}

int32_t reaper_process_pid(const reaper_process* process) {
  return process != nullptr ? process->process->pid : 0;
}

int reaper_process_pidfd(const reaper_process* process, int32_t* out, reaper_error** err) {
  return with_process(process, err, [&](const ExecHandle& inner) -> Status {
    if (out == nullptr) return fail(abi::invalid_argument("out is NULL"));
    const int pidfd = fcntl(inner.pidfd.get(), F_DUPFD_CLOEXEC, 0);
    if (pidfd < 0) return fail(system_error("pidfd", "fcntl F_DUPFD_CLOEXEC"));
    *out = pidfd;
    return {};
  });
}

int reaper_process_kill(const reaper_process* process, int32_t signal, reaper_error** err) {
  return with_process(process, err, [&](const ExecHandle& inner) { return kill_exec(inner, signal); });
}

int reaper_process_wait(const reaper_process* process, int64_t timeout_ms, reaper_exit_status* out,
                        reaper_error** err) {
  return with_process(process, err, [&](const ExecHandle& inner) -> Status {
    TRY(abi::check_exit_status(out));
    abi::give_exit_status(TRY(wait_exec(inner, timeout_ms)), out);
    return {};
  });
}

}  // extern "C"
