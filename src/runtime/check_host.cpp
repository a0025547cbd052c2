// The host's part of a preflight: reaper-init's image, the state directory, the pid file, and privileges that count in
// the first user namespace alone.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch/launch.h"
#include "runtime/check.h"
#include "runtime/console.h"
#include "runtime/report.h"

namespace reaper {

namespace {

// PROC_USER_INIT_INO of include/linux/proc_ns.h: capable(), not ns_capable(), asks there.
constexpr uint64_t first_user_namespace = 0xeffffffd;

bool has_bit(uint64_t set, int capability) {
  return (set >> capability & 1) != 0;
}

void check_image(Findings& findings) {
  const auto image = open_init_image();  // anonymous memory, gone at the end of this function
  if (!image.has_value())
    findings.add(image.error());
  else if (fcntl(image->get(), F_GET_SEALS) < 0)
    findings.note("", "memory files may not be executed here (vm.memfd_noexec): the installed reaper-init is used");
}

}  // namespace

void check_host(const Runtime& runtime, const CreateRequest& request, Findings& findings) {
  check_image(findings);
  const Status console = check_console_socket(request);
  if (!console.has_value()) findings.add(console.error());
  const Status state = StateRoot::check(runtime.root);
  if (!state.has_value()) findings.add(state.error());
}

void check_pid_file(const CreateRequest& request, Findings& findings) {
  if (!request.pid_file) return;
  const Status pid_file = check_file_target(*request.pid_file);
  if (!pid_file.has_value()) findings.add(pid_file.error());
}

void check_process(const Process& process, const ProcessFacts& facts, Findings& findings) {
  if (!process.oom_score_adj) return;
  const auto own = read_oom_score_adj();
  const auto user_namespace = namespace_inode("user");
  const bool may = has_bit(facts.capabilities.effective, CAP_SYS_RESOURCE) && user_namespace.has_value() &&
                   *user_namespace == first_user_namespace;
  // The kernel compares with a floor that it shows nowhere (oom_score_adj_min): the present value, unless the process
  // has raised that itself since.
  if (may || !own.has_value() || *process.oom_score_adj >= *own) return;
  InitReport report;
  report.header.op = static_cast<uint16_t>(wire::Op::oom_score_adj);
  report.header.fault = static_cast<uint16_t>(wire::Fault::system_call);
  report.header.error = EACCES;
  report.pointer = "/process/oomScoreAdj";
  report.text = "/proc/self/oom_score_adj";
  findings.add(error_of(report));
}

void note_privileges(const Process& process, const Plan& plan, const ProcessFacts& facts, Findings& findings) {
  const PlannedIdentity& identity = plan.identity;
  const uint64_t regained = identity.after_exec.permitted & ~identity.before_exec.permitted;
  if (process.capabilities && regained != 0)
    findings.note("/process/capabilities",
                  "execve(2) gives uid 0 what the bounding set leaves, whatever permitted says: restrict bounding too, "
                  "or set noNewPrivileges");
  // What was left in a bounding set that was restricted was left on purpose.
  const bool restricted = identity.before_exec.bounding != facts.capabilities.bounding;
  if (!restricted && !identity.no_new_privs && (identity.before_exec.bounding & ~identity.after_exec.permitted) != 0)
    findings.note("/process/noNewPrivileges",
                  "the bounding set is as full as the caller's, so a set-user-id program can win back every capability "
                  "in it: true prevents that");
}

}  // namespace reaper
