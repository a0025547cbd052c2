// For the tests of the store: a temporary directory, work in a forked child, and a small whole container.
#pragma once

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "store/store.h"
#include "unit/cmocka_cpp.h"

// cmocka's macro fail() takes the name of reaper::fail(), which TRY uses.
#undef fail
#undef fail_msg
#define fail_msg(format, ...)                                      \
  do {                                                             \
    print_error("ERROR: " format "\n" __VA_OPT__(, ) __VA_ARGS__); \
    _fail(__FILE__, __LINE__);                                     \
  } while (false)

// For children, where cmocka's asserts may not be used: the function ends with 1.
#define CHECK(condition)                                                                    \
  do {                                                                                      \
    if (!(condition)) {                                                                     \
      fprintf(stderr, "%s:%d: in a child: not true: %s\n", __FILE__, __LINE__, #condition); \
      return 1;                                                                             \
    }                                                                                       \
  } while (false)

namespace reaper::test {

inline constexpr int skipped = 77;  // a child's answer: this environment cannot run it

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const char* base = getenv("TMPDIR");
    path_ = std::string(base != nullptr && *base == '/' ? base : "/tmp") + "/reaper-store-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) abort();
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;  // what a failing test leaves is in /tmp, and the failure is what counts
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The wait status as a shell tells it: the exit code, or 128 and the signal.
inline int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return 255;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

inline int in_child(const std::function<int()>& work) {
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) _exit(work());
  return child < 0 ? 255 : wait_for(child);
}

// In a child without privilege: as root it becomes uid 65534 and gets `directory`.
inline int as_ordinary_user(const std::string& directory, const std::function<int()>& work) {
  return in_child([&] {
    if (geteuid() != 0) return work();
    CHECK(chown(directory.c_str(), 65534, 65534) == 0);
    CHECK(chdir("/") == 0);
    CHECK(setgroups(0, nullptr) == 0);
    CHECK(setresgid(65534, 65534, 65534) == 0);
    CHECK(setresuid(65534, 65534, 65534) == 0);
    return work();
  });
}

inline void assert_child(int answer, const char* reason) {
  if (answer == skipped) {
    printf("SKIP: %s\n", reason);
    skip();
  }
  assert_int_equal(answer, 0);
}

inline Deadline after(int milliseconds) {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
}
inline Deadline soon() {
  return after(30'000);
}  // never reached by a test that passes

inline ProcessIdentity identity_of(pid_t pid) {
  return {.pid = pid,
          .start_time = 18446744073709551615U,
          .boot_id = "5b2c5a9e-3c0e-4d1c-9a4c-9f6f0d3f0a11",
          .pid_namespace = 4026531836,
          .time_namespace = 4026531834};
}

inline Record whole_record(const std::string& id) {
  return {.id = id,
          .oci_version = "1.3.0",
          .bundle = "/srv/bundles/web \"quoted\" \xc3\xa9",
          .annotations = {{"org.example.key", "value"}, {"empty", ""}, {"odd/~\"\\\n", "\x01\xe2\x82\xac"}},
          .created = "2026-01-02T03:04:05.678901234Z",
          .owner_uid = 4294967294U,
          .init = identity_of(4711),
          .has_process = false,
          .credentials_json = R"({"uid":0,"groups":[1,2,4294967294],"capabilities":{"bounding":18446744073709551615}})",
          .warnings_json = R"(["one \"warning\"",{"pointer":"/process/x~1y","deep":[null,true,false,-7]}])"};
}

// As create does it in two steps: whole under another name, then in its place.
inline Status commit(const ContainerDirectory& directory, const Record& record) {
  const Status staged = directory.stage(record);
  return staged.has_value() ? directory.commit_staged() : staged;
}

inline bool exists(const std::string& path) {
  struct stat status{};
  return lstat(path.c_str(), &status) == 0;
}

// Permission bits, or -1.
inline int mode_of(const std::string& path) {
  struct stat status{};
  return lstat(path.c_str(), &status) == 0 ? static_cast<int>(status.st_mode & 07777) : -1;
}

inline std::string slurp(const std::string& path) {
  std::string text;
  if (FILE* file = fopen(path.c_str(), "re")) {
    char buffer[4096];
    for (size_t bytes = 0; (bytes = fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, bytes);
    fclose(file);
  }
  return text;
}

inline bool spill(const std::string& path, const std::string& text) {
  FILE* file = fopen(path.c_str(), "we");
  if (file == nullptr) return false;
  const bool whole = fwrite(text.data(), 1, text.size(), file) == text.size();
  return fclose(file) == 0 && whole;
}

// Entries of a directory; -1 when it cannot be read.
inline int entries(const std::string& path) {
  std::error_code failed;
  int count = 0;
  for (std::filesystem::directory_iterator at(path, failed), end; !failed && at != end; at.increment(failed)) ++count;
  return failed ? -1 : count;
}

// A container as create leaves it, with a gate.
inline bool make_container(const StateRoot& root, const std::string& id) {
  auto made = claim(root, id, identity_of(getpid()), soon());
  if (!made.has_value()) return false;
  if (!made->directory.write_identity(identity_of(4711)).has_value()) return false;
  if (mknodat(made->directory.fd(), "gate", S_IFSOCK | 0600, 0) != 0) return false;
  return commit(made->directory, whole_record(id)).has_value();
}

// Opens, locks and removes; the message of the error, or "".
inline std::string remove_container(const StateRoot& root, const std::string& id) {
  auto directory = ContainerDirectory::open(root, id);
  if (!directory.has_value()) return directory.error().message;
  const auto lock = directory->lock(root, soon());
  if (!lock.has_value()) return lock.error().message;
  const auto removed = directory->remove(root);
  return removed.has_value() ? "" : removed.error().message;
}

}  // namespace reaper::test
