// Where a library of the system is taken from.
#include "core/system_library.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/cmocka_cpp.h"

using reaper::library_in;
using reaper::system_library;

namespace {

void check_the_first_that_has_it(void**) {
  char folder[] = "/tmp/reaper-library-XXXXXX";
  assert_non_null(mkdtemp(folder));
  const std::string one = std::string(folder) + "/one", two = std::string(folder) + "/two";
  assert_int_equal(mkdir(one.c_str(), 0700), 0);
  assert_int_equal(mkdir(two.c_str(), 0700), 0);
  for (const std::string& path : {two + "/a", two + "/b", one + "/b"}) {
    const int fd = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_return_code(fd, errno);
    close(fd);
  }
  const std::string both = one + ":" + two;
  const std::string three = both + ":/nowhere";
  assert_string_equal(library_in(three, "a").c_str(), (two + "/a").c_str());
  assert_string_equal(library_in(three, "b").c_str(), (one + "/b").c_str());
  assert_string_equal(library_in(both, "c").c_str(), (two + "/c").c_str());  // so that dlopen says what is wrong
  assert_string_equal(library_in(one, "c").c_str(), (one + "/c").c_str());
  for (const std::string& path : {two + "/a", two + "/b", one + "/b"}) assert_int_equal(unlink(path.c_str()), 0);
  assert_int_equal(rmdir(one.c_str()), 0);
  assert_int_equal(rmdir(two.c_str()), 0);
  assert_int_equal(rmdir(folder), 0);
}

// dlopen(3) looks a name without a slash up in LD_LIBRARY_PATH.
void check_always_an_absolute_path(void**) {
  for (const char* name : {"libseccomp.so.2", "there-is-none.so"}) {
    const std::string path = system_library(name);
    assert_int_equal(path[0], '/');
    assert_true(path.ends_with(std::string("/") + name));
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(check_the_first_that_has_it),
      cmocka_unit_test(check_always_an_absolute_path),
  };
  return cmocka_run_group_tests_name("system_library", tests, nullptr, nullptr);
}
