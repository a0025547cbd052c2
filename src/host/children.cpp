// Direct children of a process. The kernel lists them by the thread that is their parent (CONFIG_PROC_CHILDREN).
#include "host/children.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "host/numbers.h"
#include "host/proc_file.h"

namespace reaper {

namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// The names in `path` that are numbers: the threads of a process, or the processes of /proc.
Result<std::vector<int32_t>> numbered_entries(const std::string& path) {
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path.c_str()));
  if (directory == nullptr) return fail(system_error("facts", "opendir " + path));
  std::vector<int32_t> numbers;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr && errno != 0) return fail(system_error("facts", "readdir " + path));
    if (entry == nullptr) return numbers;
    if (const auto number = parse_number<int32_t>(entry->d_name)) numbers.push_back(*number);
  }
}

bool is_gone(const Error& error) {
  return error.sys_errno == ENOENT || error.sys_errno == ESRCH;
}

Result<std::vector<int32_t>> threads_of(int32_t pid) {
  Result<std::vector<int32_t>> threads = numbered_entries("/proc/" + std::to_string(pid) + "/task");
  if (!threads.has_value() && is_gone(threads.error())) return fail(no_process(pid, threads.error().sys_errno));
  return threads;
}

Result<std::vector<int32_t>> listed_children(int32_t pid) {
  std::vector<int32_t> children;
  for (const int32_t thread : TRY(threads_of(pid))) {
    const std::string path = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(thread) + "/children";
    const Result<std::string> text = read_proc_file(path);
    if (!text.has_value() && is_gone(text.error())) continue;  // this thread has ended; its children moved to another
    if (!text.has_value()) return fail(text.error());
    std::string_view rest = *text;
    for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest))
      if (const auto child = parse_number<int32_t>(word)) children.push_back(*child);
  }
  return children;
}

bool kernel_lists_children() {
  struct stat status = {};
  return stat("/proc/thread-self/children", &status) == 0;
}

}  // namespace

Result<std::vector<int32_t>> scan_children(int32_t pid) {
  TRY(threads_of(pid));
  std::vector<int32_t> children;
  for (const int32_t other : TRY(numbered_entries("/proc"))) {
    const Result<ProcessStat> stat = read_process_stat(other);
    if (!stat.has_value() && stat.error().code != REAPER_ERR_NOT_FOUND) return fail(stat.error());
    if (stat.has_value() && stat->parent == pid) children.push_back(other);
  }
  return children;
}

Result<std::vector<int32_t>> read_children(int32_t pid) {
  std::vector<int32_t> children = TRY(kernel_lists_children() ? listed_children(pid) : scan_children(pid));
  std::sort(children.begin(), children.end());
  children.erase(std::unique(children.begin(), children.end()), children.end());
  return children;
}

}  // namespace reaper
