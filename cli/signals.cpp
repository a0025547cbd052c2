// The names are those of signal(7), with its synonyms.
#include "signals.h"

#include <csignal>
#include <string>

namespace reaper::cli {

namespace {

struct Name {
  const char* name;
  int number;
};

constexpr Name signal_names[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT},     {"ILL", SIGILL},   {"TRAP", SIGTRAP},
    {"ABRT", SIGABRT}, {"IOT", SIGABRT},      {"BUS", SIGBUS},       {"FPE", SIGFPE},   {"KILL", SIGKILL},
    {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},     {"USR2", SIGUSR2},     {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},
    {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT}, {"CHLD", SIGCHLD},     {"CLD", SIGCHLD},  {"CONT", SIGCONT},
    {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},     {"TTIN", SIGTTIN},     {"TTOU", SIGTTOU}, {"URG", SIGURG},
    {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},     {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
    {"IO", SIGIO},     {"POLL", SIGPOLL},     {"PWR", SIGPWR},       {"SYS", SIGSYS},
};

// Up to three digits; -1 otherwise.
int parse_digits(std::string_view word) {
  if (word.empty() || word.size() > 3) return -1;
  int number = 0;
  for (char c : word) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

// RTMIN, RTMIN+n, RTMAX, RTMAX-n: the C library keeps the first ones for itself, so these are not constants.
int parse_realtime(std::string_view word) {
  bool from_least = word.starts_with("RTMIN");
  if (!from_least && !word.starts_with("RTMAX")) return -1;
  int number = from_least ? SIGRTMIN : SIGRTMAX;
  word.remove_prefix(5);
  if (word.empty()) return number;
  if (word[0] != (from_least ? '+' : '-')) return -1;
  int offset = parse_digits(word.substr(1));
  if (offset < 0) return -1;
  number += from_least ? offset : -offset;
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : -1;
}

}  // namespace

int parse_signal(std::string_view word) {
  if (int number = parse_digits(word); number >= 0) return number >= 1 && number <= SIGRTMAX ? number : -1;
  std::string upper(word);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  std::string_view bare = upper;
  if (bare.starts_with("SIG")) bare.remove_prefix(3);
  for (const Name& row : signal_names) {
    if (bare == row.name) return row.number;
  }
  return parse_realtime(bare);
}

}  // namespace reaper::cli
