// linux.namespaces: data for the plan, which decides whether a path is the caller's own namespace.
#include "unit/test_config_cases.h"

using namespace reaper_test;

static std::string namespaces(std::string_view elements) {
  return linux_section(R"("namespaces":[)" + std::string(elements) + "]");
}

static void types(void**) {
  std::string all;
  constexpr const char* names[] = {"mount", "pid", "network", "uts", "ipc", "user", "cgroup", "time"};
  for (const char* name : names) all += (all.empty() ? R"({"type":")" : R"(,{"type":")") + std::string(name) + "\"}";
  auto got = accepted_silently(namespaces(all)).namespaces;
  assert_int_equal(got.size(), 8);
  for (size_t i = 0; i < got.size(); ++i) assert_true(got[i].type == names[i] && got[i].path.empty());
  assert_true(accepted_silently(namespaces("")).namespaces.empty());

  constexpr Refusal rows[] = {
      {R"({"type":"net"})", REAPER_ERR_INVALID, "/linux/namespaces/0/type"},
      {R"({"type":"mnt"})", REAPER_ERR_INVALID, "/linux/namespaces/0/type"},
      {R"({"type":"PID"})", REAPER_ERR_INVALID, "/linux/namespaces/0/type"},
      {R"({"type":""})", REAPER_ERR_INVALID, "/linux/namespaces/0/type"},
      {R"({"type":"pid "})", REAPER_ERR_INVALID, "/linux/namespaces/0/type"},
      {R"({"type":"syslog"})", REAPER_ERR_INVALID, "/linux/namespaces/0/type"},
      {R"({"type":null})", REAPER_ERR_INVALID, "/linux/namespaces/0/type"},
      {R"({"type":1})", REAPER_ERR_INVALID, "/linux/namespaces/0/type"},
      {R"({"type":["pid"]})", REAPER_ERR_INVALID, "/linux/namespaces/0/type"},
      {"{}", REAPER_ERR_INVALID, "/linux/namespaces/0/type"},
      {R"({"path":"/proc/1/ns/pid"})", REAPER_ERR_INVALID, "/linux/namespaces/0/type"},
      {R"("pid")", REAPER_ERR_INVALID, "/linux/namespaces/0"},
      {"null", REAPER_ERR_INVALID, "/linux/namespaces/0"},
      {R"({"type":"pid"},{"type":"pid"})", REAPER_ERR_INVALID, "/linux/namespaces/1/type"},
      {R"({"type":"pid"},{"type":"uts"},{"type":"pid","path":"/proc/1/ns/pid"})", REAPER_ERR_INVALID,
       "/linux/namespaces/2/type"},
  };
  assert_refusals(namespaces, rows);
  assert_refused(linux_section(R"("namespaces":null)"), REAPER_ERR_INVALID, "/linux/namespaces");
  assert_refused(linux_section(R"("namespaces":{})"), REAPER_ERR_INVALID, "/linux/namespaces");
  assert_refused(linux_section(R"("namespaces":"pid")"), REAPER_ERR_INVALID, "/linux/namespaces");
}

static void paths(void**) {
  auto got = accepted_silently(namespaces(R"({"type":"pid","path":"/proc/1/ns/pid"},{"type":"uts","path":""},
                                             {"type":"ipc","path":"/"})"))
                 .namespaces;
  assert_int_equal(got.size(), 3);
  assert_true(got[0].type == "pid" && got[0].path == "/proc/1/ns/pid");
  assert_true(got[1].type == "uts" && got[1].path.empty());
  assert_true(got[2].path == "/");
  constexpr Refusal rows[] = {
      {R"({"type":"pid","path":"proc/1/ns/pid"})", REAPER_ERR_INVALID, "/linux/namespaces/0/path"},
      {R"({"type":"pid","path":"./x"})", REAPER_ERR_INVALID, "/linux/namespaces/0/path"},
      {R"({"type":"pid","path":" /x"})", REAPER_ERR_INVALID, "/linux/namespaces/0/path"},
      {R"({"type":"pid","path":null})", REAPER_ERR_INVALID, "/linux/namespaces/0/path"},
      {R"({"type":"pid","path":1})", REAPER_ERR_INVALID, "/linux/namespaces/0/path"},
      {R"({"type":"pid","path":["/x"]})", REAPER_ERR_INVALID, "/linux/namespaces/0/path"},
      {R"({"type":"uts"},{"type":"pid","path":"x"})", REAPER_ERR_INVALID, "/linux/namespaces/1/path"},
  };
  assert_refusals(namespaces, rows);
}

static void a_hint(void**) {
  auto config = reaper::parse_config(namespaces(R"({"type":"net"})"));
  assert_false(config.has_value());
  assert_true(config.error().message.find("\"network\"") != std::string::npos);
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(types),
      cmocka_unit_test(paths),
      cmocka_unit_test(a_hint),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
