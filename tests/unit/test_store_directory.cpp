// A container's directory: its files, what may stand in their place, and removal.
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <string>
#include <vector>

#include "unit/store_fixture.h"

using namespace reaper;
using namespace reaper::test;

namespace {

StateRoot open_root(const TemporaryDirectory& temporary) {
  auto root = StateRoot::open(temporary.path() + "/state", true);
  if (!root.has_value()) fail_msg("%s", root.error().message.c_str());
  return std::move(*root);
}

ContainerDirectory open_container(const StateRoot& root, const std::string& id) {
  auto directory = ContainerDirectory::open(root, id);
  if (!directory.has_value()) fail_msg("%s", directory.error().message.c_str());
  return std::move(*directory);
}

void a_container_from_claim_to_remove(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary);
  const std::string directory_path = temporary.path() + "/state/web";
  {
    auto made = claim(root, "web", identity_of(4242), soon());
    assert_true(made.has_value());
    const ContainerDirectory& directory = made->directory;
    assert_string_equal(directory.id().c_str(), "web");
    assert_true(directory.phase().value() == Phase::creating);
    assert_true(directory.read_owner().value() == identity_of(4242));
    assert_int_equal(directory.read_identity().error().code, REAPER_ERR_NOT_FOUND);
    assert_int_equal(directory.read_record().error().code, REAPER_ERR_NOT_FOUND);
    assert_string_equal(directory.read_record().error().message.c_str(), "container \"web\" is still being created");
    assert_true(directory.write_identity(identity_of(4711)).has_value());
    assert_true(directory.phase().value() == Phase::creating);
    assert_true(commit(directory, whole_record("web")).has_value());
    assert_true(directory.phase().value() == Phase::committed);
  }
  assert_string_equal(slurp(directory_path + "/pid").c_str(), "4711");
  assert_int_equal(entries(directory_path), 4);
  const ContainerDirectory again = open_container(root, "web");
  const Record record = again.read_record().value();
  assert_string_equal(record.bundle.c_str(), whole_record("web").bundle.c_str());
  assert_true(record.init == identity_of(4711));
  assert_true(again.read_identity().value() == identity_of(4711));
  assert_string_equal(remove_container(root, "web").c_str(), "");
  assert_false(exists(directory_path));
  assert_int_equal(entries(temporary.path() + "/state"), 0);
  // The handle that is still open says what everybody would say.
  assert_string_equal(again.read_record().error().message.c_str(), "container \"web\" does not exist");
  assert_string_equal(again.read_owner().error().message.c_str(), "container \"web\" does not exist");
  assert_string_equal(again.phase().error().message.c_str(), "container \"web\" does not exist");
}

void absent_and_in_use(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary);
  const auto absent = ContainerDirectory::open(root, "nobody");
  assert_int_equal(absent.error().code, REAPER_ERR_NOT_FOUND);
  assert_string_equal(absent.error().message.c_str(), "container \"nobody\" does not exist");
  assert_true(make_container(root, "web"));
  const auto twice = claim(root, "web", identity_of(1), soon());
  assert_int_equal(twice.error().code, REAPER_ERR_EXISTS);
  assert_string_equal(twice.error().message.c_str(), "container with given ID already exists");
  assert_true(open_container(root, "web").read_record().has_value());
}

void hostile_ids_reach_no_path(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary);
  assert_int_equal(mkdir((temporary.path() + "/outside").c_str(), 0700), 0);
  for (const char* id : {"", ".", "..", "../outside", "/", "a/b", "./a", "outside/", "\n"}) {
    assert_int_equal(ContainerDirectory::open(root, id).error().code, REAPER_ERR_INVALID);
    assert_int_equal(claim(root, id, identity_of(1), soon()).error().code, REAPER_ERR_INVALID);
    assert_int_equal(sweep(root, id, [](auto&, auto&) { return true; }).error().code, REAPER_ERR_INVALID);
  }
  assert_true(exists(temporary.path() + "/outside"));
  assert_int_equal(entries(temporary.path() + "/state"), 0);
}

void identities_that_are_none_are_not_written(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary);
  for (const ProcessIdentity& wrong :
       {ProcessIdentity{}, identity_of(0), identity_of(-1), ProcessIdentity{.pid = 1, .boot_id = "a b"},
        ProcessIdentity{.pid = 1, .boot_id = "a\nb"}, ProcessIdentity{.pid = 1, .boot_id = ""},
        ProcessIdentity{.pid = 1, .boot_id = std::string(65, 'a')}}) {
    assert_int_equal(claim(root, "web", wrong, soon()).error().code, REAPER_ERR_INTERNAL);
    assert_false(exists(temporary.path() + "/state/web"));
  }
}

void every_damaged_identity_is_noticed(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary);
  assert_true(make_container(root, "web"));
  const std::string path = temporary.path() + "/state/web/identity";
  const ContainerDirectory directory = open_container(root, "web");
  const std::string line = slurp(path);
  assert_true(
      line.starts_with("4711 18446744073709551615 5b2c5a9e-3c0e-4d1c-9a4c-9f6f0d3f0a11 4026531836 4026531834 "));
  for (size_t at = 0; at < line.size(); ++at) {
    for (const char flip : {1, 2, 0x10, static_cast<int>(0x80)}) {
      std::string damaged = line;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      assert_true(spill(path, damaged));
      assert_int_equal(directory.read_identity().error().code, REAPER_ERR_CORRUPT);
    }
    assert_true(spill(path, line.substr(0, at)));  // an empty one was killed before it could write
    assert_int_equal(directory.read_identity().error().code, at == 0 ? REAPER_ERR_NOT_FOUND : REAPER_ERR_CORRUPT);
  }
  for (const auto& longer : {line + "\n", line + line, line + "x", " " + line, std::string(1000, '1')}) {
    assert_true(spill(path, longer));
    assert_int_equal(directory.read_identity().error().code, REAPER_ERR_CORRUPT);
  }
  assert_true(spill(path, line));
  assert_true(directory.read_identity().value() == identity_of(4711));
}

void links_are_not_followed(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary);
  const std::string state = temporary.path() + "/state", outside = temporary.path() + "/outside";
  assert_int_equal(mkdir(outside.c_str(), 0700), 0);
  assert_int_equal(symlink("../outside", (state + "/link").c_str()), 0);
  assert_int_equal(symlink("nowhere", (state + "/dangling").c_str()), 0);
  assert_true(spill(state + "/file", ""));
  for (const char* id : {"link", "dangling", "file"}) {
    assert_int_equal(ContainerDirectory::open(root, id).error().code, REAPER_ERR_CORRUPT);
    assert_int_equal(claim(root, id, identity_of(1), soon()).error().code, REAPER_ERR_EXISTS);
    assert_int_equal(sweep(root, id, [](auto&, auto&) { return true; }).error().code, REAPER_ERR_CORRUPT);
    assert_true(exists(state + "/" + id));
  }
  assert_int_equal(entries(outside), 0);

  assert_true(make_container(root, "web"));
  const std::string record = slurp(state + "/web/state.json");
  assert_true(spill(outside + "/state.json", record));
  const ContainerDirectory directory = open_container(root, "web");
  for (const char* name : {"state.json", "identity", "owner", "pid"}) {
    assert_int_equal(unlink((state + "/web/" + name).c_str()), 0);
    assert_int_equal(symlink((outside + "/state.json").c_str(), (state + "/web/" + name).c_str()), 0);
  }
  assert_true(directory.phase().value() == Phase::committed);
  assert_int_equal(directory.read_record().error().code, REAPER_ERR_CORRUPT);
  assert_int_equal(directory.read_identity().error().code, REAPER_ERR_CORRUPT);
  assert_int_equal(directory.read_owner().error().code, REAPER_ERR_CORRUPT);
  assert_int_equal(directory.write_identity(identity_of(1)).error().sys_errno, EEXIST);
  assert_true(commit(directory, whole_record("web")).has_value());  // replaces the link
  assert_true(directory.read_record().has_value());
  assert_string_equal(remove_container(root, "web").c_str(), "");
  assert_string_equal(slurp(outside + "/state.json").c_str(), record.c_str());
}

void odd_things_in_place_of_files(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary);
  assert_true(make_container(root, "web"));
  const std::string path = temporary.path() + "/state/web/state.json";
  const ContainerDirectory directory = open_container(root, "web");
  const auto expect_corrupt = [&] {
    const auto record = directory.read_record();
    assert_int_equal(record.error().code, REAPER_ERR_CORRUPT);
    assert_int_equal(unlink(path.c_str()), 0);
  };
  assert_int_equal(unlink(path.c_str()), 0);
  assert_int_equal(mkfifo(path.c_str(), 0600), 0);  // must not block
  expect_corrupt();
  assert_int_equal(mknod(path.c_str(), S_IFSOCK | 0600, 0), 0);
  expect_corrupt();
  assert_true(spill(path, ""));
  assert_int_equal(truncate(path.c_str(), 1L << 40), 0);  // sparse: must not be read whole
  expect_corrupt();
  assert_int_equal(mkdir(path.c_str(), 0700), 0);
  assert_int_equal(directory.read_record().error().code, REAPER_ERR_CORRUPT);
  // Neither unlinked nor passed over: and the identity is still there to find the process by.
  assert_non_null(strstr(remove_container(root, "web").c_str(), "unlink state.json"));
  assert_true(directory.read_identity().has_value());
  assert_int_equal(rmdir(path.c_str()), 0);
  assert_string_equal(remove_container(root, "web").c_str(), "");
}

void a_record_of_another_id_is_corrupt(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary);
  assert_true(make_container(root, "web"));
  const ContainerDirectory directory = open_container(root, "web");
  assert_true(commit(directory, whole_record("other")).has_value());
  assert_int_equal(directory.read_record().error().code, REAPER_ERR_CORRUPT);
  assert_string_equal(directory.read_record().error().message.c_str(),
                      "container \"web\": state.json is that of container \"other\"");
  Record large = whole_record("web");
  large.annotations["large"] = std::string(17U << 20U, 'x');
  assert_int_equal(commit(directory, large).error().code, REAPER_ERR_INVALID);
  assert_int_equal(entries(temporary.path() + "/state/web"), 5);
}

void foreign_files_keep_remove_from_success(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary);
  const std::string path = temporary.path() + "/state/web";
  for (const char* foreign : {"mine", ".hidden", "state.json.bak", "owner~", "new\nline", "-rf"}) {
    assert_true(make_container(root, "web"));
    assert_true(spill(path + "/" + foreign, "precious"));
    const int before = entries(path);
    const auto directory = ContainerDirectory::open(root, "web");
    const auto removed = directory->remove(root);
    assert_int_equal(removed.error().sys_errno, ENOTEMPTY);
    assert_null(strchr(removed.error().message.c_str(), '\n'));
    if (strchr(foreign, '\n') == nullptr) assert_non_null(strstr(removed.error().message.c_str(), foreign));
    assert_int_equal(entries(path), before);  // all of it
    assert_true(directory->read_record().has_value());
    assert_string_equal(slurp(path + "/" + foreign).c_str(), "precious");
    assert_int_equal(unlink((path + "/" + foreign).c_str()), 0);
    assert_string_equal(remove_container(root, "web").c_str(), "");
    assert_false(exists(path));
  }
}

void empty_directories_of_others_stay(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary);
  const std::string path = temporary.path() + "/state/mnt";
  assert_int_equal(mkdir(path.c_str(), 0700), 0);
  assert_int_equal(chmod(path.c_str(), 0755), 0);
  assert_int_equal(sweep(root, "mnt", [](auto&, auto&) { return true; }).error().code, REAPER_ERR_CORRUPT);
  assert_true(exists(path));
  assert_int_equal(chmod(path.c_str(), 0700), 0);  // as a killed claim leaves it
  assert_true(sweep(root, "mnt", [](auto&, auto&) { return false; }).value());
  assert_false(exists(path));
}

int modes_hold_under(mode_t mask, const std::string& base) {
  const mode_t before = umask(mask);
  auto root = StateRoot::open(base + "/parents/made/state", true);
  CHECK(root.has_value());
  auto made = claim(*root, "web", identity_of(getpid()), soon());
  CHECK(made.has_value());
  CHECK(made->directory.write_identity(identity_of(4711)).has_value());
  CHECK(commit(made->directory, whole_record("web")).has_value());
  const mode_t unchanged = umask(before);
  CHECK(unchanged == mask);
  const std::string parents = base + "/parents";
  CHECK((mode_of(parents) & 0700) == 0700 && (mode_of(parents) & 0022) == 0);
  CHECK(mode_of(parents) == static_cast<int>((0755 & ~mask) | 0700));
  CHECK(mode_of(parents + "/made/state") == 0700);
  CHECK(mode_of(parents + "/made/state/web") == 0700);
  for (const char* name : {"owner", "identity", "pid", "state.json"}) {
    CHECK(mode_of(parents + "/made/state/web/" + name) == 0600);
  }
  CHECK(made->directory.read_record().has_value());
  CHECK(made->directory.remove(*root).has_value());
  return 0;
}

void modes_whatever_the_umask(void**) {
  for (const mode_t mask : {0U, 022U, 027U, 077U, 0177U, 0277U, 0477U, 0777U}) {
    const TemporaryDirectory temporary, of_user;
    assert_int_equal(in_child([&] { return modes_hold_under(mask, temporary.path()); }), 0);
    assert_int_equal(as_ordinary_user(of_user.path(), [&] { return modes_hold_under(mask, of_user.path()); }), 0);
  }
}

// One descriptor more each time, until it all succeeds: whatever fails leaves nothing.
void too_few_descriptors_leave_nothing(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary);
  const std::string path = temporary.path() + "/state/web";
  int failures = 0;
  for (rlim_t spare = 0;; ++spare) {
    assert_true(spare < 20);
    const int answer = in_child([&] {
      const int lowest = dup(0);
      if (lowest < 0) return 2;
      close(lowest);
      const rlimit limit{static_cast<rlim_t>(lowest) + spare, static_cast<rlim_t>(lowest) + spare};
      if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 2;
      const auto made = claim(root, "web", identity_of(getpid()), soon());
      if (made.has_value()) return 0;
      return made.error().sys_errno == EMFILE && !exists(path) ? 3 : 4;
    });
    if (answer == 0) break;
    assert_int_equal(answer, 3);
    assert_int_equal(entries(temporary.path() + "/state"), 0);
    ++failures;
  }
  assert_true(failures >= 2);
  assert_string_equal(remove_container(root, "web").c_str(), "");
}

void the_size_limit_is_an_error_not_a_signal(void**) {
  const TemporaryDirectory temporary;
  const StateRoot root = open_root(temporary);
  const int answer = in_child([&] {
    auto made = claim(root, "web", identity_of(getpid()), soon());
    CHECK(made.has_value());
    CHECK(made->directory.write_identity(identity_of(4711)).has_value());
    const rlimit limit{200, 200};
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    const auto committed = commit(made->directory, whole_record("web"));
    CHECK(!committed.has_value() && committed.error().sys_errno == EFBIG);
    CHECK(made->directory.phase().value() == Phase::creating);
    CHECK(entries(temporary.path() + "/state/web") == 3);
    const rlimit none{0, 0};
    CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
    CHECK(claim(root, "second", identity_of(getpid()), soon()).error().sys_errno == EFBIG);
    CHECK(!exists(temporary.path() + "/state/second"));
    CHECK(made->directory.remove(root).has_value());
    return 0;
  });
  assert_int_equal(answer, 0);
  assert_int_equal(entries(temporary.path() + "/state"), 0);
}

// A tmpfs of the test's own, with `options`; in a private mount namespace (and user namespace, without privilege).
int on_a_small_tmpfs(const std::string& where, const char* options, const std::function<int()>& work) {
  const std::string uid = std::to_string(geteuid()), gid = std::to_string(getegid());
  if (unshare(uid == "0" ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) return skipped;
  if (uid != "0") {  // an unmapped user can make no files
    CHECK(spill("/proc/self/setgroups", "deny"));
    CHECK(spill("/proc/self/uid_map", uid + " " + uid + " 1") && spill("/proc/self/gid_map", gid + " " + gid + " 1"));
  }
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return skipped;
  if (mount("tmpfs", where.c_str(), "tmpfs", 0, options) != 0) return skipped;
  return work();
}

int creates_without_space(const std::string& where, const std::string& filler, int inodes) {
  if (!filler.empty()) {
    const int file = open((where + "/filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(file >= 0);
    while (write(file, filler.data(), filler.size()) > 0) {
    }
    close(file);
  }
  const auto root = StateRoot::open(where, false);
  CHECK(root.has_value());
  const int before = entries(where);
  auto made = claim(*root, "web", identity_of(getpid()), soon());
  if (!made.has_value()) {
    CHECK(made.error().code == REAPER_ERR_SYSTEM && made.error().sys_errno == ENOSPC);
    CHECK(entries(where) == before);
    return 0;
  }
  CHECK(inodes >= 3);  // without inodes or pages to spare the claim itself has to fail
  auto written = made->directory.write_identity(identity_of(4711));
  if (written.has_value()) written = commit(made->directory, whole_record("web"));
  if (!written.has_value()) {
    CHECK(written.error().code == REAPER_ERR_SYSTEM && written.error().sys_errno == ENOSPC);
    CHECK(made->directory.phase().value() == Phase::creating);
  }
  CHECK(made->directory.remove(*root).has_value());
  CHECK(entries(where) == before);
  return 0;
}

// 0, or the first other answer.
int every_shortage() {
  const TemporaryDirectory temporary;
  const std::string& where = temporary.path();
  for (int inodes = 1; inodes <= 8; ++inodes) {
    const std::string options = "mode=0700,size=1m,nr_inodes=" + std::to_string(inodes);
    const int answer = in_child([&] {
      return on_a_small_tmpfs(where, options.c_str(), [&] { return creates_without_space(where, "", inodes); });
    });
    if (answer != 0) return answer;
  }
  return in_child([&] {
    return on_a_small_tmpfs(where, "mode=0700,size=64k",
                            [&] { return creates_without_space(where, std::string(4096, 'x'), 0); });
  });
}

void a_full_file_system_leaves_nothing(void**) {
  assert_child(every_shortage(), "no mount namespace of our own can be made here");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_container_from_claim_to_remove),
      cmocka_unit_test(absent_and_in_use),
      cmocka_unit_test(hostile_ids_reach_no_path),
      cmocka_unit_test(identities_that_are_none_are_not_written),
      cmocka_unit_test(every_damaged_identity_is_noticed),
      cmocka_unit_test(links_are_not_followed),
      cmocka_unit_test(odd_things_in_place_of_files),
      cmocka_unit_test(a_record_of_another_id_is_corrupt),
      cmocka_unit_test(foreign_files_keep_remove_from_success),
      cmocka_unit_test(empty_directories_of_others_stay),
      cmocka_unit_test(modes_whatever_the_umask),
      cmocka_unit_test(too_few_descriptors_leave_nothing),
      cmocka_unit_test(the_size_limit_is_an_error_not_a_signal),
      cmocka_unit_test(a_full_file_system_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
