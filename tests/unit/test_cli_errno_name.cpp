// Names of errno values in the command line's messages.
#include "errno_name.h"

#include <cerrno>
#include <cstring>
#include <string>

#include "unit/cmocka_cpp.h"

using reaper::cli::errno_name;

namespace {

// Linux' highest errno value is 133. A number that has no name here is said as one.
void test_glibc_agrees(void**) {
  for (int number = 1; number <= 133; number++) {
    const std::string ours = errno_name(number);
    if (ours == "errno " + std::to_string(number)) continue;
    assert_string_equal(ours.c_str(), strerrorname_np(number));
  }
}

void test_names(void**) {
  for (const int number : {EPERM, ENOENT, EACCES, EEXIST, ENOSPC, EROFS, ENAMETOOLONG, ECONNREFUSED, EDQUOT})
    assert_string_equal(errno_name(number).c_str(), strerrorname_np(number));
  assert_string_equal(errno_name(0).c_str(), "errno 0");
  assert_string_equal(errno_name(-5).c_str(), "errno -5");
  assert_string_equal(errno_name(999).c_str(), "errno 999");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(test_glibc_agrees),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests_name("cli errno name", tests, nullptr, nullptr);
}
