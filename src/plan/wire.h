// What the library and reaper-init say to each other: the flat form of a Plan, and the frames on the handshake socket
// and on the gate. Freestanding: init includes it without any libc. Containers outlive an upgrade of the library, so
// every frame carries a version, and numbers here are never reused.
//
// A plan is a wire::PlanHeader, then `count` operations. An operation is a wire::OperationHeader, `number_count` u64
// numbers, then `string_count` strings, each a u32 length (without the NUL) and the bytes and a NUL, the whole padded
// with zeros to 8 bytes. The first string is always the JSON pointer that caused the operation ("" for none). All
// integers have the machine's byte order: both ends run on one machine.
#pragma once

#include <stdint.h>

namespace reaper::wire {

inline constexpr uint32_t plan_magic = 0x4e4c5052;   // "RPLN"
inline constexpr uint32_t frame_magic = 0x4d465052;  // "RPFM"
inline constexpr uint16_t version = 1;
inline constexpr char init_name[] = "reaper-init";  // until execve replaces it, PR_SET_NAME
inline constexpr char supervisor_name[] = "reaper-superv";
inline constexpr uint32_t max_plan_bytes = 32U << 20;   // argv and envp may be large; the kernel's own limit is 6 MiB
inline constexpr uint32_t max_frame_bytes = 64U << 10;  // of every frame but launch
inline constexpr uint32_t max_groups = 65536;           // NGROUPS_MAX
inline constexpr uint32_t max_extra_fds = 1024;

// Operations, in no order: a plan is carried out as it is listed. In brackets: numbers; then strings after the pointer.
enum class Op : uint16_t {
  session = 1,        // setsid
  gate = 2,           // bind and listen on "gate" in the state directory
  rlimit = 3,         // [resource, soft, hard]
  oom_score_adj = 4,  // [value as int64]
  umask = 5,          // [mask]
  keep_caps = 6,      // [0 or 1] PR_SET_KEEPCAPS
  bounding = 7,       // [mask that stays, last capability] drop the others
  groups = 8,         // [gid...] setgroups, sorted
  gid = 9,            // [gid] setresgid
  uid = 10,           // [uid] setresuid
  chdir = 11,         // path; then getcwd must be absolute
  find = 12,          // args[0], value of PATH: look the executable up as execvp(3) does
  capabilities = 13,  // [permitted, effective, inheritable]
  ambient = 14,       // [mask] clear all, then raise
  no_new_privs = 15,  // PR_SET_NO_NEW_PRIVS
  wait = 16,          // report READY, wait for GO, then for START on the gate: the end of create
  signals = 17,       // every disposition default, mask empty
  descriptors = 18,   // [how many above 2 stay] close_range for the others
  verify = 19,        // [uid, gid, permitted, effective, inheritable, ambient, bounding, last capability, no_new_privs,
                      //  securebits, flags, gid...] read back and compare; see verify_*
  exec = 20,          // [argc] argv..., envp...
  not_dumpable = 21,  // PR_SET_DUMPABLE 0: after oom_score_adj, which an unprivileged process could not write then
  supervise = 22,  // [CLONE_NEWPID, CLONE_NEWUSER] clone: the child carries on with the plan, this process stays as its
                   //  supervisor (process.cpp)
  report = 23,     // clone: the child carries on with the plan, this process tells the library how it ended
  keyring = 24,    // name: a new session keyring (keyrings(7)); none where the kernel has or allows none
  terminal = 25,   // [owner, rows, columns] a new pty as 0, 1 and 2, its master to the library; 0 rows and 0
                   //  columns: no size
  scheduler = 26,  // [policy, flags, nice as int64, priority, runtime, deadline, period] sched_setattr, read back
  io_priority = 27,    // [class, level] of the process group, read back
  personality = 28,    // [persona] read back
  exec_label = 29,     // [label_*] text for /proc/thread-self/attr/exec: the next execve takes the label
  listen = 30,         // [how many from 3 on] LISTEN_PID joins the environment (sd_listen_fds(3))
  pause = 31,          // args[0] as the name; in the place of exec: stay, as the pause process of a pod (pause.cpp)
  cgroup = 33,         // [count] directories: wait until the library has put this process into them
  unshare = 34,        // [CLONE_NEW* flags] new namespaces for this process, all but a pid namespace
  first_process = 35,  // this process was cloned into a new pid namespace: its pid there is 1
  join = 36,           // [CLONE_NEW* flag] path: setns into that namespace, which must be of this type
  hostname = 37,       // name: sethostname
  domainname = 38,     // name: setdomainname
  loopback = 39,       // the interface lo of a new network namespace is set up
  propagation = 40,    // [MS_* flags] of every mount of a new mount namespace
  root = 41,           // directory: a copy of the mount there becomes the container's root
  mount = 42,   // [flags mount_*, attributes set, cleared, set on it and all below, cleared on these, MS_* flags]
                //  destination, source, type, options of the file system...; see init/mounts.cpp
  device = 43,  // [mode, number, uid, gid, device_*] path
  link = 44,    // path, target
  pivot = 45,   // pivot_root: what was made so far becomes everything there is
  mask = 46,    // path, [label of SELinux]: hidden, by /dev/null or an empty directory
  read_only_path = 47,  // path
  finish_root = 48,     // [0 or 1: read-only, MS_* flags of its propagation or 0]
  console = 49,         // the terminal, which is standard input, over /dev/console
  user_namespace = 50,  // [capabilities, 1: setgroups is allowed] maps of uids and gids, programs that write them: wait
                        // until the library has written these, then become root there with exactly these capabilities
  sysctl = 51,          // path below /proc/sys, value: written by way of a procfs of init's own
  time_offsets = 52,    // [monotonic seconds as int64, nanoseconds, boottime seconds, nanoseconds] of the new time
                        // namespace, which this process then is in
  resctrl = 53,  // [count] directories: wait until the library has put this process into this class and group: CLASSED
  network = 54,  // a new network namespace, which the library makes meanwhile: waits for NETWORK_MADE, and enters it
  hooks = 60,    // MOUNTED; the library runs the hooks of create, and says so: HOOKED
  join_process = 61,  // [CLONE_NEW* flags, descriptor] setns into these namespaces of the process of a pidfd
  move_root = 62,     // as `pivot`, for roots that pivot_root cannot leave: moved over the old root, and chroot
  seccomp = 70,       // [flags of seccomp(2), how many rules it was made of, capabilities that are held for this
                      //  alone, then permitted, effective, inheritable for the capset(2) that gives them up, whether
                      //  execve, sendto and exit_group pass: then no page is wanted, and end of file is success,
                      //  a struct sock_filter each...] digest. Kept: exec or pause loads it, after EXEC.
                      //  With SECCOMP_FILTER_FLAG_NEW_LISTENER among the flags: see Frame::listener
  affinity = 80,      // [64 CPUs each...] list: sched_setaffinity, read back
  enter = 81,         // [CLONE_NEW* flags] setns into these namespaces of the container's process
  beside = 82,  // clone with CLONE_PARENT: the child, the library's too, carries on with the plan in the pid namespace
                // that was entered, and this process is at its end
  ready = 83,   // of exec: report READY, wait for GO
  enter_outer = 85,  // [CLONE_NEW* flags] as `enter`, before it: those that do not belong to the user namespace there
  supervise_beside = 110,  // as `supervise` without flags, of a plan with `beside_into`: the container's process is the
                           // one that is cloned there
  beside_into = 111,       // [CLONE_NEWPID, CLONE_NEWUSER] as `beside`, of create: into what was joined, and into these
  become_root = 112,       // [capabilities, 1: without the caller's groups] root of the user namespace that was joined,
                           // with exactly these capabilities
  mapped = 113,            // [0: uids, 1: gids, id...] each is in a range of this process's user namespace
  id_map = 114,            // [0: uids, 1: gids, (inside, outside, size)...] map: those are its ranges
  mount_ids = 120,    // [mount_ids_*] uid map, gid map: of the mount that comes next, whose ids they change. Waits for
                      // MAPPED_MOUNT, which brings a mount of its source, or a user namespace for a new file system
  net_devices = 121,  // name here, name there...: NETWORK, with a netlink socket of this network namespace; waits until
                      // the library has moved these devices into it: NETWORKED
  label = 122,        // path in the root, label: of security.selinux, where the file system takes no option for it
  show_user = 123,    // USER_NAMESPACE, with the user namespace that this process has joined: for `mount_ids`
  memory_policy = 130,  // [mode and flags, 64 nodes each...] list: set_mempolicy, read back
};
inline constexpr uint32_t max_node_words = 16;       // 1024 nodes
inline constexpr uint32_t max_affinity_words = 128;  // 8192 CPUs
inline constexpr uint32_t max_id_ranges = 340;       // UID_GID_MAP_MAX_EXTENTS of the kernel

// Of `mount`. Attributes are MOUNT_ATTR_* (mount_setattr(2)).
inline constexpr uint64_t mount_bind = 1;           // a copy of the mount at the source
inline constexpr uint64_t mount_recursive = 2;      // with all below it
inline constexpr uint64_t mount_remount = 4;        // what stands at the destination gets the attributes
inline constexpr uint64_t mount_no_links = 8;       // the destination must not have symbolic links in it
inline constexpr uint64_t mount_in_proc = 16;       // the destination may lie in procfs
inline constexpr uint64_t mount_must_be_proc = 32;  // the source must be procfs
inline constexpr uint64_t mount_copy_up = 64;       // a new file system begins with a copy of what was there
inline constexpr uint64_t mount_copy_mode = 128;    // of its root too
inline constexpr uint64_t mount_copy_owner = 256;   // of its root too
inline constexpr uint64_t mount_mapped = 512;       // as `mount_ids` before it says

// Of `device`, for who may make none: the host's may be lent over an empty file, which is what an earlier loan has
// left.
inline constexpr uint64_t device_over_file = 1;
// Of `mount_ids`.
inline constexpr uint64_t mount_ids_below = 1;      // of what is mounted below as well
inline constexpr uint64_t mount_ids_container = 2;  // those of the container's user namespace
inline constexpr uint32_t max_mapped_mounts = 64;

// Of `exec_label`.
inline constexpr uint64_t label_apparmor = 1;
inline constexpr uint64_t label_selinux = 2;

// Flags of `verify`.
inline constexpr uint64_t verify_no_regain_uid = 1;     // setresuid(0) must fail
inline constexpr uint64_t verify_no_regain_gid = 2;     // setresgid(0) must fail
inline constexpr uint64_t verify_no_regain_groups = 4;  // setgroups must fail
inline constexpr uint32_t verify_fixed_numbers = 11;    // before the gids

inline constexpr uint32_t max_instructions = 4096;    // of a filter: BPF_MAXINSNS
inline constexpr uint32_t seccomp_fixed_numbers = 7;  // before the instructions

struct PlanHeader {
  uint32_t magic;  // plan_magic
  uint16_t version;
  uint16_t reserved;
  uint32_t size;   // of the whole plan, this header included
  uint32_t count;  // of operations
};

struct OperationHeader {
  uint16_t op;
  uint16_t reserved;
  uint32_t size;  // of this operation, header and padding included; a multiple of 8
  uint32_t number_count;
  uint32_t string_count;
};

// What went wrong after the filter was loaded, which may deny to say so: the payload of an ERROR frame, in a memory
// file of this size. All zeros: nothing.
inline constexpr uint32_t error_page_bytes = 8192;
struct ErrorPage {
  uint32_t size;  // of the payload behind it; written last
  uint32_t reserved;
};

enum class Frame : uint16_t {
  launch = 1,     // library -> init: LaunchHeader, then the plan
  ready = 2,      // init -> library: created, nothing more can fail before start; no payload
  go = 3,         // library -> init: the record is committed; no payload
  start = 4,      // gate, client -> init; no payload
  accepted = 5,   // gate, init -> client: this client has won; no payload
  exec = 6,       // gate, init -> client: verified, execve comes next; then end of file is success. With a filter
                  //  to come: no end by it, which looks the same; and a memory file as SCM_RIGHTS, see ErrorPage
  error = 7,      // init -> library or client: ErrorHeader, then pointer and text
  cloned = 8,     // init -> library: Cloned, and a pidfd of that process as SCM_RIGHTS (unix(7))
  ended = 9,      // init -> library, of `report`: Ended
  terminal = 10,  // init -> library, before READY: the slave's path, and the master as SCM_RIGHTS
  placed = 11,    // library -> init, for `cgroup`, and for `beside*` when it knows of the process; no payload
  mapped = 12,    // library -> init, for `user_namespace`: the maps are written; no payload
  mounted = 20,   // init -> library, for `hooks`: namespaces and mounts are there, the roots not changed; no payload
  hooked = 21,    // library -> init, for `hooks`; no payload
  listener = 35,  // gate, or of exec the handshake, init -> client, after EXEC, of a filter that notifies: its listener
                  //  as SCM_RIGHTS
  taken = 36,     // client -> init: somebody has the listener; no payload
  classed = 37,   // library -> init, for `resctrl`; no payload
  mapped_mount = 120,    // library -> init, for `mount_ids`: a mount, or a user namespace, as SCM_RIGHTS; no payload
  network = 121,         // init -> library, for `net_devices`: a netlink socket as SCM_RIGHTS; no payload
  networked = 122,       // library -> init, for `net_devices`: the devices are there; no payload
  user_namespace = 123,  // init -> library, for `show_user`: as SCM_RIGHTS; no payload
  network_made = 124,    // library -> init, for `network`: the namespace as SCM_RIGHTS; no payload
};

struct FrameHeader {
  uint32_t magic;  // frame_magic
  uint16_t version;
  uint16_t type;
  uint32_t size;  // of the payload
  uint32_t reserved;
};

// The descriptors init inherits, by their numbers in it. `extra` become 3, 4, ...
struct LaunchHeader {
  int32_t state_directory;  // for `enter`: instead, a pidfd of the container's process
  int32_t stdio[3];
  uint32_t extra_count;
  uint32_t plan_size;
  // then int32_t extra[extra_count], padded with zeros to 8 bytes, then the plan
};

// The process that carries on with the plan.
struct Cloned {
  int32_t pid;  // in the pid namespace of the library's caller, which is init's too
};

// How that process ended, as waitid(2) has it.
struct Ended {
  int32_t code;    // CLD_EXITED, CLD_KILLED or CLD_DUMPED
  int32_t status;  // the exit status, or the signal
};

// Which of an operation's steps failed. The library makes the sentence.
enum class Fault : uint16_t {
  system_call = 1,     // `error` is the errno; text: the object, such as a path component
  malformed = 2,       // the plan or a frame is not well-formed; a: offset
  mismatch = 3,        // verify: text names what; a: wanted, b: found
  regained = 4,        // verify: text names the call that should have failed
  not_found = 5,       // find: no such executable in PATH (text: args[0])
  not_executable = 6,  // find: found, but not executable (text: the path); error: EACCES
  directory = 7,       // chdir: text is the component that failed, a: uid tried, b: mode of that component
  escaped = 8,         // chdir: getcwd is not absolute: the directory lies outside the root
};

struct ErrorHeader {
  uint16_t op;     // Op, or 0 outside any operation
  uint16_t fault;  // Fault
  int32_t error;   // errno or 0
  uint64_t a;
  uint64_t b;
  uint16_t pointer_size;
  uint16_t text_size;
  uint32_t reserved;
  // then pointer and text, without NULs
};

}  // namespace reaper::wire
