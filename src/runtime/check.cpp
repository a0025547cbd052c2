// check: what create, and then start, would fail with, in the order in which they would. Nothing is made or changed.
#include "runtime/check.h"

#include <algorithm>

#include "cgroup/cgroup.h"
#include "config/config.h"
#include "runtime/bundle.h"
#include "runtime/console.h"
#include "runtime/listener.h"
#include "runtime/request.h"
#include "runtime/resctrl.h"

namespace reaper {

namespace {

bool concerns(const std::vector<Error>& errors, std::string_view pointer) {
  return std::ranges::any_of(errors, [&](const Error& error) { return error.pointer.starts_with(pointer); });
}

// Strict mode makes errors of them, as the plan does.
void add_warnings(const std::vector<Warning>& warnings, size_t first, bool strict, Findings& findings) {
  for (size_t i = first; i < warnings.size(); ++i) {
    Error error = config_error(REAPER_ERR_INVALID, warnings[i].pointer, warnings[i].message);
    error.stage = "plan";
    strict ? findings.add(std::move(error)) : findings.warn(std::move(error));
  }
}

// The plan, if it could be carried out as far as anybody can tell.
std::optional<Plan> check_plan(const Runtime& runtime, Config config, ProcessFacts& facts, const CreateRequest& request,
                               const std::string& bundle, Findings& findings) {
  const Status asked = read_asked_facts(config, facts);
  if (!asked.has_value()) findings.add(asked.error());
  PlanOptions options = plan_options(request, "<id>", bundle);
  auto filter = filter_of(runtime, config, false);
  if (filter.has_value()) {
    options.filter = std::move(*filter);
  } else {
    findings.add(filter.error());
    config.seccomp.reset();  // it has been judged
  }
  PlanDiagnosis diagnosis = diagnose_plan(config, facts, options);
  for (const Error& error : diagnosis.errors) findings.add(error);
  add_warnings(diagnosis.plan.warnings, config.warnings.size(), request.strict, findings);
  const auto cgroups = look_at_cgroups(diagnosis.plan.cgroups);
  if (!cgroups.has_value()) findings.add(cgroups.error());
  const auto resctrl = look_at_class_of(diagnosis.plan);
  if (!resctrl.has_value()) findings.add(resctrl.error());
  const auto blob = encode_plan(diagnosis.plan);
  if (!blob.has_value()) findings.add(blob.error());
  // As a user that this process cannot become, there is nothing to look up.
  if (concerns(diagnosis.errors, "/process/user")) return std::nullopt;
  return std::move(diagnosis.plan);
}

// Who takes a terminal is decided at create, and a run in the foreground does it itself: not to name anybody here is no
// error.
void check_terminal(const Config& config, const CreateRequest& request, Findings& findings) {
  const Status console = check_console(request, config);
  const bool has_terminal = config.process.has_value() && config.process->terminal.has_value();
  if (!console.has_value() && has_terminal)
    findings.note("/process/terminal", "create needs somebody who takes the terminal, a console socket for instance");
  else if (!console.has_value())
    findings.add(console.error());
}

// Where this process can see neither with whose rights nor in which files the program is looked for.
bool elsewhere(const Plan& plan) {
  const auto mounts = std::ranges::find(plan.namespaces, "mount", &Namespace::type);
  const bool other_user = std::ranges::find(plan.namespaces, "user", &Namespace::type) != plan.namespaces.end();
  return other_user || (mounts != plan.namespaces.end() && !mounts->path.empty());
}

void check_bundle(const Runtime& runtime, const CreateRequest& request, ProcessFacts& facts, Findings& findings) {
  const auto bundle = read_bundle(request);
  if (!bundle.has_value()) findings.add(bundle.error());
  const Diagnosis diagnosis = bundle.has_value() ? diagnose_config(bundle->config) : Diagnosis{};
  for (const Error& error : diagnosis.errors) findings.add(error);
  if (diagnosis.left_out != 0)
    findings.note("", std::to_string(diagnosis.left_out) + " more errors of config.json are left out");
  const Config& config = diagnosis.config;
  add_warnings(config.warnings, 0, request.strict, findings);
  // What is planned for half a process would only add errors that are none.
  const bool sound = bundle.has_value() && !config.oci_version.empty() && !concerns(diagnosis.errors, "/process") &&
                     !concerns(diagnosis.errors, "/ociVersion");
  std::optional<Plan> plan;
  if (sound) plan = check_plan(runtime, config, facts, request, bundle->path, findings);
  if (sound)
    for (Error& error : check_root(config, bundle->path)) findings.add(std::move(error));
  if (sound) check_terminal(config, request, findings);
  const Status listener = sound ? check_listener(config) : Status{};
  if (!listener.has_value()) findings.add(listener.error());
  check_host(runtime, request, findings);
  if (plan) check_user_namespace(*plan, facts, findings);
  if (sound && config.process.has_value()) {
    check_process(*config.process, facts, findings);
    if (has_own_root(config))
      findings.note("/root/path",
                    "what cannot be told beforehand: whether the program is in this root, and may be executed");
    else if (plan && elsewhere(*plan))
      findings.note("/process/args/0",
                    "what cannot be told beforehand: whether the program is there, and may be executed");
    else if (plan)
      check_program(*config.process, *plan, facts, findings);
    if (plan) note_privileges(*config.process, *plan, facts, findings);
  }
  if (sound) check_hooks(config, facts, findings);
  check_pid_file(request, findings);
  if (sound && !config.process.has_value())
    findings.note("/process", "config.json has none: create works, and start is an error");
}

}  // namespace

Result<std::string> check_request(const Runtime& runtime, const CreateRequest& request, uint32_t format) {
  ProcessFacts facts = TRY(read_process_facts());
  Findings findings;
  for (const Error& error : check_descriptors(request)) findings.add(error);
  check_bundle(runtime, request, facts, findings);
  if (const Error* error = findings.without_memory()) return fail(*error);
  return format == REAPER_FORMAT_JSON ? findings.json() : findings.text();
}

}  // namespace reaper
