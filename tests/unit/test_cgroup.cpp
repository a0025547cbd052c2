// The cgroup room by itself: what is written down and read back, and the ways that this kernel would not go.
#include <sys/prctl.h>

#include <cstring>

#include "cgroup/cgroup.h"
#include "cgroup/members.h"
#include "host/facts.h"
#include "store/files.h"
#include "unit/cgroup_view.h"
#include "unit/store_fixture.h"

using namespace reaper;
using namespace reaper::test;

namespace {

Cgroups sample() {
  Cgroups cgroups;
  cgroups.boot_id = "5b2c5a9e-3c0e-4d1c-9a4c-9f6f0d3f0a11";
  cgroups.cgroup_namespace = 4026531835;
  cgroups.list.push_back({{"cpu,cpuacct", false, "/sys/fs/cgroup/cpu,cpuacct", "/", "/a/b c/d", ""}, 1, 77, {70, 77}});
  cgroups.list.push_back(
      {{"unified", true, "/sys/fs/cgroup/unified", "/docker/x", "/a/b c/d", ""}, 3, 18446744073709551615U, {}});
  return cgroups;
}

void test_record(void**) {
  for (const bool intended : {false, true}) {
    Cgroups given = sample();
    given.intended = intended;
    const auto read = decode_cgroups(encode_cgroups(given));
    if (!read.has_value()) fail_msg("%s", read.error().message.c_str());
    assert_string_equal(encode_cgroups(*read).c_str(), encode_cgroups(given).c_str());
    assert_true(read->intended == intended && read->list.size() == 2);
    assert_true(read->list[1].place.unified && !read->list[0].place.unified);
    assert_true(read->list[1].inode == 18446744073709551615U);
  }
  assert_true(decode_cgroups(encode_cgroups(Cgroups{})).has_value());
}

// It is acted on as root: nothing in it is believed that cannot be.
void test_record_that_cannot_be(void**) {
  const std::string good = encode_cgroups(sample());
  const std::pair<const char*, const char*> changes[] = {
      {"\"/a/b c/d\"", "\"/a/../d\""},
      {"\"/a/b c/d\"", "\"a/b\""},
      {"\"/a/b c/d\"", "\"/\""},
      {"\"/a/b c/d\"", "\"/a/./d\""},
      {"\"existing\":1", "\"existing\":4"},
      {"\"existing\":1", "\"existing\":2"},
      {"\"existing\":1", "\"existing\":-1"},
      {"[70,77]", "[70,\"x\"]"},
      {"[70,77]", "{}"},
      {"\"inode\":77", "\"inode\":null"},
      {"\"hierarchy\"", "\"hierarchie\""},
      {"\"intended\":false", "\"intended\":0"},
      {"\"bootId\"", "\"boot\""},
      {"\"cgroups\":[", "\"cgroup\":["},
      {"{\"bootId\"", "{\"bootId"},
  };
  for (const auto& [from, to] : changes) {
    std::string text = good;
    const size_t at = text.find(from);
    if (at == std::string::npos) fail_msg("no %s in %s", from, good.c_str());
    text.replace(at, strlen(from), to);
    const auto read = decode_cgroups(text);
    if (read.has_value()) fail_msg("believed: %s", text.c_str());
    assert_int_equal(read.error().code, REAPER_ERR_CORRUPT);
  }
}

// The file in the container's directory: every change of a byte is seen.
void test_file(void**) {
  const TemporaryDirectory temporary;
  const auto root = StateRoot::open(temporary.path() + "/state", true);
  assert_true(root.has_value());
  auto made = claim(*root, "web", identity_of(getpid()), soon());
  assert_true(made.has_value());
  const ContainerDirectory& directory = made->directory;
  const auto none = directory.read_cgroups();
  assert_true(!none.has_value() && none.error().code == REAPER_ERR_NOT_FOUND);
  for (const char* text : {"{\"a\":1}", "{}"}) {  // the second replaces the first
    assert_true(directory.write_cgroups(text).has_value());
    const auto read = directory.read_cgroups();
    assert_true(read.has_value());
    assert_string_equal(read->c_str(), text);
  }
  const std::string path = temporary.path() + "/state/web/cgroup";
  assert_int_equal(mode_of(path), 0600);
  std::ifstream file(path);
  const std::string whole{std::istreambuf_iterator<char>(file), {}};
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] ^= 1;
    std::ofstream(path) << damaged;
    const auto read = directory.read_cgroups();
    assert_true(!read.has_value() && read.error().code == REAPER_ERR_CORRUPT);
    std::ofstream(path) << whole.substr(0, i);
    const auto cut = directory.read_cgroups();
    assert_true(!cut.has_value());
    assert_int_equal(cut.error().code, i == 0 ? REAPER_ERR_NOT_FOUND : REAPER_ERR_CORRUPT);
  }
  std::ofstream(path) << whole;
  assert_true(directory.remove(*root).has_value());
  assert_false(exists(temporary.path() + "/state/web"));
}

// After a restart of the machine nothing is there, whatever stands at its place now.
void test_another_boot(void**) {
  Cgroups cgroups = sample();
  assert_true(kill_cgroups(cgroups, soon()).has_value());
  assert_true(remove_cgroups(cgroups, soon()).has_value());
  const auto reached = signal_cgroups(cgroups, SIGTERM, soon());
  assert_true(reached.has_value() && reached->empty());
}

std::vector<CgroupPlace> places_at(const std::string& path) {
  std::vector<CgroupPlace> places;
  const auto facts = read_cgroup_facts();
  if (!facts.has_value()) return places;
  for (const CgroupHierarchy& one : facts->hierarchies)
    places.push_back({one.name, one.unified, one.mount_point, one.mount_root, path, ""});
  return places;
}

// Two that wait for ever, in a cgroup.
bool fill(const std::vector<std::string>& directories, std::vector<pid_t>& children) {
  for (int i = 0; i < 2; ++i) {
    fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) pause();
    }
    children.push_back(child);
    for (const std::string& directory : directories) write_text(directory + "/cgroup.procs", std::to_string(child));
  }
  return true;
}

// Linux before 5.14 has no cgroup.kill; the freezer of version 2 holds everybody until all have their signal.
void kill_without_the_kernel(const std::vector<const char*>& controllers) {
  const std::string reason = show_cgroups(controllers);
  const TestCgroup base;
  if (!reason.empty() || !base.made()) {
    printf("SKIP: %s\n", reason.empty() ? "no cgroup can be made here" : reason.c_str());
    skip();
  }
  const auto looked = look_at_cgroups(places_at(base.path() + "/a/b"));
  if (!looked.has_value()) fail_msg("%s", looked.error().message.c_str());
  Cgroups cgroups = *looked;
  assert_true(make_cgroups(cgroups).has_value());
  std::vector<std::string> directories;
  for (const std::string& root : cgroup_roots()) directories.push_back(root + base.path() + "/a/b");
  std::vector<pid_t> children;
  assert_true(fill(directories, children));
  assert_int_equal(pids_in(directories[0]).size(), 2);
  const auto finder = cgroup::make_finder(cgroups);
  assert_true(finder.has_value());
  const Status killed = cgroup::kill_by_signals(*finder, cgroups, soon());
  if (!killed.has_value()) fail_msg("%s", killed.error().message.c_str());
  for (const pid_t child : children) assert_int_equal(wait_for(child), 128 + SIGKILL);
  // It is as it was: another process can live in it.
  children.clear();
  assert_true(fill(directories, children));
  const auto reached = signal_cgroups(cgroups, SIGTERM, soon());
  assert_true(reached.has_value());
  assert_int_equal(reached->size(), 2);
  for (const pid_t child : children) assert_int_equal(wait_for(child), 128 + SIGTERM);
  assert_true(remove_cgroups(cgroups, soon()).has_value());
  assert_true(base.below().empty());
}

void test_kill_in_version_2(void**) {
  kill_without_the_kernel({});
}
void test_kill_by_pids(void**) {
  kill_without_the_kernel({"pids"});
}
void test_kill_by_freezer(void**) {
  kill_without_the_kernel({"freezer"});
}

// An intention that never came to be: what is empty goes, what is used is another's.
void test_intended(void**) {
  const std::string reason = show_cgroups({});
  const TestCgroup base;
  if (!reason.empty() || !base.made()) {
    printf("SKIP: %s\n", reason.empty() ? "no cgroup can be made here" : reason.c_str());
    skip();
  }
  const auto intended = look_at_cgroups(places_at(base.path() + "/a/b"));
  assert_true(intended.has_value() && intended->intended);
  assert_true(remove_cgroups(*intended, soon()).has_value());  // nothing was made
  assert_int_equal(mkdir(base.directory("/a").c_str(), 0755), 0);
  assert_true(remove_cgroups(*intended, soon()).has_value());  // half of it
  assert_true(base.below().empty());
  assert_int_equal(mkdir(base.directory("/a").c_str(), 0755), 0);
  assert_int_equal(mkdir(base.directory("/a/b").c_str(), 0755), 0);
  std::vector<pid_t> children;
  assert_true(fill({base.directory("/a/b")}, children));
  assert_true(kill_cgroups(*intended, soon()).has_value());
  assert_true(remove_cgroups(*intended, soon()).has_value());
  assert_int_equal(pids_in(base.directory("/a/b")).size(), 2);
  for (const pid_t child : children) {
    kill(child, SIGKILL);
    wait_for(child);
  }
  assert_true(remove_cgroups(*intended, soon()).has_value());
  assert_true(base.below().empty());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_record),
      cmocka_unit_test(test_record_that_cannot_be),
      cmocka_unit_test(test_file),
      cmocka_unit_test(test_another_boot),
      cmocka_unit_test_teardown(test_kill_in_version_2, remove_test_cgroup),
      cmocka_unit_test_teardown(test_kill_by_pids, remove_test_cgroup),
      cmocka_unit_test_teardown(test_kill_by_freezer, remove_test_cgroup),
      cmocka_unit_test_teardown(test_intended, remove_test_cgroup),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
