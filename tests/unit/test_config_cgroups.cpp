// linux.cgroupsPath as a path: what is taken, what becomes of it, and what is refused.
#include "unit/test_config_cases.h"

using namespace reaper_test;

static std::string with_path(std::string_view path) {
  return linux_section(R"("cgroupsPath":")" + std::string(path) + "\"");
}

static void accepted_paths(void**) {
  constexpr struct {
    const char* given;
    const char* read;
  } rows[] = {
      {"/a", "/a"},
      {"a", "a"},
      {"/a/b.c-d_e", "/a/b.c-d_e"},
      {"//a///b//", "/a/b"},
      {"/./a/./b/.", "/a/b"},
      {"./a", "a"},
      {"a/", "a"},
      {"/..a/b..", "/..a/b.."},
      {"/k8s.io/0f3c:d", "/k8s.io/0f3c:d"},
      {"/a:b:c", "/a:b:c"},
      {"a:b", "a:b"},
      {"a:b:c:d", "a:b:c:d"},
      {"/\u00e4 b", "/\u00e4 b"},
  };
  for (const auto& row : rows) {
    const auto path = accepted_silently(with_path(row.given)).cgroups_path;
    assert_true(path.has_value());
    assert_string_equal(path->c_str(), row.read);
  }
  assert_false(accepted_silently(with_path("")).cgroups_path.has_value());
  assert_false(accepted_silently(linux_section("")).cgroups_path.has_value());
  assert_true(accepted_silently(with_path("/" + std::string(255, 'x'))).cgroups_path.has_value());
}

static void refused_paths(void**) {
  constexpr Refusal rows[] = {
      {"/", REAPER_ERR_INVALID, "/linux/cgroupsPath"},
      {"///", REAPER_ERR_INVALID, "/linux/cgroupsPath"},
      {"/.", REAPER_ERR_INVALID, "/linux/cgroupsPath"},
      {".", REAPER_ERR_INVALID, "/linux/cgroupsPath"},
      {"..", REAPER_ERR_INVALID, "/linux/cgroupsPath"},
      {"/..", REAPER_ERR_INVALID, "/linux/cgroupsPath"},
      {"/a/..", REAPER_ERR_INVALID, "/linux/cgroupsPath"},
      {"a/../b", REAPER_ERR_INVALID, "/linux/cgroupsPath"},
      {"/a\\nb", REAPER_ERR_INVALID, "/linux/cgroupsPath"},
      {"/a\\u007f", REAPER_ERR_INVALID, "/linux/cgroupsPath"},
      {"/a\\u0085", REAPER_ERR_INVALID, "/linux/cgroupsPath"},
      {"a.slice:b:c", REAPER_ERR_UNSUPPORTED, "/linux/cgroupsPath"},
      {":b:c", REAPER_ERR_UNSUPPORTED, "/linux/cgroupsPath"},
      {"::", REAPER_ERR_UNSUPPORTED, "/linux/cgroupsPath"},
  };
  assert_refusals(with_path, rows);
  assert_refused(with_path("/" + std::string(256, 'x')), REAPER_ERR_INVALID, "/linux/cgroupsPath");
  std::string deep;
  for (int i = 0; i < 1025; ++i) deep += "/x";
  assert_refused(with_path(deep), REAPER_ERR_INVALID, "/linux/cgroupsPath");
}

// What is wrong is told before what is not supported, and the first of those.
static void order_of_refusals(void**) {
  assert_refused(document(R"("linux":{"cgroupsPath":"a:b:c"},"root":{"path":""})"), REAPER_ERR_INVALID, "/root/path");
  assert_refused(document(R"("zos":{"a":1},"linux":{"cgroupsPath":"a:b:c"})"), REAPER_ERR_UNSUPPORTED, "/zos");
  assert_refused(document(R"("zos":{"a":1},"linux":{"cgroupsPath":"/"})"), REAPER_ERR_INVALID, "/linux/cgroupsPath");
}

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(accepted_paths), cmocka_unit_test(refused_paths),
                              cmocka_unit_test(order_of_refusals)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
