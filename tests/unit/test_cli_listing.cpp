// The table of `list` out of the library's JSON.
#include <string>
#include <vector>

#include "listing.h"
#include "unit/cmocka_cpp.h"

using namespace reaper::cli;

namespace {

std::vector<ListRow> read(std::string_view json) {
  std::vector<ListRow> rows;
  assert_true(read_listing(json, rows));
  return rows;
}

void test_empty(void**) {
  assert_int_equal(read("[]").size(), 0);
  assert_int_equal(read(" [ ]\n").size(), 0);
  assert_string_equal(format_table({}).c_str(), "ID  PID  STATUS  BUNDLE  CREATED  OWNER\n");
}

void test_rows(void**) {
  auto rows = read(R"([{"id":"a","pid":12,"status":"running","bundle":"/b","created":"2026-01-02T03:04:05Z",)"
                   R"("owner":"root"},{"id":"b","pid":null,"status":"corrupt","error":"x, ]} \"y\"","flag":true}])");
  assert_int_equal(rows.size(), 2);
  assert_string_equal(rows[0].id.c_str(), "a");
  assert_string_equal(rows[0].pid.c_str(), "12");
  assert_string_equal(rows[0].status.c_str(), "running");
  assert_string_equal(rows[0].bundle.c_str(), "/b");
  assert_string_equal(rows[0].created.c_str(), "2026-01-02T03:04:05Z");
  assert_string_equal(rows[0].owner.c_str(), "root");
  assert_string_equal(rows[1].status.c_str(), "corrupt");
  assert_string_equal(rows[1].pid.c_str(), "");
}

void test_escapes(void**) {
  auto rows = read(R"([{"bundle":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00"}])");
  assert_string_equal(rows[0].bundle.c_str(), "\"\\/\b\f\n\r\tA\u00e9\u20ac\U0001f600");
}

// Another shape than the library's is said to be one, and is never read past its end.
void test_other_shapes_are_refused(void**) {
  const std::string_view whole = R"([{"id":"a\u00e9\ud83d\ude00","pid":12},{"id":"b"}])";
  std::vector<ListRow> rows;
  for (size_t length = 0; length < whole.size(); length++) assert_false(read_listing(whole.substr(0, length), rows));
  for (const char* json :
       {"", "{}", "[1]", "[{}] x", R"([{"id":{}}])", R"([{"id":[1]}])", R"([{"id":}])", R"([{id:1}])",
        R"([{"id":"a"},])", R"([{"id":"a",}])", R"([{"id":"\x"}])", R"([{"id":"\ud83d"}])", R"([{"id":"\ude00"}])",
        R"([{"id":"\ud83d\u0041"}])", R"([{"id":"\u00g0"}])"}) {
    assert_false(read_listing(json, rows));
  }
}

void test_table(void**) {
  std::vector<ListRow> rows = {
      {"web", "1234567", "running", "/srv/web", "2026-01-02T03:04:05Z", "root"},
      {"a-long-name", "", "stopped", "/b\n\033[31m", "2026-01-02T03:04:05Z", "\u00e9ve"},
  };
  assert_string_equal(format_table(rows).c_str(),
                      "ID           PID      STATUS   BUNDLE    CREATED               OWNER\n"
                      "web          1234567  running  /srv/web  2026-01-02T03:04:05Z  root\n"
                      "a-long-name  -        stopped  /b??[31m  2026-01-02T03:04:05Z  \u00e9ve\n");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_empty),   cmocka_unit_test(test_rows),
      cmocka_unit_test(test_escapes), cmocka_unit_test(test_other_shapes_are_refused),
      cmocka_unit_test(test_table),
  };
  return cmocka_run_group_tests_name("cli listing", tests, nullptr, nullptr);
}
