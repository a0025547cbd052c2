/* The life cycle inside a host process, against other ways to run the same program, or against itself in a larger host:
 *   bench-lifecycle [--pairs N] [--name TEXT] [--limit RATIO] [--resident GIB] --root DIR --bundle DIR WAY WAY
 *   bench-lifecycle ... --resident GIB --resident-b GIB ... WAY WAY
 * WAY: reaper, spawn, fork or calls. With --resident-b the two hosts are two processes on the same CPU that take turns.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

struct settings {
  struct row row;
  const char *root, *bundle;
  double resident[2];
  int two_hosts;
};

static measured way(const char* name) {
  if (strcmp(name, "reaper") == 0) return by_reaper;
  if (strcmp(name, "spawn") == 0) return by_spawn;
  if (strcmp(name, "fork") == 0) return by_fork;
  if (strcmp(name, "calls") == 0) return by_system_calls;
  die(0, "no way to run a program: %s (reaper, spawn, fork or calls)", name);
}

/* Memory that is really there, in pages of 4 KiB: what fork(2) copies the tables of. It lives as long as the process.
 */
static void make_resident(double gib) {
  const size_t size = (size_t)(gib * 1024 * 1024 * 1024);
  if (size == 0) return;
  char* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) die(errno, "mmap of %.1f GiB", gib);
  madvise(memory, size, MADV_NOHUGEPAGE); /* without huge pages in the kernel it fails, and there are none to avoid */
  for (size_t i = 0; i < size; i += 4096) memory[i] = 1;
}

/* ---- a host of its own, measured by turns ---- */

struct remote {
  int to, from;
  pid_t pid;
};

static void serve(const struct settings* settings, measured once, double gib, int in, int out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct host host;
  char turn;
  host_open(&host, settings->root, settings->bundle);
  make_resident(gib);
  while (read(in, &turn, 1) == 1 && turn == 't') {
    const int64_t time = once(&host);
    if (write(out, &time, sizeof time) != sizeof time) die(errno, "write to the driver");
  }
  host_close(&host);
  exit(0);
}

static struct remote start_remote(const struct settings* settings, const char* name, double gib) {
  int to[2], from[2];
  const measured once = way(name);
  if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) die(errno, "pipe");
  const pid_t child = fork();
  if (child < 0) die(errno, "fork");
  if (child == 0) {
    close(to[1]);
    close(from[0]);
    serve(settings, once, gib, to[0], from[1]);
  }
  close(to[0]);
  close(from[1]);
  return (struct remote){.to = to[1], .from = from[0], .pid = child};
}

static int64_t take_turn(void* context) {
  const struct remote* remote = context;
  int64_t time = 0;
  if (write(remote->to, "t", 1) != 1) die(errno, "write to a host");
  if (read(remote->from, &time, sizeof time) != sizeof time) die(0, "a host process failed");
  return time;
}

/* Said, not left to end of file: the host that was forked later holds this pipe too. */
static void stop_remote(struct remote* remote) {
  if (write(remote->to, "q", 1) != 1) die(errno, "write to a host");
  close(remote->to);
  close(remote->from);
  if (waitpid(remote->pid, NULL, 0) != remote->pid) die(errno, "waitpid for a host");
}

/* The last CPU that we may use: both hosts and all their children stay on it. */
static void pin(void) {
  cpu_set_t set, one;
  if (sched_getaffinity(0, sizeof set, &set) != 0) die(errno, "sched_getaffinity");
  int last = CPU_SETSIZE - 1;
  while (last > 0 && !CPU_ISSET(last, &set)) --last;
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) die(errno, "sched_setaffinity");
}

static void measure_hosts(const struct settings* settings, char** ways) {
  pin();
  struct remote a = start_remote(settings, ways[0], settings->resident[0]);
  struct remote b = start_remote(settings, ways[1], settings->resident[1]);
  measure_pairs(&settings->row, (struct subject){take_turn, &a}, (struct subject){take_turn, &b});
  stop_remote(&a);
  stop_remote(&b);
}

static void measure_here(const struct settings* settings, char** ways) {
  struct host host;
  host_open(&host, settings->root, settings->bundle);
  make_resident(settings->resident[0]);
  measure_pairs(&settings->row, (struct subject){way(ways[0]), &host}, (struct subject){way(ways[1]), &host});
  host_close(&host);
}

static char** read_options(int argc, char** argv, struct settings* settings) {
  static const struct option options[] = {
      {"pairs", 1, NULL, 'p'},  {"name", 1, NULL, 'n'},     {"limit", 1, NULL, 'l'},      {"root", 1, NULL, 'r'},
      {"bundle", 1, NULL, 'b'}, {"resident", 1, NULL, 'a'}, {"resident-b", 1, NULL, 'B'}, {NULL, 0, NULL, 0}};
  for (int option; (option = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
    if (option == 'p') settings->row.pairs = read_count(optarg);
    if (option == 'n') settings->row.name = optarg;
    if (option == 'l') settings->row.limit = read_number(optarg);
    if (option == 'r') settings->root = optarg;
    if (option == 'b') settings->bundle = optarg;
    if (option == 'a') settings->resident[0] = read_number(optarg);
    if (option == 'B') settings->resident[1] = read_number(optarg), settings->two_hosts = 1;
    if (option == '?') exit(2);
  }
  if (argc - optind != 2 || settings->root == NULL || settings->bundle == NULL)
    die(0, "usage: bench-lifecycle [OPTIONS] --root DIR --bundle DIR WAY WAY");
  return argv + optind;
}

int main(int argc, char** argv) {
  struct settings settings = {.row = {.name = "life cycle", .pairs = 200}};
  char** ways = read_options(argc, argv, &settings);
  if (settings.two_hosts)
    measure_hosts(&settings, ways);
  else
    measure_here(&settings, ways);
  return 0;
}
