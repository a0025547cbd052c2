// The gate: the unix socket in the state directory through which start reaches a created container.
// init binds it, not the creator: so the peer is right, and no forked child of the host can hold the listener open.
#include <asm/errno.h>
#include <asm/signal.h>
#include <asm/socket.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/un.h>

#include "init/frames.h"
#include "init/signals.h"
#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

constexpr int af_unix = 1;                          // AF_UNIX, unix(7); the kernel's headers do not export it
constexpr int sock_stream_cloexec = 1 | O_CLOEXEC;  // SOCK_STREAM | SOCK_CLOEXEC, socket(2)
constexpr int backlog = 16;
constexpr int request_limit_ms = 5000;  // for a client that connects and then says nothing

// Every signal whose default does not end the process (signal(7)). SIGKILL and SIGSTOP cannot be taken anyway.
constexpr uint64_t harmless = signal_bit(SIGCHLD) | signal_bit(SIGCONT) | signal_bit(SIGURG) | signal_bit(SIGWINCH) |
                              signal_bit(SIGSTOP) | signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU) |
                              signal_bit(SIGKILL);

// signalfd_siginfo of signalfd(2); only the first member is used.
struct SignalInfo {
  uint32_t signal;
  uint8_t rest[124];
};

// Ends this process by the signal that came, so that whoever waits sees the truth. The first process of a pid namespace
// ignores its own signals: an exit status has to do there.
[[noreturn]] void die_by(int signal) {
  set_default_disposition(signal);
  const uint64_t set = signal_bit(signal);
  call(__NR_kill, call(__NR_getpid), signal);
  call(__NR_rt_sigprocmask, SIG_UNBLOCK, &set, nullptr, signal_set_size);
  exit_now(128 + signal);
}

// Waits for `fd` or a signal. True: `fd` is readable; false: the limit (negative: none) was reached.
bool poll_with_signals(int fd, int signals, int limit_ms) {
  for (;;) {
    pollfd fds[2] = {{fd, POLLIN, 0}, {signals, POLLIN, 0}};
    struct {
      long seconds, nanoseconds;
    } limit = {limit_ms / 1000, (limit_ms % 1000) * 1000000L};
    const long ready = call(__NR_ppoll, fds, 2, limit_ms < 0 ? nullptr : &limit, nullptr, 0);
    if (ready == -EINTR) continue;
    if (ready <= 0) return false;
    if (fds[1].revents != 0) {
      SignalInfo info;
      if (call(__NR_read, signals, &info, sizeof info) == static_cast<long>(sizeof info))
        die_by(static_cast<int>(info.signal));
    }
    if (fds[0].revents != 0) return true;
  }
}

// True when the client said START and was told that it has won.
bool admit(int connection, int signals) {
  wire::FrameHeader frame;
  auto* position = reinterpret_cast<char*>(&frame);
  for (uint64_t left = sizeof frame; left != 0;) {
    if (!poll_with_signals(connection, signals, request_limit_ms)) return false;
    const long got = call_again(__NR_read, connection, position, left);
    if (got <= 0) return false;
    position += got;
    left -= static_cast<uint64_t>(got);
  }
  if (frame.magic != wire::frame_magic || frame.version != wire::version ||
      frame.type != static_cast<uint16_t>(wire::Frame::start) || frame.size != 0)
    return false;
  return send_frame(connection, wire::Frame::accepted, nullptr, 0) == 0;
}

}  // namespace

Outcome bind_gate(State& state) {
  // A relative name, because sun_path holds 108 bytes only; the umask, because bind(2) has no mode argument.
  if (const long result = call(__NR_fchdir, state.state_directory); result < 0) return failed_call(result, "fchdir");
  const long gate = call(__NR_socket, af_unix, sock_stream_cloexec, 0);
  if (gate < 0) return failed_call(gate, "socket");
  state.gate = static_cast<int>(gate);
  const sockaddr_un address = {af_unix, "gate"};
  const long mask = call(__NR_umask, 0177);
  const long bound = call(__NR_bind, state.gate, &address, sizeof address.sun_family + sizeof "gate");
  call(__NR_umask, mask);
  if (bound < 0) return failed_call(bound, "bind");
  if (const long result = call(__NR_listen, state.gate, backlog); result < 0) return failed_call(result, "listen");
  call(__NR_close, state.state_directory);
  state.state_directory = -1;
  return checked(call(__NR_chdir, "/"), "chdir /");
}

Outcome await_go(State& state) {
  if (send_frame(state.handshake, wire::Frame::ready, nullptr, 0) < 0) exit_now(1);
  // Here it takes nobody's time: the library commits meanwhile. A failure is the operation's to tell.
  state.dispositions = set_dispositions();
  state.has_dispositions = true;
  wire::FrameHeader go;
  if (read_exactly(state.handshake, &go, sizeof go) <= 0 || go.magic != wire::frame_magic ||
      go.type != static_cast<uint16_t>(wire::Frame::go))
    exit_now(1);  // the creator died before its commit: nobody knows of us
  return {};
}

Outcome wait_for_start(State& state) {
  // Before READY: after it nothing may fail until a start comes.
  const uint64_t ending = ~harmless;
  const long signals = call(__NR_signalfd4, -1, &ending, signal_set_size, O_CLOEXEC);
  if (signals < 0) return failed_call(signals, "signalfd4");
  await_go(state);
  call(__NR_close, state.handshake);
  state.handshake = -1;
  release_setup();

  for (;;) {
    if (!poll_with_signals(state.gate, static_cast<int>(signals), -1)) continue;
    const long connection = call(__NR_accept4, state.gate, nullptr, nullptr, O_CLOEXEC);
    if (connection < 0) continue;
    if (admit(static_cast<int>(connection), static_cast<int>(signals))) {
      state.connection = static_cast<int>(connection);
      break;
    }
    call(__NR_close, connection);
  }
  call(__NR_close, signals);
  call(__NR_close, state.gate);
  state.gate = -1;
  return {};
}

}  // namespace reaper::init
