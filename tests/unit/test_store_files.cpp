// write_file_atomically: the pid file, whole or not at all, and never through somebody else's link.
#include <sys/resource.h>
#include <sys/sysmacros.h>

#include <atomic>
#include <climits>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>

#include "unit/store_faults.h"
#include "unit/store_fixture.h"

using namespace reaper;
using namespace reaper::test;

namespace {

void it_is_written_exactly(void**) {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/pid";
  assert_true(write_file_atomically(path, "12345").has_value());
  assert_string_equal(slurp(path).c_str(), "12345");  // no newline: callers read it untrimmed
  assert_true(write_file_atomically(path, "7").has_value());
  assert_string_equal(slurp(path).c_str(), "7");
  assert_true(write_file_atomically(path, "").has_value());
  assert_string_equal(slurp(path).c_str(), "");
  assert_int_equal(entries(temporary.path()), 1);
}

void names_of_every_form(void**) {
  const TemporaryDirectory temporary;
  const int answer = in_child([&] {
    CHECK(chdir(temporary.path().c_str()) == 0);
    CHECK(mkdir("sub", 0700) == 0 && symlink("sub", "way") == 0);
    CHECK(write_file_atomically("plain", "1").has_value() && slurp("plain") == "1");
    CHECK(write_file_atomically("./dot", "2").has_value() && slurp("dot") == "2");
    CHECK(write_file_atomically("sub//twice", "3").has_value() && slurp("sub/twice") == "3");
    CHECK(write_file_atomically("way/linked", "4").has_value() && slurp("sub/linked") == "4");
    CHECK(write_file_atomically(std::string(255, 'n'), "5").has_value() && slurp(std::string(255, 'n')) == "5");
    CHECK(write_file_atomically("-rf", "6").has_value() && slurp("-rf") == "6");
    CHECK(write_file_atomically("a b\n", "7").has_value() && slurp("a b\n") == "7");
    return 0;
  });
  assert_int_equal(answer, 0);
  for (const std::string& wrong : {std::string(), temporary.path() + "/", temporary.path() + "/.",
                                   temporary.path() + "/..", std::string("/"), std::string("a\0b", 3)}) {
    const auto written = write_file_atomically(wrong, "1");
    assert_int_equal(written.error().code, REAPER_ERR_INVALID);
    assert_string_equal(written.error().stage.c_str(), "pid-file");
  }
  const auto absent = write_file_atomically(temporary.path() + "/absent/pid", "1");
  assert_int_equal(absent.error().sys_errno, ENOENT);
  assert_null(strstr(absent.error().message.c_str(), "no such file"));
  assert_int_equal(write_file_atomically(temporary.path() + "/plain/pid", "1").error().sys_errno, ENOTDIR);
  assert_int_equal(write_file_atomically(temporary.path() + "/" + std::string(256, 'n'), "1").error().sys_errno,
                   ENAMETOOLONG);
  assert_null(strchr(write_file_atomically("/absent/\n/x", "1").error().message.c_str(), '\n'));
}

void a_link_is_replaced(void**) {
  const TemporaryDirectory temporary;
  const std::string victim = temporary.path() + "/victim", path = temporary.path() + "/pid";
  assert_true(spill(victim, "precious"));
  assert_int_equal(symlink("victim", path.c_str()), 0);
  assert_true(write_file_atomically(path, "1").has_value());
  struct stat status{};
  assert_int_equal(lstat(path.c_str(), &status), 0);
  assert_true(S_ISREG(status.st_mode));
  assert_string_equal(slurp(victim).c_str(), "precious");
  assert_int_equal(unlink(path.c_str()), 0);
  assert_int_equal(symlink("absent", path.c_str()), 0);
  assert_true(write_file_atomically(path, "2").has_value());
  assert_false(exists(temporary.path() + "/absent"));
  assert_int_equal(link(victim.c_str(), (temporary.path() + "/hard").c_str()), 0);
  assert_true(write_file_atomically(temporary.path() + "/hard", "3").has_value());
  assert_string_equal(slurp(victim).c_str(), "precious");
}

void what_is_no_file_stays(void**) {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/pid";
  const auto refused = [&] {
    assert_int_equal(write_file_atomically(path, "1").error().code, REAPER_ERR_INVALID);
    assert_int_equal(entries(temporary.path()), 1);
  };
  assert_int_equal(mkfifo(path.c_str(), 0600), 0);
  refused();
  assert_int_equal(unlink(path.c_str()), 0);
  assert_int_equal(mkdir(path.c_str(), 0700), 0);
  refused();
  assert_int_equal(rmdir(path.c_str()), 0);
  if (mknod(path.c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0) refused();
}

void the_mode_is_by_the_umask(void**) {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/pid";
  for (const mode_t mask : {0U, 022U, 077U, 0777U}) {
    const mode_t before = umask(mask);
    const auto written = write_file_atomically(path, "1");
    assert_int_equal(umask(before), mask);
    assert_true(written.has_value());
    assert_int_equal(mode_of(path), 0644 & ~mask);
  }
}

struct Fault {
  long call;
  int number;
  unsigned argument;
  uint32_t bits;
};

void a_failing_write_leaves_the_old_one(void**) {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/pid";
  assert_true(spill(path, "old"));
#ifdef SYS_renameat
  constexpr long rename_call = SYS_renameat;
#else
  constexpr long rename_call = SYS_renameat2;
#endif
  for (const Fault& fault : {Fault{SYS_write, ENOSPC, 0, 0}, Fault{SYS_openat, EMFILE, 2, O_CREAT},
                             Fault{SYS_openat, EACCES, 2, O_PATH}, Fault{rename_call, EIO, 0, 0}}) {
    const int answer = in_child([&] {
      if (!deny(fault.call, fault.number, fault.argument, fault.bits)) return skipped;
      return write_file_atomically(path, "new").error().sys_errno == fault.number ? 0 : 1;
    });
    assert_child(answer, "seccomp filters are not allowed here");
    assert_string_equal(slurp(path).c_str(), "old");
    assert_int_equal(entries(temporary.path()), 1);
  }
  const int answer = in_child([&] {
    const rlimit none{0, 0};
    CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);  // writing on would bring SIGXFSZ
    CHECK(write_file_atomically(path, "new").error().sys_errno == EFBIG);
    return 0;
  });
  assert_int_equal(answer, 0);
  assert_string_equal(slurp(path).c_str(), "old");
  assert_int_equal(entries(temporary.path()), 1);
}

void a_reader_never_sees_half_of_it(void**) {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/pid";
  const std::string one(3000, '1'), two(5000, '2');
  assert_true(write_file_atomically(path, one).has_value());
  std::atomic<bool> done{false}, failed{false};
  std::thread writer([&] {
    for (int round = 0; round < 300 && !failed; ++round) {
      if (!write_file_atomically(path, round % 2 == 0 ? two : one).has_value()) failed = true;
    }
    done = true;
  });
  int torn = 0;
  while (!done) {
    const std::string seen = slurp(path);
    if (seen != one && seen != two) ++torn;
  }
  writer.join();
  assert_int_equal(torn, 0);
  assert_false(failed);
  assert_int_equal(entries(temporary.path()), 1);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(it_is_written_exactly),
      cmocka_unit_test(names_of_every_form),
      cmocka_unit_test(a_link_is_replaced),
      cmocka_unit_test(what_is_no_file_stays),
      cmocka_unit_test(the_mode_is_by_the_umask),
      cmocka_unit_test(a_failing_write_leaves_the_old_one),
      cmocka_unit_test(a_reader_never_sees_half_of_it),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
