// store/kept.h: what somebody else could have written is not there, and there is never too much of it.
#include "store/kept.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "store/files.h"
#include "unit/cmocka_cpp.h"
#include "unit/store_fixture.h"

namespace {

namespace fs = std::filesystem;

// A state directory, open.
class Place {
 public:
  Place() {
    char name[] = "/tmp/reaper-kept.XXXXXX";
    path = mkdtemp(name);
    root.emplace(*reaper::StateRoot::open(path.string() + "/root", true));
    kept = path / "root" / ".kept";
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { fs::remove_all(path); }
  std::optional<std::string> read(const std::string& name) const { return reaper::read_kept(*root, name); }
  void write(const std::string& name, std::string_view text) const { reaper::keep(*root, name, text); }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(kept), fs::directory_iterator()));
  }

  fs::path path, kept;
  std::optional<reaper::StateRoot> root;
};

void kept_and_read(void**) {
  const Place place;
  assert_false(place.read("a").has_value());
  place.write("a", "one");
  assert_string_equal(place.read("a")->c_str(), "one");
  place.write("a", "another");
  assert_string_equal(place.read("a")->c_str(), "another");
  assert_int_equal(place.files(), 1);
  struct stat status{};
  assert_int_equal(stat(place.kept.c_str(), &status), 0);
  assert_int_equal(status.st_mode & 07777, 0700);
  assert_int_equal(stat((place.kept / "a").c_str(), &status), 0);
  assert_int_equal(status.st_mode & 07777, 0600);
  // It is no container, and is not listed as one.
  assert_true(place.root->ids()->empty());
}

void nothing_is_believed_that_others_could_write(void**) {
  const Place place;
  place.write("a", "one");
  const std::string file = (place.kept / "a").string();
  for (const mode_t mode : {0620, 0602, 0640, 0604}) {
    assert_int_equal(chmod(file.c_str(), mode), 0);
    assert_false(place.read("a").has_value());
  }
  assert_int_equal(chmod(file.c_str(), 0600), 0);
  assert_true(place.read("a").has_value());
  // A second name, by which somebody may have it open.
  assert_int_equal(link(file.c_str(), (place.path / "other").c_str()), 0);
  assert_false(place.read("a").has_value());
  assert_int_equal(unlink((place.path / "other").c_str()), 0);
  assert_int_equal(chmod(place.kept.c_str(), 0770), 0);
  assert_false(place.read("a").has_value());
  place.write("b", "two");
  assert_false(fs::exists(place.kept / "b"));
  assert_int_equal(chmod(place.kept.c_str(), 0700), 0);
  assert_true(place.read("a").has_value());
  if (geteuid() == 0) {
    assert_int_equal(chown(file.c_str(), 1234, 0), 0);
    assert_false(place.read("a").has_value());
    place.write("a", "again");  // replaced
    assert_string_equal(place.read("a")->c_str(), "again");
    assert_int_equal(chown(place.kept.c_str(), 1234, 0), 0);
    assert_false(place.read("a").has_value());
  }
}

void only_a_file_is_read(void**) {
  const Place place;
  place.write("a", "one");
  fs::create_symlink("a", place.kept / "link");
  fs::create_directory(place.kept / "directory");
  assert_int_equal(mkfifo((place.kept / "fifo").c_str(), 0600), 0);
  for (const char* name : {"link", "directory", "fifo", "../root/.kept/a", ""})
    assert_false(place.read(name).has_value());
  // What stands in its place is replaced, but for a directory.
  place.write("link", "two");
  assert_string_equal(place.read("link")->c_str(), "two");
  assert_string_equal(place.read("a")->c_str(), "one");
  place.write("fifo", "three");
  assert_string_equal(place.read("fifo")->c_str(), "three");
  place.write("directory", "four");
  assert_false(place.read("directory").has_value());
  assert_int_equal(place.files(), 4);
}

void a_link_in_the_place_of_the_directory(void**) {
  const Place place;
  fs::create_directory(place.path / "elsewhere");
  fs::create_directory_symlink(place.path / "elsewhere", place.kept);
  place.write("a", "one");
  assert_false(place.read("a").has_value());
  assert_true(fs::is_empty(place.path / "elsewhere"));
}

void never_too_much(void**) {
  const Place place;
  place.write("long", std::string(reaper::max_kept_bytes + 1, 'x'));
  assert_false(fs::exists(place.kept / "long"));
  for (size_t i = 0; i < reaper::max_kept_files + 10; ++i) {
    place.write(std::to_string(i), "x");
    const timespec times[] = {{.tv_sec = 1000 + static_cast<time_t>(i), .tv_nsec = 0},
                              {.tv_sec = 1000 + static_cast<time_t>(i), .tv_nsec = 0}};
    assert_int_equal(utimensat(AT_FDCWD, (place.kept / std::to_string(i)).c_str(), times, 0), 0);
  }
  assert_int_equal(place.files(), reaper::max_kept_files);
  assert_false(place.read("9").has_value());
  assert_true(place.read("10").has_value());
  assert_true(place.read(std::to_string(reaper::max_kept_files + 9)).has_value());
  // Longer than anything that is written here.
  fs::resize_file(place.kept / "10", reaper::max_kept_bytes + 1);
  assert_false(place.read("10").has_value());
  fs::resize_file(place.kept / "10", 0);
  assert_false(place.read("10").has_value());
}

// Beyond RLIMIT_FSIZE a write would bring SIGXFSZ, which ends a host.
void not_beyond_the_limit_of_file_sizes(void**) {
  const Place place;
  place.write("a", "one");
  const int answer = reaper::test::in_child([&] {
    for (const rlim_t most : {2, 0}) {
      const rlimit limit{most, most};
      CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
      place.write("a", "another");
      place.write("b", "more");
    }
    return 0;
  });
  assert_int_equal(answer, 0);
  assert_string_equal(place.read("a")->c_str(), "one");
  assert_int_equal(place.files(), 1);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(kept_and_read),       cmocka_unit_test(nothing_is_believed_that_others_could_write),
      cmocka_unit_test(only_a_file_is_read), cmocka_unit_test(a_link_in_the_place_of_the_directory),
      cmocka_unit_test(never_too_much),      cmocka_unit_test(not_beyond_the_limit_of_file_sizes),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
