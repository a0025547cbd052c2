// Names of errno values and signals, and the two ways an Error is made.
#include "core/error.h"

#include <csignal>

#include "core/utf8.h"

namespace reaper {

namespace {

struct Named {
  int number;
  const char* name;
};

// glibc's strerrorname_np is younger (2.32) than the oldest glibc we build for. Values that are aliases on Linux
// (EWOULDBLOCK, EDEADLOCK, ENOTSUP) have the name of the older one.
// clang-format off
#define REAPER_NAMED(name) {name, #name}
constexpr Named errno_names[] = {
    REAPER_NAMED(EPERM), REAPER_NAMED(ENOENT), REAPER_NAMED(ESRCH), REAPER_NAMED(EINTR), REAPER_NAMED(EIO),
    REAPER_NAMED(ENXIO), REAPER_NAMED(E2BIG), REAPER_NAMED(ENOEXEC), REAPER_NAMED(EBADF), REAPER_NAMED(ECHILD),
    REAPER_NAMED(EAGAIN), REAPER_NAMED(ENOMEM), REAPER_NAMED(EACCES), REAPER_NAMED(EFAULT), REAPER_NAMED(ENOTBLK),
    REAPER_NAMED(EBUSY), REAPER_NAMED(EEXIST), REAPER_NAMED(EXDEV), REAPER_NAMED(ENODEV), REAPER_NAMED(ENOTDIR),
    REAPER_NAMED(EISDIR), REAPER_NAMED(EINVAL), REAPER_NAMED(ENFILE), REAPER_NAMED(EMFILE), REAPER_NAMED(ENOTTY),
    REAPER_NAMED(ETXTBSY), REAPER_NAMED(EFBIG), REAPER_NAMED(ENOSPC), REAPER_NAMED(ESPIPE), REAPER_NAMED(EROFS),
    REAPER_NAMED(EMLINK), REAPER_NAMED(EPIPE), REAPER_NAMED(EDOM), REAPER_NAMED(ERANGE), REAPER_NAMED(EDEADLK),
    REAPER_NAMED(ENAMETOOLONG), REAPER_NAMED(ENOLCK), REAPER_NAMED(ENOSYS), REAPER_NAMED(ENOTEMPTY),
    REAPER_NAMED(ELOOP), REAPER_NAMED(ENOMSG), REAPER_NAMED(EIDRM), REAPER_NAMED(ECHRNG), REAPER_NAMED(EL2NSYNC),
    REAPER_NAMED(EL3HLT), REAPER_NAMED(EL3RST), REAPER_NAMED(ELNRNG), REAPER_NAMED(EUNATCH), REAPER_NAMED(ENOCSI),
    REAPER_NAMED(EL2HLT), REAPER_NAMED(EBADE), REAPER_NAMED(EBADR), REAPER_NAMED(EXFULL), REAPER_NAMED(ENOANO),
    REAPER_NAMED(EBADRQC), REAPER_NAMED(EBADSLT), REAPER_NAMED(EBFONT), REAPER_NAMED(ENOSTR), REAPER_NAMED(ENODATA),
    REAPER_NAMED(ETIME), REAPER_NAMED(ENOSR), REAPER_NAMED(ENONET), REAPER_NAMED(ENOPKG), REAPER_NAMED(EREMOTE),
    REAPER_NAMED(ENOLINK), REAPER_NAMED(EADV), REAPER_NAMED(ESRMNT), REAPER_NAMED(ECOMM), REAPER_NAMED(EPROTO),
    REAPER_NAMED(EMULTIHOP), REAPER_NAMED(EDOTDOT), REAPER_NAMED(EBADMSG), REAPER_NAMED(EOVERFLOW),
    REAPER_NAMED(ENOTUNIQ), REAPER_NAMED(EBADFD), REAPER_NAMED(EREMCHG), REAPER_NAMED(ELIBACC), REAPER_NAMED(ELIBBAD),
    REAPER_NAMED(ELIBSCN), REAPER_NAMED(ELIBMAX), REAPER_NAMED(ELIBEXEC), REAPER_NAMED(EILSEQ),
    REAPER_NAMED(ERESTART), REAPER_NAMED(ESTRPIPE), REAPER_NAMED(EUSERS), REAPER_NAMED(ENOTSOCK),
    REAPER_NAMED(EDESTADDRREQ), REAPER_NAMED(EMSGSIZE), REAPER_NAMED(EPROTOTYPE), REAPER_NAMED(ENOPROTOOPT),
    REAPER_NAMED(EPROTONOSUPPORT), REAPER_NAMED(ESOCKTNOSUPPORT), REAPER_NAMED(EOPNOTSUPP),
    REAPER_NAMED(EPFNOSUPPORT), REAPER_NAMED(EAFNOSUPPORT), REAPER_NAMED(EADDRINUSE), REAPER_NAMED(EADDRNOTAVAIL),
    REAPER_NAMED(ENETDOWN), REAPER_NAMED(ENETUNREACH), REAPER_NAMED(ENETRESET), REAPER_NAMED(ECONNABORTED),
    REAPER_NAMED(ECONNRESET), REAPER_NAMED(ENOBUFS), REAPER_NAMED(EISCONN), REAPER_NAMED(ENOTCONN),
    REAPER_NAMED(ESHUTDOWN), REAPER_NAMED(ETOOMANYREFS), REAPER_NAMED(ETIMEDOUT), REAPER_NAMED(ECONNREFUSED),
    REAPER_NAMED(EHOSTDOWN), REAPER_NAMED(EHOSTUNREACH), REAPER_NAMED(EALREADY), REAPER_NAMED(EINPROGRESS),
    REAPER_NAMED(ESTALE), REAPER_NAMED(EUCLEAN), REAPER_NAMED(ENOTNAM), REAPER_NAMED(ENAVAIL), REAPER_NAMED(EISNAM),
    REAPER_NAMED(EREMOTEIO), REAPER_NAMED(EDQUOT), REAPER_NAMED(ENOMEDIUM), REAPER_NAMED(EMEDIUMTYPE),
    REAPER_NAMED(ECANCELED), REAPER_NAMED(ENOKEY), REAPER_NAMED(EKEYEXPIRED), REAPER_NAMED(EKEYREVOKED),
    REAPER_NAMED(EKEYREJECTED), REAPER_NAMED(EOWNERDEAD), REAPER_NAMED(ENOTRECOVERABLE), REAPER_NAMED(ERFKILL),
    REAPER_NAMED(EHWPOISON),
};

constexpr Named signal_names[] = {
    REAPER_NAMED(SIGHUP), REAPER_NAMED(SIGINT), REAPER_NAMED(SIGQUIT), REAPER_NAMED(SIGILL), REAPER_NAMED(SIGTRAP),
    REAPER_NAMED(SIGABRT), REAPER_NAMED(SIGBUS), REAPER_NAMED(SIGFPE), REAPER_NAMED(SIGKILL), REAPER_NAMED(SIGUSR1),
    REAPER_NAMED(SIGSEGV), REAPER_NAMED(SIGUSR2), REAPER_NAMED(SIGPIPE), REAPER_NAMED(SIGALRM), REAPER_NAMED(SIGTERM),
    REAPER_NAMED(SIGSTKFLT), REAPER_NAMED(SIGCHLD), REAPER_NAMED(SIGCONT), REAPER_NAMED(SIGSTOP),
    REAPER_NAMED(SIGTSTP), REAPER_NAMED(SIGTTIN), REAPER_NAMED(SIGTTOU), REAPER_NAMED(SIGURG), REAPER_NAMED(SIGXCPU),
    REAPER_NAMED(SIGXFSZ), REAPER_NAMED(SIGVTALRM), REAPER_NAMED(SIGPROF), REAPER_NAMED(SIGWINCH),
    REAPER_NAMED(SIGIO), REAPER_NAMED(SIGPWR), REAPER_NAMED(SIGSYS),
};
#undef REAPER_NAMED
// clang-format on

template <size_t size>
const char* find_name(const Named (&table)[size], int number) {
  for (const Named& row : table) {
    if (row.number == number) return row.name;
  }
  return nullptr;
}

void append_hex(std::string& out, unsigned char byte) {
  constexpr char digits[] = "0123456789abcdef";
  out += "\\x";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

}  // namespace

const char* code_name(int code) {
  static constexpr const char* names[] = {
      "REAPER_OK",         "REAPER_ERR_INVALID",   "REAPER_ERR_UNSUPPORTED", "REAPER_ERR_NOT_FOUND",
      "REAPER_ERR_EXISTS", "REAPER_ERR_STATUS",    "REAPER_ERR_BUSY",        "REAPER_ERR_PERMISSION",
      "REAPER_ERR_SYSTEM", "REAPER_ERR_NO_MEMORY", "REAPER_ERR_TIMEOUT",     "REAPER_ERR_CORRUPT",
      "REAPER_ERR_VERIFY", "REAPER_ERR_EXEC",      "REAPER_ERR_UNKNOWN",     "REAPER_ERR_INTERNAL",
      "REAPER_ERR_HOOK"};
  constexpr int count = sizeof names / sizeof *names;
  return code <= 0 && code > -count ? names[-code] : "REAPER_ERR_?";
}

std::string errno_name(int number) {
  if (const char* name = find_name(errno_names, number)) return name;
  return "errno " + std::to_string(number);
}

std::string signal_name(int number) {
  if (const char* name = find_name(signal_names, number)) return name;
  // The libc keeps the kernel's first real-time signals for itself: SIGRTMIN is a call, not a constant.
  if (number == SIGRTMIN) return "SIGRTMIN";
  if (number > SIGRTMIN && number <= SIGRTMAX) return "SIGRTMIN+" + std::to_string(number - SIGRTMIN);
  return "signal " + std::to_string(number);
}

std::string printable(std::string_view text, size_t limit) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const size_t length = utf8_length(rest);
    const size_t step = length == 0 ? 1 : length;
    if (at + step > limit) return out + "...";
    if (length == 0 || begins_with_control(rest)) {
      for (size_t i = 0; i < step; i++) append_hex(out, static_cast<unsigned char>(rest[i]));
    } else {
      out += rest.substr(0, step);
    }
    at += step;
  }
  return out;
}

Error system_error(std::string_view stage, std::string_view what, int number) {
  Error error;
  switch (number) {
    case EPERM:
    case EACCES:
      error.code = REAPER_ERR_PERMISSION;
      break;
    case ENOMEM:
      error.code = REAPER_ERR_NO_MEMORY;
      break;
    default:
      error.code = REAPER_ERR_SYSTEM;
  }
  error.sys_errno = number;
  error.message = printable(what) + ": " + errno_name(number);
  error.stage = stage;
  return error;
}

Error config_error(int code, std::string_view pointer, std::string_view message) {
  Error error;
  error.code = code;
  // A pointer may be as long as config.json; error.pointer has it whole.
  if (!pointer.empty()) error.message = printable(pointer, 256) + ": ";
  error.message += printable(message);
  error.pointer = pointer;
  error.stage = "config";
  return error;
}

}  // namespace reaper
