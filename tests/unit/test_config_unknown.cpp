// Unknown properties: warnings with the nearest known name, and never an error (config.md, Extensibility).
#include "config/wording.h"
#include "unit/test_config_cases.h"

using namespace reaper_test;

static void nearest_names(void**) {
  constexpr struct {
    const char* text;
    const char* pointer;
    const char* words;
  } rows[] = {
      {R"("proces":{})", "/proces", "did you mean \"process\"?"},
      {R"("Process":{})", "/Process", "did you mean \"process\"?"},
      {R"("mount":[])", "/mount", "did you mean \"mounts\"?"},
      {R"("hostName":"x")", "/hostName", "did you mean \"hostname\"?"},
      {R"("domainName":"x")", "/domainName", "did you mean \"domainname\"?"},
      {R"("annotation":{})", "/annotation", "did you mean \"annotations\"?"},
      {R"("ociversion":"1.0.0")", "/ociversion", "did you mean \"ociVersion\"?"},
      {R"("rootfs":"x")", "/rootfs", "did you mean \"root\"?"},
      {R"("hook":{})", "/hook", "did you mean \"hooks\"?"},
      {R"("user":{"uid":0,"gid":0})", "/user", "its place is /process/user"},
      {R"("args":["x"])", "/args", "its place is /process/args"},
      {R"("noNewPrivileges":true)", "/noNewPrivileges", "its place is /process/noNewPrivileges"},
      {R"("seccomp":{})", "/seccomp", "its place is /linux/seccomp"},
      {R"("zzzzzzzz":1)", "/zzzzzzzz", "unknown property \"zzzzzzzz\""},
      {R"("":1)", "/", "unknown property \"\""},
      {R"("*":1)", "/*", "unknown property"},
      {R"("a/b~c":1)", "/a~1b~0c", "unknown property \"a/b~c\""},
      {R"("process/user":1)", "/process~1user", "unknown property"},
      {R"("x":null)", "/x", "unknown property"},
      {R"("x":{"mounts":[{}],"a":{"b":[1.5e3,null]}})", "/x", "unknown property"},
  };
  for (const auto& row : rows) assert_warning(document(row.text), row.pointer, row.words);
}

static void nearest_names_in_process(void**) {
  constexpr struct {
    const char* text;
    const char* pointer;
    const char* words;
  } rows[] = {
      // The one that must not silently give everything.
      {R"("capabilites":{"bounding":[]})", "/process/capabilites", "did you mean \"capabilities\"?"},
      {R"("Capabilities":{})", "/process/Capabilities", "did you mean \"capabilities\"?"},
      {R"("capability":{})", "/process/capability", "did you mean \"capabilities\"?"},
      {R"("noNewPrivs":true)", "/process/noNewPrivs", "unknown property"},
      {R"("noNewPriviledges":true)", "/process/noNewPriviledges", "did you mean \"noNewPrivileges\"?"},
      {R"("nonewprivileges":true)", "/process/nonewprivileges", "did you mean \"noNewPrivileges\"?"},
      {R"("CWD":"/x")", "/process/CWD", "did you mean \"cwd\"?"},
      {R"("cdw":"/x")", "/process/cdw", "did you mean \"cwd\"?"},
      {R"("arg":[])", "/process/arg", "did you mean \"args\"?"},
      {R"("environment":[])", "/process/environment", "unknown property"},
      {R"("rlimit":[])", "/process/rlimit", "did you mean \"rlimits\"?"},
      {R"("oomScoreAdjust":1)", "/process/oomScoreAdjust", "did you mean \"oomScoreAdj\"?"},
      {R"("seccomp":{})", "/process/seccomp", "its place is /linux/seccomp"},
      {R"("hostname":"x")", "/process/hostname", "its place is /hostname"},
      {R"("user":{"uid":1,"gid":1,"UID":0})", "/process/user/UID", "did you mean \"uid\"?"},
      {R"("user":{"uid":1,"gid":1,"additionalGIDs":[0]})", "/process/user/additionalGIDs",
       "did you mean \"additionalGids\"?"},
      {R"("user":{"uid":1,"gid":1,"name":"x"})", "/process/user/name", "unknown property"},
      {R"("capabilities":{"Bounding":["CAP_KILL"]})", "/process/capabilities/Bounding", "did you mean \"bounding\"?"},
      {R"("capabilities":{"inheritible":[]})", "/process/capabilities/inheritible", "did you mean \"inheritable\"?"},
      {R"("rlimits":[{"type":"RLIMIT_CPU","soft":1,"hard":1,"Hard":2}])", "/process/rlimits/0/Hard",
       "did you mean \"hard\"?"},
      {R"("user/uid":0)", "/process/user~1uid", "unknown property"},
  };
  for (const auto& row : rows) assert_warning(process(row.text), row.pointer, row.words);
}

static void elsewhere(void**) {
  assert_warning(linux_section(R"("namespace":[])"), "/linux/namespace", "did you mean \"namespaces\"?");
  assert_warning(linux_section(R"("maskedPath":["/x"])"), "/linux/maskedPath", "did you mean \"maskedPaths\"?");
  assert_warning(linux_section(R"("resources":{"mem":{}})"), "/linux/resources/mem", "unknown property");
  assert_warning(linux_section(R"("resources":{"memory":{"limits":1}})"), "/linux/resources/memory/limits",
                 "did you mean \"limit\"?");
  assert_warning(linux_section(R"("namespaces":[{"type":"pid","Path":"/x"}])"), "/linux/namespaces/0/Path",
                 "did you mean \"path\"?");
  assert_warning(document(R"("root":{"path":"/","readOnly":true})"), "/root/readOnly", "did you mean \"readonly\"?");
  assert_warning(document(R"("hooks":{"preStart":[{"path":"/a"}]})"), "/hooks/preStart", "did you mean \"prestart\"?");
}

// Maps with free names have no unknown ones.
static void free_names(void**) {
  accepted_silently(document(R"("annotations":{"capabilites":"x","process":"y"})"));
  accepted_silently(linux_section(R"("sysctl":{"anything.at_all":"1"})"));
}

static void many_unknown_names_make_a_bounded_list(void**) {
  std::string members;
  for (int i = 0; i < 5000; ++i) members += (i == 0 ? "\"zz" : ",\"zz") + std::to_string(i) + "\":1";
  reaper::Config config = accepted(document(members));
  assert_int_equal(config.warnings.size(), reaper::max_warnings + 1);
  assert_true(config.warnings[0].pointer == "/zz0");
  assert_true(config.warnings.back().message.find("4900 more") != std::string::npos);
}

static void hostile_names(void**) {
  reaper::Config config = accepted(document(R"("a\nb\u001b[31m\u009b":1)"));
  assert_int_equal(config.warnings.size(), 1);
  for (char c : config.warnings[0].message) assert_true(static_cast<unsigned char>(c) >= 0x20);
  assert_true(config.warnings[0].message.find("\xc2\x9b") == std::string::npos);

  std::string name(100000, 'p');
  config = accepted(document("\"" + name + "\":1"));
  assert_int_equal(config.warnings.size(), 1);
  assert_true(config.warnings[0].pointer == "/" + name);
  assert_true(config.warnings[0].message.size() < 200);
}

// A long name under which an object stands would be repeated in the pointer of each of its members.
static void long_free_names(void**) {
  std::string name(256, 'e');
  assert_refused(linux_section("\"netDevices\":{\"" + name + "\":{}}"), REAPER_ERR_INVALID,
                 "/linux/netDevices/" + name);
  name.pop_back();
  assert_refused(linux_section("\"netDevices\":{\"" + name + "\":{}}"), REAPER_ERR_INVALID,
                 "/linux/netDevices/" + name);  // too long for a device, but not for an error
  std::string key(100000, 'k');
  assert_int_equal(accepted_silently(document("\"annotations\":{\"" + key + "\":\"v\"}")).annotations.count(key), 1);
}

static void the_nearest_word(void**) {
  constexpr std::string_view words[] = {"args", "cwd", "env", "capabilities", "user"};
  constexpr struct {
    const char* word;
    const char* nearest;
  } rows[] = {
      {"args", "args"},
      {"arsg", "args"},
      {"Args", "args"},
      {"arg", "args"},
      {"aargs", "args"},
      {"arxs", "args"},
      {"axxs", ""},
      {"x", ""},
      {"", ""},
      {"CAPABILITIES", "capabilities"},
      {"capabilites", "capabilities"},
      {"capaiblities", "capabilities"},
      {"caps", ""},
      {"nev", "env"},
      {"envv", "env"},
      {"cmd", "cwd"},
      {"username", ""},
      {"users", "user"},
  };
  for (const auto& row : rows) {
    std::string_view got = reaper::nearest_word(row.word, words);
    if (got != row.nearest) print_error("%s: %.*s\n", row.word, static_cast<int>(got.size()), got.data());
    assert_true(got == row.nearest);
  }
  assert_true(reaper::nearest_word(std::string(65, 'a'), words).empty());
  assert_true(reaper::nearest_word("args", {}).empty());
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(nearest_names),
      cmocka_unit_test(nearest_names_in_process),
      cmocka_unit_test(elsewhere),
      cmocka_unit_test(free_names),
      cmocka_unit_test(many_unknown_names_make_a_bounded_list),
      cmocka_unit_test(hostile_names),
      cmocka_unit_test(long_free_names),
      cmocka_unit_test(the_nearest_word),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
