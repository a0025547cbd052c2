// Names of errno values and signals, and the errors that are made of them.
#include "core/error.h"

#include <csignal>
#include <cstring>
#include <string>

#include "core/result.h"
#include "core/utf8.h"
#include "unit/test_json_support.h"

using reaper::config_error;
using reaper::errno_name;
using reaper::Error;
using reaper::printable;
using reaper::signal_name;
using reaper::system_error;

namespace {

// Linux' highest errno value is 133; 41 and 58 are not used.
void check_every_errno_has_a_name(void**) {
  for (int number = 1; number <= 133; number++) {
    const std::string name = errno_name(number);
    if (number == 41 || number == 58) {
      assert_string_equal(name.c_str(), ("errno " + std::to_string(number)).c_str());
      continue;
    }
    if (name[0] != 'E' || name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != std::string::npos) {
      fail_msg("%d is %s", number, name.c_str());
    }
  }
}

void check_errno_names(void**) {
  assert_string_equal(errno_name(ENOENT).c_str(), "ENOENT");
  assert_string_equal(errno_name(EPERM).c_str(), "EPERM");
  assert_string_equal(errno_name(E2BIG).c_str(), "E2BIG");
  assert_string_equal(errno_name(EWOULDBLOCK).c_str(), "EAGAIN");
  assert_string_equal(errno_name(EDEADLOCK).c_str(), "EDEADLK");
  assert_string_equal(errno_name(ENOTSUP).c_str(), "EOPNOTSUPP");
  assert_string_equal(errno_name(EHWPOISON).c_str(), "EHWPOISON");
  assert_string_equal(errno_name(0).c_str(), "errno 0");
  assert_string_equal(errno_name(-1).c_str(), "errno -1");
  assert_string_equal(errno_name(524).c_str(), "errno 524");
  assert_string_equal(errno_name(4095).c_str(), "errno 4095");
#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 32)
  for (int number = 1; number < 4096; number++) {
    const char* theirs = strerrorname_np(number);
    const std::string wanted = theirs != nullptr ? theirs : "errno " + std::to_string(number);
    assert_string_equal(errno_name(number).c_str(), wanted.c_str());
  }
#endif
#endif
}

void check_signal_names(void**) {
  assert_string_equal(signal_name(SIGTERM).c_str(), "SIGTERM");
  assert_string_equal(signal_name(SIGKILL).c_str(), "SIGKILL");
  assert_string_equal(signal_name(SIGHUP).c_str(), "SIGHUP");
  assert_string_equal(signal_name(SIGSYS).c_str(), "SIGSYS");
  assert_string_equal(signal_name(SIGIO).c_str(), "SIGIO");
  for (int number = 1; number <= 31; number++) assert_true(signal_name(number).starts_with("SIG"));
  for (const int number : {0, -1, 32, 33, SIGRTMAX + 1, 99}) {
    assert_string_equal(signal_name(number).c_str(), ("signal " + std::to_string(number)).c_str());
  }
  assert_string_equal(signal_name(SIGRTMIN).c_str(), "SIGRTMIN");
  for (int number = SIGRTMIN + 1; number <= SIGRTMAX; number++) {
    assert_string_equal(signal_name(number).c_str(), ("SIGRTMIN+" + std::to_string(number - SIGRTMIN)).c_str());
  }
#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 32)
  for (int number = 1; number <= 31; number++) {
    if (number == SIGIO) continue;  // glibc says POLL
    assert_string_equal(signal_name(number).c_str(), ("SIG" + std::string(sigabbrev_np(number))).c_str());
  }
#endif
#endif
}

void check_system_error_codes(void**) {
  for (int number = 1; number <= 133; number++) {
    const Error error = system_error("mkdir", "mkdir /run/reaper/x", number);
    int wanted = REAPER_ERR_SYSTEM;
    if (number == EPERM || number == EACCES) wanted = REAPER_ERR_PERMISSION;
    if (number == ENOMEM) wanted = REAPER_ERR_NO_MEMORY;
    assert_int_equal(error.code, wanted);
    assert_int_equal(error.sys_errno, number);
    assert_string_equal(error.message.c_str(), ("mkdir /run/reaper/x: " + errno_name(number)).c_str());
    assert_string_equal(error.stage.c_str(), "mkdir");
    assert_string_equal(error.pointer.c_str(), "");
    json_test::assert_plain_message(error.message);
  }
}

void check_system_error_takes_errno(void**) {
  errno = EROFS;
  const Error error = system_error("claim", "mkdir x");
  assert_int_equal(error.sys_errno, EROFS);
  assert_string_equal(error.message.c_str(), "mkdir x: EROFS");
  assert_string_equal(system_error("claim", "open a\nb\x1b[0m", EIO).message.c_str(), "open a\\x0ab\\x1b[0m: EIO");
}

void check_config_error(void**) {
  const Error error = config_error(REAPER_ERR_UNSUPPORTED, "/mounts", "mounts are not applied by this build");
  assert_int_equal(error.code, REAPER_ERR_UNSUPPORTED);
  assert_int_equal(error.sys_errno, 0);
  assert_string_equal(error.message.c_str(), "/mounts: mounts are not applied by this build");
  assert_string_equal(error.pointer.c_str(), "/mounts");
  assert_string_equal(error.stage.c_str(), "config");
  assert_string_equal(config_error(REAPER_ERR_INVALID, "", "ociVersion is wanted").message.c_str(),
                      "ociVersion is wanted");
  const std::string pointer = "/annotations/" + std::string(5000, 'k') + "\n";
  const Error long_one = config_error(REAPER_ERR_INVALID, pointer, "bad\nvalue");
  assert_true(long_one.pointer == pointer);
  assert_true(long_one.message.size() < 300);
  assert_true(long_one.message.ends_with("k...: bad\\x0avalue"));
}

void check_printable(void**) {
  assert_string_equal(printable("").c_str(), "");
  assert_string_equal(printable("plain \\ \" text é \u20ac \U0001f600").c_str(),
                      "plain \\ \" text é \u20ac \U0001f600");
  assert_string_equal(printable(std::string_view("a\0b", 3)).c_str(), "a\\x00b");
  assert_string_equal(printable("\t\r\n\x7f").c_str(), "\\x09\\x0d\\x0a\\x7f");
  assert_string_equal(printable("\xc2\x9b\xc2\xa0").c_str(), "\\xc2\\x9b\xc2\xa0");
  assert_string_equal(printable("\xff\xc3(\xe2\x82").c_str(), "\\xff\\xc3(\\xe2\\x82");
  assert_string_equal(printable("abcdef", 6).c_str(), "abcdef");
  assert_string_equal(printable("abcdefg", 6).c_str(), "abcdef...");
  assert_string_equal(printable("abé", 3).c_str(), "ab...");  // never half a character
  assert_string_equal(printable(printable("a\n\xff")).c_str(), printable("a\n\xff").c_str());
}

// utf8_length of every pair of first bytes and the limits of longer forms.
void check_utf8_length(void**) {
  const auto length = [](std::string_view text) { return reaper::utf8_length(text); };
  assert_int_equal(length(""), 0);
  for (int byte = 0; byte < 256; byte++) {
    const char one = static_cast<char>(byte);
    assert_int_equal(length(std::string_view(&one, 1)), byte < 0x80 ? 1 : 0);
  }
  for (int lead = 0x80; lead < 256; lead++) {
    for (int second = 0; second < 256; second++) {
      const char text[] = {static_cast<char>(lead), static_cast<char>(second), '\xbf', '\x80'};
      const bool continues = second >= 0x80 && second <= 0xbf;
      size_t wanted = 0;
      if (lead >= 0xc2 && lead <= 0xdf && continues) wanted = 2;
      if (lead >= 0xe0 && lead <= 0xef && continues) wanted = 3;
      if (lead >= 0xf0 && lead <= 0xf4 && continues) wanted = 4;
      if (lead == 0xe0 && second < 0xa0) wanted = 0;
      if (lead == 0xed && second > 0x9f) wanted = 0;
      if (lead == 0xf0 && second < 0x90) wanted = 0;
      if (lead == 0xf4 && second > 0x8f) wanted = 0;
      assert_int_equal(length(std::string_view(text, 4)), wanted);
      if (wanted > 2) assert_int_equal(length(std::string_view(text, wanted - 1)), 0);
    }
  }
  assert_int_equal(length("\xe2\x82\x28"), 0);
  assert_int_equal(length("\xf0\x9f\x98\xc0"), 0);
}

reaper::Result<int> half(int number) {
  if (number % 2 != 0) return (reaper::fail)(config_error(REAPER_ERR_INVALID, "/n", "odd"));
  return number / 2;
}

reaper::Status check_quarter(int number, int& out) {
  const int first = TRY(half(number));
  out = TRY(half(first));
  return {};
}

void check_try(void**) {
  int out = -1;
  assert_true(check_quarter(12, out).has_value());
  assert_int_equal(out, 3);
  for (const int number : {7, 6}) {
    out = -1;
    const reaper::Status status = check_quarter(number, out);
    assert_false(status.has_value());
    assert_string_equal(status.error().message.c_str(), "/n: odd");
    assert_int_equal(out, -1);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(check_every_errno_has_a_name),
      cmocka_unit_test(check_errno_names),
      cmocka_unit_test(check_signal_names),
      cmocka_unit_test(check_system_error_codes),
      cmocka_unit_test(check_system_error_takes_errno),
      cmocka_unit_test(check_config_error),
      cmocka_unit_test(check_printable),
      cmocka_unit_test(check_utf8_length),
      cmocka_unit_test(check_try),
  };
  return cmocka_run_group_tests_name("error", tests, nullptr, nullptr);
}
