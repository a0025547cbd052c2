// The exit record: what is believed, and every way in which it is not.
#include <string>

#include "store/files.h"
#include "unit/store_fixture.h"

using namespace reaper;
using namespace reaper::test;

namespace {

std::string signed_line(const std::string& fields) {
  return fields + hex16(fnv1a(fields)) + "\n";
}

void both_ways_to_end(void**) {
  const ExitRecord exited = {7, 0, false, 1700000000000000005, 1500, 0, 1556};
  assert_true(decode_exit(signed_line("7 0 0 1700000000000000005 1500 0 1556 ")) == exited);
  const ExitRecord killed = {-1, 11, true, 1, 0, 9223372036854775807, 0};
  assert_true(decode_exit(signed_line("-1 11 1 1 0 9223372036854775807 0 ")) == killed);
}

void damage_is_not_believed(void**) {
  const std::string good = signed_line("7 0 0 17 15 0 1556 ");
  assert_true(decode_exit(good).has_value());
  for (size_t i = 0; i < good.size(); ++i) {
    std::string damaged = good;
    damaged[i] ^= 1;
    if (decode_exit(damaged).has_value()) fail_msg("believed: %s", damaged.c_str());
    if (decode_exit(good.substr(0, i)).has_value()) fail_msg("believed the first %zu bytes", i);
  }
  assert_false(decode_exit(good + good).has_value());
  assert_false(decode_exit(std::string(256, '\0')).has_value());
}

// With a right checksum, so that only the fields are wrong.
void nonsense_is_not_believed(void**) {
  const char* const rows[] = {"",
                              "7 0 0 17 15 0 ",
                              "7 0 0 17 15 0 1556 1 ",
                              "7 0 0 17 15 0 1556",
                              "256 0 0 17 15 0 1 ",
                              "-2 0 0 17 15 0 1 ",
                              "-1 0 0 17 15 0 1 ",
                              "7 9 0 17 15 0 1 ",
                              "7 -1 0 17 15 0 1 ",
                              "7 0 2 17 15 0 1 ",
                              "7 0 0 -17 15 0 1 ",
                              "7 0 0 17 15 0 9223372036854775808 ",
                              "+7 0 0 17 15 0 1 ",
                              " 7 0 0 17 15 0 1 ",
                              "x 0 0 17 15 0 1 "};
  for (const char* row : rows)
    if (decode_exit(signed_line(row)).has_value()) fail_msg("believed: '%s'", row);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(both_ways_to_end),
      cmocka_unit_test(damage_is_not_believed),
      cmocka_unit_test(nonsense_is_not_believed),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
