/* See tamper.h. */
#include "tamper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char* file_of(const struct scene* scene, const char* id, const char* name) {
  return text_of("%s/%s/%s", scene->place.root, id, name);
}

static uint64_t fnv1a(const char* text, uint64_t state) {
  for (; *text != '\0'; ++text) state = (state ^ (unsigned char)*text) * 0x100000001b3U;
  return state;
}
#define FNV1A_EMPTY 0xcbf29ce484222325U

/* ---- Identities ---- */

struct words {
  char word[FIELD_COUNT][80];
};

static struct words split(const char* line) {
  struct words words;
  char(*word)[80] = words.word;
  REQUIRE(sscanf(line, "%79s %79s %79s %79s %79s", word[0], word[1], word[2], word[3], word[4]) == FIELD_COUNT);
  return words;
}

static char* join(const struct words* words) {
  const char(*word)[80] = words->word;
  char* fields = text_of("%s %s %s %s %s ", word[0], word[1], word[2], word[3], word[4]);
  char* line = text_of("%s%016" PRIx64 "\n", fields, fnv1a(fields, FNV1A_EMPTY));
  free(fields);
  return line;
}

char* identity_field(const char* line, enum field field) {
  return text_of("%s", split(line).word[field]);
}

char* identity_line(const char* line, enum field field, const char* value) {
  struct words words = split(line);
  snprintf(words.word[field], sizeof words.word[field], "%s", value);
  return join(&words);
}

static uint64_t namespace_of(const char* name) {
  char* path = text_of("/proc/self/ns/%s", name);
  struct stat status;
  REQUIRE(stat(path, &status) == 0);
  free(path);
  return status.st_ino;
}

char* identity_of(pid_t pid) {
  char* path = text_of("/proc/%d/stat", (int)pid);
  char* stat_text = read_whole(path);
  char* boot = read_whole("/proc/sys/kernel/random/boot_id");
  REQUIRE(stat_text != NULL && boot != NULL);
  boot[strcspn(boot, "\n")] = '\0';
  const char* at = strrchr(stat_text, ')') + 1;
  for (int field = 2; field < 22; ++field) at = strchr(at, ' ') + 1; /* field 2 ends before the first blank */
  struct words words;
  snprintf(words.word[FIELD_PID], 80, "%d", (int)pid);
  snprintf(words.word[FIELD_START_TIME], 80, "%.*s", (int)strcspn(at, " "), at);
  snprintf(words.word[FIELD_BOOT_ID], 80, "%s", boot);
  snprintf(words.word[FIELD_PID_NAMESPACE], 80, "%" PRIu64, namespace_of("pid"));
  snprintf(words.word[FIELD_TIME_NAMESPACE], 80, "%" PRIu64, namespace_of("time"));
  free(boot);
  free(stat_text);
  free(path);
  return join(&words);
}

/* ---- The record ---- */

void write_record(const struct scene* scene, const char* id, const char* version, const char* record) {
  char* head = text_of("%s\n", version);
  char* path = file_of(scene, id, "state.json");
  char* text = text_of("{\"version\":%s,\"length\":%zu,\"checksum\":\"%016" PRIx64 "\",\"record\":%s}", version,
                       strlen(record), fnv1a(record, fnv1a(head, FNV1A_EMPTY)), record);
  write_whole(path, text);
  free(text);
  free(path);
  free(head);
}

char* read_record(const struct scene* scene, const char* id) {
  static const char mark[] = ",\"record\":";
  char* path = file_of(scene, id, "state.json");
  char* text = read_whole(path);
  free(path);
  REQUIRE(text != NULL && strstr(text, mark) != NULL);
  char* record = text_of("%s", strstr(text, mark) + strlen(mark));
  record[strlen(record) - 1] = '\0'; /* the frame's brace */
  free(text);
  return record;
}

void change_record(const struct scene* scene, const char* id, const char* name, const char* value) {
  char* key = text_of("\"%s\":", name);
  char* record = read_record(scene, id);
  REQUIRE(strstr(record, key) != NULL);
  for (size_t from = 0; strstr(record + from, key) != NULL;) {
    char* at = strstr(record + from, key) + strlen(key);
    char* end = at + strcspn(at, ",}");
    char* changed = text_of("%.*s%s%s", (int)(at - record), record, value, end);
    from = (size_t)(at - record);
    free(record);
    record = changed;
  }
  write_record(scene, id, "1", record);
  free(record);
  free(key);
}

void change_identity(const struct scene* scene, const char* id, enum field field, const char* value) {
  static const char* const names[] = {"pid", "startTime", "bootId", "pidNamespace", "timeNamespace"};
  static const char* const files[] = {"identity", "supervisor"};
  for (size_t i = 0; i < COUNT_OF(files); ++i) {
    char* path = file_of(scene, id, files[i]);
    char* line = read_whole(path);
    if (line != NULL) {
      char* changed = identity_line(line, field, value);
      write_whole(path, changed);
      free(changed);
    }
    free(line);
    free(path);
  }
  char* text = field == FIELD_BOOT_ID ? json_string(value) : text_of("%s", value);
  change_record(scene, id, names[field], text);
  free(text);
}

/* ---- Processes ---- */

static int wait_for_the_end(void* argument) {
  (void)argument;
  for (;;) pause();
  return 0;
}

pid_t innocent(void) {
  return fork_body(wait_for_the_end, NULL);
}

int is_unharmed(pid_t pid) {
  char* path = text_of("/proc/%d/status", (int)pid);
  char* text = read_whole(path);
  free(path);
  char* state = text != NULL ? line_value(text, "State:") : NULL;
  char* pending = text != NULL ? line_value(text, "ShdPnd:") : NULL;
  const int unharmed = state != NULL && (*state == 'S' || *state == 'R' || *state == 'D') && pending != NULL &&
                       strtoull(pending, NULL, 16) == 0;
  if (!unharmed) dprintf(2, "process %d: %s, pending %s\n", (int)pid, state != NULL ? state : "gone", pending);
  free(pending);
  free(state);
  free(text);
  return unharmed;
}

void end_own_child(pid_t pid) {
  REQUIRE(pid > 1);
  kill(pid, SIGKILL);
  exit_of(pid);
}

/* ---- Mounts ---- */

static int write_text(const char* path, const char* text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return errno;
  const int bad = write(file, text, strlen(text)) != (ssize_t)strlen(text) ? errno : 0;
  close(file);
  return bad;
}

/* An ordinary user may mount only where he is root. */
static int own_users(void) {
  char* uids = text_of("0 %d 1", (int)getuid());
  char* gids = text_of("0 %d 1", (int)getgid());
  int bad = unshare(CLONE_NEWUSER) != 0 ? errno : 0;
  if (bad == 0) bad = write_text("/proc/self/uid_map", uids);
  if (bad == 0) bad = write_text("/proc/self/setgroups", "deny");
  if (bad == 0) bad = write_text("/proc/self/gid_map", gids);
  free(gids);
  free(uids);
  return bad;
}

int own_mounts(void) {
  if (!is_root()) {
    const int bad = own_users();
    if (bad != 0) return bad;
  }
  if (unshare(CLONE_NEWNS) != 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return errno;
  return 0;
}

static int try_own_mounts(void* directory) {
  if (own_mounts() != 0) return 1;
  return mount("none", directory, "tmpfs", 0, "size=64k") != 0;
}

void need_own_mounts(void) {
  struct place place;
  place_make(&place);
  const int bad = in_child(try_own_mounts, place.directory);
  place_remove(&place);
  if (bad == 0) return;
  SKIP("no mount namespace of our own can be made here");
}

/* ---- Processes of one's own ---- */

/* Runs `body` as the first process of a pid namespace; everything below it ends with it. */
struct first {
  int (*body)(void*);
  void* argument;
};

static int be_first(void* argument) {
  const struct first* first = argument;
  if (mount("proc", "/proc", "proc", 0, NULL) != 0) return 77;
  return first->body(first->argument);
}

static int make_pids(void* argument) {
  if (own_mounts() != 0 || unshare(CLONE_NEWPID) != 0) return 77;
  return in_child(be_first, argument);
}

int in_own_pids(int (*body)(void*), void* argument) {
  struct first first = {body, argument};
  return in_child(make_pids, &first);
}

static int do_nothing(void* argument) {
  (void)argument;
  return 0;
}

void need_own_pids(void) {
  if (in_own_pids(do_nothing, NULL) != 0) SKIP("no pid namespace of our own can be made here");
}
