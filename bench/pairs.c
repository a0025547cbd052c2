/* Two sequences of commands in turns, without a shell in the timed path:
 *   bench-pairs [--pairs N] [--name TEXT] [--limit RATIO] -- COMMAND [, COMMAND]... :: COMMAND [, COMMAND]...
 * The command @reap waits for the process that the commands before it left behind. This program is a subreaper, as the
 * callers of an OCI runtime are. Standard input and output are /dev/null; a command that fails ends everything. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

extern char** environ;

enum { most_commands = 8 };

struct sequence {
  char** commands[most_commands]; /* each ends in NULL */
  size_t count;
  posix_spawn_file_actions_t* actions;
};

static void await_success(pid_t pid, const char* what) {
  int status = 0;
  pid_t got;
  do got = waitpid(pid, &status, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) die(errno, "waitpid for %s", what);
  if (WIFSIGNALED(status)) die(0, "%s: ended by signal %d", what, WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) die(0, "%s: exit code %d", what, WEXITSTATUS(status));
}

static int64_t run_sequence(void* context) {
  const struct sequence* sequence = context;
  const int64_t begin = now_ns();
  for (size_t i = 0; i < sequence->count; ++i) {
    char** command = sequence->commands[i];
    pid_t child = -1;
    if (strcmp(command[0], "@reap") != 0) {
      const int error = posix_spawn(&child, command[0], sequence->actions, NULL, command, environ);
      if (error != 0) die(error, "%s", command[0]);
    }
    await_success(child, command[0]);
  }
  return now_ns() - begin;
}

/* Cuts the words up to "::" (or the end) into commands at ","; returns what is left. */
static char** cut(char** words, struct sequence* sequence) {
  char** begin = words;
  for (;; ++words) {
    const int last = *words == NULL || strcmp(*words, "::") == 0;
    if (!last && strcmp(*words, ",") != 0) continue;
    if (words == begin || sequence->count == most_commands) die(0, "an empty command, or more than %d", most_commands);
    char** rest = *words == NULL ? words : words + 1;
    *words = NULL;
    sequence->commands[sequence->count++] = begin;
    if (last) return rest;
    begin = rest;
  }
}

static void null_stdio(posix_spawn_file_actions_t* actions) {
  int error = posix_spawn_file_actions_init(actions);
  if (error == 0) error = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
  if (error == 0) error = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
  if (error != 0) die(error, "posix_spawn_file_actions");
}

int main(int argc, char** argv) {
  static const struct option options[] = {
      {"pairs", 1, NULL, 'p'}, {"name", 1, NULL, 'n'}, {"limit", 1, NULL, 'l'}, {NULL, 0, NULL, 0}};
  struct row row = {.name = "commands", .pairs = 200};
  for (int option; (option = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
    if (option == 'p') row.pairs = read_count(optarg);
    if (option == 'n') row.name = optarg;
    if (option == 'l') row.limit = read_number(optarg);
    if (option == '?') return 2;
  }
  posix_spawn_file_actions_t actions;
  null_stdio(&actions);
  struct sequence a = {.actions = &actions}, b = {.actions = &actions};
  char** rest = cut(argv + optind, &a);
  cut(rest, &b);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) die(errno, "prctl(PR_SET_CHILD_SUBREAPER)");
  measure_pairs(&row, (struct subject){run_sequence, &a}, (struct subject){run_sequence, &b});
  posix_spawn_file_actions_destroy(&actions);
  return 0;
}
