// The record of how the container ended, in the state directory (docs/state.md, `exit`): one line with a checksum,
// written into a file that exists already, and renamed to its name.
#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/time.h>

#include "init/stages.h"
#include "init/sys.h"

namespace reaper::init {

namespace {

constexpr const char* temporary_name = ".exit.new";
constexpr const char* record_name = "exit";
constexpr int cld_exited = 1;  // CLD_EXITED and CLD_DUMPED, waitid(2)
constexpr int cld_dumped = 3;
constexpr uint64_t record_size = 256;  // seven numbers of at most 20 digits, their blanks, and the checksum

// A line that grows.
struct Line {
  char text[record_size] = {};
  uint64_t size = 0;

  void add(char character) {
    if (size < record_size) text[size++] = character;
  }
  void add_number(int64_t value) {
    char digits[20];
    char* const end = digits + sizeof digits;
    if (value < 0) add('-');
    const uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    for (const char* digit = digits_before(end, magnitude); digit != end; ++digit) add(*digit);
    add(' ');
  }
  // 64-bit FNV-1a of what stands before it, as in every file of the state directory.
  void add_checksum() {
    uint64_t sum = 0xcbf29ce484222325U;
    for (uint64_t i = 0; i < size; ++i) sum = (sum ^ static_cast<unsigned char>(text[i])) * 0x100000001b3U;
    for (int shift = 60; shift >= 0; shift -= 4) add("0123456789abcdef"[sum >> shift & 15]);
    add('\n');
  }
};

int64_t now_ns() {
  struct {
    int64_t seconds, nanoseconds;
  } now = {};
  call(__NR_clock_gettime, CLOCK_REALTIME, &now);
  return now.seconds * 1000000000 + now.nanoseconds;
}

}  // namespace

int prepare_exit_record(int state_directory) {
  const long mask = call(__NR_umask, 0177);
  const long file =
      call(__NR_openat, state_directory, temporary_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  call(__NR_umask, mask);
  if (file < 0) return static_cast<int>(file);
  const Line blank;
  const long written = call_again(__NR_write, file, blank.text, record_size);
  if (written == static_cast<long>(record_size)) return static_cast<int>(file);
  call(__NR_close, file);
  return static_cast<int>(written < 0 ? written : -ENOSPC);
}

void write_exit_record(int state_directory, int record, const Ending& ending) {
  const bool exited = ending.code == cld_exited;
  Line line;
  line.add_number(exited ? ending.status : -1);
  line.add_number(exited ? 0 : ending.status);
  line.add_number(ending.code == cld_dumped ? 1 : 0);
  line.add_number(now_ns());
  line.add_number(ending.user_us);
  line.add_number(ending.system_us);
  line.add_number(ending.max_rss_kib);
  line.add_checksum();
  // Nobody reads it before it has its name. A failure is left at that: a container that was deleted meanwhile has no
  // directory any more, and without the record the status is unknown, never a wrong one.
  if (call(__NR_pwrite64, record, line.text, line.size, 0) != static_cast<long>(line.size)) return;
  if (call(__NR_ftruncate, record, line.size) < 0) return;
  call(__NR_renameat2, state_directory, temporary_name, state_directory, record_name, 0);
}

}  // namespace reaper::init
