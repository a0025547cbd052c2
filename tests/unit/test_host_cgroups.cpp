// Where cgroups are mounted and where we live in them, from lines that real machines have shown.
#include <string>
#include <vector>

#include "host/cgroups.h"
#include "unit/cmocka_cpp.h"

using reaper::CgroupHierarchy;

namespace {

struct Sample {
  const char* what;
  const char* mountinfo;
  const char* own;
  std::vector<CgroupHierarchy> expected;
};

const std::vector<Sample> samples = {
    {"version 2 alone: a systemd machine, a shell of a login session",
     "23 29 0:21 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw\n"
     "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 "
     "rw,nsdelegate,memory_recursiveprot\n"
     "31 23 0:27 / /sys/fs/pstore rw,nosuid,nodev,noexec,relatime shared:10 - pstore pstore rw\n",
     "0::/user.slice/user-1000.slice/session-3.scope\n",
     {{"unified", true, "/sys/fs/cgroup", "/", false, "/user.slice/user-1000.slice/session-3.scope"}}},
    {"version 1: controllers mounted together and by name, symbolic order or not",
     "25 17 0:22 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:8 - tmpfs tmpfs ro,mode=755\n"
     "26 25 0:23 / /sys/fs/cgroup/systemd rw,nosuid,nodev,noexec,relatime shared:9 - cgroup cgroup "
     "rw,xattr,release_agent=/usr/lib/systemd/systemd-cgroups-agent,name=systemd\n"
     "29 25 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid,nodev,noexec,relatime shared:12 - cgroup cgroup "
     "rw,cpuacct,cpu\n"
     "30 25 0:27 / /sys/fs/cgroup/pids rw,nosuid,nodev,noexec,relatime shared:13 - cgroup cgroup rw,pids\n",
     "11:pids:/user.slice\n4:cpu,cpuacct:/user.slice\n1:name=systemd:/user.slice/user-0.slice/session-1.scope\n",
     {{"name=systemd", false, "/sys/fs/cgroup/systemd", "/", false, "/user.slice/user-0.slice/session-1.scope"},
      {"cpu,cpuacct", false, "/sys/fs/cgroup/cpu,cpuacct", "/", false, "/user.slice"},
      {"pids", false, "/sys/fs/cgroup/pids", "/", false, "/user.slice"}}},
    {"hybrid: version 2 beside version 1, and a hierarchy that is mounted nowhere",
     "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
     "36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices\n"
     "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
     "9:name=systemd:/\n5:devices:/\n0::/init.scope\n",
     {{"devices", false, "/sys/fs/cgroup/devices", "/", false, "/"},
      {"unified", true, "/sys/fs/cgroup/unified", "/", false, "/init.scope"}}},
    {"a container of version 1 without a cgroup namespace: the mount shows our own cgroup alone, read-only",
     "612 611 0:30 /docker/0f3c /sys/fs/cgroup/pids ro,nosuid,nodev,noexec,relatime master:13 - cgroup cgroup "
     "rw,pids\n",
     "8:pids:/docker/0f3c\n",
     {{"pids", false, "/sys/fs/cgroup/pids", "/docker/0f3c", true, "/docker/0f3c"}}},
    {"a cgroup namespace: the mount is of its root",
     "1043 1042 0:30 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate\n",
     "0::/\n",
     {{"unified", true, "/sys/fs/cgroup", "/", true, "/"}}},
    {"a mount from outside of our cgroup namespace",
     "77 60 0:30 /.. /sys/fs/cgroup rw,relatime - cgroup2 cgroup rw\n",
     "0::/inner\n",
     {{"unified", true, "/sys/fs/cgroup", "/..", false, "/inner"}}},
    {"we live outside of our own cgroup namespace",
     "77 60 0:30 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup rw\n",
     "0::/../../other\n",
     {{"unified", true, "/sys/fs/cgroup", "/", false, "/../../other"}}},
    {"mounted three times: the one that shows us and may be written to",
     "50 20 0:30 /somebody/else /a rw,relatime - cgroup2 cgroup rw\n"
     "51 20 0:30 / /b ro,relatime - cgroup2 cgroup rw\n"
     "52 20 0:30 /we /c rw,relatime - cgroup2 cgroup rw\n",
     "0::/we/are/here\n",
     {{"unified", true, "/c", "/we", false, "/we/are/here"}}},
    {"the file system itself is read-only",
     "50 20 0:30 / /a rw,relatime - cgroup2 cgroup ro\n",
     "0::/\n",
     {{"unified", true, "/a", "/", true, "/"}}},
    {"blanks and backslashes in a path; optional fields, none and several",
     "50 20 0:30 /a\\040b /sys/fs/my\\040cgroup\\134 rw shared:1 master:2 propagate_from:3 - cgroup2 my\\040source "
     "rw\n",
     "0::/a b/c\n",
     {{"unified", true, "/sys/fs/my cgroup\\", "/a b", false, "/a b/c"}}},
    {"an escape that is cut off is none",
     "50 20 0:30 / /a\\04 rw - cgroup2 x rw\n",
     "0::/\n",
     {{"unified", true, "/a\\04", "/", false, "/"}}},
    {"a controller is not another one whose name it begins",
     "50 20 0:30 / /a rw - cgroup x rw,cpuset\n",
     "3:cpu:/\n4:cpuset:/s\n",
     {{"cpuset", false, "/a", "/", false, "/s"}}},
    {"a colon in a path",
     "50 20 0:30 / /a rw - cgroup2 x rw\n",
     "0::/a:b:c\n",
     {{"unified", true, "/a", "/", false, "/a:b:c"}}},
    {"a path that is not UTF-8 could not be told to anybody", "50 20 0:30 / /\xff rw - cgroup2 x rw\n", "0::/\n", {}},
    {"mounted from nothing",
     "50 20 0:30 / /a rw - cgroup  rw,pids\n",
     "3:pids:/\n",
     {{"pids", false, "/a", "/", false, "/"}}},
    {"no cgroups at all", "23 29 0:21 / /sys rw - sysfs sysfs rw\n", "", {}},
};

void print(const std::vector<CgroupHierarchy>& list) {
  for (const CgroupHierarchy& one : list)
    print_error("  %s %d %s %s %d %s\n", one.name.c_str(), one.unified, one.mount_point.c_str(), one.mount_root.c_str(),
                one.read_only, one.own.c_str());
}

void test_samples(void**) {
  for (const Sample& sample : samples) {
    const auto mounts = reaper::parse_cgroup_mounts(sample.mountinfo);
    if (!mounts.has_value()) fail_msg("%s: %s", sample.what, mounts.error().message.c_str());
    const auto facts = reaper::match_cgroups(*mounts, sample.own);
    if (!facts.has_value()) fail_msg("%s: %s", sample.what, facts.error().message.c_str());
    if (facts->hierarchies == sample.expected) continue;
    print_error("%s\n", sample.what);
    print(facts->hierarchies);
    fail_msg("not as expected");
  }
}

void test_damaged_lines(void**) {
  for (const char* line :
       {"x 20 0:30 / /a rw - cgroup2 x rw\n", "50 20 0:30 / /a rw\n", "50\n", "\n", "50 20 0:30 / /a rw -\n"})
    if (reaper::parse_cgroup_mounts(line).has_value()) fail_msg("believed: %s", line);
  for (const char* line : {"x::/\n", "0:\n", "0::a\n", "0:cpu:/\n", "3::/\n", "3:cpu\n", "4294967296::/\n"})
    if (reaper::match_cgroups({}, line).has_value()) fail_msg("believed: %s", line);
}

void test_paths(void**) {
  const auto below = [](const char* root, const char* path) { return reaper::path_below(root, path).value_or("none"); };
  assert_string_equal(below("/", "/a").c_str(), "/a");
  assert_string_equal(below("/", "/").c_str(), "/");
  assert_string_equal(below("/a", "/a").c_str(), "/");
  assert_string_equal(below("/a", "/a/b/c").c_str(), "/b/c");
  assert_string_equal(below("/a", "/ab").c_str(), "none");
  assert_string_equal(below("/a/b", "/a").c_str(), "none");
  assert_string_equal(below("/", "/..").c_str(), "none");
  assert_string_equal(below("/", "/../x").c_str(), "none");
  assert_string_equal(below("/", "/..x").c_str(), "/..x");
  assert_string_equal(below("/..", "/../x").c_str(), "/x");
  assert_string_equal(below("/..", "/../../x").c_str(), "none");
  assert_string_equal(reaper::path_joined("/", "/a").c_str(), "/a");
  assert_string_equal(reaper::path_joined("/a", "/").c_str(), "/a");
  assert_string_equal(reaper::path_joined("/a", "/b/c").c_str(), "/a/b/c");
}

// Of this machine, whatever it has: each is there, once, and shows our own cgroup or says that it does not.
void test_this_machine(void**) {
  const auto facts = reaper::read_cgroup_facts();
  if (!facts.has_value()) fail_msg("%s", facts.error().message.c_str());
  for (const CgroupHierarchy& one : facts->hierarchies) {
    assert_true(one.mount_point.starts_with('/') && one.mount_root.starts_with('/') && one.own.starts_with('/'));
    assert_true(one.unified == (one.name == "unified"));
    for (const CgroupHierarchy& other : facts->hierarchies) assert_true(&one == &other || one.name != other.name);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(test_samples), cmocka_unit_test(test_damaged_lines),
                              cmocka_unit_test(test_paths), cmocka_unit_test(test_this_machine)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
