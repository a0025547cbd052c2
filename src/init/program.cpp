// The working directory, the executable, the signals and the last call.
#include <asm/errno.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <linux/fcntl.h>

#include "init/frames.h"
#include "init/signals.h"
#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

constexpr uint32_t type_mask = 0170000;  // S_IFMT, inode(7)
constexpr uint32_t type_directory = 0040000;
constexpr uint32_t type_regular = 0100000;
constexpr long x_ok = 1;

uint32_t mode_of(const char* path) {
  struct stat status = {};
  return call(__NR_newfstatat, AT_FDCWD, path, &status, 0) < 0 ? 0 : status.st_mode;
}

uint32_t effective_uid() {
  return static_cast<uint32_t>(call(__NR_geteuid));
}

// Finds the first component of `path` that cannot be passed, and says so in `outcome`. `scratch` keeps the text.
Outcome blame_component(const char* path, long error, char* scratch) {
  uint32_t mode = mode_of("/");
  for (uint32_t i = 1; path[i - 1] != '\0' && i < max_path; ++i) {
    if (path[i] != '/' && path[i] != '\0') continue;
    for (uint32_t j = 0; j < i; ++j) scratch[j] = path[j];
    scratch[i] = '\0';
    struct stat status = {};
    const long found = call(__NR_newfstatat, AT_FDCWD, scratch, &status, 0);
    if (found < 0) {
      error = found;
      break;
    }
    mode = status.st_mode;
    if ((mode & type_mask) != type_directory) {
      error = -ENOTDIR;
      break;
    }
    if (path[i] == '\0') break;
  }
  return {wire::Fault::directory, static_cast<int32_t>(-error), effective_uid(), mode & 07777, scratch};
}

// 0: executable; -EACCES: there, but not executable by us; other negative errno: not there.
long try_executable(const char* path) {
  struct stat status = {};
  if (const long found = call(__NR_newfstatat, AT_FDCWD, path, &status, 0); found < 0) return found;
  if ((status.st_mode & type_mask) != type_regular) return -EACCES;  // as execve(2) answers
  // Real and effective ids are the same by now, so that access(2)'s use of the real ones is right.
  return call(__NR_faccessat, AT_FDCWD, path, x_ok);
}

// What makes execvp(3) try the next entry of PATH.
bool is_passed_over(long result) {
  return result == -EACCES || result == -ENOENT || result == -ENOTDIR || result == -ESTALE || result == -ENODEV ||
         result == -ETIMEDOUT;
}

// <directory>/<name> in `out`; an empty directory is the current one, as execvp(3) has it. False: too long.
bool join(char* out, const char* directory, uint64_t directory_size, const char* name) {
  uint64_t used = 0;
  if (directory_size + length_of(name) + 2 > max_path) return false;
  for (; used < directory_size; ++used) out[used] = directory[used];
  if (used != 0) out[used++] = '/';
  for (; *name != '\0'; ++name) out[used++] = *name;
  out[used] = '\0';
  return true;
}

bool has_slash(const char* text) {
  for (; *text != '\0'; ++text)
    if (*text == '/') return true;
  return false;
}

}  // namespace

Outcome change_directory(const Operation& operation) {
  static char scratch[max_path];
  const char* path = operation.string(0);
  if (const long result = call(__NR_chdir, path); result < 0) return blame_component(path, result, scratch);
  // getcwd(2) answers "(unreachable)..." for a directory outside our root: the way out of CVE-2024-21626.
  const long size = call(__NR_getcwd, scratch, sizeof scratch);
  if (size < 0) return failed_call(size, "getcwd");
  if (scratch[0] != '/') return {wire::Fault::escaped, 0, 0, 0, path};
  return {};
}

Outcome find_executable(State& state, const Operation& operation) {
  const char* name = operation.string(0);
  char* found = state.executable;
  if (has_slash(name)) {
    if (!join(found, "", 0, name)) return {wire::Fault::system_call, ENAMETOOLONG, 0, 0, name};
    const long result = try_executable(found);
    if (result == 0) return {};
    return {result == -EACCES ? wire::Fault::not_executable : wire::Fault::system_call, static_cast<int32_t>(-result),
            effective_uid(), 0, name};
  }
  bool seen = false;  // found somewhere, but not executable: that is what execvp(3) reports in the end
  for (const char* entry = operation.string(1);;) {
    uint64_t size = 0;
    while (entry[size] != ':' && entry[size] != '\0') ++size;
    if (name[0] != '\0' && join(found, entry, size, name)) {
      const long result = try_executable(found);
      if (result == 0) return {};
      seen = seen || result == -EACCES;
      if (!is_passed_over(result)) return {wire::Fault::system_call, static_cast<int32_t>(-result), 0, 0, name};
    }
    if (entry[size] == '\0') break;
    entry += size + 1;
  }
  found[0] = '\0';
  if (seen) return {wire::Fault::not_executable, EACCES, effective_uid(), 0, name};
  return {wire::Fault::not_found, ENOENT, effective_uid(), 0, name};
}

Outcome set_dispositions() {
  for (int signal = 1; signal <= 64; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    const long result = set_default_disposition(signal);
    if (result < 0) return failed_call(result, "rt_sigaction");
  }
  return {};
}

Outcome reset_signals(const State& state) {
  const Outcome outcome = state.has_dispositions ? state.dispositions : set_dispositions();
  if (!outcome.ok()) return outcome;
  const uint64_t none = 0;
  return checked(call(__NR_rt_sigprocmask, SIG_SETMASK, &none, nullptr, signal_set_size), "rt_sigprocmask");
}

Outcome announce_listeners(State& state, const Operation& operation) {
  if (operation.number(0) > state.extra_fds) return malformed(0);
  constexpr char name[] = "LISTEN_PID=";
  constexpr uint64_t name_size = sizeof name - 1;
  char text[24];
  char* const end = text + sizeof text;
  const char* digits = digits_before(end, static_cast<uint64_t>(call(__NR_getpid)));
  for (uint64_t i = 0; i < name_size; ++i) state.listen_pid[i] = name[i];
  for (uint64_t i = name_size; digits != end; ++i) state.listen_pid[i] = *digits++;
  return {};
}

Outcome execute(State& state, const Operation& operation) {
  if (operation.number(0) < 1 || operation.number(0) > operation.string_count()) return malformed(0);
  const auto argc = static_cast<uint32_t>(operation.number(0));
  const uint32_t envc = operation.string_count() - argc;
  auto** argv = static_cast<const char**>(map_memory((uint64_t{argc} + envc + 3) * sizeof(char*)));
  if (argv == nullptr) return failed_call(-ENOMEM, state.executable);
  const char** envp = argv + argc + 1;
  operation.fill(argv, 0, argc);
  operation.fill(envp, argc, envc);
  if (state.listen_pid[0] != '\0') {
    envp[envc] = state.listen_pid;
    envp[envc + 1] = nullptr;
  }
  long sent = 0;
  if (const Outcome outcome = say_exec(state, sent); !outcome.ok()) return outcome;
  if (sent < 0) {
    if (state.connection < 0) exit_now(1);  // a hook without anybody who waits for it does not begin
    call(__NR_close, state.connection);     // the client died after it won: the start goes on
  }
  if (const Outcome outcome = load_filter(state); !outcome.ok()) return outcome;
  return failed_call(call(__NR_execve, state.executable, argv, envp), state.executable);
}

}  // namespace reaper::init
