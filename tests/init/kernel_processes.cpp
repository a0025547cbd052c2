// The part of the model kernel that clones and waits.
#include <asm/unistd.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "init/kernel.h"

namespace reaper::test {

namespace {

constexpr int pidfd = 110;
constexpr int pipe_read = 111;
constexpr int pipe_write = 112;
constexpr int record_fd = 113;
constexpr int children_fd = 114;

const char* text_at(long address) {
  return reinterpret_cast<const char*>(address);
}

long clone_process(Kernel& k, const Call& call) {
  if (k.clone_result > 0) {
    *reinterpret_cast<int*>(call.arguments[2]) = pidfd;
    k.open.insert(pidfd);
  }
  return k.clone_result;
}

long make_pipe(Kernel& k, const Call& call) {
  auto* ends = reinterpret_cast<int*>(call.arguments[0]);
  ends[0] = pipe_read;
  ends[1] = pipe_write;
  k.open.insert({pipe_read, pipe_write});
  return 0;
}

long send_message(Kernel& k, const Call& call) {
  const auto* message = reinterpret_cast<const msghdr*>(call.arguments[1]);
  long size = 0;
  for (size_t i = 0; i < message->msg_iovlen; ++i) {
    k.sent.append(static_cast<const char*>(message->msg_iov[i].iov_base), message->msg_iov[i].iov_len);
    size += static_cast<long>(message->msg_iov[i].iov_len);
  }
  const cmsghdr* header = CMSG_FIRSTHDR(message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof(int)))
    return -EINVAL;
  int descriptor;
  memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  if (!k.open.contains(descriptor)) return -EBADF;
  k.passed.push_back(descriptor);
  return size;
}

long receive_message(Kernel& k, const Call& call) {
  auto* message = reinterpret_cast<msghdr*>(call.arguments[1]);
  const size_t size = std::min(k.to_read.size(), message->msg_iov[0].iov_len);
  memcpy(message->msg_iov[0].iov_base, k.to_read.data(), size);
  k.to_read.erase(0, size);
  if (k.given.empty()) return static_cast<long>(size);
  cmsghdr* header = CMSG_FIRSTHDR(message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &k.given.front(), sizeof(int));
  k.open.insert(k.given.front());
  k.given.pop_front();
  return static_cast<long>(size);
}

// A killed child ends, and its pid is not listed any more.
long wait_for_child(Kernel& k, const Call& call) {
  auto at = k.ended.begin();
  if (call.arguments[0] == P_PID)
    at = std::find_if(k.ended.begin(), k.ended.end(), [&](const EndedChild& c) { return c.pid == call.arguments[1]; });
  if (at == k.ended.end()) return -ECHILD;
  if (auto* info = reinterpret_cast<siginfo_t*>(call.arguments[2]); info != nullptr) {
    memset(info, 0, sizeof *info);
    info->si_signo = SIGCHLD;
    info->si_code = at->code;
    info->si_pid = at->pid;
    info->si_status = at->status;
  }
  if (auto* usage = reinterpret_cast<int64_t*>(call.arguments[4]); usage != nullptr) {
    const int64_t values[] = {1, 500000, 2, 250000, 1234};
    memcpy(usage, values, sizeof values);
  }
  if ((call.arguments[3] & WNOWAIT) == 0) {
    k.reaped.push_back(at->pid);
    k.ended.erase(at);
  }
  return 0;
}

std::optional<long> open_known(Kernel& k, const Call& call) {
  const std::string path = text_at(call.arguments[1]);
  if (path == ".exit.new" && (call.arguments[2] & O_CREAT) != 0) return k.open.insert(record_fd), record_fd;
  if (path == "/proc/thread-self/children") return k.open.insert(children_fd), children_fd;
  return std::nullopt;
}

std::optional<long> read_known(Kernel& k, const Call& call) {
  auto* out = reinterpret_cast<char*>(call.arguments[1]);
  if (call.arguments[0] == pipe_read && call.arguments[2] == sizeof(int32_t)) {
    memcpy(out, k.told_to_supervisor.data(), k.told_to_supervisor.size());
    return static_cast<long>(k.told_to_supervisor.size());
  }
  if (call.arguments[0] == pipe_read) {
    *out = 0;
    return k.told_to_go_on ? 1 : 0;
  }
  if (call.arguments[0] != children_fd) return std::nullopt;
  memcpy(out, k.children.data(), k.children.size());
  const auto size = static_cast<long>(k.children.size());
  k.children.clear();
  return size;
}

std::optional<long> poll_known(Kernel& k, const Call& call) {
  auto* fds = reinterpret_cast<pollfd*>(call.arguments[0]);
  if (fds[0].fd != pidfd) return std::nullopt;
  fds[0].revents = !k.library_gone ? POLLIN : 0;
  fds[1].revents = k.library_gone ? POLLHUP : 0;
  return 1;
}

std::optional<long> write_known(Kernel& k, const Call& call) {
  if (call.arguments[0] == pipe_write && call.arguments[2] == sizeof(int32_t))
    k.told_to_supervisor.assign(text_at(call.arguments[1]), sizeof(int32_t));
  if (call.arguments[0] == pipe_write) return call.arguments[2];
  if (call.arguments[0] != record_fd && call.number == __NR_write) return std::nullopt;
  k.record.assign(text_at(call.arguments[1]), static_cast<size_t>(call.arguments[2]));
  return call.arguments[2];
}

}  // namespace

std::optional<long> handle_processes(Kernel& k, const Call& call) {
  const long* a = call.arguments;
  switch (call.number) {
    case __NR_clone:
      return clone_process(k, call);
    case __NR_pipe2:
      return make_pipe(k, call);
    case __NR_recvmsg:
      return receive_message(k, call);
    case __NR_sendmsg:
      return send_message(k, call);
    case __NR_waitid:
      return wait_for_child(k, call);
    case __NR_openat:
      return open_known(k, call);
    case __NR_read:
      return read_known(k, call);
    case __NR_ppoll:
      return poll_known(k, call);
    case __NR_write:
    case __NR_pwrite64:
      return write_known(k, call);
    case __NR_ftruncate:
      k.record.resize(static_cast<size_t>(a[1]));
      return 0;
    case __NR_renameat2:
      k.record_name = text_at(a[3]);
      return 0;
    case __NR_kill:
      if (a[0] != 0) k.killed.push_back(a[0]);
      return 0;
    case __NR_rt_sigtimedwait: {
      if (k.signals.empty()) throw Exited{-2};  // nobody ever sends one
      const uint32_t signal = k.signals.front();
      k.signals.pop_front();
      return signal;
    }
    case __NR_prctl:
      return a[0] == PR_SET_CHILD_SUBREAPER ? std::optional<long>(0) : std::nullopt;
    case __NR_clock_gettime: {
      const int64_t now[] = {1700000000, 5};
      memcpy(reinterpret_cast<void*>(a[1]), now, sizeof now);
      return 0;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace reaper::test
