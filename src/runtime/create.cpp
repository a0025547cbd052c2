// create: bundle -> config -> plan -> claim -> clone -> READY -> commit -> GO.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "config/config.h"
#include "core/json.h"
#include "core/memory.h"
#include "host/birth.h"
#include "launch/launch.h"
#include "launch/network_namespace.h"
#include "plan/plan.h"
#include "runtime/bundle.h"
#include "runtime/cgroups.h"
#include "runtime/check.h"
#include "runtime/clock.h"
#include "runtime/console.h"
#include "runtime/container.h"
#include "runtime/exec_defaults.h"
#include "runtime/hooks.h"
#include "runtime/id_maps.h"
#include "runtime/listener.h"
#include "runtime/mount_ids.h"
#include "runtime/namespaces.h"
#include "runtime/net_devices.h"
#include "runtime/process.h"
#include "runtime/report.h"
#include "runtime/request.h"
#include "runtime/resctrl.h"
#include "runtime/status.h"
#include "runtime/supervisor.h"

namespace reaper {

namespace {

struct Prepared {
  Bundle bundle;
  Config config;
  ProcessFacts facts;
  std::shared_ptr<const SeccompFilter> filter;
  Plan plan;
};

// Everything that can be known before anything is changed.
Result<Prepared> prepare(const Runtime& runtime, const CreateRequest& request, std::string_view id, bool creates) {
  for (Error& error : check_descriptors(request)) return fail(std::move(error));
  Prepared prepared;
  prepared.bundle = TRY(read_bundle(request));
  prepared.config = TRY(parse_config(prepared.bundle.config, &runtime.seccomp));
  prepared.facts = TRY(read_process_facts());
  TRY(read_asked_facts(prepared.config, prepared.facts));
  PlanOptions options = plan_options(request, id, prepared.bundle.path);
  options.filter = prepared.filter = TRY(filter_of(runtime, prepared.config, creates));
  prepared.plan = TRY(make_plan(prepared.config, prepared.facts, options));
  for (Error& error : check_root(prepared.config, prepared.bundle.path)) return fail(std::move(error));
  return prepared;
}

// Has the creator of an uncommitted directory died? Then init is at its end too: it read end of file. It is ended
// all the same, in case it is stopped.
Result<bool> abandoned(const ContainerDirectory& directory, const ProcessIdentity& owner) {
  const Fd creator = TRY(open_process(owner));
  if (!TRY(has_ended(creator))) return false;
  const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  const auto ended = end_uncommitted(directory, deadline);
  if (!ended.has_value() && ended.error().code == REAPER_ERR_TIMEOUT) return false;
  if (!ended.has_value()) return fail(ended.error());
  const Cgroups cgroups = TRY(written_cgroups(directory));
  TRY(remove_cgroups(cgroups, deadline));
  const auto resctrl = TRY(written_resctrl(directory));
  TRY(remove_class(resctrl, true));
  return true;
}

Result<Claim> claim_or_sweep(Runtime& runtime, const StateRoot& root, std::string_view id,
                             const ProcessIdentity& owner) {
  auto first = claim(root, id, owner, runtime.lock_deadline());
  if (first.has_value() || first.error().code != REAPER_ERR_EXISTS) return first;
  std::optional<Record> staged;  // of a create that was killed after its hooks had begun
  const auto swept = sweep(root, id, [&](const ContainerDirectory& directory, const ProcessIdentity& its_owner) {
    if (auto found = directory.read_staged(); found.has_value()) staged = std::move(*found);
    return abandoned(directory, its_owner);
  });
  if (!swept.has_value() || !*swept) return first;
  if (staged) run_poststop_hooks(runtime, *staged);
  return claim(root, id, owner, runtime.lock_deadline());
}

struct Born {
  ProcessIdentity init;
  std::optional<ProcessIdentity> supervisor;
};

// What is made of the host's for the container, before it is there.
struct Places {
  Cgroups cgroups;
  std::optional<Resctrl> resctrl;
};

Record make_record(const Prepared& prepared, std::string_view id, const Born& born, const Places& places,
                   bool keyring) {
  Record record;
  record.id = id;
  record.oci_version = prepared.config.oci_version;
  record.bundle = prepared.bundle.path;
  record.annotations = prepared.config.annotations;
  record.created = rfc3339(realtime_ns());
  record.owner_uid = geteuid();
  record.init = born.init;
  record.supervisor = born.supervisor;
  record.has_process = prepared.config.process.has_value();
  record.credentials_json = encode_credentials(prepared.plan.identity);
  record.warnings_json = warnings_to_json(prepared.plan.warnings);
  if (!prepared.config.hooks.empty()) record.hooks_json = hooks_to_json(prepared.config.hooks);
  if (!prepared.plan.namespaces.empty()) record.namespaces_json = encode_namespaces(prepared.plan.namespaces);
  if (!places.cgroups.list.empty()) record.cgroups_json = encode_cgroups(places.cgroups);
  if (places.resctrl) record.resctrl_json = encode_resctrl(*places.resctrl);
  record.listener_json = encode_listener(prepared.config);
  record.exec_json =
      encode_exec_defaults({prepared.config.process_json, prepared.config.personality, prepared.config.memory_policy,
                            keyring, prepared.config.seccomp != nullptr, prepared.filter});
  return record;
}

// The lock again, after hooks. NOT_FOUND: the container was deleted meanwhile.
Status lock_again(const Runtime& runtime, const StateRoot& root, Claim& claim) {
  claim.lock.emplace(TRY(claim.directory.lock(root, runtime.lock_deadline())));
  return {};
}

// What is to be done when a create has failed and is undone.
struct Aftermath {
  bool hooks_began = false;
  bool removed = false;  // by us, not by a forced delete while hooks ran: then the poststop hooks were its business
  std::optional<Record> record;
};

// Takes back what create has made, unless it is told that all went well.
class Undo {
 public:
  Undo(const Runtime& runtime, const StateRoot& root, Claim& claim, std::vector<Fd> reserve, Aftermath& aftermath)
      : runtime_(runtime), root_(root), claim_(claim), reserve_(std::move(reserve)), aftermath_(aftermath) {}
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() {
    if (done_) return;
    end_launched(launched);
    reserve_.clear();
    if (pid_file != nullptr) unlink(pid_file);
    // Nothing more can be done about a failure: the directory stays `creating`, without a living process, and the next
    // create or delete --force sweeps it, and its cgroups. Only to empty cgroups takes memory.
    (void)as_memory_allows([&] { remove_claimed(); });
  }
  void done() { done_ = true; }

  Launched launched;
  Places places;
  const char* pid_file = nullptr;

 private:
  // The child of a supervisor that was ended before we had heard of it makes its gate, until it reads its end of file.
  Status remove(const Cgroups& made) {
    constexpr int tries = 200;
    for (int i = 0;; ++i) {
      Status removed = remove_with_cgroups(root_, claim_.directory, made, runtime_.kill_deadline());
      if (removed.has_value() || removed.error().sys_errno != ENOTEMPTY || i == tries) return removed;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  void remove_claimed() {
    if (!claim_.lock && !lock_again(runtime_, root_, claim_).has_value()) return;
    if (places.cgroups.intended) places.cgroups.list.clear();
    aftermath_.removed = remove_class(places.resctrl, true).has_value() && remove(places.cgroups).has_value();
  }

  const Runtime& runtime_;
  const StateRoot& root_;
  Claim& claim_;
  std::vector<Fd> reserve_;  // to look at what is removed: the failure may be that no descriptor is left
  Aftermath& aftermath_;
  bool done_ = false;
};

// Who a process is that was cloned since `before_ns`, in the namespaces of `owner`, which are ours.
Result<ProcessIdentity> identify(const ProcessIdentity& owner, int32_t pid, int64_t before_ns) {
  ProcessIdentity identity = owner;
  identity.pid = pid;
  const auto start_time = start_time_between(before_ns, boottime_ns());
  identity.start_time = start_time ? *start_time : TRY(read_process_stat(pid)).start_time;
  return identity;
}

// It may have failed already, and a host that ignores SIGCHLD has reaped it: what it said tells more. While it lives it
// may be waiting for us.
Error explain_absence(Launched& launched, const Error& absent) {
  const auto ended = has_ended(launched.pidfd);
  if (!ended.has_value() || !*ended) return absent;
  const Status said = await_ready(launched);
  return said.has_value() ? absent : said.error();
}

// Clones, and writes down who is who as soon as it is known: whoever comes after a killed create finds them.
Result<Born> give_birth(const LaunchRequest& launch, const Plan& plan, bool supervise, const ProcessIdentity& owner,
                        const ContainerDirectory& directory, Launched& launched) {
  const int64_t before = boottime_ns();
  launched = TRY(clone_init(launch));
  Born born;
  if (supervise) {
    const auto supervisor = identify(owner, launched.pid, before);
    if (supervisor.has_value()) TRY(directory.write_supervisor(*supervisor));
    TRY(await_cloned(launched));
    if (!supervisor.has_value()) return fail(explain_absence(launched, supervisor.error()));
    born.supervisor = *supervisor;
  }
  if (find_operation(plan, wire::Op::beside_into) != nullptr) TRY(await_beside(launched));
  const auto init = identify(owner, launched.pid, before);
  if (!init.has_value()) return fail(explain_absence(launched, init.error()));
  born.init = *init;
  TRY(directory.write_identity(born.init));
  return born;
}

// The hooks of create, without the lock: they may ask for the state, which is staged for them, or delete the container.
Status run_create_hooks(Runtime& runtime, const StateRoot& root, Claim& claim, const Fd& init, Aftermath& aftermath) {
  constexpr HookKind kinds[] = {HookKind::prestart, HookKind::create_runtime, HookKind::create_container};
  if (!aftermath.record) return {};
  const Record& record = *aftermath.record;
  TRY(claim.directory.stage(record));
  if (std::ranges::none_of(kinds, [&](HookKind kind) { return has_hooks(record, kind); })) return {};
  const Moment moment = [&]() -> Result<int> {
    if (!TRY(claim.directory.exists()))
      return fail(status_error("container \"" + record.id + "\" was deleted while its hooks ran"));
    if (!TRY(has_ended(init))) return REAPER_STATUS_CREATING;
    return fail({REAPER_ERR_SYSTEM, 0, "the container's process was ended while its hooks ran", "", "hook"});
  };
  aftermath.hooks_began = true;
  claim.lock.reset();
  for (const HookKind kind : kinds) TRY(run_hooks(runtime, record, init, kind, moment));
  const Status locked = lock_again(runtime, root, claim);
  TRY(moment());
  return locked;
}

// In namespaces of the container's own, its process waits for the hooks before it changes its root.
Status finish_birth(Runtime& runtime, const StateRoot& root, Claim& claim, const Plan& plan, Launched& launched,
                    Aftermath& aftermath) {
  if (find_operation(plan, wire::Op::hooks) == nullptr) {
    TRY(await_ready(launched));
    return run_create_hooks(runtime, root, claim, launched.pidfd, aftermath);
  }
  TRY(await_mounted(launched));
  TRY(run_create_hooks(runtime, root, claim, launched.pidfd, aftermath));
  TRY(send_frame(launched, wire::Frame::hooked));
  return await_ready(launched);
}

// One to read the container's directory; to find and empty a cgroup takes some more.
Result<std::vector<Fd>> reserve_descriptors(int any, const Plan& plan) {
  std::vector<Fd> reserve;
  for (size_t wanted = plan.cgroups.empty() && !plan.resctrl ? 1 : 6; reserve.size() < wanted;) {
    Fd spare(fcntl(any, F_DUPFD_CLOEXEC, 3));
    if (!spare) return fail(system_error("claim", "fcntl F_DUPFD_CLOEXEC"));
    reserve.push_back(std::move(spare));
  }
  return reserve;
}

// Init has been put somewhere, or it was gone by then.
Status tell_placed(Launched& launched, const Status& placed, wire::Frame frame) {
  if (placed.has_value()) {
    TRY(send_unsent(launched));
    return send_frame(launched, frame);
  }
  return placed.error().sys_errno == ESRCH ? fail(explain_absence(launched, placed.error())) : placed;
}

// Init waits for it before it begins: processor affinity and scheduling are set inside the cgroup.
Status place_init(Launched& launched, const Places& places) {
  if (!places.cgroups.list.empty())
    TRY(tell_placed(launched, place_in_cgroups(places.cgroups, launched.pid), wire::Frame::placed));
  if (!places.resctrl) return {};
  return tell_placed(launched, place_in_resctrl(*places.resctrl, launched.pid), wire::Frame::classed);
}

// It may have failed before, and have said why.
Status map_init_ids(Runtime& runtime, const UserNamespaceMaps& maps, Launched& launched) {
  if (!maps.fresh) return {};
  TRY(send_unsent(launched));
  Status mapped = map_ids(runtime, launched, maps);
  if (mapped.has_value() || !TRY(has_ended(launched.pidfd))) return mapped;
  return fail(explain_absence(launched, mapped.error()));
}

Status send_network(Launched& launched, NetworkNamespace& network) {
  TRY(send_unsent(launched));
  const Fd made = TRY(network.take());
  return send_descriptor(launched, wire::Frame::network_made, made);
}

// What reaper-init waits for, and what only we have the rights for.
Status help_init(const Plan& plan, Launched& launched, NetworkNamespace& network) {
  Status helped;
  Fd joined;  // where a path of it leads by now is not known
  if (find_operation(plan, wire::Op::show_user) != nullptr)
    joined = TRY(await_descriptor(launched, wire::Frame::user_namespace));
  if (find_operation(plan, wire::Op::network) != nullptr) helped = send_network(launched, network);
  if (const Operation* devices = find_operation(plan, wire::Op::net_devices);
      helped.has_value() && devices != nullptr) {
    Fd inside = TRY(await_descriptor(launched, wire::Frame::network));
    helped = move_net_devices(launched, *devices, std::move(inside));
  }
  if (helped.has_value()) helped = send_mapped_mounts(launched, plan, joined);
  if (helped.has_value() || !TRY(has_ended(launched.pidfd))) return helped;
  return fail(explain_absence(launched, helped.error()));
}

// But for the program reaper-init, and the container's directory.
LaunchRequest launch_of(const Prepared& prepared, const CreateRequest& request, std::string_view plan) {
  LaunchRequest launch;
  launch.plan = plan;
  const bool has_terminal = prepared.config.process.has_value() && prepared.config.process->terminal.has_value();
  for (int i = 0; i < 3 && !has_terminal; ++i) launch.stdio[i] = request.stdio[i];
  launch.extra_fds = request.extra_fds;
  launch.facts = &prepared.facts;
  launch.namespaces = prepared.plan.clone_namespaces;
  return launch;
}

Result<ContainerPtr> make_container(const std::shared_ptr<Runtime>& runtime, std::string_view id,
                                    const CreateRequest& request, Aftermath& aftermath) {
  const Prepared prepared = TRY(prepare(*runtime, request, id, true));
  TRY(check_console(request, prepared.config));
  TRY(check_listener(prepared.config));
  const std::string blob = TRY(encode_plan(prepared.plan));
  LaunchRequest launch = launch_of(prepared, request, blob);
  launch.init_image = TRY(init_image(*runtime));

  const Fd console = TRY(connect_console(request, runtime->lock_deadline()));
  const ProcessIdentity owner = TRY(own_identity_once(*runtime));
  const auto root = TRY(open_root(*runtime, true));
  std::vector<Fd> reserve = TRY(reserve_descriptors(root->fd(), prepared.plan));
  // Before the claim: it takes longer than everything else, and is gone by itself if the id is taken.
  NetworkNamespace network;
  if (find_operation(prepared.plan, wire::Op::network) != nullptr) TRY(network.begin());
  Claim claim = TRY(claim_or_sweep(*runtime, *root, id, owner));
  Undo undo(*runtime, *root, claim, std::move(reserve), aftermath);
  auto container = std::make_unique<Container>(runtime, TRY(claim.directory.reopen()));

  undo.places.cgroups = TRY(look_at_cgroups(prepared.plan.cgroups));
  auto resctrl = TRY(look_at_class_of(prepared.plan));
  TRY(make_container_cgroups(claim.directory, undo.places.cgroups));
  undo.places.resctrl = std::move(resctrl);
  TRY(make_container_resctrl(claim.directory, undo.places.resctrl));
  // Not the claim's own: that carries the lock, which a supervisor would hold for a create that is killed.
  launch.state_directory = container->directory.fd();
  const Born born = TRY(give_birth(launch, prepared.plan, request.supervise, owner, claim.directory, undo.launched));
  TRY(place_init(undo.launched, undo.places));
  TRY(map_init_ids(*runtime, prepared.plan.maps, undo.launched));
  TRY(help_init(prepared.plan, undo.launched, network));
  container->record = make_record(prepared, id, born, undo.places, request.new_keyring);
  // Before READY it costs nothing: init carries out its plan meanwhile. But who finds a staged record with hooks takes
  // it that they have begun.
  if (container->record->hooks_json.empty())
    TRY(claim.directory.stage(*container->record));
  else
    aftermath.record = container->record;
  TRY(finish_birth(*runtime, *root, claim, prepared.plan, undo.launched, aftermath));
  if (console) TRY(send_terminal(console, undo.launched));
  if (request.pid_file) {
    TRY(write_file_atomically(*request.pid_file, std::to_string(born.init.pid)));
    undo.pid_file = request.pid_file->c_str();
  }
  std::vector<std::string> warnings;
  warnings.reserve(prepared.plan.warnings.size());
  for (const Warning& warning : prepared.plan.warnings) warnings.push_back(warning_line(warning));
  TRY(claim.directory.commit_staged());
  TRY(send_go(undo.launched));
  undo.done();  // from here on nothing can fail, nor want memory
  container->pidfd = std::move(undo.launched.pidfd);
  container->supervisor = std::move(undo.launched.keeper_pidfd);
  if (request.console != nullptr) *request.console = undo.launched.terminal.release();
  for (const std::string& warning : warnings)
    if (runtime->log) runtime->log(REAPER_LOG_WARNING, warning.c_str());
  return container;
}

}  // namespace

Result<ContainerPtr> create_container(const std::shared_ptr<Runtime>& runtime, std::string_view id,
                                      const CreateRequest& request) {
  TRY(check_id(id));
  Aftermath aftermath;
  Result<ContainerPtr> made = fail({REAPER_ERR_NO_MEMORY, ENOMEM, "out of memory", "", "malloc"});
  // Whatever it is that fails, poststop hooks are run if others have begun.
  (void)as_memory_allows([&] { made = make_container(runtime, id, request, aftermath); });
  if (!made.has_value() && aftermath.hooks_began && aftermath.removed) run_poststop_hooks(*runtime, *aftermath.record);
  return made;
}

Result<std::string> show_plan(const Runtime& runtime, const CreateRequest& request, uint32_t format) {
  const Prepared prepared = TRY(prepare(runtime, request, "<id>", false));  // a plan is made for no container yet
  TRY(look_at_cgroups(prepared.plan.cgroups));
  TRY(look_at_class_of(prepared.plan));
  for (const Warning& warning : prepared.plan.warnings)
    if (runtime.log) runtime.log(REAPER_LOG_WARNING, warning_line(warning).c_str());
  return format == REAPER_FORMAT_JSON ? plan_to_json(prepared.plan) : plan_to_text(prepared.plan);
}

}  // namespace reaper
