// A create and a delete that are killed before and after each of their system calls: afterwards the id and its cgroups
// can be used again, and nothing stays.
#include <sys/prctl.h>

#include "runtime/runtime.h"
#include "unit/cgroup_view.h"
#include "unit/store_faults.h"

using namespace reaper;
using namespace reaper::test;

namespace {

// A sanitizer's own calls are stops, too, and each run of it takes ten times as long: there, some of them will do.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int stride_factor = 7;
#else
constexpr int stride_factor = 1;
#endif

struct Case {
  std::string root, bundle, config;
  const TestCgroup& base;
  int stride;  // of the stops
};

std::shared_ptr<Runtime> runtime_of(const Case& one) {
  auto runtime = std::make_shared<Runtime>();
  runtime->root = one.root;
  return runtime;
}

Result<ContainerPtr> create(const Case& one) {
  CreateRequest request;
  request.bundle = one.bundle;
  request.config = one.config;
  request.new_keyring = false;
  return create_container(runtime_of(one), "web", request);
}

Status delete_by_force(const Case& one) {
  return delete_container(runtime_of(one), "web", true, nullptr);
}

void reap_everybody() {
  while (waitpid(-1, nullptr, 0) > 0) {
  }
}

bool succeeded(const char* what, int stop, const Status& status) {
  if (status.has_value()) return true;
  fprintf(stderr, "%s after stop %d: %s\n", what, stop, status.error().message.c_str());
  return false;
}

bool nothing_is_left(const Case& one, int stop) {
  const auto left = one.base.below();
  if (left.empty() && !exists(one.root + "/web")) return true;
  fprintf(stderr, "left after stop %d: %s\n", stop, left.empty() ? "the directory" : left.front().c_str());
  return false;
}

// By the next create of the id, or by a forced delete.
bool recovers(const Case& one, int stop) {
  if (stop % 3 != 0) {
    auto again = create(one);
    if (!again.has_value() && again.error().code != REAPER_ERR_EXISTS)
      return succeeded("create", stop, fail(again.error()));
  }
  const auto removed = delete_by_force(one);
  const bool was_nothing = !removed.has_value() && removed.error().code == REAPER_ERR_NOT_FOUND;
  if (!was_nothing && !succeeded("delete", stop, removed)) return false;
  reap_everybody();
  return nothing_is_left(one, stop);
}

int kill_creates(const Case& one) {
  for (int stop = 1; stop < 5000; stop += one.stride) {
    const pid_t child = killed_at(stop, [&] { return create(one).has_value() ? 0 : 1; });
    if (child < 0) return child;
    if (!recovers(one, stop)) return -1;
    if (child == 0) return stop;
  }
  return -2;
}

int kill_deletes(const Case& one) {
  for (int stop = 1; stop < 5000; stop += one.stride) {
    if (!create(one).has_value()) return -1;
    const pid_t child = killed_at(stop, [&] { return delete_by_force(one).has_value() ? 0 : 1; });
    if (child < 0) return child;
    if (!recovers(one, stop)) return -1;
    if (child == 0) return stop;
  }
  return -2;
}

void with_view(const std::vector<const char*>& controllers, int (*body)(const Case&), int stride, int least) {
  const std::string reason = show_cgroups(controllers);
  const TestCgroup base;
  if (!reason.empty() || !base.made()) {
    printf("SKIP: %s\n", reason.empty() ? "no cgroup can be made here" : reason.c_str());
    skip();
  }
  const TemporaryDirectory temporary;
  const Case one = {temporary.path() + "/state", temporary.path(),
                    R"({"ociVersion":"1.3.0","process":{"args":["/bin/true"],"cwd":"/"},"linux":{"cgroupsPath":")" +
                        base.path() + R"(/pod/web"}})",
                    base, stride * stride_factor};
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const int stops = body(one);
  if (stops == -skipped) assert_child(skipped, "ptrace is not allowed here");
  if (stops < least) fail_msg("%d stops", stops);
}

void test_create_in_version_2(void**) {
  with_view({}, kill_creates, 1, 150);
}
void test_create_in_version_1(void**) {
  with_view({"pids", "freezer"}, kill_creates, 3, 200);
}
void test_delete_in_version_2(void**) {
  with_view({}, kill_deletes, 1, 60);
}
void test_delete_in_version_1(void**) {
  with_view({"pids", "freezer"}, kill_deletes, 3, 60);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_create_in_version_2, remove_test_cgroup),
      cmocka_unit_test_teardown(test_create_in_version_1, remove_test_cgroup),
      cmocka_unit_test_teardown(test_delete_in_version_2, remove_test_cgroup),
      cmocka_unit_test_teardown(test_delete_in_version_1, remove_test_cgroup),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
