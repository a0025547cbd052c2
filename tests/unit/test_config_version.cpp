// ociVersion: SemVer 2.0.0, any 1.x (callers.md, Process contract).
#include "unit/test_config_cases.h"

using namespace reaper_test;

static std::string version(std::string_view text) {
  return R"({"ociVersion":)" + std::string(text) + "}";
}

static void versions(void**) {
  for (const char* text :
       {R"("1.0.0")", R"("1.0.2")", R"("1.0.2-dev")", R"("1.1.0+dev")", R"("1.3.0")", R"("1.99.12345678901234567890")",
        R"("1.0.0-alpha")", R"("1.0.0-alpha.1")", R"("1.0.0-0.3.7")", R"("1.0.0-x.7.z.92")", R"("1.0.0-x-y-z.--")",
        R"("1.0.0--")", R"("1.0.0+001")", R"("1.0.0-beta+exp.sha.5114f85")", R"("1.0.0+21AF26D3---117B344092BD")",
        R"("1.0.0-0a")", R"("1.0.0-rc.0+0.00.build-1")", R"("1.0.0-01a")"}) {
    std::string expected(text + 1);
    expected.pop_back();
    assert_true(accepted_silently(version(text)).oci_version == expected);
  }
}

static void refused_versions(void**) {
  constexpr Refusal rows[] = {
      {R"("2.0.0")", REAPER_ERR_UNSUPPORTED, "/ociVersion"},
      {R"("2.0.0-dev")", REAPER_ERR_UNSUPPORTED, "/ociVersion"},
      {R"("0.1.0")", REAPER_ERR_UNSUPPORTED, "/ociVersion"},
      {R"("0.5.0-dev")", REAPER_ERR_UNSUPPORTED, "/ociVersion"},
      {R"("10.0.0")", REAPER_ERR_UNSUPPORTED, "/ociVersion"},
      {R"("11.1.1")", REAPER_ERR_UNSUPPORTED, "/ociVersion"},
      {R"("18446744073709551617.0.0")", REAPER_ERR_UNSUPPORTED, "/ociVersion"},
      {R"("")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1..0")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"(".1.0")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0.0")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("v1.0.0")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("01.0.0")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.00.0")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.01")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0-")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0+")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0-+build")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0-a..b")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0-a.")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0-.a")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0-01")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0-a.01")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0+a..b")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0+a+b")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0-a_b")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0-\u00e4")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0 ")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"(" 1.0.0")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.0.0\n")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.x.0")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("-1.0.0")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1.-1.0")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("1,0,0")", REAPER_ERR_INVALID, "/ociVersion"},
      {R"("latest")", REAPER_ERR_INVALID, "/ociVersion"},
      {"1", REAPER_ERR_INVALID, "/ociVersion"},
      {"null", REAPER_ERR_INVALID, "/ociVersion"},
      {"true", REAPER_ERR_INVALID, "/ociVersion"},
      {R"(["1.0.0"])", REAPER_ERR_INVALID, "/ociVersion"},
      {R"({"major":1})", REAPER_ERR_INVALID, "/ociVersion"},
  };
  assert_refusals(version, rows);
}

static void the_version_is_judged_first(void**) {
  constexpr Refusal rows[] = {
      {"{}", REAPER_ERR_INVALID, "/ociVersion"},
      {R"({"OCIVersion":"1.0.0"})", REAPER_ERR_INVALID, "/ociVersion"},
      {R"({"process":7,"ociVersion":"2.0.0"})", REAPER_ERR_UNSUPPORTED, "/ociVersion"},
      {R"({"mounts":[{}]})", REAPER_ERR_INVALID, "/ociVersion"},
  };
  assert_refusals(whole, rows);
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(versions),
      cmocka_unit_test(refused_versions),
      cmocka_unit_test(the_version_is_judged_first),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
