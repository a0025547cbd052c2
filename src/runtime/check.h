// The parts of a preflight, one file per concern.
#pragma once

#include "plan/plan.h"
#include "runtime/findings.h"
#include "runtime/runtime.h"

namespace reaper {

// check_program.cpp: the working directory, the program and its interpreters, as the target user. For a plan that can
// be carried out up to there.
void check_program(const Process& process, const Plan& plan, const ProcessFacts& facts, Findings& findings);

// check_host.cpp: what create needs of this host besides the plan.
void check_host(const Runtime& runtime, const CreateRequest& request, Findings& findings);
// check_root.cpp: whether the root, and what is bound into it, is there. Every error that can be found.
bool has_own_root(const Config& config);
std::vector<Error> check_root(const Config& config, const std::string& bundle);
// check_hooks.cpp: the programs of hooks, as this process itself.
// Those that are looked up in a root of the container's own are passed over.
void check_hooks(const Config& config, const ProcessFacts& facts, Findings& findings);
// check_user_namespace.cpp: whether this host lets this user have a new user namespace with these maps.
void check_user_namespace(const Plan& plan, const ProcessFacts& facts, Findings& findings);
void check_pid_file(const CreateRequest& request, Findings& findings);
// What init needs the first user namespace's privileges for.
void check_process(const Process& process, const ProcessFacts& facts, Findings& findings);
// What the program could win back.
void note_privileges(const Process& process, const Plan& plan, const ProcessFacts& facts, Findings& findings);

}  // namespace reaper
