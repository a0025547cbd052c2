#include "faults/calls.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace reaper::walk {

namespace {

struct Name {
  long call;
  const char* name;
  int path;      // the argument that is a path, or -1
  int selector;  // the argument that makes different calls of it, or -1
};

// An architecture has not all of them.
constexpr Name names[] = {
#define PLAIN(name) {SYS_##name, #name, -1, -1}
#define PATH(name, argument) {SYS_##name, #name, argument, -1}
#define BY(name, argument) {SYS_##name, #name, -1, argument}
    PLAIN(accept4),
    PLAIN(bind),
    PLAIN(brk),
    PLAIN(capget),
    PLAIN(capset),
    PATH(chdir, 0),
    PLAIN(clock_gettime),
    PLAIN(clock_nanosleep),
    PLAIN(clone),
    PLAIN(clone3),
    PLAIN(close),
    PLAIN(close_range),
    PLAIN(connect),
    PLAIN(dup3),
    PATH(execve, 0),
    PLAIN(execveat),
    PLAIN(exit),
    PLAIN(exit_group),
    PATH(faccessat, 1),
    PATH(faccessat2, 1),
    PLAIN(fchdir),
    PLAIN(fchmod),
    PATH(fchmodat, 1),
    PLAIN(fchown),
    PLAIN(fchownat),
    BY(fcntl, 1),
    PLAIN(fgetxattr),
    PLAIN(flistxattr),
    BY(flock, 1),
    BY(fsconfig, 1),
    PLAIN(fsetxattr),
    PLAIN(fsmount),
    PATH(fsopen, 0),
    PLAIN(fstat),
    PLAIN(fstatfs),
    PLAIN(ftruncate),
    PLAIN(futex),
    PLAIN(getcwd),
    PLAIN(getdents64),
    PLAIN(getegid),
    PLAIN(geteuid),
    PLAIN(getgid),
    PLAIN(getgroups),
    PLAIN(getpid),
    PLAIN(getppid),
    PLAIN(getpriority),
    PLAIN(getrandom),
    PLAIN(getresgid),
    PLAIN(getresuid),
    PLAIN(getsid),
    PLAIN(getsockopt),
    PLAIN(gettid),
    PLAIN(getuid),
    BY(ioctl, 1),
    PLAIN(ioprio_get),
    PLAIN(ioprio_set),
    PATH(mknodat, 1),
    PATH(mount, 1),
    PLAIN(mount_setattr),
    PLAIN(move_mount),
    PATH(open_tree, 1),
    PLAIN(pivot_root),
    PLAIN(sched_setattr),
    PLAIN(sched_setaffinity),
    BY(keyctl, 0),
    PLAIN(kill),
    PLAIN(listen),
    PLAIN(lseek),
    PLAIN(madvise),
    PLAIN(memfd_create),
    PATH(mkdirat, 1),
    PLAIN(mmap),
    PLAIN(mprotect),
    PLAIN(mremap),
    PLAIN(munmap),
    PLAIN(nanosleep),
    PATH(newfstatat, 1),
    PATH(openat, 1),
    PATH(openat2, 1),
    PLAIN(personality),
    PLAIN(pidfd_open),
    BY(pidfd_send_signal, 1),
    PLAIN(pipe2),
    PLAIN(ppoll),
    BY(prctl, 0),
    PLAIN(pread64),
    BY(prlimit64, 1),
    PLAIN(pwrite64),
    PLAIN(read),
    PATH(readlinkat, 1),
    PLAIN(recvfrom),
    PLAIN(recvmsg),
    PATH(renameat, 1),
    PATH(renameat2, 1),
    PLAIN(restart_syscall),
    PLAIN(rt_sigaction),
    PLAIN(rt_sigprocmask),
    PLAIN(rt_sigtimedwait),
    PLAIN(sched_getaffinity),
    PLAIN(sched_getattr),
    PLAIN(sched_getscheduler),
    PLAIN(sched_yield),
    PLAIN(seccomp),
    PLAIN(sendmsg),
    PLAIN(sendto),
    PLAIN(setdomainname),
    PLAIN(setgroups),
    PLAIN(sethostname),
    PLAIN(setns),
    PLAIN(setresgid),
    PLAIN(setresuid),
    PLAIN(setsid),
    PLAIN(setsockopt),
    PLAIN(shutdown),
    PLAIN(signalfd4),
    PLAIN(socket),
    PLAIN(socketpair),
    PATH(statfs, 0),
    PATH(statx, 1),
    PATH(symlinkat, 2),
    PLAIN(tgkill),
    PLAIN(umask),
    PLAIN(umount2),
    PLAIN(uname),
    PATH(unlinkat, 1),
    PLAIN(unshare),
    PATH(utimensat, 1),
    PLAIN(waitid),
    PLAIN(write),
    PLAIN(writev),
#if defined(__x86_64__)
    PATH(access, 0),
    PATH(chmod, 0),
    PATH(lstat, 0),
    PATH(open, 0),
    PLAIN(poll),
    PATH(readlink, 0),
    PATH(stat, 0),
    PATH(unlink, 0),
#endif
};

const Name* find(long call) {
  for (const Name& name : names)
    if (name.call == call) return &name;
  return nullptr;
}

// "?": not to be read, because the process is not dumpable and we are not privileged, or it is no address at all.
std::string text_at(pid_t pid, uint64_t address) {
  char buffer[256] = {};
  const long page = sysconf(_SC_PAGESIZE);
  size_t have = 0;
  while (have < sizeof buffer - 1 && memchr(buffer, '\0', have) == nullptr) {
    const auto in_page = static_cast<size_t>(page - static_cast<long>((address + have) % static_cast<size_t>(page)));
    const size_t wanted = in_page < sizeof buffer - 1 - have ? in_page : sizeof buffer - 1 - have;
    iovec here = {buffer + have, wanted};
    iovec there = {reinterpret_cast<void*>(address + have), wanted};
    const ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);
    if (got <= 0) return "?";
    have += static_cast<size_t>(got);
  }
  return buffer;
}

}  // namespace

std::string call_name(long call) {
  const Name* known = find(call);
  return known != nullptr ? known->name : "call " + std::to_string(call);
}

void describe(pid_t pid, const uint64_t* arguments, Call& call) {
  call.name = call_name(call.call);
  const Name* known = find(call.call);
  std::string detail;
  if (known != nullptr && known->path >= 0)
    detail = text_at(pid, arguments[known->path]);
  else if (known != nullptr && known->selector >= 0)
    detail = std::to_string(static_cast<int64_t>(arguments[known->selector]));
  call.text = call.name + "(" + detail + ")";
}

std::string call_of(pid_t pid) {
  char path[40];
  snprintf(path, sizeof path, "/proc/%d/syscall", static_cast<int>(pid));
  FILE* file = fopen(path, "re");
  long call = -1;
  const bool known = file != nullptr && fscanf(file, "%ld", &call) == 1;
  if (file != nullptr) fclose(file);
  return known ? call_name(call) : "no call";
}

char state_of(pid_t pid) {
  char path[40];
  snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return '?';
  char text[256] = {};
  const ssize_t got = read(file, text, sizeof text - 1);
  close(file);
  const char* end = got > 0 ? strrchr(text, ')') : nullptr;
  return end != nullptr && end[1] == ' ' ? end[2] : '?';
}

}  // namespace reaper::walk
