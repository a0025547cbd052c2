// What must hold after a round.
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "faults/walk.h"

extern "C" {
#include "holder.h"
#include "terminal.h"
}

namespace reaper::walk {

namespace {

constexpr const char* id = "walk";
pid_t neighbour = -1;  // whose namespaces are joined

// Asked again until the answer is "", or a generous time is up.
std::string settle(const std::function<std::string()>& wrong) {
  std::string last;
  for (int round = 0; round * 2 < LIMIT_MS / 4; ++round) {
    last = wrong();
    if (last.empty()) return last;
    sleep_ms(2);
  }
  return last;
}

struct Seen {
  pid_t parent;
  char state;
  std::string name;
};

bool see(pid_t pid, Seen& seen) {
  char* text = read_whole(("/proc/" + std::to_string(pid) + "/stat").c_str());
  const char* begin = text != nullptr ? strchr(text, '(') : nullptr;
  const char* end = text != nullptr ? strrchr(text, ')') : nullptr;
  const bool here = begin != nullptr && end != nullptr && sscanf(end + 1, " %c %d", &seen.state, &seen.parent) == 2;
  if (here) seen.name.assign(begin + 1, end);
  free(text);
  return here;
}

std::vector<pid_t> numbers_in(const std::string& path) {
  std::vector<pid_t> all;
  DIR* directory = opendir(path.c_str());
  while (const dirent* entry = directory != nullptr ? readdir(directory) : nullptr)
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') all.push_back(atoi(entry->d_name));
  if (directory != nullptr) closedir(directory);
  return all;
}

// Of all of its threads. A look at every process of the machine is only needed without CONFIG_PROC_CHILDREN.
std::vector<pid_t> children_of(pid_t parent) {
  static const bool listed = access("/proc/thread-self/children", R_OK) == 0;
  std::vector<pid_t> all;
  if (!listed) {
    Seen seen = {};
    for (const pid_t pid : numbers_in("/proc"))
      if (see(pid, seen) && seen.parent == parent) all.push_back(pid);
    return all;
  }
  const std::string tasks = "/proc/" + std::to_string(parent) + "/task";
  for (const pid_t task : numbers_in(tasks)) {
    char* text = read_whole((tasks + "/" + std::to_string(task) + "/children").c_str());
    char* end = text;
    for (const char* at = text; at != nullptr; at = end) {
      const long pid = strtol(at, &end, 10);
      if (end == at) break;
      all.push_back(static_cast<pid_t>(pid));
    }
    free(text);
  }
  return all;
}

size_t count_mounts() {
  char* text = read_whole("/proc/self/mountinfo");
  const std::string table = text != nullptr ? text : "";
  free(text);
  return static_cast<size_t>(std::count(table.begin(), table.end(), '\n'));
}

std::string complaint(const char* what, int result, reaper_error* error) {
  std::string text = std::string(what) + ": " + reaper_error_name(result) + ": " + reaper_error_message(error) + " [" +
                     reaper_error_stage(error) + "]";
  reaper_error_free(error);
  return text;
}

// The dead that nobody else reaps. "": nobody is below us any more.
std::string children_left() {
  for (;;) {
    const pid_t pid = waitpid(-1, nullptr, WNOHANG);
    if (pid < 0 && errno == ECHILD) return "";
    if (pid > 0) continue;
    std::string text = "left running:";
    Seen seen = {};
    for (const pid_t child : children_of(getpid()))
      if (see(child, seen)) text += " " + std::to_string(child) + " (" + seen.name + ", " + seen.state + ")";
    return text;
  }
}

}  // namespace

const Scenario* find_scenario(const std::string& name) {
  static const Scenario all[] = {
      {.name = "plain"},
      {.name = "supervised", .supervised = true},
      {.name = "hooks", .hooks = true},
      {.name = "cgroup", .supervised = true, .cgroup = true},
      {.name = "terminal", .terminal = true},
      {.name = "rich", .rich = true},
      {.name = "isolated", .isolated = true},
      {.name = "user", .user = true},
      {.name = "joined", .joined = true},
      {.name = "joined-mapped", .joined = true, .mapped = true},
      {.name = "joined-supervised", .supervised = true, .joined = true},
      {.name = "filter", .filter = true},
      {.name = "notify", .notify = true},
      {.name = "devices", .devices = true},
      {.name = "everything", .supervised = true, .hooks = true, .terminal = true, .rich = true},
  };
  for (const Scenario& scenario : all)
    if (name == scenario.name) return &scenario;
  return nullptr;
}

std::string Site::config_of(const char* program, const char* hook) const {
  const auto hooks = [&](const char* kind) {
    return std::string("\"") + kind + "\":[{\"path\":\"" + (strcmp(kind, "createRuntime") == 0 ? hook : "/bin/true") +
           "\"}]";
  };
  std::string config = "{\"ociVersion\":\"1.3.0\",\"process\":{\"cwd\":\"/\",\"args\":[" + std::string(program) + "]";
  if (scenario_.terminal) config += ",\"terminal\":true";
  if (scenario_.filter || scenario_.notify) config += ",\"noNewPrivileges\":true";
  if (scenario_.rich) {
    config +=
        ",\"noNewPrivileges\":true,\"oomScoreAdj\":1000,\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0}]"
        ",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":7},\"scheduler\":{\"policy\":\"SCHED_BATCH\"}";
    if (is_root())
      config +=
          ",\"user\":{\"uid\":12345,\"gid\":54321,\"additionalGids\":[7,9],\"umask\":18},\"capabilities\":{"
          "\"bounding\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"],\"inheritable\":[\"CAP_KILL\"],"
          "\"effective\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]}";
  }
  config += "}";
  if (scenario_.hooks)
    config += ",\"hooks\":{" + hooks("createRuntime") + "," + hooks("startContainer") + "," + hooks("poststart") + "," +
              hooks("poststop") + "}";
  if (scenario_.isolated) config += isolation();
  if (scenario_.user) config += user_namespace();
  if (scenario_.joined) config += joined_namespaces();
  if (scenario_.filter)
    config +=
        ",\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":["
        "\"sched_get_priority_max\",\"no_such_call\"],\"action\":\"SCMP_ACT_ERRNO\"}]}}";
  if (scenario_.notify)
    config += ",\"linux\":{\"seccomp\":{\"listenerPath\":\"" + std::string(place_.directory) +
              "/agent\",\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"execve\"],\"action\":"
              "\"SCMP_ACT_NOTIFY\"}]}}";
  if (scenario_.devices)
    config += std::string(",\"linux\":{\"namespaces\":[{\"type\":\"network\"}],\"netDevices\":") + devices_wanted + "}";
  if (scenario_.cgroup) config += ",\"linux\":{\"cgroupsPath\":\"" + cgroup_path() + "\"}";
  return config + "}";
}

namespace {

// Something of each kind that tmpcopyup copies, and what is bound with other ids.
void make_copied(const std::string& directory) {
  REQUIRE(mkdir(directory.c_str(), 0755) == 0);
  REQUIRE(mkdir((directory + "/below").c_str(), 0755) == 0);
  write_whole((directory + "/below/file").c_str(), "text");
  REQUIRE(symlink("nowhere", (directory + "/link").c_str()) == 0);
  REQUIRE(mkfifo((directory + "/pipe").c_str(), 0600) == 0);
  // Not every file system has them.
  (void)setxattr((directory + "/below/file").c_str(), "trusted.reaper", "1", 1, 0);
}

// Whether mounts of the file system there can have other ids, for this process: not in every container.
bool takes_ids(const std::string& directory) {
  const long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0)
    for (;;) pause();
  if (pid < 0) return false;
  const std::string proc = "/proc/" + std::to_string(pid);
  bool takes = true;
  for (const char* name : {"/uid_map", "/gid_map"}) {
    const int map = open((proc + name).c_str(), O_WRONLY | O_CLOEXEC);
    takes = takes && map >= 0 && write(map, "0 1000 9\n", 9) == 9;
    if (map >= 0) close(map);
  }
  const int ids = open((proc + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC);
  const auto copy =
      static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, directory.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<uint64_t>(ids);
  takes = takes && ids >= 0 && copy >= 0 &&
          syscall(SYS_mount_setattr, copy, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0;
  if (copy >= 0) close(copy);
  if (ids >= 0) close(ids);
  kill(static_cast<pid_t>(pid), SIGKILL);
  waitpid(static_cast<pid_t>(pid), nullptr, 0);
  return takes;
}

}  // namespace

std::string Site::user_namespace() {
  const std::string ranges = "[{\"containerID\":0,\"hostID\":200000,\"size\":65536}]";
  return ",\"hostname\":\"walk\",\"hooks\":{\"createContainer\":[{\"path\":\"/bin/true\"}]},\"linux\":{\"namespaces\":"
         "[{\"type\":\"user\"},{\"type\":\"pid\"},{\"type\":\"uts\"}],\"uidMappings\":" +
         ranges + ",\"gidMappings\":" + ranges + "}";
}

// Two programs of busybox, and what is mounted on.
void Site::make_mapped_root() {
  const std::string root = std::string(place_.directory) + "/rootfs/";
  for (const char* name : {"bin", "dev", "mapped"}) REQUIRE(mkdir((root + name).c_str(), 0755) == 0);
  for (const char* name : {"bin/sleep", "bin/true"}) REQUIRE(std::filesystem::copy_file("/bin/busybox", root + name));
  mapped_ = takes_ids(root + "bin");
}

std::string Site::joined_namespaces() const {
  std::string list;
  for (const auto& [type, link] : {std::pair("user", "user"), {"pid", "pid"}, {"network", "net"}, {"uts", "uts"}})
    list += std::string(list.empty() ? "" : ",") + "{\"type\":\"" + type + "\",\"path\":\"/proc/" +
            std::to_string(neighbour) + "/ns/" + link + "\"}";
  if (!scenario_.mapped) return ",\"linux\":{\"namespaces\":[" + list + "]}";
  const std::string root = std::string(place_.directory) + "/rootfs";
  return ",\"root\":{\"path\":\"" + root +
         "\"},\"mounts\":[{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},{\"destination\":\"/"
         "mapped\","
         "\"source\":\"" +
         root + "/bin\",\"options\":[\"bind\"" + (mapped_ ? ",\"idmap\"" : "") +
         "]}],\"linux\":{\"namespaces\":[{\"type\":\"mount\"}," + list + "]}";
}

// The host's programs in a root that has nothing else.
std::string Site::isolation() const {
  std::string mounts =
      "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
      "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"]}";
  for (const std::string name : {"/bin", "/lib", "/lib64", "/usr"})
    if (access(name.c_str(), F_OK) == 0)
      mounts +=
          ",{\"destination\":\"" + name + "\",\"source\":\"" + name + "\",\"options\":[\"rbind\",\"ro\",\"rslave\"]}";
  mounts += ",{\"destination\":\"/copied\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"tmpcopyup\"]}";
  if (mapped_)
    mounts += ",{\"destination\":\"/mapped\",\"source\":\"" + std::string(place_.directory) +
              "/rootfs/copied\",\"options\":[\"bind\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,"
              "\"size\":9}],\"gidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":9}]}";
  mounts += ",{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"ro\"]}";
  return ",\"hostname\":\"walk\",\"root\":{\"path\":\"" + std::string(place_.directory) +
         "/rootfs\",\"readonly\":true},\"mounts\":[" + mounts +
         "],\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"mount\"},{\"type\":"
         "\"ipc\"},"
         "{\"type\":\"uts\"},{\"type\":\"cgroup\"}],\"maskedPaths\":[\"/proc/kcore\",\"/proc/acpi\"],"
         "\"readonlyPaths\":[\"/proc/sys\"]}";
}

Site::Site(const Scenario& scenario) : scenario_(scenario) {
  place_make(&place_);
  mounts_ = count_mounts();
  REQUIRE(mkdir((std::string(place_.directory) + "/rootfs").c_str(), 0755) == 0);
  if (scenario.isolated) {
    make_copied(std::string(place_.directory) + "/rootfs/copied");
    mapped_ = takes_ids(std::string(place_.directory) + "/rootfs/copied");
  }
  if (scenario.mapped) make_mapped_root();
  long_config_ = config_of("\"/bin/sleep\",\"1000\"", "/bin/true");
  failing_config_ = scenario.hooks ? config_of("\"/bin/true\"", "/bin/false") : config_of("\"/no/program\"", "");
  scenario_.hooks = false;
  short_config_ = config_of("\"/bin/true\"", "");
  scenario_.hooks = scenario.hooks;
  socket_path_ = std::string(place_.directory) + "/console.sock";
  pid_path_ = std::string(place_.directory) + "/pid";
  if (scenario.notify) agent_ = std::make_unique<Agent>(std::string(place_.directory) + "/agent");
  void* shared = mmap(nullptr, sizeof *report_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(shared != MAP_FAILED);
  report_ = static_cast<Report*>(shared);
  reaper_runtime_options options = {};
  options.size = sizeof options;
  options.root = place_.root;
  REQUIRE(reaper_runtime_new(&options, &runtime_, nullptr) == REAPER_OK);
}

Site::~Site() {
  reaper_runtime_free(runtime_);
  munmap(report_, sizeof *report_);
  place_remove(&place_);
}

bool Site::in_root(const char* name) const {
  struct stat status = {};
  return lstat((std::string(place_.root) + "/" + id + "/" + name).c_str(), &status) == 0;
}

bool Site::agent_rests() const {
  const auto rests = [](void* agent) { return static_cast<int>(static_cast<const Agent*>(agent)->idle()); };
  return agent_ == nullptr || wait_until(rests, agent_.get()) != 0;
}

bool Site::has_pid_file() const {
  struct stat status = {};
  return lstat(pid_path_.c_str(), &status) == 0;
}

namespace {

// What lives below `parent`, without those that are known and all below them.
std::string unknown_below(pid_t parent, const std::set<pid_t>& known) {
  std::string found;
  for (const pid_t pid : children_of(parent)) {
    Seen seen = {};
    if (known.contains(pid) || !see(pid, seen)) continue;
    const bool dead = seen.state == 'Z' || seen.state == 'X';
    // What a killed caller has executed is its adopter's to reap: until then no pid namespace with it can end.
    if (seen.state == 'Z' && seen.parent == getpid()) waitpid(pid, nullptr, WNOHANG);
    if (!dead) found += ", " + std::to_string(pid) + " " + seen.name;
    found += unknown_below(pid, known);
  }
  return found;
}

}  // namespace

// Living processes below us that are neither recorded nor below one that is.
std::string Site::strangers() const {
  if (waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) return "";
  std::set<pid_t> known;
  for (const char* name : {"identity", "supervisor"}) {
    if (!in_root("state.json")) continue;
    char* text = read_whole((std::string(place_.root) + "/" + id + "/" + name).c_str());
    if (text != nullptr) known.insert(atoi(text));
    free(text);
  }
  const std::string found = unknown_below(getpid(), known);
  return found.empty() ? "" : "unknown processes: " + found.substr(2);
}

int Site::status_now() {
  reaper_container* container = nullptr;
  int32_t status = 0;
  if (reaper_open(runtime_, id, &container, nullptr) != REAPER_OK) return 0;
  if (reaper_status(container, &status, nullptr) != REAPER_OK) status = 0;
  reaper_container_free(container);
  return status;
}

std::string Site::judge_answers() {
  reaper_error* error = nullptr;
  char* text = nullptr;
  int result = reaper_list(runtime_, &text, &error);
  if (result != REAPER_OK) return complaint("list", result, error);
  const bool listed = strstr(text, "\"id\":\"walk\"") != nullptr;
  const bool corrupt = strstr(text, "corrupt") != nullptr;
  const std::string list = text;
  reaper_free(text);
  const bool recorded = in_root("state.json");
  if (corrupt || (recorded && !listed)) return "list says " + list;
  reaper_container* container = nullptr;
  result = reaper_open(runtime_, id, &container, &error);
  if (result == REAPER_OK) result = reaper_state(container, &text, &error);
  reaper_container_free(container);
  if (result == REAPER_OK) {
    reaper_free(text);
    return "";
  }
  const bool absent = !recorded && result == REAPER_ERR_NOT_FOUND;
  const bool creating = !recorded && result == REAPER_ERR_STATUS;
  std::string complained = complaint("state", result, error);
  return absent || creating ? "" : complained;
}

std::string Site::judge_state() {
  const std::string unknown = settle([&] { return strangers(); });
  const std::string answers = judge_answers();
  return unknown.empty() ? answers : unknown + "; " + answers;
}

std::string Site::judge_nothing() {
  std::string wrong = settle(children_left);
  // What was compiled stays, for other containers.
  const int kept = access((std::string(place_.root) + "/.kept").c_str(), F_OK) == 0 ? 1 : 0;
  if (count_entries(place_.root) != kept) wrong += "; something is left in the state directory";
  if (count_cgroups() != 0) wrong += "; a cgroup is left";
  if (count_mounts() != mounts_) wrong += "; a mount is left";
  if (scenario_.devices) wrong += settle(judge_devices);
  return wrong;
}

std::string Site::judge_removal() {
  reaper_error* error = nullptr;
  const int result = reaper_delete_id(runtime_, id, REAPER_DELETE_FORCE, &error);
  std::string wrong;
  if (result != REAPER_OK && result != REAPER_ERR_NOT_FOUND)
    wrong = complaint("delete --force", result, error);
  else
    reaper_error_free(error);
  wrong += judge_nothing();
  if (listener_ >= 0) close(listener_);
  listener_ = -1;
  unlink(socket_path_.c_str());
  if (!wrong.empty()) empty();
  return wrong;
}

// So that one fault does not become a hundred.
void Site::empty() {
  for (const pid_t pid : children_of(getpid())) kill(pid, SIGKILL);
  settle(children_left);
  remove_tree(place_.root);
  if (!scenario_.cgroup) return;
  leave_cgroups();
  enter_cgroups();
}

std::string Site::judge_given() {
  if (!scenario_.devices) return "";
  reaper_container* container = nullptr;
  int32_t pid = -1;
  if (reaper_open(runtime_, id, &container, nullptr) != REAPER_OK) return "it cannot be opened";
  const int asked = reaper_pid(container, &pid, nullptr);
  reaper_container_free(container);
  return asked == REAPER_OK ? judge_devices_of(pid) : "no pid";
}

std::string Site::judge_life() {
  if (scenario_.devices) make_devices();
  if (scenario_.terminal) listener_ = listen_at(socket_path_.c_str(), 16);
  Report unused = {};
  Round round = {*this, unused};
  round.runtime = runtime_;
  std::string wrong;
  const auto step = [&](const char* what, int result) {
    if (result != REAPER_OK && wrong.empty()) wrong = complaint(what, result, round.error);
    return wrong.empty();
  };
  reaper_exit_status status = {};
  status.size = sizeof status;
  step("create again", round.create("short")) && step("start again", reaper_start(round.container, &round.error)) &&
      step("wait again", reaper_wait(round.container, LIMIT_MS, &status, &round.error)) &&
      step("delete again", reaper_delete(round.container, 0, &round.error));
  reaper_container_free(round.container);
  if (wrong.empty() && status.exit_code != 0) wrong = "the program did not exit with 0";
  const std::string left = judge_removal();
  return wrong.empty() ? left : wrong + "; " + left;
}

void need_walks(const Scenario& scenario) {
#if defined(REAPER_INSTRUMENTED)
  SKIP("built with a sanitizer or for coverage, whose calls are not the library's");
#endif
  if (!can_trace()) SKIP("ptrace is not allowed here");
  if (scenario.terminal) need_terminals();
  if ((scenario.isolated || scenario.user || scenario.joined || scenario.devices) &&
      !(is_root() && holds_capability("CapEff:", CAP_SYS_ADMIN)))
    SKIP("making namespaces needs CAP_SYS_ADMIN");
  if (scenario.user && !holds_capability("CapEff:", CAP_SYS_PTRACE)) SKIP("CAP_SYS_PTRACE is not held");
  if (scenario.mapped && access("/bin/busybox", X_OK) != 0) SKIP("no busybox here");
  if (scenario.joined && neighbour < 0)  // before we adopt what its parent leaves
    neighbour =
        hold_apart(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS, "0 200000 65536", "0 200000 65536");
  if (scenario.joined && neighbour < 0) SKIP("user namespaces cannot be made here");
  const char* why = scenario.cgroup ? enter_cgroups() : scenario.devices ? enter_network() : nullptr;
  if (why != nullptr) SKIP(why);
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
}

}  // namespace reaper::walk
