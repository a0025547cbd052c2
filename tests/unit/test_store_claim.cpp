// The claim of an id under trouble: many at once, killed at any system call, system calls that fail.
#include <pthread.h>
#include <sys/mman.h>

#include <atomic>
#include <string>
#include <vector>

#include "unit/store_faults.h"
#include "unit/store_fixture.h"

using namespace reaper;
using namespace reaper::test;

namespace {

constexpr int claimers = 64;
constexpr int rounds = 50;

Result<bool> nobody_is_dead(const ContainerDirectory&, const ProcessIdentity&) {
  return false;
}

StateRoot open_root(const std::string& base) {
  auto root = StateRoot::open(base + "/state", true);
  if (!root.has_value()) fail_msg("%s", root.error().message.c_str());
  return std::move(*root);
}

// As a create does it: claim; when the id is in use, sweep, and claim again if that helped.
Result<Claim> claim_as_create(const StateRoot& root, const std::string& id, const ProcessIdentity& owner,
                              const Abandoned& abandoned) {
  for (;;) {
    auto made = claim(root, id, owner, soon());
    if (made.has_value() || made.error().code != REAPER_ERR_EXISTS) return made;
    if (!TRY(sweep(root, id, abandoned))) return made;
  }
}

// ---- many at once

struct Race {
  pthread_barrier_t barrier;
  std::atomic<int> winners;
  std::atomic<int> wrong;
};

Race* new_race() {
  void* memory = mmap(nullptr, sizeof(Race), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) abort();
  auto* race = new (memory) Race{};
  pthread_barrierattr_t attributes;
  pthread_barrierattr_init(&attributes);
  pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  if (pthread_barrier_init(&race->barrier, &attributes, claimers) != 0) abort();
  return race;
}

int race_in_child(Race& race, const StateRoot& root) {
  for (int round = 0; round < rounds; ++round) {
    pthread_barrier_wait(&race.barrier);
    {
      auto made = claim_as_create(root, "web", identity_of(getpid()), nobody_is_dead);
      if (made.has_value()) {
        ++race.winners;
        if (made->directory.read_owner().value() != identity_of(getpid())) ++race.wrong;
      } else if (made.error().code != REAPER_ERR_EXISTS) {
        fprintf(stderr, "round %d: %s\n", round, made.error().message.c_str());
        ++race.wrong;
      }
      pthread_barrier_wait(&race.barrier);  // the winner keeps its claim until all have tried
      if (made.has_value()) {
        if (race.winners.exchange(0) != 1) ++race.wrong;
        if (!made->directory.remove(root).has_value()) ++race.wrong;
      }
    }
    if (pthread_barrier_wait(&race.barrier) == PTHREAD_BARRIER_SERIAL_THREAD && race.winners != 0) ++race.wrong;
  }
  return 0;
}

void one_winner_of_64(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary.path());
  Race* race = new_race();
  std::vector<pid_t> children;
  fflush(nullptr);
  for (int number = 0; number < claimers; ++number) {
    const pid_t child = fork();
    if (child == 0) _exit(race_in_child(*race, root));
    assert_true(child > 0);
    children.push_back(child);
  }
  for (const pid_t child : children) assert_int_equal(wait_for(child), 0);
  assert_int_equal(race->wrong, 0);
  assert_int_equal(entries(temporary.path() + "/state"), 0);
  munmap(race, sizeof *race);
}

// ---- killed

int create_web(const StateRoot& root) {
  auto made = claim(root, "web", identity_of(getpid()), soon());
  if (!made.has_value() || !made->directory.write_identity(identity_of(4711)).has_value()) return 1;
  return commit(made->directory, whole_record("web")).has_value() ? 0 : 1;
}

// After a create was killed anywhere, the id can be used again.
int usable_after(const StateRoot& root, pid_t killed) {
  const auto abandoned = [killed](const ContainerDirectory&, const ProcessIdentity& owner) -> Result<bool> {
    return owner == identity_of(killed);
  };
  auto made = claim_as_create(root, "web", identity_of(getpid()), abandoned);
  if (made.has_value()) {
    CHECK(made->directory.read_owner().value() == identity_of(getpid()));
    CHECK(entries(root.path() + "/web") == 1);
    CHECK(made->directory.remove(root).has_value());
    return 0;
  }
  if (made.error().code != REAPER_ERR_EXISTS) fprintf(stderr, "%s\n", made.error().message.c_str());
  CHECK(made.error().code == REAPER_ERR_EXISTS);  // it got as far as the commit
  const auto directory = ContainerDirectory::open(root, "web");
  CHECK(directory.has_value() && directory->read_record().has_value() && directory->read_identity().has_value());
  CHECK(remove_container(root, "web").empty());
  return 0;
}

// Returns how many stops there were, or a negative number.
int kill_creates_everywhere(const std::string& base) {
  const auto root = StateRoot::open(base + "/state", true);
  if (!root.has_value()) return -1;
  for (int stop = 1; stop < 1000; ++stop) {
    const pid_t child = killed_at(stop, [&] { return create_web(*root); });
    if (child < 0) return child;
    if (usable_after(*root, child) != 0 || entries(base + "/state") != 0) {
      fprintf(stderr, "create killed at stop %d\n", stop);
      return -1;
    }
    if (child == 0) return stop;
  }
  return -2;
}

void a_create_killed_anywhere_blocks_nothing(void**) {
  const TemporaryDirectory temporary;
  const int stops = kill_creates_everywhere(temporary.path());
  if (stops == -skipped) assert_child(skipped, "ptrace is not allowed here");
  assert_true(stops > 30);
  // Under a umask that makes directories which their maker cannot open; root can open everything.
  const TemporaryDirectory of_user;
  const int answer = as_ordinary_user(of_user.path(), [&] {
    umask(0777);
    return kill_creates_everywhere(of_user.path()) > 30 ? 0 : 1;
  });
  assert_int_equal(answer, 0);
}

// What a removal that was killed leaves: readable, or for sweep() to take without a question.
int recovers(const StateRoot& root) {
  const auto must_not_ask = [](const ContainerDirectory&, const ProcessIdentity&) -> Result<bool> { return false; };
  const auto directory = ContainerDirectory::open(root, "web");
  if (!directory.has_value()) {
    CHECK(directory.error().code == REAPER_ERR_NOT_FOUND);
    return 0;
  }
  if (directory->phase().value() == Phase::committed) {
    CHECK(directory->read_identity().has_value());
    CHECK(remove_container(root, "web").empty());
    return 0;
  }
  CHECK(sweep(root, "web", must_not_ask).value());
  return 0;
}

void a_delete_killed_anywhere_can_be_repeated(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary.path());
  int stop = 0;
  for (pid_t child = -1; child != 0;) {
    ++stop;
    assert_true(stop < 1000);
    assert_true(make_container(root, "web"));
    child = killed_at(stop, [&] { return remove_container(root, "web").empty() ? 0 : 1; });
    if (child == -skipped) assert_child(skipped, "ptrace is not allowed here");
    assert_true(child >= 0);
    assert_int_equal(recovers(root), 0);
    assert_int_equal(entries(temporary.path() + "/state"), 0);
  }
  assert_true(stop > 15);
}

// ---- sweep

void sweep_takes_only_what_is_abandoned(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary.path());
  int asked = 0;
  bool dead = false;
  const auto abandoned = [&](const ContainerDirectory& directory, const ProcessIdentity& owner) -> Result<bool> {
    ++asked;
    assert_string_equal(directory.id().c_str(), "web");
    assert_int_equal(owner.pid, 4242);
    return dead;
  };
  assert_true(sweep(root, "web", abandoned).value());  // nothing there: free
  {
    const auto made = claim(root, "web", identity_of(4242), soon());
    assert_true(made.has_value());
    assert_false(sweep(root, "web", abandoned).value());  // held by a living create
  }
  assert_int_equal(asked, 0);
  assert_false(sweep(root, "web", abandoned).value());  // a create in its hooks, without the lock
  assert_int_equal(asked, 1);
  dead = true;
  assert_true(sweep(root, "web", abandoned).value());
  assert_int_equal(asked, 2);
  assert_true(make_container(root, "web"));
  assert_false(sweep(root, "web", abandoned).value());  // committed
  assert_int_equal(asked, 2);
  assert_string_equal(remove_container(root, "web").c_str(), "");
}

void sweep_passes_doubt_on(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary.path());
  assert_true(claim(root, "web", identity_of(4242), soon()).has_value());
  const auto cannot_tell = [](const ContainerDirectory&, const ProcessIdentity&) -> Result<bool> {
    return fail(system_error("sweep", "look at the owner", EIO));
  };
  assert_int_equal(sweep(root, "web", cannot_tell).error().sys_errno, EIO);
  assert_true(spill(temporary.path() + "/state/web/owner", "damaged\n"));
  assert_int_equal(sweep(root, "web", nobody_is_dead).error().code, REAPER_ERR_CORRUPT);
  assert_int_equal(entries(temporary.path() + "/state/web"), 1);
  assert_true(spill(temporary.path() + "/state/web/owner", ""));  // killed between open and write
  assert_true(sweep(root, "web", nobody_is_dead).value());
  assert_false(exists(temporary.path() + "/state/web"));
}

// ---- system calls that fail

struct Fault {
  const char* name;
  long call;
  int number;
  unsigned argument;
  uint32_t bits;
};

int claim_with(const Fault& fault, const StateRoot& root) {
  if (!deny(fault.call, fault.number, fault.argument, fault.bits)) return skipped;
  const auto made = claim(root, "web", identity_of(getpid()), after(0));
  CHECK(!made.has_value());
  CHECK(made.error().sys_errno == fault.number);
  CHECK(made.error().message.find(errno_name(fault.number)) != std::string::npos);
  CHECK(made.error().message.find("container \"web\"") == 0);
  return 0;
}

void a_failing_claim_leaves_nothing(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary.path());
  const Fault faults[] = {
      {"mkdirat", SYS_mkdirat, ENOSPC, 0, 0},
      {"mkdirat", SYS_mkdirat, EROFS, 0, 0},
      {"openat2", SYS_openat2, ENFILE, 0, 0},
      {"flock", SYS_flock, ENOLCK, 0, 0},
      {"fchmod", SYS_fchmod, EIO, 0, 0},
      {"creating openat", SYS_openat, ENOSPC, 2, O_CREAT},
      {"creating openat", SYS_openat, EMFILE, 2, O_CREAT},
      {"write", SYS_write, ENOSPC, 0, 0},
      {"write", SYS_write, EIO, 0, 0},
      {"write", SYS_write, EDQUOT, 0, 0},
  };
  for (const Fault& fault : faults) {
    const int answer = in_child([&] { return claim_with(fault, root); });
    if (answer != 0 && answer != skipped) fail_msg("%s: %d", fault.name, answer);
    assert_child(answer, "seccomp filters are not allowed here");
    assert_int_equal(entries(temporary.path() + "/state"), 0);
  }
}

int commit_with(const Fault& fault, const StateRoot& root, const std::string& path) {
  auto made = claim(root, "web", identity_of(getpid()), soon());
  CHECK(made.has_value());
  if (!deny(fault.call, fault.number, fault.argument, fault.bits)) return skipped;
  const auto committed = commit(made->directory, whole_record("web"));
  CHECK(!committed.has_value() && committed.error().sys_errno == fault.number);
  CHECK(made->directory.phase().value() == Phase::creating);
  CHECK(entries(path) == 1);  // owner alone
  CHECK(made->directory.remove(root).has_value());
  return 0;
}

void a_failing_commit_leaves_creating(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary.path());
  const Fault faults[] = {{"creating openat", SYS_openat, ENOSPC, 2, O_CREAT},
                          {"write", SYS_write, ENOSPC, 0, 0},
                          {"fchmod", SYS_fchmod, EIO, 0, 0},
#ifdef SYS_renameat
                          {"renameat", SYS_renameat, EIO, 0, 0}
#else
                          {"renameat2", SYS_renameat2, EIO, 0, 0}
#endif
  };
  for (const Fault& fault : faults) {
    const int answer = in_child([&] { return commit_with(fault, root, temporary.path() + "/state/web"); });
    if (answer != 0 && answer != skipped) fail_msg("%s: %d", fault.name, answer);
    assert_child(answer, "seccomp filters are not allowed here");
  }
}

void a_failing_remove_is_no_success(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary.path());
  const Fault faults[] = {{"unlinkat", SYS_unlinkat, EIO, 0, 0},
                          {"rmdir", SYS_unlinkat, EBUSY, 2, AT_REMOVEDIR},
                          {"getdents64", SYS_getdents64, EIO, 0, 0}};
  for (const Fault& fault : faults) {
    assert_true(make_container(root, "web"));
    const int answer = in_child([&] {
      if (!deny(fault.call, fault.number, fault.argument, fault.bits)) return skipped;
      return remove_container(root, "web").find(errno_name(fault.number)) != std::string::npos ? 0 : 1;
    });
    assert_child(answer, "seccomp filters are not allowed here");
    assert_true(exists(temporary.path() + "/state/web"));
    assert_int_equal(recovers(root), 0);
    assert_int_equal(entries(temporary.path() + "/state"), 0);
  }
}

int works_without_openat2(int number, const std::string& base) {
  const auto root = StateRoot::open(base + "/state", true);
  CHECK(root.has_value());
  CHECK(symlink("/tmp", (base + "/state/link").c_str()) == 0);
  if (!deny(SYS_openat2, number)) return skipped;
  CHECK(make_container(*root, "web"));
  const auto directory = ContainerDirectory::open(*root, "web");
  CHECK(directory.has_value() && directory->read_record().has_value() && directory->read_owner().has_value());
  CHECK(ContainerDirectory::open(*root, "link").error().code == REAPER_ERR_CORRUPT);
  CHECK(ContainerDirectory::open(*root, "absent").error().code == REAPER_ERR_NOT_FOUND);
  CHECK(unlink((base + "/state/web/state.json").c_str()) == 0);
  CHECK(symlink("/etc/passwd", (base + "/state/web/state.json").c_str()) == 0);
  CHECK(directory->read_record().error().code == REAPER_ERR_CORRUPT);
  CHECK(remove_container(*root, "web").empty());
  return 0;
}

void openat2_may_be_missing(void**) {
  for (const int number : {ENOSYS, EPERM}) {
    const TemporaryDirectory temporary;
    assert_child(in_child([&] { return works_without_openat2(number, temporary.path()); }),
                 "seccomp filters are not allowed here");
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(one_winner_of_64),
      cmocka_unit_test(a_create_killed_anywhere_blocks_nothing),
      cmocka_unit_test(a_delete_killed_anywhere_can_be_repeated),
      cmocka_unit_test(sweep_takes_only_what_is_abandoned),
      cmocka_unit_test(sweep_passes_doubt_on),
      cmocka_unit_test(a_failing_claim_leaves_nothing),
      cmocka_unit_test(a_failing_commit_leaves_creating),
      cmocka_unit_test(a_failing_remove_is_no_success),
      cmocka_unit_test(openat2_may_be_missing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
