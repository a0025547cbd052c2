#include "init/kernel.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "init/run.h"
#include "init/sys.h"

namespace reaper::init {

// What src/init/image.ld, which is not part of this build, would define.
extern const char setup_begin[] asm("reaper_setup_begin");
extern const char setup_end[] asm("reaper_setup_end");
const char setup_begin[1] = {};
const char setup_end[1] = {};

// The seam: src/init/sys.h declares it for the hosted build.
long raw_call(long number, long a, long b, long c, long d, long e, long f) {
  test::Call call = {number, {a, b, c, d, e, f}, 0};
  const size_t index = test::kernel->calls.size();
  test::kernel->calls.push_back(call);
  if (index == test::kernel->fail_at)
    call.result = test::kernel->fail_with;
  else if (const auto denied = test::kernel->deny.find(number); denied != test::kernel->deny.end())
    call.result = denied->second;
  else if (test::kernel->without_effect.contains(number))
    call.result = 0;
  else
    call.result = test::kernel->handle(call);
  if (test::kernel->tamper) test::kernel->tamper(call);
  test::kernel->calls[index].result = call.result;
  return call.result;
}

}  // namespace reaper::init

namespace reaper::test {

Kernel* kernel = nullptr;

namespace {

constexpr int handshake_fd = 7;
constexpr int gate_fd = 100;
constexpr int signal_fd = 101;
constexpr int connection_fd = 102;
constexpr int file_fd = 103;

const char* text_at(long address) {
  return reinterpret_cast<const char*>(address);
}

bool capable(const Kernel& k, int number) {
  return (k.capabilities.effective >> number & 1) != 0;
}

long set_ids(uint32_t (&ids)[3], const Call& call, bool privileged) {
  for (int i = 0; i < 3; ++i) {
    const auto id = static_cast<uint32_t>(call.arguments[i]);
    if (!privileged && id != ids[0] && id != ids[1] && id != ids[2]) return -EPERM;
  }
  for (int i = 0; i < 3; ++i) ids[i] = static_cast<uint32_t>(call.arguments[i]);
  return 0;
}

long set_uids(Kernel& k, const Call& call) {
  const bool had_root = k.uid[0] == 0 || k.uid[1] == 0 || k.uid[2] == 0;
  if (const long result = set_ids(k.uid, call, capable(k, CAP_SETUID)); result < 0) return result;
  if (had_root && k.uid[0] != 0 && k.uid[1] != 0 && k.uid[2] != 0) {  // capabilities(7), "Effect of user ID changes"
    if (!k.keep_caps) k.capabilities.permitted = 0;
    k.capabilities.effective = 0;
    k.capabilities.ambient = 0;
  }
  return 0;
}

long set_caps(Kernel& k, const Call& call) {
  const auto* data = reinterpret_cast<const __user_cap_data_struct*>(call.arguments[1]);
  const auto whole = [&](uint32_t __user_cap_data_struct::* set) {
    return uint64_t{data[1].*set} << 32 | data[0].*set;
  };
  const uint64_t permitted = whole(&__user_cap_data_struct::permitted);
  const uint64_t effective = whole(&__user_cap_data_struct::effective);
  const uint64_t inheritable = whole(&__user_cap_data_struct::inheritable);
  CapabilitySets& own = k.capabilities;
  if ((permitted & ~own.permitted) != 0 || (effective & ~permitted) != 0) return -EPERM;
  if ((inheritable & ~(own.inheritable | own.bounding)) != 0) return -EPERM;
  own.permitted = permitted;
  own.effective = effective;
  own.inheritable = inheritable;
  own.ambient &= permitted & inheritable;
  return 0;
}

long get_caps(const Kernel& k, const Call& call) {
  auto* data = reinterpret_cast<__user_cap_data_struct*>(call.arguments[1]);
  for (int half = 0; half < 2; ++half) {
    data[half].permitted = static_cast<uint32_t>(k.capabilities.permitted >> (32 * half));
    data[half].effective = static_cast<uint32_t>(k.capabilities.effective >> (32 * half));
    data[half].inheritable = static_cast<uint32_t>(k.capabilities.inheritable >> (32 * half));
  }
  return 0;
}

long ambient(Kernel& k, long operation, int number) {
  CapabilitySets& own = k.capabilities;
  const uint64_t bit = number < 64 ? uint64_t{1} << number : 0;
  if (operation == PR_CAP_AMBIENT_CLEAR_ALL) return own.ambient = 0, 0;
  if (number > k.last_capability) return -EINVAL;
  if (operation == PR_CAP_AMBIENT_IS_SET) return (own.ambient & bit) != 0;
  if ((own.permitted & own.inheritable & bit) == 0) return -EPERM;
  own.ambient |= bit;
  return 0;
}

long prctl(Kernel& k, const Call& call) {
  const long value = call.arguments[1];
  switch (call.arguments[0]) {
    case PR_SET_KEEPCAPS:
      k.keep_caps = value != 0;
      return 0;
    case PR_CAPBSET_READ:
      return value > k.last_capability ? -EINVAL : static_cast<long>(k.capabilities.bounding >> value & 1);
    case PR_CAPBSET_DROP:
      if (!capable(k, CAP_SETPCAP)) return -EPERM;
      k.capabilities.bounding &= ~(uint64_t{1} << value);
      return 0;
    case PR_CAP_AMBIENT:
      return ambient(k, value, static_cast<int>(call.arguments[2]));
    case PR_SET_NO_NEW_PRIVS:
      k.no_new_privs = true;
      return 0;
    case PR_GET_NO_NEW_PRIVS:
      return k.no_new_privs;
    case PR_GET_SECUREBITS:
      return k.securebits;
    case PR_SET_DUMPABLE:
    case PR_GET_DUMPABLE:
    case PR_SET_NAME:
      return 0;
    default:
      return -EINVAL;
  }
}

long set_groups(Kernel& k, const Call& call) {
  if (!capable(k, CAP_SETGID)) return -EPERM;
  const auto* groups = reinterpret_cast<const uint32_t*>(call.arguments[1]);
  k.groups.assign(groups, groups + call.arguments[0]);
  std::sort(k.groups.begin(), k.groups.end());
  return 0;
}

long get_groups(const Kernel& k, const Call& call) {
  const long count = static_cast<long>(k.groups.size());
  if (call.arguments[0] == 0) return count;
  if (call.arguments[0] < count) return -EINVAL;
  std::copy(k.groups.begin(), k.groups.end(), reinterpret_cast<uint32_t*>(call.arguments[1]));
  return count;
}

long read_some(Kernel& k, const Call& call) {
  auto* out = reinterpret_cast<char*>(call.arguments[1]);
  auto size = static_cast<size_t>(call.arguments[2]);
  if (call.arguments[0] == signal_fd) {
    memset(out, 0, size);
    memcpy(out, &k.signals.front(), sizeof k.signals.front());
    k.signals.pop_front();
    return static_cast<long>(size);
  }
  if (k.chunked) size = 1;
  size = std::min(size, k.to_read.size());
  memcpy(out, k.to_read.data(), size);
  k.to_read.erase(0, size);
  return static_cast<long>(size);
}

long file_status(const Kernel& k, const Call& call) {
  const auto found = k.files.find(text_at(call.arguments[1]));
  if (found == k.files.end()) return -ENOENT;
  struct stat status = {};
  status.st_mode = found->second;
  status.st_size = k.file_size;
  memcpy(reinterpret_cast<void*>(call.arguments[2]), &status, sizeof status);
  return 0;
}

long open_file(Kernel& k, const Call& call) {
  const std::string path = text_at(call.arguments[1]);
  if (path != "/proc/self/fd" && !k.files.contains(path)) return -ENOENT;
  k.open.insert(file_fd);
  return file_fd;
}

long change_directory(const Kernel& k, const Call& call) {
  const std::string path = text_at(call.arguments[0]);
  if (const auto found = k.chdir_result.find(path); found != k.chdir_result.end()) return found->second;
  const auto file = k.files.find(path);
  if (file == k.files.end()) return -ENOENT;
  return S_ISDIR(file->second) ? 0 : -ENOTDIR;
}

long poll_some(Kernel& k, const Call& call) {
  auto* fds = reinterpret_cast<pollfd*>(call.arguments[0]);
  fds[0].revents = fds[1].revents = 0;
  if (!k.signals.empty()) {
    fds[1].revents = POLLIN;
    return 1;
  }
  if (fds[0].fd == gate_fd && k.connections.empty()) throw Exited{-2};  // nobody ever comes
  if (fds[0].fd == connection_fd && k.to_read == "silent") return 0;    // the time limit
  fds[0].revents = POLLIN;
  return 1;
}

long accept_one(Kernel& k) {
  k.to_read = k.connections.front();
  k.connections.pop_front();
  k.open.insert(connection_fd);
  return connection_fd;
}

long duplicate(Kernel& k, int from, int to, bool cloexec) {
  if (!k.open.contains(from)) return -EBADF;
  k.open.insert(to);
  cloexec ? (void)k.close_on_exec.insert(to) : (void)k.close_on_exec.erase(to);
  return to;
}

long fcntl_call(Kernel& k, const Call& call) {
  const int fd = static_cast<int>(call.arguments[0]);
  if (!k.open.contains(fd)) return -EBADF;
  if (call.arguments[1] == F_SETFD) {
    call.arguments[2] == FD_CLOEXEC ? (void)k.close_on_exec.insert(fd) : (void)k.close_on_exec.erase(fd);
    return 0;
  }
  int to = static_cast<int>(call.arguments[2]);
  while (k.open.contains(to)) ++to;
  return duplicate(k, fd, to, true);
}

long close_many(Kernel& k, const Call& call) {
  const auto first = static_cast<unsigned>(call.arguments[0]);
  const auto last = static_cast<unsigned>(call.arguments[1]);
  std::erase_if(k.open, [&](int fd) {
    const auto number = static_cast<unsigned>(fd);
    return number >= first && number <= last;
  });
  return 0;
}

long list_descriptors(Kernel& k, const Call& call) {
  static bool done;  // one answer with everything, then the end
  done = !done;
  if (!done) return 0;
  auto* out = reinterpret_cast<char*>(call.arguments[1]);
  long used = 0;
  for (const std::string& name : [&] {
         std::vector<std::string> names = {".", ".."};
         for (const int fd : k.open) names.push_back(std::to_string(fd));
         return names;
       }()) {
    const auto size = static_cast<uint16_t>((19 + name.size() + 1 + 7) / 8 * 8);
    memset(out + used, 0, size);
    memcpy(out + used + 16, &size, sizeof size);
    memcpy(out + used + 19, name.c_str(), name.size() + 1);
    used += size;
  }
  return used;
}

[[noreturn]] void execute(Kernel& k, const Call& call) {
  k.executed = text_at(call.arguments[0]);
  for (auto** word = reinterpret_cast<const char**>(call.arguments[1]); *word != nullptr; ++word)
    k.argv.push_back(*word);
  for (auto** word = reinterpret_cast<const char**>(call.arguments[2]); *word != nullptr; ++word)
    k.envp.push_back(*word);
  throw Executed{};
}

long ids_out(const uint32_t (&ids)[3], const Call& call) {
  for (int i = 0; i < 3; ++i) *reinterpret_cast<uint32_t*>(call.arguments[i]) = ids[i];
  return 0;
}

}  // namespace

long Kernel::handle(const Call& call) {
  const long* a = call.arguments;
  if (const auto result = handle_seccomp(*this, call)) return *result;
  if (const auto result = handle_processes(*this, call)) return *result;
  if (const auto result = handle_namespaces(*this, call)) return *result;
  if (const auto result = handle_copies(*this, call)) return *result;
  if (const auto result = handle_mounts(*this, call)) return *result;
  switch (call.number) {
    case __NR_exit_group:
      throw Exited{static_cast<int>(a[0])};
    case __NR_execve:
      execute(*this, call);
    case __NR_mmap:
      return static_cast<long>(reinterpret_cast<intptr_t>(
          mmap(nullptr, static_cast<size_t>(a[1]), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
    case __NR_madvise:
      return 0;
    case __NR_read:
      return read_some(*this, call);
    case __NR_sendto:
      (a[0] == connection_fd ? replied : sent).append(text_at(a[1]), static_cast<size_t>(a[2]));
      return a[2];
    case __NR_write:
      written[static_cast<int>(a[0])].append(text_at(a[1]), static_cast<size_t>(a[2]));
      return a[2];
    case __NR_setresuid:
      return set_uids(*this, call);
    case __NR_setresgid:
      return set_ids(gid, call, capable(*this, CAP_SETGID));
    case __NR_setgroups:
      return set_groups(*this, call);
    case __NR_getgroups:
      return get_groups(*this, call);
    case __NR_getresuid:
      return ids_out(uid, call);
    case __NR_getresgid:
      return ids_out(gid, call);
    case __NR_geteuid:
      return uid[1];
    case __NR_capset:
      return set_caps(*this, call);
    case __NR_capget:
      return get_caps(*this, call);
    case __NR_prctl:
      return prctl(*this, call);
    case __NR_openat:
      return open_file(*this, call);
    case __NR_newfstatat:
      return file_status(*this, call);
    case __NR_fstat:
    case __NR_fchown:
    case __NR_ioctl:
      return handle_terminal(*this, call);
    case __NR_faccessat:
      return (files[text_at(a[1])] & 0111) != 0 ? 0 : -EACCES;
    case __NR_fstatfs:
      *reinterpret_cast<long*>(a[1]) = proc_magic;
      return 0;
    case __NR_chdir:
      return change_directory(*this, call);
    case __NR_getcwd:
      strcpy(reinterpret_cast<char*>(a[0]), getcwd_result.c_str());
      return 1;
    case __NR_socket:
      open.insert(gate_fd);
      return gate_fd;
    case __NR_signalfd4:
      open.insert(signal_fd);
      return signal_fd;
    case __NR_ppoll:
      return poll_some(*this, call);
    case __NR_accept4:
      return accept_one(*this);
    case __NR_fcntl:
      return fcntl_call(*this, call);
    case __NR_dup3:
      return duplicate(*this, static_cast<int>(a[0]), static_cast<int>(a[1]), a[2] != 0);
    case __NR_close:
      if (on_close) on_close(*this, static_cast<int>(a[0]));
      return open.erase(static_cast<int>(a[0])) != 0 ? 0 : -EBADF;
    case __NR_close_range:
      return close_many(*this, call);
    case __NR_getdents64:
      return list_descriptors(*this, call);
    case __NR_umask:
      return 022;
    case __NR_getuid:
      return uid[0];
    case __NR_setsid:
    case __NR_bind:
    case __NR_listen:
    case __NR_fchdir:
    case __NR_prlimit64:
    case __NR_kill:
    case __NR_rt_sigaction:
    case __NR_rt_sigprocmask:
      return 0;
    default:
      break;
  }
  if (const auto result = handle_attribute(*this, call)) return *result;
  throw std::runtime_error("the model kernel does not know system call " + std::to_string(call.number));
}

std::string frame_bytes(wire::Frame type, const std::string& payload) {
  const wire::FrameHeader header = {wire::frame_magic, wire::version, static_cast<uint16_t>(type),
                                    static_cast<uint32_t>(payload.size()), 0};
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + payload;
}

std::string launch_bytes(const std::string& plan, const std::vector<int32_t>& extra) {
  wire::LaunchHeader header = {8, {-1, 1, 2}, static_cast<uint32_t>(extra.size()), static_cast<uint32_t>(plan.size())};
  std::string payload(reinterpret_cast<const char*>(&header), sizeof header);
  payload.append(reinterpret_cast<const char*>(extra.data()), extra.size() * sizeof extra[0]);
  payload.resize((payload.size() + 7) / 8 * 8);
  return frame_bytes(wire::Frame::launch, payload + plan) + frame_bytes(wire::Frame::go);
}

Ending run_init(Kernel& k) {
  kernel = &k;
  char name[] = "reaper-init";
  char number[] = "7";
  char* argv[] = {name, number, nullptr};
  static_assert(handshake_fd == 7);
  try {
    return {false, init::run(2, argv)};
  } catch (const Exited& exited) {
    return {false, exited.status};
  } catch (const Executed&) {
    return {true, 0};
  }
}

SentError last_error(const std::string& stream) {
  SentError error;
  for (size_t at = 0; at + sizeof(wire::FrameHeader) <= stream.size();) {
    wire::FrameHeader frame;
    memcpy(&frame, &stream[at], sizeof frame);
    at += sizeof frame;
    if (frame.type == static_cast<uint16_t>(wire::Frame::error) && at + frame.size <= stream.size()) {
      error.present = true;
      memcpy(&error.header, &stream[at], sizeof error.header);
      error.pointer = stream.substr(at + sizeof error.header, error.header.pointer_size);
      error.text = stream.substr(at + sizeof error.header + error.header.pointer_size, error.header.text_size);
    }
    at += frame.size;
  }
  return error;
}

std::vector<Operation> full_plan() {
  using wire::Op;
  constexpr uint64_t bind = 1U << CAP_NET_BIND_SERVICE;
  constexpr uint64_t chown = 1U << CAP_CHOWN;
  return {
      {Op::session, "", {}, {}},
      {Op::gate, "", {}, {}},
      {Op::rlimit, "/process/rlimits/0", {7, 64, 64}, {}},
      {Op::oom_score_adj, "/process/oomScoreAdj", {static_cast<uint64_t>(-17)}, {}},
      {Op::not_dumpable, "", {}, {}},
      {Op::umask, "/process/user/umask", {18}, {}},
      {Op::keep_caps, "/process/capabilities", {1}, {}},
      {Op::bounding, "/process/capabilities/bounding", {bind | chown, 40}, {}},
      {Op::groups, "/process/user/additionalGids", {4, 20}, {}},
      {Op::gid, "/process/user/gid", {1001}, {}},
      {Op::uid, "/process/user/uid", {1000}, {}},
      {Op::chdir, "/process/cwd", {}, {"/"}},
      {Op::find, "/process/args/0", {}, {"sh", "/usr/bin:/bin"}},
      {Op::capabilities, "/process/capabilities", {bind | chown, bind, bind}, {}},
      {Op::ambient, "/process/capabilities/ambient", {bind}, {}},
      {Op::keep_caps, "/process/capabilities", {0}, {}},
      {Op::no_new_privs, "/process/noNewPrivileges", {}, {}},
      {Op::wait, "", {}, {}},
      {Op::signals, "", {}, {}},
      {Op::descriptors, "", {0}, {}},
      {Op::verify,
       "/process",
       {1000, 1001, bind | chown, bind, bind, bind, bind | chown, 40, 1, 0,
        wire::verify_no_regain_uid | wire::verify_no_regain_gid | wire::verify_no_regain_groups, 4, 20},
       {}},
      {Op::exec, "/process/args", {2}, {"sh", "-x", "PATH=/usr/bin:/bin", "A=b"}},
  };
}

Kernel full_kernel() {
  Kernel k;
  constexpr uint64_t all = (uint64_t{1} << 41) - 1;
  k.capabilities = {all, all, all, 0, all};
  k.groups = {0};
  k.to_read = launch_bytes(encode(full_plan()));
  k.connections = {frame_bytes(wire::Frame::start)};
  return k;
}

std::string encode(const std::vector<Operation>& operations) {
  Plan plan;
  plan.operations = operations;
  auto bytes = encode_plan(plan);
  return bytes.has_value() ? *bytes : std::string();
}

}  // namespace reaper::test
