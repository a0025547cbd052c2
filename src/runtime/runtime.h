// The order of it all: create, start, state, kill, delete, wait, list. Details of a stage live in the other rooms.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/known_seccomp.h"
#include "core/fd.h"
#include "core/result.h"
#include "seccomp/seccomp.h"
#include "store/store.h"

namespace reaper {

// Shared by its containers, so that handles can be freed in any order. Its members do not change after
// make_runtime(), but for those that have a mutex of their own.
struct Runtime {
  std::string root;  // absolute
  std::function<void(int32_t level, const char* message)> log;
  std::chrono::milliseconds lock_timeout{10000};
  std::chrono::milliseconds kill_timeout{10000};

  std::mutex image_mutex;
  Fd image;  // reaper-init, made by the first create

  mutable KnownSeccomp seccomp;  // linux.seccomp, read; and compiled
  mutable FilterCache filters;

  std::mutex self_mutex;
  std::optional<ProcessIdentity> self;  // who the calling process is; it does not change while the handle lives

  mutable std::mutex root_mutex;
  mutable std::shared_ptr<const StateRoot> open_root;  // opened and checked once, again when it was removed

  Deadline lock_deadline() const { return std::chrono::steady_clock::now() + lock_timeout; }
  Deadline kill_deadline() const { return std::chrono::steady_clock::now() + kill_timeout; }
};

// What a supervisor records, and the start, which it does not see.
struct ExitStatus : ExitRecord {
  int64_t started_ns = 0;  // CLOCK_REALTIME; 0: not known
};

// A handle. What changes after it was made stands behind its mutex: const use by many threads is safe.
struct Container {
  Container(std::shared_ptr<Runtime> its_runtime, ContainerDirectory its_directory)
      : runtime(std::move(its_runtime)), directory(std::move(its_directory)) {}
  const std::string& id() const { return directory.id(); }

  std::shared_ptr<Runtime> runtime;
  ContainerDirectory directory;  // open, so that it is this container and never another one of the same id
  std::optional<Record> record;  // what was committed, which never changes; none while somebody else creates it
  Fd pidfd;                      // opened before the process was reaped, or empty: it was gone already
  Fd supervisor;                 // the same of the supervisor; empty: there is none, or it has gone

  mutable std::mutex mutex;
  mutable std::optional<ExitStatus> exit;  // once known, known
  mutable bool reaped = false;             // by this handle, or by somebody else before it tried
  mutable int64_t started_ns = 0;          // CLOCK_REALTIME; 0: not started, or not known
};
using ContainerPtr = std::unique_ptr<Container>;

struct CreateRequest {
  std::optional<std::string> bundle;       // none: the working directory
  std::optional<std::string_view> config;  // none: config.json of the bundle
  std::optional<std::string> pid_file;
  int stdio[3] = {-1, -1, -1};
  std::vector<int32_t> extra_fds;
  uint32_t listen_fds = 0;  // the first so many of extra_fds are announced
  std::string listen_names;
  bool strict = false;
  bool supervise = false;
  bool no_cgroup = false;
  bool no_pivot = false;
  std::optional<std::string> console_socket;  // takes the master of the program's terminal
  int32_t* console = nullptr;                 // or this does, on success
  bool new_keyring = true;
};

// A further process in a container: a handle. What changes stands behind its mutex.
struct ExecHandle {
  ExecHandle() = default;
  ExecHandle(const ExecHandle&) = delete;
  ExecHandle& operator=(const ExecHandle&) = delete;
  ~ExecHandle();  // takes its zombie, if it is one

  int32_t pid = 0;
  Fd pidfd;
  int64_t started_ns = 0;  // CLOCK_REALTIME

  mutable std::mutex mutex;
  mutable std::optional<ExitStatus> exit;
};
using ExecHandlePtr = std::unique_ptr<ExecHandle>;

struct ExecRequest {
  std::string_view process;  // a process object of the specification
  bool lay_over = false;     // over the container's own
  bool ignore_paused = false;
  bool no_new_privileges = false;
  CreateRequest io;  // its descriptors, terminal and pid file, and `strict`
};

Result<ContainerPtr> create_container(const std::shared_ptr<Runtime>&, std::string_view id, const CreateRequest&);
Result<std::string> show_plan(const Runtime&, const CreateRequest&, uint32_t format);  // REAPER_FORMAT_*
// What create, and then start, would fail with.
Result<std::string> check_request(const Runtime&, const CreateRequest&, uint32_t format);
Result<ContainerPtr> open_container(const std::shared_ptr<Runtime>&, std::string_view id);
Status start_container(Container&);
Result<std::string> state_json(const Container&);
Result<int> container_status(const Container&);  // REAPER_STATUS_*
Result<int> container_pid(const Container&);
Result<Fd> container_pidfd(const Container&);
Status kill_container(const Container&, int signal, bool all);
Status delete_container(const std::shared_ptr<Runtime>&, std::string_view id, bool force, Container* handle);
// The limit in milliseconds; negative: none.
Result<ExitStatus> wait_container(const Container&, int64_t limit_ms);
Result<ExecHandlePtr> exec_in_container(const Container&, const ExecRequest&);
Status kill_exec(const ExecHandle&, int signal);
Result<ExitStatus> wait_exec(const ExecHandle&, int64_t limit_ms);
Result<std::string> list_json(const Runtime&);
std::string features_json();
std::string spec_json();

}  // namespace reaper
