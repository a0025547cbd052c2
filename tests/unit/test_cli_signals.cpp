// Signals as people write them.
#include <cctype>
#include <csignal>
#include <cstring>
#include <string>

#include "signals.h"
#include "unit/cmocka_cpp.h"

using reaper::cli::parse_signal;

namespace {

void test_numbers(void**) {
  assert_int_equal(parse_signal("1"), 1);
  assert_int_equal(parse_signal("9"), SIGKILL);
  assert_int_equal(parse_signal("15"), SIGTERM);
  assert_int_equal(parse_signal("015"), SIGTERM);
  assert_int_equal(parse_signal("64"), 64);
  for (const char* word : {"", "0", "65", "999", "4294967305", "-9", "+9", "9 ", " 9", "9x", "0x9", "1.0"}) {
    assert_int_equal(parse_signal(word), -1);
  }
}

// Every name that the C library knows, in the four spellings.
void test_names(void**) {
  for (int number = 1; number < 32; number++) {
    std::string name = sigabbrev_np(number);
    std::string small = name;
    for (char& c : small) c = static_cast<char>(tolower(c));
    assert_int_equal(parse_signal(name), number);
    assert_int_equal(parse_signal("SIG" + name), number);
    assert_int_equal(parse_signal(small), number);
    assert_int_equal(parse_signal("sig" + small), number);
  }
  assert_int_equal(parse_signal("IOT"), SIGABRT);
  assert_int_equal(parse_signal("CLD"), SIGCHLD);
  assert_int_equal(parse_signal("IO"), SIGIO);
  for (const char* word : {"SIG", "TERMX", "SIGSIGTERM", "NOPE", "SIG15", "TERM ", "KILL,TERM"}) {
    assert_int_equal(parse_signal(word), -1);
  }
}

void test_realtime(void**) {
  assert_int_equal(parse_signal("RTMIN"), SIGRTMIN);
  assert_int_equal(parse_signal("SIGRTMIN"), SIGRTMIN);
  assert_int_equal(parse_signal("RTMIN+3"), SIGRTMIN + 3);
  assert_int_equal(parse_signal("SIGRTMIN+3"), SIGRTMIN + 3);
  assert_int_equal(parse_signal("sigrtmin+3"), SIGRTMIN + 3);
  assert_int_equal(parse_signal("RTMAX"), SIGRTMAX);
  assert_int_equal(parse_signal("SIGRTMAX-1"), SIGRTMAX - 1);
  for (const char* word : {"RTMIN+", "RTMIN-1", "RTMAX+1", "RTMAX-", "RTMIN+31", "RTMAX-31", "RTMIN3", "RTMIN+x"}) {
    assert_int_equal(parse_signal(word), -1);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_realtime),
  };
  return cmocka_run_group_tests_name("cli signals", tests, nullptr, nullptr);
}
