// exec's command line: whom it names, and the document that comes of it.
#include <string>
#include <vector>

#include "exec_document.h"
#include "unit/cmocka_cpp.h"

using namespace reaper::cli;

// Either exact ids or an error: never another user (CVE-2026-30892).
static void users(void**) {
  const struct {
    const char *text, *uid, *gid;  // null: refused
  } rows[] = {
      {"0", "0", ""},
      {"1", "1", ""},
      {"10", "10", ""},
      {"1000", "1000", ""},
      {"65534", "65534", ""},
      {"2147483647", "2147483647", ""},
      {"2147483648", "2147483648", ""},
      {"4294967294", "4294967294", ""},
      {"0:0", "0", "0"},
      {"1:0", "1", "0"},
      {"1000:1000", "1000", "1000"},
      {"4294967294:4294967294", "4294967294", "4294967294"},
      {"", nullptr, nullptr},
      {" ", nullptr, nullptr},
      {":", nullptr, nullptr},
      {"1:", nullptr, nullptr},
      {":1", nullptr, nullptr},
      {"1::1", nullptr, nullptr},
      {"1:1:", nullptr, nullptr},
      {"1:1:1", nullptr, nullptr},
      {"-1", nullptr, nullptr},
      {"1:-1", nullptr, nullptr},
      {"+1", nullptr, nullptr},
      {"1:+1", nullptr, nullptr},
      {"--1", nullptr, nullptr},
      {"01", nullptr, nullptr},
      {"00", nullptr, nullptr},
      {"1:01", nullptr, nullptr},
      {"007", nullptr, nullptr},
      {" 1", nullptr, nullptr},
      {"1 ", nullptr, nullptr},
      {"1: 1", nullptr, nullptr},
      {"1 :1", nullptr, nullptr},
      {"\t1", nullptr, nullptr},
      {"1\n", nullptr, nullptr},
      {"1\n0", nullptr, nullptr},
      {"4294967295", nullptr, nullptr},
      {"1:4294967295", nullptr, nullptr},
      {"4294967296", nullptr, nullptr},
      {"1:4294967296", nullptr, nullptr},
      {"4294968296", nullptr, nullptr},
      {"9999999999", nullptr, nullptr},
      {"10000000000", nullptr, nullptr},
      {"18446744073709551615", nullptr, nullptr},
      {"18446744073709551616", nullptr, nullptr},
      {"18446744073709551617", nullptr, nullptr},
      {"99999999999999999999999999", nullptr, nullptr},
      {"1.0", nullptr, nullptr},
      {"1.", nullptr, nullptr},
      {"1e3", nullptr, nullptr},
      {"0x0", nullptr, nullptr},
      {"0x10", nullptr, nullptr},
      {"0b1", nullptr, nullptr},
      {"1_000", nullptr, nullptr},
      {"1,000", nullptr, nullptr},
      {"1000a", nullptr, nullptr},
      {"a1000", nullptr, nullptr},
      {"root", nullptr, nullptr},
      {"root:root", nullptr, nullptr},
      {"1000:users", nullptr, nullptr},
      {"nobody", nullptr, nullptr},
      {"\xd9\xa1", nullptr, nullptr},      // ARABIC-INDIC DIGIT ONE
      {"\xef\xbc\x91", nullptr, nullptr},  // FULLWIDTH DIGIT ONE
      {"1;id", nullptr, nullptr},
      {"1\"", nullptr, nullptr},
      {"null", nullptr, nullptr},
  };
  for (const auto& row : rows) {
    std::string uid, gid;
    const bool accepted = read_user(row.text, uid, gid);
    if (accepted != (row.uid != nullptr)) fail_msg("\"%s\"", row.text);
    if (!accepted) continue;
    assert_string_equal(uid.c_str(), row.uid);
    assert_string_equal(gid.c_str(), row.gid);
  }
}

static std::string document(std::vector<const char*> words) {
  words.insert(words.begin(), {"reaper-runtime", "exec"});
  const Arguments arguments = parse_arguments(static_cast<int>(words.size()), words.data());
  if (!arguments.error.empty()) return arguments.error;
  std::string text;
  return write_document(arguments, text) ? text : "error: " + text;
}

static void documents(void**) {
  const struct {
    std::vector<const char*> words;
    const char* wanted;
  } rows[] = {
      {{"c", "id"}, R"({"args":["id"]})"},
      {{"c", "--", "id", "--", "-x"}, R"({"args":["id","--","-x"]})"},
      {{"c", "id", "-t", "--user", "0"}, R"({"args":["id","-t","--user","0"]})"},
      {{"--", "c", "-d"}, R"({"args":["-d"]})"},
      {{"-t", "c", "--cwd=/x", "sh"}, R"({"args":["sh"],"cwd":"/x","terminal":true})"},
      {{"-e", "A=1", "c", "--env=B=2=3", "-eC=", "sh"}, R"({"args":["sh"],"env":["A=1","B=2=3","C="]})"},
      {{"-u", "7", "c", "sh"}, R"({"args":["sh"],"user":{"uid":7}})"},
      {{"--user=7:8", "-g", "9", "--additional-gids=10", "c", "sh"},
       R"({"args":["sh"],"user":{"uid":7,"gid":8,"additionalGids":[9,10]}})"},
      {{"-g0", "c", "sh"}, R"({"args":["sh"],"user":{"additionalGids":[0]}})"},
      {{"-c", "CAP_A", "--cap", "CAP_B", "c", "sh"},
       R"({"args":["sh"],"capabilities":{"bounding":["CAP_A","CAP_B"],"effective":["CAP_A","CAP_B"],)"
       R"("permitted":["CAP_A","CAP_B"]}})"},
      {{"--apparmor", "p", "--process-label=l", "c", "sh"},
       R"({"args":["sh"],"apparmorProfile":"p","selinuxLabel":"l"})"},
      {{"c", "a\"b\\c\n", "\xc3\xa4\xef\xbf\xbd"}, "{\"args\":[\"a\\\"b\\\\c\\u000a\",\"\xc3\xa4\xef\xbf\xbd\"]}"},
      {{"c", "sh", "\xff"}, "error: an argument is not UTF-8: a process document cannot hold it"},
      {{"-e", "A=\xff\xef\xbf\xbd", "c", "sh"}, "error: --env is not UTF-8: a process document cannot hold it"},
      {{"-u", "root", "c", "sh"},
       "error: --user takes UID or UID:GID in digits up to 4294967294, not \"root\": names are not looked up"},
      {{"-g", "-1", "c", "sh"}, "error: --additional-gids takes a number up to 4294967294, not \"-1\""},
      {{"c"}, "error: missing COMMAND (see reaper-runtime exec --help)"},
      {{"c", "--"}, "error: missing COMMAND (see reaper-runtime exec --help)"},
      {{}, "missing ID (see reaper-runtime exec --help)"},
  };
  for (const auto& row : rows) assert_string_equal(document(row.words).c_str(), row.wanted);
}

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(users), cmocka_unit_test(documents)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
