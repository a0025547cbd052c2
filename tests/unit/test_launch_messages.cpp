// What init reports becomes a sentence: the exact words that callers search for, and nothing of theirs elsewhere.
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "launch/frames.h"
#include "unit/cmocka_cpp.h"

using namespace reaper;
using wire::Fault;
using wire::Op;

namespace {

std::string payload(Op op, Fault fault, int error, uint64_t a, uint64_t b, std::string_view pointer,
                    std::string_view text) {
  wire::ErrorHeader header = {static_cast<uint16_t>(op),
                              static_cast<uint16_t>(fault),
                              error,
                              a,
                              b,
                              static_cast<uint16_t>(pointer.size()),
                              static_cast<uint16_t>(text.size()),
                              0};
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  return bytes.append(pointer).append(text);
}

struct Row {
  Op op;
  Fault fault;
  int error;
  uint64_t a, b;
  const char* pointer;
  const char* text;
  int code;
  const char* stage;
  const char* message;
};

void sentences(void**) {
  const Row rows[] = {
      {Op::find, Fault::not_found, ENOENT, 0, 0, "/process/args/0", "web", REAPER_ERR_EXEC, "find",
       "exec: \"web\": executable file not found in $PATH"},
      {Op::find, Fault::not_executable, EACCES, 0, 0, "/process/args/0", "/etc/passwd", REAPER_ERR_EXEC, "find",
       "exec: \"/etc/passwd\": permission denied"},
      {Op::find, Fault::system_call, ENOENT, 0, 0, "/process/args/0", "/no", REAPER_ERR_EXEC, "find",
       "exec \"/no\": no such file or directory"},
      {Op::find, Fault::system_call, ELOOP, 0, 0, "/process/args/0", "/l", REAPER_ERR_EXEC, "find",
       "exec: \"/l\": ELOOP"},
      {Op::exec, Fault::system_call, ENOENT, 0, 0, "/process/args", "/x", REAPER_ERR_EXEC, "execve",
       "exec \"/x\": no such file or directory (the file itself, or the interpreter that it names)"},
      {Op::exec, Fault::system_call, EACCES, 0, 0, "/process/args", "/x", REAPER_ERR_EXEC, "execve",
       "exec: \"/x\": permission denied"},
      {Op::exec, Fault::system_call, ENOEXEC, 0, 0, "/process/args", "/x", REAPER_ERR_EXEC, "execve",
       "exec: \"/x\": ENOEXEC: not a program that this machine runs, and no #! line"},
      {Op::chdir, Fault::directory, ENOENT, 0, 0755, "/process/cwd", "/srv/x", REAPER_ERR_SYSTEM, "chdir",
       "/process/cwd: chdir: ENOENT: component \"/srv/x\" is missing"},
      {Op::chdir, Fault::directory, ENOTDIR, 0, 0755, "/process/cwd", "/etc/passwd", REAPER_ERR_SYSTEM, "chdir",
       "/process/cwd: chdir: ENOTDIR: component \"/etc/passwd\" is not a directory"},
      {Op::chdir, Fault::directory, EACCES, 1000, 0700, "/process/cwd", "/root/x", REAPER_ERR_PERMISSION, "chdir",
       "/process/cwd: chdir: EACCES: component \"/root/x\" cannot be entered by uid 1000 (a mode on the way is 0700)"},
      {Op::chdir, Fault::directory, EIO, 1000, 0700, "/process/cwd", "/d", REAPER_ERR_SYSTEM, "chdir",
       "/process/cwd: chdir: EIO: component \"/d\" cannot be entered by uid 1000"},
      {Op::chdir, Fault::escaped, 0, 0, 0, "/process/cwd", "/proc/self/fd/9", REAPER_ERR_INVALID, "getcwd",
       "/process/cwd: \"/proc/self/fd/9\" lies outside the root directory"},
      {Op::uid, Fault::system_call, EPERM, 0, 0, "/process/user/uid", "", REAPER_ERR_PERMISSION, "setresuid",
       "/process/user/uid: setresuid: EPERM; needs CAP_SETUID; run as root or leave out /process/user"},
      {Op::rlimit, Fault::system_call, EPERM, 0, 0, "/process/rlimits/2", "", REAPER_ERR_PERMISSION, nullptr,
       "; raising a hard limit needs CAP_SYS_RESOURCE"},
      {Op::oom_score_adj, Fault::system_call, EACCES, 0, 0, "/process/oomScoreAdj", "/proc/self/oom_score_adj",
       REAPER_ERR_PERMISSION, nullptr,
       "/proc/self/oom_score_adj; lowering it below the caller's needs CAP_SYS_RESOURCE"},
      {Op::bounding, Fault::system_call, EPERM, 0, 0, "/process/capabilities/bounding", "", REAPER_ERR_PERMISSION,
       nullptr, "EPERM: CAP_CHOWN; needs CAP_SETPCAP"},
      {Op::groups, Fault::system_call, ENOMEM, 0, 0, "/process/user", "", REAPER_ERR_NO_MEMORY, "setgroups",
       "/process/user: setgroups: ENOMEM"},
      {Op::verify, Fault::mismatch, 0, 1000, 0, "/process", "uid", REAPER_ERR_VERIFY, "verify",
       "verify: uid is 0 instead of 1000: the program was not executed"},
      {Op::verify, Fault::mismatch, 0, 0x400, 0x401, "/process", "ambient", REAPER_ERR_VERIFY, "verify",
       "verify: ambient is 0x401 instead of 0x400: the program was not executed"},
      {Op::verify, Fault::regained, 0, 0, 0, "/process", "setresuid", REAPER_ERR_VERIFY, "verify",
       "verify: setresuid gives root back, which it must not: the program was not executed"},
      {Op::device, Fault::system_call, EEXIST, 0, 0, "", "/dev/zero", REAPER_ERR_SYSTEM, "mknod",
       "mknod: EEXIST: /dev/zero; what stands there is not this device (an empty file: "},
      {Op{}, Fault::system_call, EMFILE, 0, 0, "", "fcntl F_DUPFD_CLOEXEC", REAPER_ERR_SYSTEM, "setup",
       "setup: EMFILE: fcntl F_DUPFD_CLOEXEC"},
      {Op::gate, Fault::malformed, 0, 16, 0, "", "", REAPER_ERR_INTERNAL, "protocol",
       "reaper-init cannot read the plan (offset 16)"},
  };
  for (const Row& row : rows) {
    const Error error = error_from_frame(payload(row.op, row.fault, row.error, row.a, row.b, row.pointer, row.text));
    if (error.code != row.code || error.message.find(row.message) == std::string::npos ||
        (row.stage != nullptr && error.stage != row.stage) || error.pointer != row.pointer ||
        error.sys_errno != (row.fault == Fault::malformed ? EPROTO : row.error))
      fail_msg("wanted %d %s '%s', got %d %s '%s' at %s", row.code, row.stage, row.message, error.code,
               error.stage.c_str(), error.message.c_str(), error.pointer.c_str());
  }
}

// Row 7 of the advisories: lengths that do not add up are refused, whatever they are.
void lengths_are_checked(void**) {
  const std::string good = payload(Op::uid, Fault::system_call, EPERM, 0, 0, "/process/user/uid", "text");
  for (size_t size = 0; size < good.size(); ++size)
    assert_int_equal(error_from_frame(good.substr(0, size)).code, REAPER_ERR_INTERNAL);
  assert_int_equal(error_from_frame(good + "x").code, REAPER_ERR_INTERNAL);
  for (size_t at = offsetof(wire::ErrorHeader, pointer_size); at < offsetof(wire::ErrorHeader, reserved); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    assert_int_equal(error_from_frame(bad).code, REAPER_ERR_INTERNAL);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(sentences), cmocka_unit_test(lengths_are_checked)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
