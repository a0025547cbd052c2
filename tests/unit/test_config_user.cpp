// process.user: exact numbers (security.md, rows 16 and 22): either the very id that was written or an error.
#include "unit/test_config_cases.h"

using namespace reaper_test;

namespace {

struct Id {
  const char* text;
  uint32_t value;
};

constexpr Id good_ids[] = {
    {"0", 0},
    {"1", 1},
    {"9", 9},
    {"10", 10},
    {"999", 999},
    {"1000", 1000},
    {"65533", 65533},
    {"65534", 65534},
    {"65535", 65535},
    {"65536", 65536},
    {"16777217", 16777217},  // 2^24 + 1: not a float
    {"2147483647", 2147483647U},
    {"2147483648", 2147483648U},  // 2^31
    {"2147483649", 2147483649U},
    {"4000000000", 4000000000U},
    {"4294967293", 4294967293U},
    {"4294967294", 4294967294U},
};

// In the place of a number, and never an id.
constexpr const char* bad_ids[] = {
    "-1",
    "-0",
    "-2",
    "-4294967296",
    "-9223372036854775808",
    "4294967295",  // (uid_t)-1: "leave unchanged", that is root
    "4294967296",  // truncates to root
    "4294967297",
    "8589934592",
    "9007199254740992",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",  // 2^63
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "1.0",
    "1.5",
    "0.0",
    "0.9",
    "1000.0",
    "1e0",
    "1e3",
    "1E3",
    "1e+3",
    "10e-1",
    "0e0",
    "1e309",
    "1e999",
    R"("0")",
    R"("1000")",
    R"("root")",
    R"("")",
    R"(" 0")",
    R"("0x0")",
    R"("-1")",
    R"("1000:1000")",
    "true",
    "false",
    "null",
    "[]",
    "[0]",
    "{}",
    R"({"uid":0})",
};

// Not even JSON: the scan refuses them, without a pointer.
constexpr const char* no_numbers[] = {
    "007", "00",  "01000",    "+1", "+0",  ".5",        "1.", "0x0", "0x3e8", "0b1",   "0o17",     "1_0", "1,0",
    "1 0", "NaN", "Infinity", "-",  "- 1", "-Infinity", "1e", "1e+", "--1",   "1000u", "\xd9\xa1", "",    "undefined"};

std::string with_uid(std::string_view value) {
  return user(R"("uid":)" + std::string(value) + R"(,"gid":7)");
}
std::string with_gid(std::string_view value) {
  return user(R"("uid":7,"gid":)" + std::string(value));
}
std::string with_group(std::string_view value) {
  return user(R"("uid":7,"gid":7,"additionalGids":[5,)" + std::string(value) + "]");
}

reaper::User accepted_user(const std::string& text) {
  reaper::Config config = accepted_silently(text);
  assert_true(config.process.has_value() && config.process->user.has_value());
  return *config.process->user;
}

}  // namespace

static void ids(void**) {
  for (const Id& id : good_ids) {
    assert_int_equal(accepted_user(with_uid(id.text)).uid, id.value);
    assert_int_equal(accepted_user(with_uid(id.text)).gid, 7);
    assert_int_equal(accepted_user(with_gid(id.text)).gid, id.value);
    assert_int_equal(accepted_user(with_gid(id.text)).uid, 7);
    assert_int_equal(accepted_user(with_group(id.text)).additional_gids->at(1), id.value);
  }
}

static void refused_ids(void**) {
  for (const char* text : bad_ids) {
    assert_refused(with_uid(text), REAPER_ERR_INVALID, "/process/user/uid");
    assert_refused(with_gid(text), REAPER_ERR_INVALID, "/process/user/gid");
    assert_refused(with_group(text), REAPER_ERR_INVALID, "/process/user/additionalGids/1");
  }
}

static void ids_that_are_no_json(void**) {
  for (const char* text : no_numbers) {
    assert_refused(with_uid(text), REAPER_ERR_INVALID, "");
    assert_refused(with_gid(text), REAPER_ERR_INVALID, "");
    // "[5,1,0]" is three groups.
    if (std::string_view(text) != "1,0") assert_refused(with_group(text), REAPER_ERR_INVALID, "");
  }
}

static void uid_and_gid_belong_together(void**) {
  constexpr Refusal rows[] = {
      {"", REAPER_ERR_INVALID, "/process/user/uid"},
      {R"("gid":0)", REAPER_ERR_INVALID, "/process/user/uid"},
      {R"("uid":0)", REAPER_ERR_INVALID, "/process/user/gid"},
      {R"("uid":0,"GID":0)", REAPER_ERR_INVALID, "/process/user/gid"},
      {R"("additionalGids":[1])", REAPER_ERR_INVALID, "/process/user/uid"},
      {R"("umask":18)", REAPER_ERR_INVALID, "/process/user/uid"},
      {R"("username":"root")", REAPER_ERR_INVALID, "/process/user/uid"},
      {R"("username":"root","uid":0)", REAPER_ERR_INVALID, "/process/user/gid"},
      {R"("uid":0,"uid":1,"gid":0)", REAPER_ERR_INVALID, "/process/user/uid"},
  };
  assert_refusals(user, rows);
  assert_refused(process(R"("user":null)"), REAPER_ERR_INVALID, "/process/user");
  assert_refused(process(R"("user":"root")"), REAPER_ERR_INVALID, "/process/user");
  assert_refused(process(R"("user":0)"), REAPER_ERR_INVALID, "/process/user");
  assert_refused(process(R"("user":[0,0])"), REAPER_ERR_INVALID, "/process/user");
}

static std::string with_umask(std::string_view value) {
  return user(R"("uid":0,"gid":0,"umask":)" + std::string(value));
}

// JSON numbers are decimal: 22 is octal 026.
static void umask_values(void**) {
  assert_int_equal(*accepted_user(with_umask("22")).umask, 026);
  assert_int_equal(*accepted_user(with_umask("18")).umask, 022);
  assert_int_equal(*accepted_user(with_umask("63")).umask, 077);
  assert_int_equal(*accepted_user(with_umask("0")).umask, 0);
  assert_int_equal(*accepted_user(with_umask("511")).umask, 0777);
  assert_false(accepted_user(user(R"("uid":0,"gid":0)")).umask.has_value());  // the caller's
  constexpr Refusal rows[] = {
      {"512", REAPER_ERR_INVALID, "/process/user/umask"},
      {"4095", REAPER_ERR_INVALID, "/process/user/umask"},
      {"4294967295", REAPER_ERR_INVALID, "/process/user/umask"},
      {"4294967296", REAPER_ERR_INVALID, "/process/user/umask"},
      {"-1", REAPER_ERR_INVALID, "/process/user/umask"},
      {"-0", REAPER_ERR_INVALID, "/process/user/umask"},
      {"18.0", REAPER_ERR_INVALID, "/process/user/umask"},
      {"2e1", REAPER_ERR_INVALID, "/process/user/umask"},
      {R"("0022")", REAPER_ERR_INVALID, "/process/user/umask"},
      {R"("22")", REAPER_ERR_INVALID, "/process/user/umask"},
      {"null", REAPER_ERR_INVALID, "/process/user/umask"},
      {"true", REAPER_ERR_INVALID, "/process/user/umask"},
      {"[]", REAPER_ERR_INVALID, "/process/user/umask"},
      {"022", REAPER_ERR_INVALID, ""},
      {"0o22", REAPER_ERR_INVALID, ""},
  };
  assert_refusals(with_umask, rows);
}

static std::string groups(size_t count) {
  std::string text = R"("uid":0,"gid":0,"additionalGids":[)";
  for (size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + std::to_string(i);
  return user(text + "]");
}

static void additional_gids(void**) {
  // Absent and empty differ: the plan inherits groups in the first case only.
  assert_false(accepted_user(user(R"("uid":0,"gid":0)")).additional_gids.has_value());
  auto none = accepted_user(user(R"("uid":0,"gid":0,"additionalGids":[])")).additional_gids;
  assert_true(none.has_value() && none->empty());
  auto some = accepted_user(user(R"("uid":1,"gid":2,"additionalGids":[30,4,4294967294,0])")).additional_gids;
  assert_true(*some == (std::vector<uint32_t>{30, 4, 4294967294U, 0}));

  assert_int_equal(accepted_user(groups(65536)).additional_gids->size(), 65536);
  assert_refused(groups(65537), REAPER_ERR_INVALID, "/process/user/additionalGids");
  constexpr Refusal rows[] = {
      {R"("uid":0,"gid":0,"additionalGids":0)", REAPER_ERR_INVALID, "/process/user/additionalGids"},
      {R"("uid":0,"gid":0,"additionalGids":null)", REAPER_ERR_INVALID, "/process/user/additionalGids"},
      {R"("uid":0,"gid":0,"additionalGids":"5,6")", REAPER_ERR_INVALID, "/process/user/additionalGids"},
      {R"("uid":0,"gid":0,"additionalGids":{"0":5})", REAPER_ERR_INVALID, "/process/user/additionalGids"},
      {R"("uid":0,"gid":0,"additionalGids":[4294967295])", REAPER_ERR_INVALID, "/process/user/additionalGids/0"},
      {R"("uid":0,"gid":0,"additionalGids":[1,2,-1])", REAPER_ERR_INVALID, "/process/user/additionalGids/2"},
  };
  assert_refusals(user, rows);
}

static void username_decides_nothing(void**) {
  std::string text = user(R"("uid":1000,"gid":1000,"username":"root")");
  assert_warning(text, "/process/user/username", "ignored");
  assert_int_equal(accepted(text).process->user->uid, 1000);
  accepted_silently(user(R"("uid":1000,"gid":1000,"username":"")"));
  assert_refused(user(R"("uid":1,"gid":1,"username":0)"), REAPER_ERR_INVALID, "/process/user/username");
  assert_refused(user(R"("uid":1,"gid":1,"username":null)"), REAPER_ERR_INVALID, "/process/user/username");
}

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(ids),
      cmocka_unit_test(refused_ids),
      cmocka_unit_test(ids_that_are_no_json),
      cmocka_unit_test(uid_and_gid_belong_together),
      cmocka_unit_test(umask_values),
      cmocka_unit_test(additional_gids),
      cmocka_unit_test(username_decides_nothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
