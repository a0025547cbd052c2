/* Does a host process stay as it is? Descriptors, threads, zombies and resident memory before and after many life
 * cycles: bench-cycles --root DIR --bundle DIR [--cycles N]. Exits with 1 when descriptors, threads or zombies differ.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

enum { warm_up_cycles = 200 };

struct standing {
  long descriptors, threads, children, rss_kib;
};

static long count_entries(const char* path) {
  long count = 0;
  DIR* directory = opendir(path);
  if (directory == NULL) die(errno, "%s", path);
  for (const struct dirent* entry; (entry = readdir(directory)) != NULL;) count += entry->d_name[0] != '.';
  closedir(directory);
  return count;
}

static long status_field(const char* name) {
  char line[256];
  long value = -1;
  FILE* status = fopen("/proc/self/status", "re");
  if (status == NULL) die(errno, "/proc/self/status");
  while (value < 0 && fgets(line, sizeof line, status) != NULL)
    if (strncmp(line, name, strlen(name)) == 0) value = strtol(line + strlen(name), NULL, 10);
  fclose(status);
  if (value < 0) die(0, "/proc/self/status has no %s", name);
  return value;
}

/* Children that live or wait to be reaped: this program has none of its own at that moment. */
static long count_children(void) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) return 1;
  if (errno != ECHILD) die(errno, "waitid");
  return 0;
}

static struct standing look(void) {
  return (struct standing){count_entries("/proc/self/fd"), status_field("Threads:"), count_children(),
                           status_field("VmRSS:")};
}

int main(int argc, char** argv) {
  static const struct option options[] = {
      {"cycles", 1, NULL, 'c'}, {"root", 1, NULL, 'r'}, {"bundle", 1, NULL, 'b'}, {NULL, 0, NULL, 0}};
  const char *root = NULL, *bundle = NULL;
  size_t cycles = 10000;
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (option == 'c') cycles = read_count(optarg);
    if (option == 'r') root = optarg;
    if (option == 'b') bundle = optarg;
    if (option == '?') return 2;
  }
  if (root == NULL || bundle == NULL) die(0, "usage: bench-cycles --root DIR --bundle DIR [--cycles N]");
  struct host host;
  host_open(&host, root, bundle);
  for (size_t i = 0; i < warm_up_cycles; ++i) by_reaper(&host); /* buffers and caches reach their size */
  const struct standing before = look();
  for (size_t i = 0; i < cycles; ++i) by_reaper(&host);
  const struct standing after = look();
  host_close(&host);
  printf("| a host's descriptors, before and after %zu cycles | %ld | %ld |\n", cycles, before.descriptors,
         after.descriptors);
  printf("| its threads | %ld | %ld |\n", before.threads, after.threads);
  printf("| its children and zombies | %ld | %ld |\n", before.children, after.children);
  printf("| its resident memory, KiB | %ld | %ld |\n", before.rss_kib, after.rss_kib);
  return before.descriptors != after.descriptors || before.threads != after.threads || after.children != 0;
}
