// SPDX-License-Identifier: Apache-2.0
//
// reaper.hpp: reaper.h for C++17 and newer, and nothing but that: handles that free themselves, strings, and failures
// that are thrown as reaper::error. What each function does, changes and fails with stands in reaper.h.
//
// A handle can be moved, not copied. The end of a container's handle leaves the container alone: remove() removes it.
// As in reaper.h, a member function that is const may be called by any number of threads at once, and so may create().
// After fork(2), use no handle that was made before it.
#ifndef REAPER_HPP
#define REAPER_HPP

#include <reaper.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace reaper {

// A failure: what() is the message alone; the other members are those of the error object.
class error : public std::runtime_error {
 public:
  // Takes the object, which is freed.
  error(int code, reaper_error *object) : error(code, owned(object, reaper_error_free)) {}

  int32_t code() const noexcept { return code_; }                            // REAPER_ERR_*
  const char *name() const noexcept { return reaper_error_name(code_); }     // "REAPER_ERR_BUSY"
  int32_t errno_value() const noexcept { return errno_; }                    // of errno(3), or 0
  const std::string &pointer() const noexcept { return details_->pointer; }  // the field of config.json, or ""
  const std::string &stage() const noexcept { return details_->stage; }      // the step that failed

 private:
  using owned = std::unique_ptr<reaper_error, void (*)(reaper_error *)>;
  struct details {
    std::string pointer, stage;
  };

  error(int code, const owned &object)
      : std::runtime_error(object ? reaper_error_message(object.get()) : reaper_error_name(code)),
        code_(code),
        errno_(reaper_error_errno(object.get())),
        details_(
            std::make_shared<details>(details{reaper_error_pointer(object.get()), reaper_error_stage(object.get())})) {}

  int32_t code_;
  int32_t errno_;
  const std::shared_ptr<const details> details_;  // so that a copy of the exception cannot throw
};

namespace detail {

// A call of reaper.h, whose last argument is the error.
template <typename... Wanted, typename... Given>
void check(int (*function)(Wanted...), Given... given) {
  reaper_error *object = nullptr;
  const int code = function(given..., &object);
  if (code != REAPER_OK) throw error(code, object);
}

// The same, and what it gives by the argument before that.
template <typename Value, typename... Wanted, typename... Given>
Value out(int (*function)(Wanted...), Given... given) {
  Value value{};
  check(function, given..., &value);
  return value;
}

template <typename... Wanted, typename... Given>
std::string text(int (*function)(Wanted...), Given... given) {
  const std::unique_ptr<char, void (*)(char *)> owner(out<char *>(function, given...), reaper_free);
  return owner.get();
}

inline const char *or_null(const std::string &text) {
  return text.empty() ? nullptr : text.c_str();
}

template <typename Handle, void (*Free)(Handle *)>
struct release {
  void operator()(Handle *handle) const noexcept { Free(handle); }
};

// What a container and a further process have in common: they are waited for.
template <typename Handle, void (*Free)(Handle *), int (*Pidfd)(const Handle *, int32_t *, reaper_error **),
          int (*Wait)(const Handle *, int64_t, reaper_exit_status *, reaper_error **)>
class awaited {
 public:
  // Takes a handle of reaper.h, and shares what must live as long.
  explicit awaited(Handle *handle, std::shared_ptr<const void> log = nullptr) noexcept
      : log_(std::move(log)), handle_(handle) {}

  Handle *handle() const noexcept { return handle_.get(); }
  // A new descriptor, the caller's to close.
  int32_t pidfd() const { return out<int32_t>(Pidfd, handle()); }
  reaper_exit_status wait() const { return *ending(-1); }
  // Nothing if it is still alive after that time; zero: only look.
  std::optional<reaper_exit_status> wait_for(std::chrono::milliseconds time) const {
    return ending(time.count() < 0 ? 0 : time.count());
  }

 private:
  std::optional<reaper_exit_status> ending(int64_t limit) const {
    reaper_exit_status status{};
    status.size = sizeof status;
    reaper_error *object = nullptr;
    const int code = Wait(handle(), limit, &status, &object);
    if (code == REAPER_OK) return status;
    const error failure(code, object);
    if (code != REAPER_ERR_TIMEOUT) throw failure;
    return std::nullopt;
  }

  std::shared_ptr<const void> log_;
  std::unique_ptr<Handle, release<Handle, Free>> handle_;
};

}  // namespace detail

inline std::string version() {
  return reaper_version();
}
inline std::string commit() {
  return reaper_commit();
}

inline std::string features() {
  return detail::text(reaper_features);
}

// A config.json to begin with.
inline std::string spec() {
  return detail::text(reaper_spec);
}

// What a program begins with. In `stdio`, -1 is /dev/null.
struct io_options {
  std::string pid_file;                     // "": none
  std::optional<std::array<int, 3>> stdio;  // the program's 0, 1 and 2; nothing: /dev/null
  std::vector<int32_t> extra_fds;           // the program's 3, 4, ...
  std::string console_socket;               // "": none
  int32_t *console = nullptr;               // receives the terminal's master, which is the caller's to close
  uint32_t flags = 0;                       // REAPER_CREATE_* or REAPER_EXEC_*; *_STDIO is `stdio`'s

 protected:
  template <typename Options>
  void fill(Options &options, uint32_t stdio_flag) const {
    options.size = sizeof options;
    options.pid_file = detail::or_null(pid_file);
    options.extra_fds = extra_fds.empty() ? nullptr : extra_fds.data();
    options.extra_fd_count = static_cast<uint32_t>(extra_fds.size());
    options.flags = flags | (stdio ? stdio_flag : 0);
    for (std::size_t i = 0; stdio && i < stdio->size(); ++i) options.stdio[i] = (*stdio)[i];
    options.console_socket = detail::or_null(console_socket);
    options.console = console;
  }
};

// What reaper_create(), reaper_plan() and reaper_check() take.
struct create_options : io_options {
  std::string bundle;                 // "": the working directory
  std::optional<std::string> config;  // the text of config.json; nothing: read it from the bundle
  uint32_t listen_fd_count = 0;       // the first so many of extra_fds are announced
  std::string listen_names;           // "": none

  // Points into this object.
  reaper_create_options to_c() const {
    reaper_create_options options{};
    fill(options, REAPER_CREATE_STDIO);
    options.bundle = detail::or_null(bundle);
    options.config = config ? config->data() : nullptr;
    options.config_length = config ? config->size() : 0;
    options.listen_fd_count = listen_fd_count;
    options.listen_names = detail::or_null(listen_names);
    return options;
  }
};

// What reaper_exec() takes.
struct exec_options : io_options {
  std::string process;  // the text of a process object

  // Points into this object.
  reaper_exec_options to_c() const {
    reaper_exec_options options{};
    fill(options, REAPER_EXEC_STDIO);
    options.process = process.data();
    options.process_length = process.size();
    return options;
  }
};

// A further process of a container. The end of its handle takes the zombie of one that has ended.
class process : public detail::awaited<reaper_process, reaper_process_free, reaper_process_pidfd, reaper_process_wait> {
 public:
  using awaited::awaited;

  int32_t pid() const { return reaper_process_pid(handle()); }
  void kill(int32_t signal) const { detail::check(reaper_process_kill, handle(), signal); }
};

class container : public detail::awaited<reaper_container, reaper_container_free, reaper_pidfd, reaper_wait> {
 public:
  using awaited::awaited;

  std::string id() const { return reaper_container_id(handle()); }
  void start() { detail::check(reaper_start, handle()); }
  // The state object as JSON.
  std::string state() const { return detail::text(reaper_state, handle()); }
  // REAPER_STATUS_*
  int32_t status() const { return detail::out<int32_t>(reaper_status, handle()); }
  int32_t pid() const { return detail::out<int32_t>(reaper_pid, handle()); }
  void kill(int32_t signal, uint32_t flags = 0) const { detail::check(reaper_kill, handle(), signal, flags); }
  process exec(const exec_options &options) const {
    const reaper_exec_options c = options.to_c();
    return process(detail::out<reaper_process *>(reaper_exec, handle(), &c));
  }
  // reaper_delete(); flags: REAPER_DELETE_FORCE.
  void remove(uint32_t flags = 0) { detail::check(reaper_delete, handle(), flags); }
};

// What reaper_runtime_new() takes.
struct runtime_options {
  std::string root;                                            // state directory; "": the default
  std::function<void(int32_t level, const char *)> log;        // by any thread; what it throws is dropped
  uint32_t log_level = 0;                                      // 0: REAPER_LOG_WARNING
  std::chrono::milliseconds lock_timeout{0}, kill_timeout{0};  // 0: ten seconds
};

class runtime {
 public:
  explicit runtime(runtime_options options = {}) : log_(std::make_shared<const log_function>(std::move(options.log))) {
    reaper_runtime_options c{};
    c.size = sizeof c;
    c.root = detail::or_null(options.root);
    if (*log_) c.log = forward;
    c.log_data = const_cast<log_function *>(log_.get());
    c.log_level = options.log_level;
    c.lock_timeout_ms = static_cast<uint64_t>(options.lock_timeout.count());
    c.kill_timeout_ms = static_cast<uint64_t>(options.kill_timeout.count());
    handle_.reset(detail::out<reaper_runtime *>(reaper_runtime_new, &c));
  }

  reaper_runtime *handle() const noexcept { return handle_.get(); }
  std::string root() const { return reaper_runtime_root(handle()); }

  container create(const std::string &id, const create_options &options) {
    const reaper_create_options c = options.to_c();
    return container(detail::out<reaper_container *>(reaper_create, handle(), id.c_str(), &c), log_);
  }

  container open(const std::string &id) const {
    return container(detail::out<reaper_container *>(reaper_open, handle(), id.c_str()), log_);
  }

  // reaper_delete_id(): also what open() refuses.
  void remove(const std::string &id, uint32_t flags = 0) {
    detail::check(reaper_delete_id, handle(), id.c_str(), flags);
  }

  std::string list() const { return detail::text(reaper_list, handle()); }

  // What create() would do; format: REAPER_FORMAT_*.
  std::string plan(const create_options &options, uint32_t format = REAPER_FORMAT_TEXT) const {
    const reaper_create_options c = options.to_c();
    return detail::text(reaper_plan, handle(), &c, format);
  }

  // What create() and start() would fail with.
  std::string check(const create_options &options, uint32_t format = REAPER_FORMAT_TEXT) const {
    const reaper_create_options c = options.to_c();
    return detail::text(reaper_check, handle(), &c, format);
  }

 private:
  using log_function = std::function<void(int32_t, const char *)>;

  // Nothing may unwind through the library.
  static void forward(void *data, int32_t level, const char *message) noexcept {
    try {
      (*static_cast<const log_function *>(data))(level, message);
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
  }

  std::shared_ptr<const log_function> log_;
  std::unique_ptr<reaper_runtime, detail::release<reaper_runtime, reaper_runtime_free>> handle_;
};

}  // namespace reaper

#endif  // REAPER_HPP
