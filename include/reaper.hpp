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

// call(&err) for a function of reaper.h whose last argument is the error.
template <typename Call>
void check(Call &&call) {
  reaper_error *object = nullptr;
  const int code = call(&object);
  if (code != REAPER_OK) throw error(code, object);
}

// The same where the result is a string.
template <typename Call>
std::string text(Call &&call) {
  char *out = nullptr;
  check([&](reaper_error **err) { return call(&out, err); });
  const std::unique_ptr<char, void (*)(char *)> owner(out, reaper_free);
  return out;
}

inline const char *or_null(const std::string &text) {
  return text.empty() ? nullptr : text.c_str();
}

template <typename Handle, void (*Free)(Handle *)>
struct release {
  void operator()(Handle *handle) const noexcept { Free(handle); }
};

}  // namespace detail

inline std::string version() {
  return reaper_version();
}
inline std::string commit() {
  return reaper_commit();
}

inline std::string features() {
  return detail::text([](char **out, reaper_error **err) { return reaper_features(out, err); });
}

// A config.json to begin with.
inline std::string spec() {
  return detail::text([](char **out, reaper_error **err) { return reaper_spec(out, err); });
}

// What reaper_create() takes. The descriptors stay the caller's; -1 is /dev/null.
struct create_options {
  std::string bundle;                       // "": the working directory
  std::optional<std::string> config;        // the text of config.json; nothing: read it from the bundle
  std::string pid_file;                     // "": none
  std::optional<std::array<int, 3>> stdio;  // the program's 0, 1 and 2; nothing: /dev/null
  std::vector<int32_t> extra_fds;           // the program's 3, 4, ...
  uint32_t listen_fd_count = 0;             // the first so many of them are announced
  std::string listen_names;                 // "": none
  std::string console_socket;               // "": none
  int32_t *console = nullptr;               // receives the terminal's master, which is the caller's to close
  uint32_t flags = 0;                       // REAPER_CREATE_*; REAPER_CREATE_STDIO is `stdio`'s

  // Points into this object.
  reaper_create_options to_c() const {
    reaper_create_options options{};
    options.size = sizeof options;
    options.bundle = detail::or_null(bundle);
    options.config = config ? config->data() : nullptr;
    options.config_length = config ? config->size() : 0;
    options.pid_file = detail::or_null(pid_file);
    options.extra_fds = extra_fds.empty() ? nullptr : extra_fds.data();
    options.extra_fd_count = static_cast<uint32_t>(extra_fds.size());
    options.flags = flags;
    if (stdio) {
      options.flags |= REAPER_CREATE_STDIO;
      for (std::size_t i = 0; i < stdio->size(); ++i) options.stdio[i] = (*stdio)[i];
    }
    options.listen_fd_count = listen_fd_count;
    options.console_socket = detail::or_null(console_socket);
    options.console = console;
    options.listen_names = detail::or_null(listen_names);
    return options;
  }
};

class container {
 public:
  // Takes a handle of reaper.h, and shares what must live as long: it logs to the function of its runtime.
  explicit container(reaper_container *handle, std::shared_ptr<const void> log = nullptr) noexcept
      : log_(std::move(log)), handle_(handle) {}

  reaper_container *handle() const noexcept { return handle_.get(); }
  std::string id() const { return reaper_container_id(handle()); }

  void start() {
    detail::check([&](reaper_error **err) { return reaper_start(handle(), err); });
  }

  // The state object as JSON.
  std::string state() const {
    return detail::text([&](char **out, reaper_error **err) { return reaper_state(handle(), out, err); });
  }

  // REAPER_STATUS_*
  int32_t status() const { return number(reaper_status); }
  int32_t pid() const { return number(reaper_pid); }
  // A new descriptor, the caller's to close.
  int32_t pidfd() const { return number(reaper_pidfd); }

  void kill(int32_t signal, uint32_t flags = 0) const {
    detail::check([&](reaper_error **err) { return reaper_kill(handle(), signal, flags, err); });
  }

  reaper_exit_status wait() const {
    reaper_exit_status status = empty_status();
    detail::check([&](reaper_error **err) { return reaper_wait(handle(), -1, &status, err); });
    return status;
  }

  // Nothing if it is still alive after that time; zero: only look.
  std::optional<reaper_exit_status> wait_for(std::chrono::milliseconds time) const {
    reaper_exit_status status = empty_status();
    reaper_error *object = nullptr;
    const int code = reaper_wait(handle(), time.count() < 0 ? 0 : time.count(), &status, &object);
    if (code == REAPER_ERR_TIMEOUT) {
      reaper_error_free(object);
      return std::nullopt;
    }
    if (code != REAPER_OK) throw error(code, object);
    return status;
  }

  // reaper_delete(); flags: REAPER_DELETE_FORCE.
  void remove(uint32_t flags = 0) {
    detail::check([&](reaper_error **err) { return reaper_delete(handle(), flags, err); });
  }

 private:
  static reaper_exit_status empty_status() {
    reaper_exit_status status{};
    status.size = sizeof status;
    return status;
  }

  int32_t number(int (*ask)(const reaper_container *, int32_t *, reaper_error **)) const {
    int32_t out = 0;
    detail::check([&](reaper_error **err) { return ask(handle(), &out, err); });
    return out;
  }

  std::shared_ptr<const void> log_;
  std::unique_ptr<reaper_container, detail::release<reaper_container, reaper_container_free>> handle_;
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
    reaper_runtime *made = nullptr;
    detail::check([&](reaper_error **err) { return reaper_runtime_new(&c, &made, err); });
    handle_.reset(made);
  }

  reaper_runtime *handle() const noexcept { return handle_.get(); }
  std::string root() const { return reaper_runtime_root(handle()); }

  container create(const std::string &id, const create_options &options) {
    const reaper_create_options c = options.to_c();
    reaper_container *made = nullptr;
    detail::check([&](reaper_error **err) { return reaper_create(handle(), id.c_str(), &c, &made, err); });
    return container(made, log_);
  }

  container open(const std::string &id) const {
    reaper_container *found = nullptr;
    detail::check([&](reaper_error **err) { return reaper_open(handle(), id.c_str(), &found, err); });
    return container(found, log_);
  }

  // reaper_delete_id(): also what open() refuses.
  void remove(const std::string &id, uint32_t flags = 0) {
    detail::check([&](reaper_error **err) { return reaper_delete_id(handle(), id.c_str(), flags, err); });
  }

  std::string list() const {
    return detail::text([&](char **out, reaper_error **err) { return reaper_list(handle(), out, err); });
  }

  // What create() would do; format: REAPER_FORMAT_*.
  std::string plan(const create_options &options, uint32_t format = REAPER_FORMAT_TEXT) const {
    const reaper_create_options c = options.to_c();
    return detail::text([&](char **out, reaper_error **err) { return reaper_plan(handle(), &c, format, out, err); });
  }

  // What create() and start() would fail with.
  std::string check(const create_options &options, uint32_t format = REAPER_FORMAT_TEXT) const {
    const reaper_create_options c = options.to_c();
    return detail::text([&](char **out, reaper_error **err) { return reaper_check(handle(), &c, format, out, err); });
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
