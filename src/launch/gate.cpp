// The client of a created container's gate.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstring>

#include "host/facts.h"
#include "launch/connect.h"
#include "launch/frames.h"
#include "launch/launch.h"

namespace reaper {

namespace {

Error gone() {
  return {REAPER_ERR_STATUS, ECONNREFUSED, "the container is not waiting to be started", "", "gate"};
}

Error unexpected(const ReceivedFrame& frame) {
  if (frame.type == wire::Frame::error) return error_from_frame(frame.payload);
  return {REAPER_ERR_INTERNAL, EPROTO, "reaper-init answered out of turn", "", "start"};
}

// The wanted frame, or nullopt: end of file.
Result<std::optional<ReceivedFrame>> expect(const FrameTalk& talk, wire::Frame wanted) {
  auto frame = TRY(talk.receive());
  if (frame && frame->type != wanted) return fail(unexpected(*frame));
  return frame;
}

// What init could not say any more once its filter was loaded.
Status read_error_page(const Fd& page) {
  char bytes[wire::error_page_bytes];
  ssize_t got;
  do got = pread(page.get(), bytes, sizeof bytes, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) return fail(system_error("start", "pread"));
  wire::ErrorPage head = {};
  if (got == static_cast<ssize_t>(sizeof bytes)) memcpy(&head, bytes, sizeof head);
  if (head.size == 0) return {};
  if (head.size > sizeof bytes - sizeof head)
    return fail({REAPER_ERR_INTERNAL, EPROTO, "reaper-init left an error that is cut short", "", "start"});
  return fail(error_from_frame({bytes + sizeof head, head.size}));
}

// End of file is also what a filter leaves that kills execve(2). The process's name tells: execve(2) changes it a
// moment after it has closed what is close-on-exec, and it stays with the dead. Nothing can be told of a process that
// somebody else has reaped.
Status await_program(int pidfd, pid_t pid, StartDeadline deadline) {
  for (;;) {
    // Asked before the name: what has ended has its last one.
    pollfd ended = {pidfd, POLLIN, 0};
    const int polled = poll(&ended, 1, 0);
    const auto process = read_process_stat(pid);
    if (!process.has_value() && process.error().code == REAPER_ERR_NOT_FOUND) return {};
    if (!process.has_value()) return fail(process.error());
    if (process->name != wire::init_name) return {};
    if (polled > 0)
      return fail({REAPER_ERR_EXEC, EPERM,
                   "/linux/seccomp: the container's process was ended before its program ran: the filter does not "
                   "allow execve",
                   "/linux/seccomp", "execve"});
    if (std::chrono::steady_clock::now() >= deadline)
      return fail({REAPER_ERR_TIMEOUT, ETIMEDOUT, "the program does not begin", "", "start"});
    constexpr int pause_ms = 1;
    (void)poll(&ended, 1, pause_ms);
  }
}

}  // namespace

Status see_program(const FrameTalk& talk, const ReceivedFrame& exec, const Program& program) {
  auto after = TRY(talk.receive());
  if (after && after->type == wire::Frame::listener && after->descriptor) {
    TRY(program.taker(after->descriptor));
    TRY(talk.send(wire::Frame::taken));
    after = TRY(talk.receive());
  }
  if (after) return fail(unexpected(*after));
  if (!exec.descriptor) return {};
  TRY(read_error_page(exec.descriptor));
  return await_program(program.pidfd, program.pid, program.deadline);
}

Result<Fd> connect_gate(int state_directory, StartDeadline deadline) {
  Fd socket = unix_socket();
  if (!socket) return fail(system_error("gate", "socket"));
  // Opened first: connect(2) would follow a link, to the gate of another container.
  const Fd gate(openat(state_directory, "gate", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  const int error = gate ? connect_at(socket, gate.get(), "", deadline) : errno;
  if (error == 0) return socket;
  if (error == ECONNREFUSED || error == ENOENT) return fail(gone());
  if (error == ETIMEDOUT)
    return fail({REAPER_ERR_TIMEOUT, ETIMEDOUT, "the container's gate does not answer", "", "gate"});
  return fail(system_error("gate", "connect to the container's gate", error));
}

Status start_through_gate(const Fd& gate, int pidfd, pid_t pid, StartDeadline deadline, const ListenerTaker& taker) {
  const FrameTalk talk(gate.get(), pidfd, "start", deadline);
  TRY(talk.send(wire::Frame::start));
  // ACCEPTED, EXEC, end of file: only all three in this order are success. End of file alone is what a killed init
  // looks like.
  if (!TRY(expect(talk, wire::Frame::accepted))) return fail(gone());
  const auto exec = TRY(expect(talk, wire::Frame::exec));
  if (!exec) return fail({REAPER_ERR_SYSTEM, 0, "the container's process ended before its program ran", "", "start"});
  return see_program(talk, *exec, {pidfd, pid, deadline, taker});
}

}  // namespace reaper
