#include "report.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>

#include "errno_name.h"

namespace reaper::cli {

namespace {

struct {
  const char* command = nullptr;
  int log = -1;
  bool json = false;
  bool debug = false;
} state;

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

std::string now() {
  timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return rfc3339(int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec);
}

// One line whatever the message quotes: control characters would break it, or drive a terminal.
std::string one_line(std::string_view message) {
  std::string line;
  for (char c : message) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
      line += c;
      continue;
    }
    char escape[8];
    snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(c));
    line += escape;
  }
  return line;
}

// The same wherever a message ends up: a log may have many writers.
std::string prefix() {
  std::string text = "reaper-runtime: ";
  if (state.command != nullptr) (text += state.command) += ": ";
  return text;
}

void write_stderr(const char* kind, std::string_view message) {
  std::string line = prefix() + kind;
  // One write: lines of concurrent commands do not mix. Nothing can be done about a failure here.
  (void)write_all(STDERR_FILENO, (line += one_line(message)) += '\n');
}

void write_log(const char* level, std::string_view message) {
  if (state.log < 0) return;
  std::string text = json_string(prefix() + std::string(message));
  std::string entry;
  if (state.json) {
    entry = std::string("{\"level\":\"") + level + "\",\"msg\":" + text + ",\"time\":\"" + now() + "\"}\n";
  } else {
    entry = "time=\"" + now() + "\" level=" + level + " msg=" + text + "\n";
  }
  if (!write_all(state.log, entry)) write_stderr("warning: ", "cannot write the log: " + errno_name(errno));
}

// Length of the UTF-8 sequence at the start of `text`, or 0 (RFC 3629: no surrogates, no overlong forms).
size_t utf8_length(std::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  auto tail = [&](size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    bool range = (first != 0xe0 || byte(1) >= 0xa0) && (first != 0xed || byte(1) <= 0x9f);
    return range && tail(1) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    bool range = (first != 0xf0 || byte(1) >= 0x90) && (first != 0xf4 || byte(1) <= 0x8f);
    return range && tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

std::string with_errno(std::string_view what) {
  return std::string(what) + ": " + errno_name(errno);
}

}  // namespace

std::string rfc3339(int64_t nanoseconds_since_1970) {
  using namespace std::chrono;
  sys_time<nanoseconds> instant{nanoseconds{nanoseconds_since_1970}};
  auto day = floor<days>(instant);
  year_month_day date{day};
  hh_mm_ss<nanoseconds> clock{instant - day};
  char text[64];
  snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%09dZ", static_cast<int>(date.year()),
           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
           static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
           static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

std::string json_string(std::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    size_t length = utf8_length(text);
    char c = text[0];
    if (length == 0) {
      json += "\\ufffd";
      length = 1;
    } else if (c == '"' || c == '\\') {
      (json += '\\') += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned char>(c));
      json += escape;
    } else {
      json.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  return json += '"';
}

namespace {

// Where a link of ours or of root's leads; nothing with ELOOP for anybody else's. What was judged is what is read:
// another link may stand at the path by now.
std::optional<std::string> trusted_target(const std::string& path) {
  const int link = open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (link < 0) return std::nullopt;
  struct stat status = {};
  char target[PATH_MAX];
  const bool trusted = fstat(link, &status) == 0 && (status.st_uid == geteuid() || status.st_uid == 0);
  const ssize_t length = readlinkat(link, "", target, sizeof target);
  close(link);
  errno = ELOOP;
  if (!trusted || length <= 0) return std::nullopt;
  const std::string name(target, static_cast<size_t>(length));
  return name.starts_with('/') ? name : path.substr(0, path.rfind('/') + 1) + name;
}

// The log often lies in a bundle, and a bundle may be a tenant's: their link is not followed (/dev/stderr is root's),
// and a FIFO that nobody reads is an error, not a hang. -1 and errno.
int open_log(const std::string& path) {
  constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  const int direct = open(path.c_str(), flags | O_NOFOLLOW, 0600);
  if (direct >= 0 || errno != ELOOP) return direct;
  const auto target = trusted_target(path);
  return target ? open(target->c_str(), flags, 0600) : -1;
}

constexpr size_t longest_name = 1024;  // in a message: what is said of it must stay in sight

// Only a FIFO stays without waiting: nothing is lost elsewhere.
bool let_wait(int log) {
  struct stat status = {};
  if (fstat(log, &status) != 0) return false;
  return S_ISFIFO(status.st_mode) || fcntl(log, F_SETFL, O_APPEND) == 0;
}

}  // namespace

bool open_report(const Arguments& arguments) {
  if (arguments.row != nullptr) state.command = arguments.row->name;
  state.json = arguments.has(Opt::log_format) && strcmp(arguments.text(Opt::log_format), "json") == 0;
  state.debug = arguments.has(Opt::debug) ||
                (arguments.has(Opt::log_level) && strcmp(arguments.text(Opt::log_level), "debug") == 0);
  if (!arguments.has(Opt::log)) return true;
  state.log = open_log(arguments.text(Opt::log));
  if (state.log >= 0 && let_wait(state.log)) return true;
  fail_errno("open the log " + std::string(arguments.text(Opt::log)).substr(0, longest_name));
  return false;
}

int fail(std::string_view message) {
  write_stderr("", message);
  write_log("error", message);
  return 1;
}

int fail(reaper_error* error) {
  int code = fail(reaper_error_message(error));
  reaper_error_free(error);
  return code;
}

int fail_errno(std::string_view what) {
  return fail(with_errno(what));
}

int fail_out_of_memory() {
  (void)write_all(STDERR_FILENO, "reaper-runtime: out of memory\n");
  return 1;
}

void warn(std::string_view message) {
  write_stderr("warning: ", message);
  if (state.debug) write_log("warning", message);
}

void warn_errno(std::string_view what) {
  warn(with_errno(what));
}

void log_message(void*, int32_t level, const char* message) {
  // An error is returned as well, and reported once by whoever receives it.
  if (level == REAPER_LOG_WARNING) return warn(message);
  if (level == REAPER_LOG_ERROR || !state.debug) return;
  const char* name = level == REAPER_LOG_INFO ? "info" : "debug";
  write_stderr(level == REAPER_LOG_INFO ? "info: " : "debug: ", message);
  write_log(name, message);
}

int print(std::string_view text) {
  return write_all(STDOUT_FILENO, text) ? 0 : fail_errno("write to stdout");
}

int print_line(std::string_view text) {
  std::string line(text);
  if (!line.ends_with('\n')) line += '\n';
  return print(line);
}

}  // namespace reaper::cli
