/*
 * Namespaces of a container's own and of others: which of them the program is in, what is set in them, and that nothing
 * of it reaches the caller.
 *
 * This program is also what runs in the containers: "probe" says what it sees.
 */
#include "containers.h"
#include "reaper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEEDS "making namespaces needs CAP_SYS_ADMIN"

static char self[4096];

static const char *const types[] = {"pid", "net", "mnt", "ipc", "uts", "cgroup", "user", "time"};
#define MADE 6 /* the first of them are made by all_new */
static const char all_new[] =
    "{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"
    "{\"type\":\"cgroup\"}";

/* An address of this host's own can be reached only over an interface that is up. */
static const char *loopback(void) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int up = fd >= 0 && sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof address) == 1;
  if (fd >= 0) close(fd);
  return up ? "up" : "down";
}

static int probe(void) {
  for (size_t i = 0; i < COUNT_OF(types); ++i) {
    char path[64];
    char target[64] = "";
    snprintf(path, sizeof path, "/proc/self/ns/%s", types[i]);
    if (readlink(path, target, sizeof target - 1) < 0) return 1;
    printf("%s\n", target);
  }
  struct utsname name;
  if (uname(&name) != 0) return 1;
  printf("pid: %d\nhostname: %s\ndomainname: %s\nlo: %s\n", getpid(), name.nodename, name.domainname, loopback());
  return 0;
}

static char *config_of(const char *namespaces, const char *more, const char *args) {
  return text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[%s],\"cwd\":\"/\"},"
      "\"linux\":{\"namespaces\":[%s]}%s}",
      args, namespaces, more);
}

static char *probe_config(const char *namespaces, const char *more) {
  char *path = json_string(self);
  char *args = text_of("%s,\"probe\"", path);
  char *config = config_of(namespaces, more, args);
  free(args);
  free(path);
  return config;
}

static char *probed(const struct scene *scene, const char *namespaces, const char *more, uint32_t flags) {
  char *config = probe_config(namespaces, more);
  reaper_create_options options = options_of(scene, config);
  options.flags = flags;
  char *text = output_of_config(scene, config, options);
  free(config);
  return text;
}

static char *own_namespace(const char *type) {
  char *path = text_of("/proc/self/ns/%s", type);
  char target[64] = "";
  assert_true(readlink(path, target, sizeof target - 1) > 0);
  free(path);
  return text_of("%s\n", target);
}

static int can_make(void) {
  return is_root() && holds_capability("CapEff:", CAP_SYS_ADMIN);
}

static void is_in_all_new(const char *text) {
  for (size_t i = 0; i < COUNT_OF(types); ++i) {
    char *own = own_namespace(types[i]);
    char *kind = text_of("%s:[", types[i]);
    assert_contains(text, kind);
    if ((strstr(text, own) == NULL) != (i < MADE)) fail_msg("%s of the container and its caller: %s", own, text);
    free(kind);
    free(own);
  }
  assert_contains(text, "pid: 1\n");
  assert_contains(text, "lo: up\n");
}

static void test_new(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const uint32_t flags[] = {0, REAPER_CREATE_SUPERVISE};
  for (size_t i = 0; i < COUNT_OF(flags); ++i) {
    char *text = probed(*state, all_new, "", flags[i]);
    is_in_all_new(text);
    free(text);
  }
}

/* Each alone: one that another depends on would not be noticed above. */
static void test_each(void **state) {
  static const char *const names[] = {"pid", "network", "mount", "ipc", "uts", "cgroup"};
  if (!can_make()) SKIP(NEEDS);
  for (size_t i = 0; i < COUNT_OF(names); ++i) {
    char *wanted = text_of("{\"type\":\"%s\"}", names[i]);
    char *text = probed(*state, wanted, "", 0);
    for (size_t k = 0; k < COUNT_OF(types); ++k) {
      char *own = own_namespace(types[k]);
      if ((strstr(text, own) == NULL) != (i == k)) fail_msg("%s: %s", names[i], text);
      free(own);
    }
    free(text);
    free(wanted);
  }
}

static void test_names(void **state) {
  if (!can_make()) SKIP(NEEDS);
  struct utsname before;
  struct utsname after;
  assert_int_equal(uname(&before), 0);
  char *text = probed(*state, "{\"type\":\"uts\"}", ",\"hostname\":\"web-1\",\"domainname\":\"example.org\"", 0);
  assert_contains(text, "hostname: web-1\n");
  assert_contains(text, "domainname: example.org\n");
  free(text);
  text = probed(*state, "{\"type\":\"uts\"}", "", 0);
  char *kept = text_of("hostname: %s\n", before.nodename);
  assert_contains(text, kept);
  free(kept);
  free(text);
  assert_int_equal(uname(&after), 0);
  assert_memory_equal(&before, &after, sizeof before);
}

/* Namespaces of another process, which is there until it reads the end of its pipe. */
struct holder {
  pid_t pid;
  int hold;
};

static struct holder hold_namespaces(int flags) {
  int ready[2];
  int hold[2];
  assert_int_equal(pipe(ready), 0);
  assert_int_equal(pipe(hold), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    char byte = 0;
    close(hold[1]);
    if (unshare(flags) != 0 || write(ready[1], "x", 1) != 1) _exit(1);
    _exit(read(hold[0], &byte, 1) != 0);
  }
  close(ready[1]);
  close(hold[0]);
  char byte = 0;
  assert_int_equal(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  return (struct holder){pid, hold[1]};
}

static void release(struct holder holder) {
  int status = -1;
  close(holder.hold);
  assert_int_equal(waitpid(holder.pid, &status, 0), holder.pid);
  assert_int_equal(status, 0);
}

static void test_joins(void **state) {
  static const struct {
    const char *type, *link;
  } rows[] = {{"network", "net"}, {"ipc", "ipc"}, {"uts", "uts"}, {"cgroup", "cgroup"}, {"mount", "mnt"}};
  if (!can_make()) SKIP(NEEDS);
  const struct holder holder =
      hold_namespaces(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNS);
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *path = text_of("/proc/%d/ns/%s", (int)holder.pid, rows[i].link);
    char *wanted = text_of("{\"type\":\"%s\",\"path\":\"%s\"}", rows[i].type, path);
    char target[64] = "";
    assert_true(readlink(path, target, sizeof target - 1) > 0);
    char *text = probed(*state, wanted, "", 0);
    assert_contains(text, target);
    free(text);
    free(wanted);
    free(path);
  }
  /* What others live in is not set up for them. */
  char *wanted = text_of("{\"type\":\"network\",\"path\":\"/proc/%d/ns/net\"}", (int)holder.pid);
  char *text = probed(*state, wanted, "", 0);
  assert_contains(text, "lo: down\n");
  free(text);
  free(wanted);
  release(holder);
}

static void refused(const struct scene *scene, const char *namespaces, const char *more, int code, const char *pointer,
                    const char *part) {
  char *config = config_of(namespaces, more, "\"/bin/true\"");
  const reaper_create_options options = options_of(scene, config);
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const struct expected wanted = {code, 0, "plan", pointer, part};
  assert_error(reaper_create(scene->runtime, "refused", &options, &container, &error), &error, &wanted);
  free(config);
}

static void test_refusals(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const struct scene *scene = *state;
  const struct holder holder = hold_namespaces(CLONE_NEWUTS | CLONE_NEWNS);
  char *wrong = text_of("{\"type\":\"network\",\"path\":\"/proc/%d/ns/uts\"}", (int)holder.pid);
  refused(scene, wrong, "", REAPER_ERR_INVALID, "/linux/namespaces/0/path", "is a uts namespace");
  free(wrong);
  /* Its root is what it is. */
  char *mount = text_of("{\"type\":\"mount\",\"path\":\"/proc/%d/ns/mnt\"}", (int)holder.pid);
  refused(scene, mount, ",\"root\":{\"path\":\"rootfs\"}", REAPER_ERR_INVALID, "/root/path", "a new mount namespace");
  free(mount);
  release(holder);
  refused(scene, "{\"type\":\"ipc\",\"path\":\"/dev/null\"}", "", REAPER_ERR_INVALID, "/linux/namespaces/0/path",
          "is no namespace");
  refused(scene, "{\"type\":\"user\"}", "", REAPER_ERR_INVALID, "/linux/uidMappings", "at least one range");
  refused(scene, "{\"type\":\"ipc\"}", ",\"hostname\":\"x\"", REAPER_ERR_INVALID, "/hostname", "uts namespace");
  refused(scene, "{\"type\":\"uts\",\"path\":\"/proc/self/ns/uts\"}", ",\"domainname\":\"x\"", REAPER_ERR_INVALID,
          "/domainname", "uts namespace");
}

/* Not a word of it, by an ordinary user. */
static void test_without_rights(void **state) {
  if (holds_capability("CapEff:", CAP_SYS_ADMIN)) SKIP("CAP_SYS_ADMIN is held");
  refused(*state, all_new, "", REAPER_ERR_PERMISSION, "/linux/namespaces/0", "needs CAP_SYS_ADMIN");
}

static void test_state(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const struct scene *scene = *state;
  char *config =
      config_of("{\"type\":\"uts\"},{\"type\":\"network\",\"path\":\"/proc/self/ns/net\"},{\"type\":\"pid\"}", "",
                "\"/bin/true\"");
  reaper_container *container = must_create(scene, "shown", config);
  struct stat status;
  char *link = text_of("/proc/%d/ns/uts", (int)must_pid(container));
  assert_int_equal(stat(link, &status), 0);
  char *wanted = text_of("\"namespaces\":[{\"type\":\"uts\",\"inode\":%llu},{\"type\":\"pid\",\"inode\":",
                         (unsigned long long)status.st_ino);
  char *text = must_state(container);
  assert_contains(text, wanted);
  free(text);
  must_start(container);
  must_wait(container);
  text = must_state(container);
  assert_contains(text, "\"namespaces\":[{\"type\":\"uts\"},{\"type\":\"pid\"}]");
  free(text);
  must_delete(container);
  free(wanted);
  free(link);
  free(config);
}

/* Mounts of the container do not appear in the caller's namespace. */
static void test_mounts_stay_inside(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const struct scene *scene = *state;
  char *script = text_of("mount -t tmpfs none %s && touch %s/inside && ls %s", scene->place.bundle, scene->place.bundle,
                         scene->place.bundle);
  char *quoted = json_string(script);
  char *args = text_of("\"/bin/sh\",\"-c\",%s", quoted);
  char *config = config_of("{\"type\":\"mount\"}", "", args);
  char *text = output_of_config(scene, config, options_of(scene, config));
  assert_string_equal(text, "inside\n");
  assert_int_equal(count_entries(scene->place.bundle), 0);
  free(text);
  free(config);
  free(args);
  free(quoted);
  free(script);
}

/* With the first process of a pid namespace everybody in it ends. */
static void test_the_end_of_a_pid_namespace(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const struct scene *scene = *state;
  char *args = text_of("\"/bin/sh\",\"-c\",\"(setsid sleep 1000 > %s/held 9< %s &) ; sleep 1000\"", scene->place.bundle,
                       scene->place.bundle);
  char *config = config_of("{\"type\":\"pid\"}", "", args);
  warm_up(scene);
  const struct census before = take_census(scene->place.root);
  reaper_container *container = must_create(scene, "ends", config);
  must_start(container);
  char *children = text_of("/proc/%d/task/%d/children", (int)must_pid(container), (int)must_pid(container));
  char *text = read_whole(children);
  while (text != NULL && strchr(text, ' ') == NULL) { /* the daemon is adopted by the first process */
    free(text);
    usleep(1000);
    text = read_whole(children);
  }
  const pid_t daemon_pid = text == NULL ? 0 : (pid_t)strtol(text, NULL, 10);
  assert_true(daemon_pid > 0);
  reaper_error *error = NULL;
  assert_int_equal(reaper_kill(container, SIGKILL, 0, &error), 0);
  must_wait(container);
  assert_int_equal(kill(daemon_pid, 0), -1); /* zap_pid_ns_processes() comes before the first process is reaped */
  assert_int_equal(errno, ESRCH);
  must_delete(container);
  assert_same_census(before, take_census(scene->place.root));
  free(text);
  free(children);
  free(config);
  free(args);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "probe") == 0) return probe();
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_new, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_each, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_names, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_joins, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_refusals, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_without_rights, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_state, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_mounts_stay_inside, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_the_end_of_a_pid_namespace, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
