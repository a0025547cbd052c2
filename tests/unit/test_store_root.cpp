// Where the state directory is, and which directories are not trusted with it.
#include <sys/mount.h>

#include <climits>
#include <cstring>
#include <string>
#include <vector>

#include "unit/store_faults.h"
#include "unit/store_fixture.h"

using namespace reaper;
using namespace reaper::test;

namespace {

constexpr const char* variables[] = {"REAPER_RUNTIME_ROOT", "XDG_RUNTIME_DIR"};

// Sets or clears both, for the life of the object.
class Environment {
 public:
  Environment(const char* root, const char* runtime) {
    const char* values[] = {root, runtime};
    for (int at = 0; at < 2; ++at) {
      const char* before = getenv(variables[at]);
      had_[at] = before != nullptr;
      before_[at] = had_[at] ? before : "";
      set(variables[at], values[at]);
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (int at = 0; at < 2; ++at) set(variables[at], had_[at] ? before_[at].c_str() : nullptr);
  }

 private:
  static void set(const char* name, const char* value) {
    if (value != nullptr) {
      setenv(name, value, 1);
    } else {
      unsetenv(name);
    }
  }
  bool had_[2] = {};
  std::string before_[2];
};

std::string resolved(const char* given) {
  const auto path = resolve_root(given);
  return path.has_value() ? *path : "error: " + path.error().message;
}

std::string working_directory() {
  char buffer[PATH_MAX];
  return getcwd(buffer, sizeof buffer) != nullptr ? buffer : "";
}

void a_given_path_needs_no_environment(void**) {
  const Environment environment("/from/environment", "/run/user/1");
  assert_string_equal(resolved("/given").c_str(), "/given");
  assert_string_equal(resolved("//given///a/./b/").c_str(), "/given/a/b");
  assert_string_equal(resolved("/a/../b").c_str(), "/a/../b");  // a may be a link: the kernel's to resolve
  const std::string here = working_directory() == "/" ? "" : working_directory();
  assert_string_equal(resolved("state").c_str(), (here + "/state").c_str());
  assert_string_equal(resolved("./a//b/").c_str(), (here + "/a/b").c_str());
  assert_string_equal(resolved("../b").c_str(), (here + "/../b").c_str());
  const std::string too_long = "/" + std::string(PATH_MAX, 'a');
  for (const char* wrong : {"", "/", "//", "/.", "/./", too_long.c_str()}) {
    assert_int_equal(resolve_root(wrong).error().code, REAPER_ERR_INVALID);
  }
}

void the_environment_comes_first(void**) {
  const std::string here = working_directory() == "/" ? "" : working_directory();
  {
    const Environment environment("/from/environment/", "/run/user/1");
    assert_string_equal(resolved(nullptr).c_str(), "/from/environment");
  }
  {
    const Environment environment("relative/root", nullptr);
    assert_string_equal(resolved(nullptr).c_str(), (here + "/relative/root").c_str());
  }
  const Environment environment("/", nullptr);
  assert_int_equal(resolve_root(nullptr).error().code, REAPER_ERR_INVALID);
}

void root_has_run_reaper(void**) {
  if (geteuid() != 0) assert_child(skipped, "needs root");
  for (const char* runtime : {"/run/user/1000", "", static_cast<const char*>(nullptr)}) {
    const Environment environment("", runtime);
    assert_string_equal(resolved(nullptr).c_str(), "/run/reaper");
  }
}

int chain_of_an_ordinary_user() {
  const std::string uid = std::to_string(geteuid());
  {
    const Environment environment(nullptr, "/xdg/runtime");
    CHECK(resolved(nullptr) == "/xdg/runtime/reaper");
  }
  {
    const Environment environment("", "/xdg/runtime/");
    CHECK(resolved(nullptr) == "/xdg/runtime/reaper");
  }
  {
    const Environment environment(nullptr, "xdg/runtime");
    CHECK(resolve_root(nullptr).error().code == REAPER_ERR_INVALID);
  }
  struct stat status{};
  const std::string of_user = "/run/user/" + uid;
  const bool usable = lstat(of_user.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
                      (status.st_mode & 0777) == 0700;
  const std::string last = usable ? of_user + "/reaper" : "/tmp/reaper-" + uid;
  for (const char* empty : {"", static_cast<const char*>(nullptr)}) {
    const Environment environment(empty, empty);
    CHECK(resolved(nullptr) == last);
  }
  return 0;
}

void an_ordinary_user_has_a_chain(void**) {
  const TemporaryDirectory temporary;
  assert_int_equal(as_ordinary_user(temporary.path(), chain_of_an_ordinary_user), 0);
}

// /run/user/UID in all its states, in a mount namespace where /run is ours.
int run_user_must_be_ours() {
  if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0) return skipped;
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return skipped;
  if (mount("tmpfs", "/run", "tmpfs", 0, "mode=0755,size=64k") != 0) return skipped;
  CHECK(mkdir("/run/user", 0755) == 0 && mkdir("/run/user/4321", 0700) == 0);
  CHECK(chown("/run/user/4321", 4321, 4321) == 0);
  const Environment environment(nullptr, nullptr);
  const auto as_user = [](const char* expected) {
    return in_child([expected] {
      CHECK(setresuid(4321, 4321, 4321) == 0);
      CHECK(resolved(nullptr) == expected);
      return 0;
    });
  };
  CHECK(as_user("/run/user/4321/reaper") == 0);
  CHECK(chmod("/run/user/4321", 0750) == 0);
  CHECK(as_user("/tmp/reaper-4321") == 0);
  CHECK(chmod("/run/user/4321", 0700) == 0 && chown("/run/user/4321", 4322, 4321) == 0);
  CHECK(as_user("/tmp/reaper-4321") == 0);
  CHECK(rename("/run/user/4321", "/run/user/real") == 0 && chown("/run/user/real", 4321, 4321) == 0);
  CHECK(as_user("/tmp/reaper-4321") == 0);
  CHECK(symlink("real", "/run/user/4321") == 0);
  CHECK(as_user("/tmp/reaper-4321") == 0);
  return 0;
}

void run_user_is_taken_when_ours(void**) {
  assert_child(in_child(run_user_must_be_ours), "needs root and a mount namespace of its own");
}

// ---- opening

void open_makes_only_when_asked(void**) {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/a/b/state";
  const auto absent = StateRoot::open(path, false);
  assert_int_equal(absent.error().code, REAPER_ERR_NOT_FOUND);
  assert_null(strstr(absent.error().message.c_str(), "does not exist"));
  assert_int_equal(entries(temporary.path()), 0);
  const auto made = StateRoot::open(path, true);
  assert_true(made.has_value());
  assert_string_equal(made->path().c_str(), path.c_str());
  assert_int_equal(fcntl(made->fd(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  assert_true(StateRoot::open(path, true).has_value());
  assert_true(StateRoot::open(path, false).has_value());
  for (const char* wrong : {"", "relative", "/"}) {
    assert_int_equal(StateRoot::open(wrong, true).error().code, REAPER_ERR_INVALID);
  }
  assert_true(spill(temporary.path() + "/file", ""));
  assert_int_equal(StateRoot::open(temporary.path() + "/file", true).error().code, REAPER_ERR_INVALID);
  assert_int_equal(StateRoot::open(temporary.path() + "/file/state", true).error().code, REAPER_ERR_INVALID);
}

void a_failing_open_takes_back_what_it_made(void**) {
  const TemporaryDirectory temporary;
  const std::string too_long = temporary.path() + "/a/b/" + std::string(256, 'x') + "/state";
  assert_int_equal(StateRoot::open(too_long, true).error().sys_errno, ENAMETOOLONG);
  assert_int_equal(entries(temporary.path()), 0);
  assert_int_equal(mkdir((temporary.path() + "/old").c_str(), 0700), 0);
  assert_int_equal(StateRoot::open(temporary.path() + "/old/new/" + std::string(256, 'x'), true).error().sys_errno,
                   ENAMETOOLONG);
  assert_int_equal(entries(temporary.path()), 1);
  assert_int_equal(entries(temporary.path() + "/old"), 0);
}

void ids_are_sorted_and_valid(void**) {
  const TemporaryDirectory temporary;
  const auto root = StateRoot::open(temporary.path() + "/state", true);
  assert_int_equal(root->ids().value().size(), 0);
  for (const char* name : {"web", "a", "_x", "B"}) assert_true(make_container(*root, name));
  for (const char* name : {".new", "-x", "a b", "\n"}) {
    assert_int_equal(mkdir((root->path() + "/" + name).c_str(), 0700), 0);
  }
  const std::vector<std::string> expected = {"B", "_x", "a", "web"};
  assert_true(root->ids().value() == expected);
  assert_true(root->ids().value() == expected);    // the offset of the first reading is not in the way
  for (int number = 0; number < 1000; ++number) {  // more than one buffer of names
    assert_int_equal(mkdir((root->path() + "/" + std::string(200, 'n') + std::to_string(number)).c_str(), 0700), 0);
  }
  assert_int_equal(root->ids().value().size(), 1004);
}

// What stands below a directory like /tmp, and whether it may be the state directory.
void shared_directories_are_not_trusted(void**) {
  const TemporaryDirectory temporary;
  const std::string shared = temporary.path() + "/shared", outside = temporary.path() + "/outside";
  assert_int_equal(mkdir(shared.c_str(), 0700), 0);
  assert_int_equal(chmod(shared.c_str(), 01777), 0);
  assert_int_equal(mkdir(outside.c_str(), 0700), 0);
  const auto code = [&](const std::string& path) {
    const auto opened = StateRoot::open(path, true);
    return opened.has_value() ? 0 : opened.error().code;
  };
  assert_int_equal(code(shared), REAPER_ERR_PERMISSION);  // everybody may write to it
  assert_int_equal(code(shared + "/mine"), 0);
  assert_int_equal(mode_of(shared + "/mine"), 0700);
  assert_int_equal(code(shared + "/mine"), 0);
  for (const mode_t mode : {0701U, 0710U, 0750U, 0755U, 0777U}) {
    assert_int_equal(chmod((shared + "/mine").c_str(), mode), 0);
    assert_int_equal(code(shared + "/mine"), REAPER_ERR_PERMISSION);
  }
  // 0777 by now, and so is anything in it; 0755 is enough on the way.
  assert_int_equal(code(shared + "/mine/deeper"), 0);
  assert_int_equal(mode_of(shared + "/mine/deeper"), 0700);
  assert_int_equal(symlink(outside.c_str(), (shared + "/link").c_str()), 0);
  assert_int_equal(symlink("absent", (shared + "/dangling").c_str()), 0);
  for (const char* name : {"/link", "/link/state", "/dangling", "/dangling/state"}) {
    assert_int_equal(code(shared + name), REAPER_ERR_PERMISSION);
  }
  assert_int_equal(entries(outside), 0);
  // Elsewhere a link is the administrator's business, but where it leads is looked at.
  assert_int_equal(symlink("outside", (temporary.path() + "/link").c_str()), 0);
  assert_int_equal(code(temporary.path() + "/link"), 0);
  assert_int_equal(code(temporary.path() + "/link/state"), 0);
  assert_int_equal(symlink("shared/mine", (temporary.path() + "/into").c_str()), 0);
  assert_int_equal(chmod((shared + "/mine").c_str(), 0755), 0);
  assert_int_equal(code(temporary.path() + "/into"), REAPER_ERR_PERMISSION);
  assert_int_equal(chmod((shared + "/mine").c_str(), 0700), 0);
  assert_int_equal(code(temporary.path() + "/into"), 0);
}

void what_belongs_to_others_is_not_trusted(void**) {
  if (geteuid() != 0) assert_child(skipped, "needs root to give a directory away");
  const TemporaryDirectory temporary;
  const std::string shared = temporary.path() + "/shared";
  assert_int_equal(mkdir(shared.c_str(), 0700), 0);
  assert_int_equal(chmod(shared.c_str(), 01777), 0);
  assert_int_equal(mkdir((shared + "/theirs").c_str(), 0700), 0);
  assert_int_equal(chown((shared + "/theirs").c_str(), 4321, 4321), 0);
  assert_int_equal(StateRoot::open(shared + "/theirs", true).error().code, REAPER_ERR_PERMISSION);
  assert_int_equal(StateRoot::open(shared + "/theirs/state", true).error().code, REAPER_ERR_PERMISSION);
  assert_int_equal(entries(shared + "/theirs"), 0);
  // root's own is on nobody's side, but only on the way.
  assert_int_equal(mkdir((shared + "/system").c_str(), 0755), 0);
  assert_int_equal(chmod(temporary.path().c_str(), 0755), 0);
  assert_int_equal(mkdir((shared + "/system/mine").c_str(), 0700), 0);
  assert_int_equal(chown((shared + "/system/mine").c_str(), 4321, 4321), 0);
  const int answer = in_child([&] {
    CHECK(chdir("/") == 0 && setresuid(4321, 4321, 4321) == 0);
    CHECK(StateRoot::open(shared + "/system/mine", true).has_value());
    CHECK(StateRoot::open(shared + "/system", true).error().code == REAPER_ERR_PERMISSION);
    return 0;
  });
  assert_int_equal(answer, 0);
}

void many_make_it_at_once(void**) {
  const TemporaryDirectory temporary;
  std::vector<pid_t> children;
  fflush(nullptr);
  for (int number = 0; number < 16; ++number) {
    const pid_t child = fork();
    if (child == 0) {
      for (int round = 0; round < 20; ++round) {
        const std::string base = temporary.path() + "/" + std::to_string(round);
        if (!StateRoot::open(base + "/a/b/state", true).has_value()) _exit(1);
      }
      _exit(0);
    }
    assert_true(child > 0);
    children.push_back(child);
  }
  for (const pid_t child : children) assert_int_equal(wait_for(child), 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_given_path_needs_no_environment),
      cmocka_unit_test(the_environment_comes_first),
      cmocka_unit_test(root_has_run_reaper),
      cmocka_unit_test(an_ordinary_user_has_a_chain),
      cmocka_unit_test(run_user_is_taken_when_ours),
      cmocka_unit_test(open_makes_only_when_asked),
      cmocka_unit_test(a_failing_open_takes_back_what_it_made),
      cmocka_unit_test(ids_are_sorted_and_valid),
      cmocka_unit_test(shared_directories_are_not_trusted),
      cmocka_unit_test(what_belongs_to_others_is_not_trusted),
      cmocka_unit_test(many_make_it_at_once),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
