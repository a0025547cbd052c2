/* The price of isolation itself: the system calls that a container of bench/run's isolated bundles needs at the least,
 * made by a program that knows them beforehand. No config.json, no state directory, no second program, no way to stop
 * half way, no identity, nothing that is checked or read back. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

enum { stack_bytes = 64 * 1024 };

struct filesystem {
  const char *path, *type, *data;
  unsigned long flags;
};

/* As bench/run writes them into the bundle, relative to the root. */
static const struct filesystem filesystems[] = {
    {"proc", "proc", NULL, 0},
    {"dev", "tmpfs", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME},
    {"dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5", MS_NOSUID | MS_NOEXEC},
    {"dev/shm", "tmpfs", "mode=1777,size=65536k", MS_NOSUID | MS_NOEXEC | MS_NODEV},
    {"dev/mqueue", "mqueue", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV},
    {"sys", "sysfs", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY},
};

static const struct {
  const char* path;
  unsigned major, minor;
} devices[] = {{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
               {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};

static const char* const links[][2] = {{"pts/ptmx", "dev/ptmx"},
                                       {"/proc/self/fd", "dev/fd"},
                                       {"/proc/self/fd/0", "dev/stdin"},
                                       {"/proc/self/fd/1", "dev/stdout"},
                                       {"/proc/self/fd/2", "dev/stderr"}};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* In the child, which has the caller's memory until execve: system calls alone. The number of the one that fails. */
static int make_filesystems(void) {
  for (size_t i = 0; i < COUNT_OF(filesystems); ++i) {
    const struct filesystem* one = &filesystems[i];
    if (mkdir(one->path, 0755) != 0 && errno != EEXIST) return 10;
    if (mount(one->type, one->path, one->type, one->flags, one->data) != 0) return 11 + (int)i;
  }
  for (size_t i = 0; i < COUNT_OF(devices); ++i) {
    if (mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)) != 0) return 20;
    if (chmod(devices[i].path, 0666) != 0) return 21;
  }
  for (size_t i = 0; i < COUNT_OF(links); ++i)
    if (symlink(links[i][0], links[i][1]) != 0) return 22;
  return 0;
}

/* As every runtime does in a network namespace of its own. */
static int bring_loopback_up(void) {
  struct ifreq request = {.ifr_name = "lo"};
  const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (any < 0 || ioctl(any, SIOCGIFFLAGS, &request) != 0) return -1;
  request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
  return ioctl(any, SIOCSIFFLAGS, &request) != 0 ? -1 : close(any);
}

static int isolate(const char* root) {
  if (setsid() < 0) return 1;
  if (bring_loopback_up() != 0) return 9;
  if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0) return 2;
  if (mount(root, root, NULL, MS_BIND | MS_REC, NULL) != 0 || chdir(root) != 0) return 3;
  const int failed = make_filesystems();
  if (failed != 0) return failed;
  if (syscall(SYS_pivot_root, ".", ".") != 0) return 4;
  if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) return 5;
  return sethostname("bench", strlen("bench")) != 0 ? 6 : 0;
}

/* Of the bundle with a filter, which bench/run has written beside its config.json: loaded here as it is. */
static struct sock_filter instructions[BPF_MAXINSNS];
static struct sock_fprog filter;

static void read_filter(const char* bundle) {
  char path[4096];
  snprintf(path, sizeof path, "%s/filter", bundle);
  FILE* file = fopen(path, "rbe");
  filter.filter = instructions;
  filter.len = 0;
  if (file == NULL) return;
  filter.len = (unsigned short)fread(instructions, sizeof *instructions, BPF_MAXINSNS, file);
  if (fclose(file) != 0 || filter.len == 0) die(0, "%s is no filter", path);
}

static int run_isolated(void* context) {
  static char* const arguments[] = {"/bin/true", NULL};
  static char* const no_environment[] = {NULL};
  const int failed = isolate(context);
  if (failed != 0) _exit(failed);
  if (filter.len != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(7);
  if (filter.len != 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) _exit(8);
  execve(arguments[0], arguments, no_environment);
  _exit(127);
}

int64_t by_system_calls(void* context) {
  const struct host* host = context;
  static char stack[stack_bytes] __attribute__((aligned(16)));
  char root[4096];
  int status = 0;
  snprintf(root, sizeof root, "%s/rootfs", host->bundle);
  read_filter(host->bundle);
  const int64_t begin = now_ns();
  const pid_t child = clone(
      run_isolated, stack + sizeof stack,
      CLONE_VM | CLONE_VFORK | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | SIGCHLD, root);
  if (child < 0) die(errno, "clone");
  if (waitpid(child, &status, 0) != child) die(errno, "waitpid");
  const int64_t end = now_ns();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) die(0, "the bare system calls: %d", status >> 8);
  return end - begin;
}
