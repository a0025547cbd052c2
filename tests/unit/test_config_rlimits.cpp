// process.rlimits.
#include <sys/resource.h>

#include "unit/test_config_cases.h"

using namespace reaper_test;

static std::string rlimits(std::string_view elements) {
  return process(R"("rlimits":[)" + std::string(elements) + "]");
}

static void types(void**) {
  constexpr struct {
    const char* name;
    int resource;
  } rows[] = {
      {"RLIMIT_CPU", RLIMIT_CPU},           {"RLIMIT_FSIZE", RLIMIT_FSIZE},
      {"RLIMIT_DATA", RLIMIT_DATA},         {"RLIMIT_STACK", RLIMIT_STACK},
      {"RLIMIT_CORE", RLIMIT_CORE},         {"RLIMIT_RSS", RLIMIT_RSS},
      {"RLIMIT_NPROC", RLIMIT_NPROC},       {"RLIMIT_NOFILE", RLIMIT_NOFILE},
      {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},   {"RLIMIT_AS", RLIMIT_AS},
      {"RLIMIT_LOCKS", RLIMIT_LOCKS},       {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
      {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE}, {"RLIMIT_NICE", RLIMIT_NICE},
      {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},     {"RLIMIT_RTTIME", RLIMIT_RTTIME},
  };
  std::string all;
  for (const auto& row : rows) {
    std::string element = R"({"type":")" + std::string(row.name) + R"(","soft":1,"hard":2})";
    auto got = accepted_process(R"("rlimits":[)" + element + "]").rlimits;
    assert_int_equal(got.size(), 1);
    assert_int_equal(got[0].resource, row.resource);
    all += (all.empty() ? "" : ",") + element;
  }
  auto got = accepted_process(R"("rlimits":[)" + all + "]").rlimits;
  assert_int_equal(got.size(), 16);
  for (size_t i = 0; i < got.size(); ++i) assert_int_equal(got[i].resource, rows[i].resource);  // in this order
}

static void values(void**) {
  constexpr struct {
    const char* soft;
    const char* hard;
    uint64_t soft_value, hard_value;
  } rows[] = {
      {"0", "0", 0, 0},
      {"0", "1", 0, 1},
      {"1024", "1024", 1024, 1024},
      {"9007199254740993", "9007199254740993", 9007199254740993U, 9007199254740993U},  // 2^53 + 1: not a double
      {"9223372036854775807", "9223372036854775808", 9223372036854775807U, 9223372036854775808U},
      {"18446744073709551614", "18446744073709551615", 18446744073709551614U, 18446744073709551615U},
      {"18446744073709551615", "18446744073709551615", RLIM_INFINITY, RLIM_INFINITY},
  };
  for (const auto& row : rows) {
    auto got = accepted_process(R"("rlimits":[{"type":"RLIMIT_CORE","soft":)" + std::string(row.soft) + R"(,"hard":)" +
                                row.hard + "}]")
                   .rlimits;
    assert_true(got.size() == 1 && got[0].soft == row.soft_value && got[0].hard == row.hard_value);
  }
  assert_true(accepted_process(R"("rlimits":[])").rlimits.empty());
}

static void refusals(void**) {
  constexpr Refusal rows[] = {
      {R"({"type":"RLIMIT_CORE","soft":2,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/soft"},
      {R"({"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":18446744073709551614})", REAPER_ERR_INVALID,
       "/process/rlimits/0/soft"},
      {R"({"type":"RLIMIT_CORE","soft":-1,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/soft"},
      {R"({"type":"RLIMIT_CORE","soft":0,"hard":-1})", REAPER_ERR_INVALID, "/process/rlimits/0/hard"},
      {R"({"type":"RLIMIT_CORE","soft":18446744073709551616,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/soft"},
      {R"({"type":"RLIMIT_CORE","soft":1,"hard":18446744073709551616})", REAPER_ERR_INVALID, "/process/rlimits/0/hard"},
      {R"({"type":"RLIMIT_CORE","soft":1.0,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/soft"},
      {R"({"type":"RLIMIT_CORE","soft":1,"hard":1e3})", REAPER_ERR_INVALID, "/process/rlimits/0/hard"},
      {R"({"type":"RLIMIT_CORE","soft":-0,"hard":0})", REAPER_ERR_INVALID, "/process/rlimits/0/soft"},
      {R"({"type":"RLIMIT_CORE","soft":"1","hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/soft"},
      {R"({"type":"RLIMIT_CORE","soft":1,"hard":"unlimited"})", REAPER_ERR_INVALID, "/process/rlimits/0/hard"},
      {R"({"type":"RLIMIT_CORE","soft":null,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/soft"},
      {R"({"type":"RLIMIT_CORE","soft":1})", REAPER_ERR_INVALID, "/process/rlimits/0/hard"},
      {R"({"type":"RLIMIT_CORE","hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/soft"},
      {R"({"soft":1,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/type"},
      {"{}", REAPER_ERR_INVALID, "/process/rlimits/0/type"},
      {"null", REAPER_ERR_INVALID, "/process/rlimits/0"},
      {"[]", REAPER_ERR_INVALID, "/process/rlimits/0"},
      {R"("RLIMIT_CORE")", REAPER_ERR_INVALID, "/process/rlimits/0"},
      {R"({"type":"","soft":1,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/type"},
      {R"({"type":"CORE","soft":1,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/type"},
      {R"({"type":"rlimit_core","soft":1,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/type"},
      {R"({"type":"RLIMIT_CORES","soft":1,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/type"},
      {R"({"type":"RLIMIT_VMEM","soft":1,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/type"},
      {R"({"type":"RLIMIT_NLIMITS","soft":1,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/type"},
      {R"({"type":4,"soft":1,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/type"},
      {R"({"type":null,"soft":1,"hard":1})", REAPER_ERR_INVALID, "/process/rlimits/0/type"},
      {R"({"type":"RLIMIT_CORE","soft":1,"hard":1},{"type":"RLIMIT_CORE","soft":1,"hard":1})", REAPER_ERR_INVALID,
       "/process/rlimits/1/type"},
      {R"({"type":"RLIMIT_CORE","soft":1,"hard":1},{"type":"RLIMIT_CPU","soft":1,"hard":1},
          {"type":"RLIMIT_CORE","soft":0,"hard":0})",
       REAPER_ERR_INVALID, "/process/rlimits/2/type"},
      {R"({"type":"RLIMIT_CPU","soft":1,"hard":1},{"type":"RLIMIT_CORE","soft":1,"hard":0})", REAPER_ERR_INVALID,
       "/process/rlimits/1/soft"},
  };
  assert_refusals(rlimits, rows);
  assert_refused(process(R"("rlimits":null)"), REAPER_ERR_INVALID, "/process/rlimits");
  assert_refused(process(R"("rlimits":{})"), REAPER_ERR_INVALID, "/process/rlimits");
  assert_refused(process(R"("rlimits":"")"), REAPER_ERR_INVALID, "/process/rlimits");
}

static void a_hint(void**) {
  auto config = reaper::parse_config(rlimits(R"({"type":"nofile","soft":1,"hard":1})"));
  assert_false(config.has_value());
  assert_true(config.error().message.find("RLIMIT_NOFILE") != std::string::npos);
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(types),
      cmocka_unit_test(values),
      cmocka_unit_test(refusals),
      cmocka_unit_test(a_hint),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
