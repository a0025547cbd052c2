#include "runtime/id_maps.h"

#include <locale.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/numbers.h"
#include "plan/plan.h"
#include "runtime/container.h"
#include "runtime/process.h"
#include "runtime/report.h"

namespace reaper {

namespace {

constexpr std::chrono::seconds limit{10};

Error helper_error(const std::string& program, std::string_view pointer, int code, const std::string& what) {
  return {code, code == REAPER_ERR_PERMISSION ? EPERM : 0, std::string(pointer) + ": " + program + " " + what,
          std::string(pointer), "user_namespace"};
}

// What it wrote to its standard error, as one line. Some of its words would be taken for ours (callers.md).
std::string words_of(const Fd& file) {
  char text[512];
  const ssize_t got = pread(file.get(), text, sizeof text, 0);
  std::string words = got > 0 ? printable(std::string_view(text, static_cast<size_t>(got)), sizeof text) : "";
  while (words.ends_with("\\n")) words.resize(words.size() - 2);
  // The untranslated words; strerrordesc_np(3) is glibc's alone, from 2.32 on.
  const locale_t untranslated = newlocale(LC_ALL_MASK, "C", nullptr);
  for (const int number : {ENOENT, EACCES, ESRCH, EEXIST})
    if (words.find(strerror_l(number, untranslated)) != std::string::npos) words = errno_name(number);
  freelocale(untranslated);
  return words;
}

// As hooks are run: below a reaper-init that tells how it ended, so that nothing of it reaches the host's SIGCHLD.
Status run_helper(Runtime& runtime, const std::string& program, const std::string& map, std::string_view pointer,
                  int32_t pid) {
  Hook hook;
  hook.path = program;
  hook.args = {program, std::to_string(pid)};
  std::string_view left = map;
  for (auto number = next_word(left); !number.empty(); number = next_word(left)) hook.args.emplace_back(number);
  const Fd output(memfd_create("reaper-map", MFD_CLOEXEC));
  if (!output) return fail(system_error("user_namespace", "memfd_create"));
  const ProcessFacts facts = TRY(read_process_facts());
  const Plan plan = TRY(make_hook_plan(hook, std::string(pointer), "/", facts));
  const std::string blob = TRY(encode_plan(plan));
  LaunchRequest request;
  request.init_image = TRY(init_image(runtime));
  request.plan = blob;
  request.stdio[2] = output.get();
  request.facts = &facts;
  Launched launched = TRY(clone_init(request));
  Result<ProcessEnd> end = ProcessEnd{};
  const Status cloned = await_cloned(launched);
  if (cloned.has_value())
    end = await_ended(launched, std::chrono::steady_clock::now() + limit);
  else
    end = fail(cloned.error());
  end_launched(launched);
  if (!end.has_value())
    return fail(helper_error(program, pointer, REAPER_ERR_SYSTEM, "failed: " + errno_name(end.error().sys_errno)));
  if (end->code == CLD_EXITED && end->status == 0) return {};
  const std::string words = words_of(output);
  return fail(helper_error(program, pointer, REAPER_ERR_PERMISSION,
                           "refused" + (words.empty() ? std::string() : ": " + words) +
                               "; the caller needs entries for these ranges in /etc/subuid and /etc/subgid"));
}

}  // namespace

Status map_ids(Runtime& runtime, const Launched& launched, const UserNamespaceMaps& maps) {
  if (!maps.fresh) return {};
  return write_id_maps(launched, maps,
                       [&](const std::string& program, const std::string& map, std::string_view pointer) {
                         return run_helper(runtime, program, map, pointer, launched.pid);
                       });
}

}  // namespace reaper
