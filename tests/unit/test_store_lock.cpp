// Locks on a container's directory: they exclude, end in time, and are worth nothing on a directory that is gone.
#include <csignal>
#include <string>
#include <utility>

#include "unit/store_fixture.h"

using namespace reaper;
using namespace reaper::test;

namespace {

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (pipe2(ends, O_CLOEXEC) != 0) abort();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }
  void signal() const {
    if (write(ends[1], "x", 1) != 1) _exit(99);
  }
  void wait() const {
    char byte = 0;
    if (read(ends[0], &byte, 1) != 1) _exit(98);
  }
};

StateRoot root_with_web(const TemporaryDirectory& temporary) {
  auto root = StateRoot::open(temporary.path() + "/state", true);
  assert_true(root.has_value());
  assert_true(make_container(*root, "web"));
  return std::move(*root);
}

// A child that holds the lock from when it says so until it is told to end.
pid_t holder(const StateRoot& root, const Pipe& held, const Pipe& end) {
  fflush(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  const auto directory = ContainerDirectory::open(root, "web");
  if (!directory.has_value()) _exit(1);
  {
    const auto lock = directory->lock(root, soon());
    if (!lock.has_value()) _exit(2);
    held.signal();
    end.wait();
  }
  _exit(0);
}

void busy_at_the_deadline(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = root_with_web(temporary);
  const Pipe held, end;
  const pid_t child = holder(root, held, end);
  held.wait();
  const auto directory = ContainerDirectory::open(root, "web");
  for (const int limit : {-1000, 0, 50}) {
    const Deadline deadline = after(limit);
    const auto lock = directory->lock(root, deadline);
    assert_false(lock.has_value());
    assert_true(std::chrono::steady_clock::now() >= deadline);
    assert_int_equal(lock.error().code, REAPER_ERR_BUSY);
    assert_string_equal(lock.error().message.c_str(), "container \"web\" is busy: another operation holds it");
  }
  end.signal();
  assert_true(directory->lock(root, soon()).has_value());  // waits for the child's end
  assert_int_equal(wait_for(child), 0);
}

void reopened_directories_have_locks_of_their_own(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = root_with_web(temporary);
  const auto directory = ContainerDirectory::open(root, "web"), other = directory->reopen();
  {
    const auto lock = directory->lock(root, after(0));
    assert_true(lock.has_value());
    assert_int_equal(other->lock(root, after(0)).error().code, REAPER_ERR_BUSY);
  }
  assert_true(other->lock(root, after(0)).has_value());
  assert_true(directory->exists().value());
  assert_string_equal(remove_container(root, "web").c_str(), "");
  assert_false(directory->exists().value());
  assert_false(directory->reopen()->exists().value());  // "." of a removed directory can still be opened
}

void a_killed_holder_lets_go(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = root_with_web(temporary);
  const Pipe held, end;
  const pid_t child = holder(root, held, end);
  held.wait();
  assert_int_equal(kill(child, SIGKILL), 0);
  assert_true(ContainerDirectory::open(root, "web")->lock(root, soon()).has_value());
  assert_int_equal(wait_for(child), 128 + SIGKILL);
}

void a_forked_child_does_not_keep_it(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = root_with_web(temporary);
  const Pipe end;
  pid_t child = -1;
  {
    const auto directory = ContainerDirectory::open(root, "web");
    const auto lock = directory->lock(root, soon());
    assert_true(lock.has_value());
    fflush(nullptr);
    child = fork();  // as a host may at any time: it has a duplicate of every descriptor
    if (child == 0) {
      end.wait();
      _exit(0);
    }
    assert_true(child > 0);
  }
  assert_true(ContainerDirectory::open(root, "web")->lock(root, after(0)).has_value());
  end.signal();
  assert_int_equal(wait_for(child), 0);
}

void handles_of_one_process_exclude_each_other(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = root_with_web(temporary);
  const auto first = ContainerDirectory::open(root, "web"), second = ContainerDirectory::open(root, "web");
  {
    auto lock = first->lock(root, after(0));
    assert_true(lock.has_value());
    const DirectoryLock moved(std::move(*lock));
    assert_int_equal(second->lock(root, after(0)).error().code, REAPER_ERR_BUSY);
  }
  assert_true(second->lock(root, after(0)).has_value());
}

void a_moved_lock_is_still_held(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = root_with_web(temporary);
  const auto first = ContainerDirectory::open(root, "web"), second = ContainerDirectory::open(root, "web");
  auto outer = [&]() -> Result<DirectoryLock> {
    auto inner = first->lock(root, after(0));
    return Result<DirectoryLock>(std::move(inner));
  }();  // the moved-from ones have ended here
  assert_true(outer.has_value());
  assert_int_equal(second->lock(root, after(0)).error().code, REAPER_ERR_BUSY);
}

void a_directory_that_is_gone_has_no_lock(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = root_with_web(temporary);
  const auto late = ContainerDirectory::open(root, "web");
  assert_string_equal(remove_container(root, "web").c_str(), "");
  assert_int_equal(late->lock(root, soon()).error().code, REAPER_ERR_NOT_FOUND);
  assert_string_equal(late->lock(root, soon()).error().message.c_str(), "container \"web\" does not exist");
  assert_true(make_container(root, "web"));  // another one of that name
  assert_int_equal(late->lock(root, soon()).error().code, REAPER_ERR_NOT_FOUND);
  assert_true(ContainerDirectory::open(root, "web")->lock(root, after(0)).has_value());
  // Moved away: it lives, but its name is not its own.
  const auto moved = ContainerDirectory::open(root, "web");
  assert_int_equal(rename((temporary.path() + "/state/web").c_str(), (temporary.path() + "/away").c_str()), 0);
  assert_int_equal(moved->lock(root, soon()).error().code, REAPER_ERR_NOT_FOUND);
  assert_true(make_container(root, "web"));
  assert_int_equal(moved->lock(root, soon()).error().code, REAPER_ERR_NOT_FOUND);
}

// Whoever waits while another removes it must not come away with a lock.
void removed_while_waiting(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = root_with_web(temporary);
  const auto directory = ContainerDirectory::open(root, "web");
  auto lock = directory->lock(root, soon());
  assert_true(lock.has_value());
  const Pipe ready;
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const auto mine = ContainerDirectory::open(root, "web");
    if (!mine.has_value()) _exit(1);
    ready.signal();
    const auto got = mine->lock(root, soon());
    _exit(!got.has_value() && got.error().code == REAPER_ERR_NOT_FOUND ? 0 : 2);
  }
  ready.wait();
  assert_true(directory->remove(root).has_value());
  {
    const DirectoryLock released(std::move(*lock));
  }
  assert_int_equal(wait_for(child), 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(busy_at_the_deadline),
      cmocka_unit_test(reopened_directories_have_locks_of_their_own),
      cmocka_unit_test(a_killed_holder_lets_go),
      cmocka_unit_test(a_forked_child_does_not_keep_it),
      cmocka_unit_test(handles_of_one_process_exclude_each_other),
      cmocka_unit_test(a_moved_lock_is_still_held),
      cmocka_unit_test(a_directory_that_is_gone_has_no_lock),
      cmocka_unit_test(removed_while_waiting),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
