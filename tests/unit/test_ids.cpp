// Container ids: everything that is not [A-Za-z0-9_][A-Za-z0-9_.+-]{0,254} is refused, in a message of one clean line.
#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"
#include "unit/cmocka_cpp.h"

using namespace std::literals;
using namespace reaper;

static void good_ids_pass(void**) {
  const std::vector<std::string> good = {"a",
                                         "Z",
                                         "0",
                                         "_",
                                         "a.b",
                                         "a..b",
                                         "a.",
                                         "a-",
                                         "a+",
                                         "_._",
                                         "0-0",
                                         "x+y",
                                         "abc-DEF_0.1+2",
                                         "a...",
                                         "_-",
                                         "__",
                                         "1.2.3",
                                         "c0ffee",
                                         "web-1",
                                         "a_b-c.d+e",
                                         "nul",
                                         "CON",
                                         "0x0",
                                         "1e9",
                                         "a.json",
                                         "state.json",
                                         "owner",
                                         "pid",
                                         "gate",
                                         "identity",
                                         std::string(255, 'a'),
                                         "_" + std::string(254, '.'),
                                         "a" + std::string(254, '-'),
                                         "5b2c5a9e3c0e4d1c9a4c9f6f0d3f0a115b2c5a9e3c0e4d1c9a4c9f6f0d3f0a11"};
  for (const auto& id : good) {
    if (!check_id(id).has_value()) fail_msg("refused: %s", id.c_str());
  }
}

static std::vector<std::string> hostile_ids() {
  std::vector<std::string> bad = {"",
                                  ".",
                                  "..",
                                  "...",
                                  "/",
                                  "//",
                                  "a/b",
                                  "/a",
                                  "a/",
                                  "../a",
                                  "a/..",
                                  "./a",
                                  "a/../b",
                                  "/etc/passwd",
                                  "../../etc",
                                  "-",
                                  "-a",
                                  "--help",
                                  "--",
                                  "-rf",
                                  "+",
                                  "+a",
                                  ".a",
                                  ".hidden",
                                  ".new",
                                  "..a",
                                  " ",
                                  " a",
                                  "a ",
                                  "a b",
                                  "\t",
                                  "a\t",
                                  "\n",
                                  "a\n",
                                  "\na",
                                  "a\nb",
                                  "\r",
                                  "a\r\n",
                                  "\v",
                                  "\f",
                                  "\x1b[31m",
                                  "\x7f",
                                  "a\x7f",
                                  "\x01",
                                  "a\x80",
                                  "\xff",
                                  "\xc0\xaf",
                                  "\xc3\xa9",
                                  "a\xc3\xa9",
                                  "\xe2\x80\xae",
                                  "\xef\xbc\x8f",
                                  "\xe2\x88\x95",
                                  "\xf0\x9f\x92\xa3",
                                  "a\xcc\x81",
                                  "\xed\xa0\x80",
                                  "\0"s,
                                  "a\0b"s,
                                  "a\0"s,
                                  "\0a"s,
                                  "*",
                                  "a*",
                                  "?",
                                  "a?",
                                  "[a]",
                                  "{a}",
                                  "~",
                                  "~root",
                                  "a~",
                                  "$HOME",
                                  "$(id)",
                                  "`id`",
                                  "a;b",
                                  "a&b",
                                  "a|b",
                                  "a<b",
                                  "a>b",
                                  "a\"b",
                                  "'a'",
                                  "a'b",
                                  "a\\b",
                                  "\\",
                                  "a:b",
                                  "a,b",
                                  "a=b",
                                  "a@b",
                                  "a#b",
                                  "#",
                                  "a%b",
                                  "%2e%2e",
                                  "%s%n",
                                  "a!b",
                                  "a^b",
                                  "a(b)",
                                  "@a",
                                  "=a",
                                  ":a",
                                  "a:",
                                  "a..b/",
                                  "a/.",
                                  "C:\\a",
                                  "\\\\a",
                                  "a\u00a0",
                                  "\u200b",
                                  "a\u2028b",
                                  std::string(256, 'a'),
                                  std::string(257, 'a'),
                                  std::string(4096, 'a'),
                                  std::string(1U << 20U, 'a'),
                                  std::string(255, 'a').append("/"),
                                  std::string(254, 'a').append("\n"),
                                  std::string(300, '.'),
                                  std::string(255, '\n')};
  for (int byte = 0; byte < 256; ++byte) {  // every byte in the first place and inside
    const char c = static_cast<char>(byte);
    const bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    if (word) continue;
    bad.push_back({c, 'x'});
    if (c != '.' && c != '+' && c != '-') bad.push_back({'x', c, 'y'});
  }
  return bad;
}

static void hostile_ids_are_refused(void**) {
  const auto bad = hostile_ids();
  assert_true(bad.size() > 400);
  for (const auto& id : bad) {
    const auto checked = check_id(id);
    if (checked.has_value()) fail_msg("accepted %zu bytes: %s", id.size(), id.c_str());
    const Error& error = checked.error();
    assert_int_equal(error.code, REAPER_ERR_INVALID);
    assert_string_equal(error.stage.c_str(), "id");
    assert_int_equal(error.sys_errno, 0);
    const bool clean = std::all_of(error.message.begin(), error.message.end(),
                                   [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
    if (!clean || error.message.size() > 1400) fail_msg("message is no clean line: %s", error.message.c_str());
  }
}

static void messages_name_the_fault(void**) {
  assert_string_equal(check_id("").error().message.c_str(), "container id is empty");
  assert_string_equal(check_id(std::string(256, 'a')).error().message.c_str(),
                      "container id has 256 bytes, and 255 is the limit");
  assert_string_equal(check_id("a/b").error().message.c_str(),
                      "container id \"a/b\": byte 2 must be a letter, a digit or one of _ . + -");
  assert_string_equal(check_id("-a").error().message.c_str(),
                      "container id \"-a\": byte 1 must be a letter, a digit or _");
  assert_non_null(strstr(check_id("a\nb").error().message.c_str(), "\\x0a"));
}

static void unknown_ids_have_the_callers_words(void**) {
  const Error error = no_such_container("web");
  assert_int_equal(error.code, REAPER_ERR_NOT_FOUND);
  assert_string_equal(error.message.c_str(), "container \"web\" does not exist");
}

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(good_ids_pass), cmocka_unit_test(hostile_ids_are_refused),
                              cmocka_unit_test(messages_name_the_fault),
                              cmocka_unit_test(unknown_ids_have_the_callers_words)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
