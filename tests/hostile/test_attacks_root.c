/*
 * Attacks on a root of the container's own: images and neighbours that exchange files while mounts are made, devices,
 * consoles and files of /proc that are others. The numbers are the rows of docs/security.md.
 */
#include "root.h"
#include "terminal.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define NAMESPACES \
  "{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"network\"}"
#define DEV "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"
#define PROC "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}"

/* `process`: further members of it, each with a comma before it; `lin`: of linux. */
static char* config_of(const char* script, const char* cwd, const char* process, const char* mounts, const char* lin) {
  char* quoted = json_string(script);
  char* config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/busybox\",\"sh\",\"-c\",%s],\"env\":[\"PATH=/bin\"],"
      "\"cwd\":\"%s\"%s},\"root\":{\"path\":\"rootfs\"},\"mounts\":[%s],"
      "\"linux\":{\"namespaces\":[" NAMESPACES "]%s}}",
      quoted, cwd, process, mounts, lin);
  free(quoted);
  return config;
}

static char* output(const struct scene* scene, const char* script, const char* mounts, const char* lin) {
  char* config = config_of(script, "/", "", mounts, lin);
  char* text = output_of_config(scene, config, options_of(scene, config));
  free(config);
  return text;
}

static void refused(const struct scene* scene, const char* mounts, const char* lin, struct expected wanted) {
  char* config = config_of("true", "/", "", mounts, lin);
  const reaper_create_options options = options_of(scene, config);
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  assert_error(reaper_create(scene->runtime, "refused", &options, &container, &error), &error, &wanted);
  free(config);
}

/* ---- Rows 6 and 11: a name is exchanged for a link that leads out, while it is looked up and made ---- */

/* Hundreds; ten thousand where cycles are counted at length (tests/faults/README.md). */
static int rounds(void) {
  return getenv("REAPER_CYCLES") != NULL ? 10000 : 200;
}

struct exchange {
  char *directory, *link;
};

static int exchange_for_ever(void* argument) {
  const struct exchange* exchange = argument;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (syscall(SYS_renameat2, AT_FDCWD, exchange->directory, AT_FDCWD, exchange->link, RENAME_EXCHANGE) == 0)
    continue;
  return 1;
}

struct race {
  char* canary; /* on the host; nothing may be made, nor mounted, in it */
  struct exchange names;
  pid_t attacker;
};

/* `volume` of the root has a directory and a link to the canary, which change names for ever. */
static struct race begin_race(const struct scene* scene) {
  struct race race = {
      path_in(&scene->place, "canary"), {in_root(scene, "/volume/name"), in_root(scene, "/volume/other")}, 0};
  assert_int_equal(mkdir(race.canary, 0755), 0);
  directory_in_root(scene, "/volume");
  directory_in_root(scene, "/volume/name");
  link_in_root(scene, race.canary, "/volume/other");
  race.attacker = fork_body(exchange_for_ever, &race.names);
  return race;
}

static void end_race(struct race* race) {
  assert_int_equal(kill(race->attacker, SIGKILL), 0);
  assert_int_equal(waitpid(race->attacker, NULL, 0), race->attacker);
  assert_int_equal(count_entries(race->canary), 0);
  free(race->canary);
  free(race->names.directory);
  free(race->names.link);
}

/* A create of this race: it succeeds or not, and whatever it has mounted lies below the root. Returns whether it did.
 */
static int raced_create(const struct scene* scene, const struct race* race, const char* config) {
  const reaper_create_options options = options_of(scene, config);
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  const int made = reaper_create(scene->runtime, "raced", &options, &container, &error) == REAPER_OK;
  if (made) {
    char* path = text_of("/proc/%d/mountinfo", (int)must_pid(container));
    char* mounts = read_whole(path);
    assert_non_null(mounts);
    assert_contains(mounts, "the-raced");
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    reaper_container_free(container);
    free(mounts);
    free(path);
  }
  reaper_error_free(error);
  assert_int_equal(count_entries(race->canary), 0);
  return made;
}

static void race_with(void** state, const char* mount) {
  const struct scene* scene = *state;
  warm_up(scene);
  char* before = read_whole("/proc/self/mountinfo");
  struct race race = begin_race(scene);
  char* config = config_of("true", "/", "", mount, "");
  int made = 0;
  for (int i = 0; i < rounds(); ++i) made += raced_create(scene, &race, config);
  /* The link leads to a place inside, where the kernel looks for it: there is no reason for all to fail. */
  assert_true(made > 0);
  end_race(&race);
  char* after = read_whole("/proc/self/mountinfo");
  assert_string_equal(before, after);
  free(after);
  free(config);
  free(before);
}

static void test_row6_exchanged_for_a_link(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  race_with(state, PROC ",{\"destination\":\"/volume/name\",\"type\":\"tmpfs\",\"source\":\"the-raced\"}");
}

/* Missing directories are made on the way: below what was looked up, never below a name. */
static void test_row11_directories_made_in_a_race(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  race_with(state, PROC ",{\"destination\":\"/volume/name/a/b/c\",\"type\":\"tmpfs\",\"source\":\"the-raced\"}");
}

/* ---- Row 4: links of the image where /proc and /sys are to be ---- */

static void test_row4_links_at_proc_and_sys(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene* scene = *state;
  directory_in_root(scene, "/elsewhere");
  link_in_root(scene, "/elsewhere", "/proc");
  link_in_root(scene, "elsewhere", "/sys");
  refused(scene, PROC, "", (struct expected){REAPER_ERR_SYSTEM, ELOOP, "mount", "/mounts/0", "/proc"});
  refused(scene, "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\"}", "",
          (struct expected){REAPER_ERR_SYSTEM, ELOOP, "mount", "/mounts/0", "/sys"});
  char* inside = in_root(scene, "/elsewhere");
  assert_int_equal(count_entries(inside), 0);
  free(inside);
}

/* ---- Row 9: what is read-only stays so ---- */

static void test_row9_control_groups_are_read_only(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  if (access("/sys/fs/cgroup", F_OK) != 0) SKIP("no cgroup can be made here");
  char* text = output(*state,
                      "busybox find /sys/fs/cgroup -name cgroup.procs | busybox head -n 1 > /found; f=$(busybox cat "
                      "/found); [ -n \"$f\" ] || f=/sys/fs/cgroup/x; echo $$ 2>/dev/null > $f && echo written; busybox "
                      "mkdir /sys/fs/cgroup/mine 2>/dev/null && echo made; echo end",
                      "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\","
                      "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]}",
                      "");
  assert_string_equal(text, "end\n");
  free(text);
}

/* ---- The same in a user namespace, whose root is the host's: what the configuration says is all that protects ---- */

static char* user_config(const char* script, const char* mounts) {
  char* config = config_of(script, "/", "", mounts,
                           ",\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":65536}],"
                           "\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":65536}]");
  const char* const before = "{\"type\":\"mount\"}";
  const char* const at = strstr(config, before);
  char* whole = text_of("%.*s{\"type\":\"user\"},%s", (int)(at - config), config, at);
  free(config);
  return whole;
}

/* What `runc spec --rootless` writes. */
#define ROOTLESS_SYS                                                              \
  "{\"destination\":\"/sys\",\"type\":\"none\",\"source\":\"/sys\",\"options\":[" \
  "\"rbind\",\"nosuid\",\"noexec\",\"nodev\",\"ro\"]}"

#define CGROUPS(option)                                                                                                \
  ",{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"nosuid\",\"noexec\"," \
  "\"nodev\",\"relatime\",\"" option "\"]}"
#define FIND_PROCS \
  "f=$(busybox find /sys/fs/cgroup -name cgroup.procs | busybox head -n 1); [ -n \"$f\" ] && echo found; "

#define OPEN "( : >> $f ) 2>/dev/null && echo "

/* Without CAP_SYS_ADMIN, as engines have it. */
static char* output_without_admin(const struct scene* scene, const char* script, const char* mounts) {
  char* config = user_config(script, mounts);
  const char* const name = "\"cwd\":\"/\"";
  const char* const at = strstr(config, name);
#define SOME "[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\"]"
  char* limited =
      text_of("%.*s\"capabilities\":{\"bounding\":" SOME ",\"effective\":" SOME ",\"permitted\":" SOME "},%s",
              (int)(at - config), config, at);
  char* text = output_of_config(scene, limited, options_of(scene, limited));
  free(limited);
  free(config);
  return text;
}

static void test_row9_in_a_user_namespace(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  NEED_USER_NAMESPACES(NULL);
  if (access("/sys/fs/cgroup/cgroup.procs", F_OK) != 0 && count_entries("/sys/fs/cgroup") == 0)
    SKIP("no cgroup can be made here");
  const struct scene* scene = *state;
  char* text = output_without_admin(
      scene,
      FIND_PROCS OPEN
      "written; busybox mkdir $(busybox dirname $f)/mine 2>/dev/null && echo made; busybox mount -o "
      "remount,rw /sys/fs/cgroup 2>/dev/null; " OPEN "remounted; echo end",
      PROC "," DEV "," ROOTLESS_SYS CGROUPS("ro"));
  assert_string_equal(text, "found\nend\n");
  free(text);
  /* Nothing else would keep it from writing. */
  text = output_without_admin(scene, FIND_PROCS OPEN "writable", PROC "," DEV "," ROOTLESS_SYS CGROUPS("rw"));
  assert_string_equal(text, "found\nwritable\n");
  free(text);
}

/* ---- Row 20: as row 4, where /sys is a bind mount ---- */

static void test_row20_links_in_a_user_namespace(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  NEED_USER_NAMESPACES(NULL);
  const struct scene* scene = *state;
  directory_in_root(scene, "/elsewhere");
  link_in_root(scene, "/elsewhere", "/proc");
  link_in_root(scene, "../elsewhere", "/sys");
  static const struct {
    const char *mounts, *place;
  } rows[] = {{PROC, "/proc"},
              {ROOTLESS_SYS, "/sys"},
              {"{\"destination\":\"/proc\",\"source\":\"/proc\",\"options\":[\"rbind\"]}", "/proc"}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char* config = user_config("true", rows[i].mounts);
    const reaper_create_options options = options_of(scene, config);
    const struct expected wanted = {REAPER_ERR_SYSTEM, ELOOP, "mount", "/mounts/0", rows[i].place};
    assert_int_equal(create_differs(scene, &options, &wanted), 0);
    free(config);
  }
  char* inside = in_root(scene, "/elsewhere");
  assert_int_equal(count_entries(inside), 0);
  free(inside);
}

/* ---- Row 10: a directory of the host's by a descriptor that was left open ---- */

static void test_row10_descriptors_in_a_root(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene* scene = *state;
  char* text = output(*state, "busybox ls /proc/self/fd | busybox wc -l", PROC, "");
  assert_string_equal(text, "4\n"); /* 0 to 2, and the directory that ls reads */
  free(text);
  /* As CVE-2024-21626 had it: whatever is open in init, none of it is a way out. */
  for (int number = 3; number < 25; ++number) {
    char* cwd = text_of("/proc/self/fd/%d", number);
    char* config = config_of("busybox pwd", cwd, "", PROC, "");
    const reaper_create_options options = options_of(scene, config);
    reaper_container* container = NULL;
    reaper_error* error = NULL;
    assert_true(reaper_create(scene->runtime, "cwd", &options, &container, &error) != REAPER_OK);
    assert_string_equal(reaper_error_pointer(error), "/process/cwd");
    reaper_error_free(error);
    free(config);
    free(cwd);
  }
}

/* ---- Row 12: a file under the name of a device that masks ---- */

static void test_row12_masked_with_another_file(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene* scene = *state;
  directory_in_root(scene, "/dev");
  file_in_root(scene, "/dev/null", "of the image\n");
  file_in_root(scene, "/secret", "s\n");
  refused(scene, PROC, ",\"maskedPaths\":[\"/secret\"]",
          (struct expected){REAPER_ERR_SYSTEM, EEXIST, "mknod", "", "/dev/null"});
}

/* ---- Row 13: the console, where the image has put something in its place ---- */

static void test_row13_the_console_is_a_link(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  need_terminals();
  const struct scene* scene = *state;
  directory_in_root(scene, "/dev");
  file_in_root(scene, "/victim", "untouched\n");
  link_in_root(scene, "/victim", "/dev/console");
  char* config = config_of("busybox cat /victim; [ -c /victim ] && echo covered; echo end", "/", ",\"terminal\":true",
                           PROC
                           ",{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":["
                           "\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]}",
                           "");
  reaper_create_options options = options_of(scene, config);
  int32_t master = -1;
  options.console = &master;
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  /* Refused, or done without touching what the link leads to. */
  if (reaper_create(scene->runtime, "console", &options, &container, &error) == REAPER_OK) {
    must_start(container);
    char* text = read_until(master, "end");
    assert_contains(text, "untouched");
    assert_null(strstr(text, "covered"));
    free(text);
    close(master);
    must_wait(container);
    must_delete(container);
  } else {
    assert_string_equal(reaper_error_stage(error), "console");
    reaper_error_free(error);
  }
  char* path = in_root(scene, "/victim");
  char* kept = read_whole(path);
  assert_string_equal(kept, "untouched\n");
  free(kept);
  free(path);
  free(config);
}

/* ---- Row 14: files of the image where those of /proc would be ---- */

static void test_row14_another_proc(void** state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene* scene = *state;
  directory_in_root(scene, "/proc");
  directory_in_root(scene, "/proc/self");
  directory_in_root(scene, "/proc/thread-self");
  directory_in_root(scene, "/proc/thread-self/attr");
  file_in_root(scene, "/proc/self/oom_score_adj", "untouched");
  file_in_root(scene, "/proc/thread-self/attr/exec", "untouched");
  char* config = config_of("true", "/", ",\"oomScoreAdj\":789", "", "");
  reaper_container* container = must_create(scene, "another", config);
  char* path = text_of("/proc/%d/oom_score_adj", (int)must_pid(container));
  char* text = read_whole(path);
  assert_string_equal(text, "789\n");
  free(text);
  free(path);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  path = in_root(scene, "/proc/self/oom_score_adj");
  text = read_whole(path);
  assert_string_equal(text, "untouched");
  free(text);
  free(path);
  free(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_row6_exchanged_for_a_link, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row11_directories_made_in_a_race, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row4_links_at_proc_and_sys, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row9_control_groups_are_read_only, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row9_in_a_user_namespace, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row20_links_in_a_user_namespace, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row10_descriptors_in_a_root, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row12_masked_with_another_file, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row13_the_console_is_a_link, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row14_another_proc, root_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
