// A small model of the kernel for reaper-init's hosted build: what init asks of it, it does to `Kernel`'s members, and
// every call is recorded. A test may make the n-th call fail, or make a kind of call succeed without an effect.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace reaper::test {

// What exit_group and execve do to the test: they end init::run().
struct Exited {
  int status;
};
struct Executed {};

struct Call {
  long number;
  long arguments[6];
  long result;
};

// A child of init that has ended, as waitid(2) tells it.
struct EndedChild {
  int32_t pid, code, status;
};

// What stands where a tmpfs is to begin with a copy, and the copy (kernel_copies.cpp). Paths begin below the directory
// itself, which is "".
struct File {
  uint32_t mode = 0;
  std::string content;  // of a link: its target
  std::map<std::string, std::string> attributes;
};
struct Copies {
  std::map<std::string, File> originals, made;
  std::string mounted_over;  // EXDEV
  std::string changes;       // looks like a pipe
  std::map<int, std::string> open_originals, open_copies;
  std::set<int> listed;  // descriptors that were read to their end
};

struct Kernel {
  // Identity, as capabilities(7) and credentials(7) have it.
  uint32_t uid[3] = {0, 0, 0};
  uint32_t gid[3] = {0, 0, 0};
  std::vector<uint32_t> groups;
  CapabilitySets capabilities;
  int last_capability = 40;
  bool keep_caps = false, no_new_privs = false;
  uint32_t securebits = 0;

  // What sched_getattr, ioprio_get and personality answer.
  uint64_t scheduler[6] = {};  // the 48 bytes of its first version
  long io_priority = 0;
  uint32_t personality = 0;
  uint64_t affinity[128] = {};
  int memory_mode = 0;
  uint64_t memory_nodes = 0, online_nodes = ~uint64_t{0};
  uint64_t cpuset = ~uint64_t{0};  // what there is, of the first 64 CPUs

  // Keyrings: serial numbers grow. What stands in `foreign_keyring` (its description) is joined by its name.
  std::vector<std::string> joined_keyrings;  // "" for one without a name
  std::string foreign_keyring;

  // Files: paths that exist, with their modes; everything else is ENOENT.
  std::map<std::string, uint32_t> files = {{"/", 040755},
                                           {"/dev/null", 020666},
                                           {"/bin", 040755},
                                           {"/bin/sh", 0100755},
                                           {"/proc/self/oom_score_adj", 0100644}};
  std::map<std::string, long> chdir_result;  // else by `files`
  std::string getcwd_result = "/";
  long proc_magic = 0x9fa0;  // PROC_SUPER_MAGIC
  std::set<int> open = {0, 1, 2, 7, 8};
  std::set<int> close_on_exec;

  std::string to_read;                  // from the handshake, then from a gate connection
  bool chunked = false;                 // one byte at a time
  std::deque<std::string> connections;  // what each client of the gate says
  std::string sent;                     // by the handshake
  std::string replied;                  // by gate connections
  std::deque<uint32_t> signals;         // delivered to the signalfd, before any connection
  std::map<int, std::string> written;   // write(2) by descriptor
  std::string executed;                 // execve's path
  std::vector<std::string> argv, envp;

  // Children (kernel_processes.cpp).
  long clone_result = 0;                       // 0: the test follows the child
  bool told_to_go_on = true;                   // what the child reads from its pipe: a byte, or end of file
  std::deque<EndedChild> ended;                // in this order; afterwards there are no children
  bool library_gone = false;                   // the handshake's other end, for those who watch it
  std::string children;                        // /proc/thread-self/children
  std::string told_to_supervisor;              // the pid, by the pipe of `supervise_beside`; or what it reads there
  std::vector<long> killed, reaped;            // pids
  std::string record, record_name;             // what was written into .exit.new, and what it was renamed to
  std::function<void(Kernel&, int)> on_close;  // close(2) of a descriptor
  std::vector<long> passed;                    // descriptors sent with a frame
  std::deque<int> given;                       // those that recvmsg(2) gets, one with each frame

  // The pseudo-terminal that /dev/ptmx makes (kernel_terminal.cpp).
  struct Pty {
    uint64_t device = 0x502;  // of the opened /dev/ptmx
    uint32_t number = 7;
    uint32_t owner = 0;
    bool locked = true;
    bool has_session = false;
    int rows = 0, columns = 0;
  } pty;

  // Namespaces (kernel_namespaces.cpp).
  long own_pid = 0;
  std::string maps[2] = {"0 0 4294967295\n", "0 0 4294967295\n"};  // /proc/thread-self/uid_map and gid_map
  size_t map_at = 0;
  long unshared = 0, joined = 0;  // CLONE_NEW* flags
  long propagation = 0;           // MS_* flags
  std::string hostname, domainname;
  int16_t loopback_flags = 0x48;  // IFF_LOOPBACK, IFF_RUNNING
  long interface_error = 0;
  bool no_ipv4 = false;

  // Mounts (kernel_mounts.cpp).
  std::map<int, std::string> places;                         // what a descriptor of a path or of a mount is
  std::map<std::string, uint32_t> inside = {{"/", 040755}};  // what is in the container's root, with modes
  std::map<std::string, long> inside_error;                  // of openat2(2)
  std::vector<std::string> mounts, options;                  // in the order of the calls
  uint32_t file_size = 0;                                    // of every file that newfstatat(2) finds
  bool no_devices = false;                                   // mknodat(2) makes none (capabilities(7), CAP_MKNOD)
  uint64_t null_device = 0;                                  // st_rdev of what is opened as a path
  std::vector<std::string> labels;                           // fsetxattr(2): the place and the value

  Copies copies;

  // Filters (kernel_seccomp.cpp). What the loaded one denies comes from `filter_denies`.
  std::vector<uint64_t> filter;  // its instructions
  long filter_flags = 0;
  std::map<long, long> filter_denies;
  const char* page = nullptr;  // the shared one

  // Faults.
  size_t fail_at = SIZE_MAX;                // index into `calls`
  long fail_with = 0;                       // negative errno
  std::map<long, long> deny;                // a system call that always gives this
  std::set<long> without_effect;            // succeeds and does nothing
  std::function<void(const Call&)> tamper;  // after every call: may change what it has written
  std::vector<Call> calls;

  long handle(const Call& call);
};

// The calls of those who clone and wait; nullopt: not one of them.
std::optional<long> handle_processes(Kernel& k, const Call& call);
// fstat, fchown and ioctl of a terminal (kernel_terminal.cpp).
long handle_terminal(Kernel& k, const Call& call);

// kernel_seccomp.cpp: a part of handle(); none: another call.
std::optional<long> handle_seccomp(Kernel& k, const Call& call);

// kernel_copies.cpp: a part of handle(); none: another call.
std::optional<long> handle_copies(Kernel& k, const Call& call);

// kernel_mounts.cpp: a part of handle(); none: another call.
std::optional<long> handle_mounts(Kernel& k, const Call& call);

// kernel_namespaces.cpp: a part of handle(); none: another call.
std::optional<long> handle_namespaces(Kernel& k, const Call& call);

// kernel_attributes.cpp: a part of handle(); none: another call.
std::optional<long> handle_attribute(Kernel& k, const Call& call);

extern Kernel* kernel;  // the one in force

// LAUNCH with this plan, then GO; as the library sends them. The gate's first client says START.
std::string launch_bytes(const std::string& plan, const std::vector<int32_t>& extra = {});
std::string frame_bytes(wire::Frame type, const std::string& payload = "");

// Runs init against `k`. What ended it is in the result.
struct Ending {
  bool executed = false;
  int status = -1;
};
Ending run_init(Kernel& k);

// The error frame that was sent last; op 0 and empty when there is none.
struct SentError {
  bool present = false;
  wire::ErrorHeader header = {};
  std::string pointer, text;
};
SentError last_error(const std::string& stream);

// A plan that uses every operation, and a kernel in which it succeeds.
std::vector<Operation> full_plan();
Kernel full_kernel();
std::string encode(const std::vector<Operation>& operations);

}  // namespace reaper::test
