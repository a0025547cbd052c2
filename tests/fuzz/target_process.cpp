// The document of an exec, alone and laid over another one that stands behind a line "---": reading and planning it,
// for root, for an ordinary user, and into a user namespace with a filter.
#include <linux/sched.h>

#include <algorithm>

#include "fuzz/fuzz.h"
#include "plan/plan.h"
#include "unit/test_plan_support.h"

using namespace reaper;
using namespace reaper_test;

static void plan_it(const ExecProcess& exec, const ProcessFacts& facts, const ExecPlanOptions& options) {
  const auto plan = make_exec_plan(exec, facts, options);
  if (!plan.has_value()) {
    promise(!plan.error().message.empty() && !plan.error().stage.empty(), "an error says what and where");
    return;
  }
  promise(!plan_to_text(*plan).empty() && !plan_to_json(*plan).empty(), "every plan has a text");
  const bool filtered =
      std::ranges::any_of(plan->operations, [](const Operation& one) { return one.op == wire::Op::seccomp; });
  promise(filtered == (options.filter != nullptr), "the filter is in the plan if and only if there is one");
  (void)encode_plan(*plan);
}

static void judge(std::string_view text, std::optional<std::string_view> recorded) {
  const auto exec = parse_exec_process(text, recorded);
  if (!exec.has_value()) {
    const int code = exec.error().code;
    promise(code == REAPER_ERR_INVALID || code == REAPER_ERR_UNSUPPORTED, "a bad process is INVALID or UNSUPPORTED");
    promise(printable(exec.error().message, 1U << 20) == exec.error().message, "messages are printable");
    const std::string& pointer = exec.error().pointer;
    promise(pointer.empty() || pointer.starts_with("/process"), "pointers are those of config.json");
    return;
  }
  ExecPlanOptions options;
  plan_it(*exec, root_facts(), options);
  plan_it(*exec, user_facts(), options);
  auto filter = std::make_shared<SeccompFilter>();
  filter->instructions = {6};
  options.filter = filter;
  options.namespaces = CLONE_NEWUSER | CLONE_NEWPID;
  options.user = {{{0, 1000, 1}, {1, 100000, 65536}}, {{0, 1000, 1}, {1, 100000, 65536}}, false};
  plan_it(*exec, user_facts(), options);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view whole = text_of(data, size);
  constexpr std::string_view line = "\n---\n";
  const size_t at = whole.find(line);
  judge(whole.substr(0, at), std::nullopt);
  if (at != std::string_view::npos) judge(whole.substr(0, at), whole.substr(at + line.size()));
  return 0;
}
