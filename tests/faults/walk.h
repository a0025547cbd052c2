// Whole operations of the library, for walks over each of their system calls: what is walked (scenarios, operations),
// how one round of it runs in a child, and what must hold after every round.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "faults/agent_thread.h"
#include "faults/harness_cpp.h"
#include "faults/tracer.h"

namespace reaper::walk {

// What kind of container is operated on.
struct Scenario {
  const char* name = nullptr;
  bool supervised = false;
  bool hooks = false;     // one of every kind that runs at these operations
  bool cgroup = false;    // one of its own; the program is in a mount namespace with a view of cgroup2
  bool terminal = false;  // with a console socket
  bool rich = false;      // a config.json that makes reaper-init do most of what it can
  bool isolated = false;  // in namespaces and a root of its own
  bool user = false;      // in a new user namespace, with a hook that runs inside
  bool joined = false;    // in namespaces of others, a user and a pid namespace among them
  bool mapped = false;    // joined, with a root that has a mount with the ids of the user namespace
  bool filter = false;    // of system calls, which is compiled at every create
  bool notify = false;    // one that asks an agent, about the program's execve too
  bool devices = false;   // network devices of the host's go to it: the test has a network namespace of its own
};
const Scenario* find_scenario(const std::string& name);

// Where the container stands when the operation begins.
enum class Before { nothing, created, running, ended };

struct Operation {
  const char* name;
  Before before;
  bool fails;    // by itself: what is walked is also the way back
  bool changes;  // false: it only looks
  // In the child, with a runtime (none before a create, which makes it) and the container.
  int (*run)(struct Round& round);
};
extern const std::vector<Operation> operations;

// What the child tells of its operation, in shared memory.
struct Report {
  bool began;
  bool returned;
  int result;
  int code;
  int number;  // errno
  char stage[64];
  char message[1024];
  char wrong[512];  // why a success is none: "" for none
  int descriptors_left;
};

// A place of its own for the rounds of one scenario: state directory, console socket, cgroups.
class Site {
 public:
  explicit Site(const Scenario& scenario);
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  const Scenario& scenario() const { return scenario_; }
  // One round: the operation in a traced child. What it reported is in report().
  Trace round(const Operation& operation, const Target& target, const Judge& judge);
  const Report& report() const { return *report_; }

  // Each answers what is wrong: "" for nothing. They are asked in this order, judge_removal() always.
  std::string judge_state();    // nothing runs that no record knows of; `list` and `state` answer
  std::string judge_nothing();  // no directory of it, no process, no cgroup, no mount, no device in between
  // delete --force takes all there is, and then there is nothing.
  std::string judge_removal();
  std::string judge_life();   // the id can be used again, for a whole life
  std::string judge_given();  // a created container has the devices of the host's that it was to have
  // REAPER_STATUS_*, or 0 when there is no such container.
  int status_now();
  bool has_pid_file() const;
  // Has the agent let go of everything, if there is one? And how many calls it was asked about; -1: there is none.
  bool agent_rests() const;
  int asked() const { return agent_ ? agent_->answered() : -1; }

 private:
  friend struct Round;
  std::string config_of(const char* program, const char* hook) const;
  std::string isolation() const;
  static std::string user_namespace();
  std::string joined_namespaces() const;
  void make_mapped_root();
  std::string strangers() const;
  bool in_root(const char* name) const;
  std::string judge_answers();
  void empty();

  Scenario scenario_;
  place place_ = {};
  std::string long_config_, short_config_, failing_config_;
  std::string socket_path_, pid_path_;
  int listener_ = -1;
  std::unique_ptr<Agent> agent_;
  size_t mounts_ = 0;    // of this process' namespace, at first
  bool mapped_ = false;  // a mount with other ids is among the isolated ones
  reaper_runtime* runtime_ = nullptr;
  Report* report_ = nullptr;
};

// What one operation works with, in the child.
struct Round {
  const Site& site;
  Report& report;
  reaper_runtime* runtime = nullptr;
  reaper_container* container = nullptr;
  reaper_error* error = nullptr;

  int make_runtime();
  int create(const std::string& config);
  void wrong(const char* what);
};

// Which numbers of calls are this process' to walk: from `first` on, every `step`-th.
struct Share {
  int first = 1;
  int step = 1;
};

// Where a scenario's rounds mostly wait, for the kernel to take namespaces down: `program` in several processes at
// once, each with its share. The exit status, and the sum of what they have added to `total`.
struct Shared {
  int status = 0;
  int total = 0;
};
Shared run_in_shares(const Scenario& scenario, const std::function<int(Share share, int& total)>& program);

// cmocka's skip, with its reason, where walks of this scenario cannot run. Makes this process a subreaper, which gets
// every orphan of a round.
void need_walks(const Scenario& scenario);

// Cgroups of the test's own: 0, or how many there are.
int count_cgroups();
std::string cgroup_path();    // for linux.cgroupsPath
const char* enter_cgroups();  // nullptr, or why there are none
void leave_cgroups();

// Network devices to give away, two pairs: the host keeps the other end of each. It goes with the one that was given
// away when the kernel destroys that, so that who still has it knows of a namespace that is left.
const char* enter_network();                // a namespace of the test's own: nullptr, or why there is none
void make_devices();                        // those that have gone; none is in between
extern const char* const devices_wanted;    // linux.netDevices
std::string judge_devices();                // each is the host's as it was, or has gone
std::string judge_devices_of(int32_t pid);  // each is in the network namespace of this process, as it is to be

}  // namespace reaper::walk
