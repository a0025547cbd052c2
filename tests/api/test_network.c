/*
 * A new network namespace, which the library makes beside reaper-init: wherever in the plan it is entered, the
 * container is in it, its sysfs is of it, and its loopback device is up. And that one is missing nobody: what fails,
 * and what is left of it.
 */
#include "denial.h"
#include "root.h"
#include "supervised.h"

#include <asm/unistd.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MODE "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}}"
#define ONLY_NETWORK                                                                \
  "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}," \
  "\"linux\":{\"namespaces\":[{\"type\":\"network\"}]}}"
#define PROC "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}"
#define SYS ",{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"ro\"]}"
#define DEV ",{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"
#define SHM ",{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\"}"
#define BIND ",{\"destination\":\"/data\",\"source\":\"/proc\",\"type\":\"bind\",\"options\":[\"rbind\"]}"

/* The devices of the namespace, of whoever is asked; and that 127.0.0.1 is there. */
#define SCRIPT                                                                                                 \
  "[ \"$(busybox ls /sys/class/net)\" = lo ] && busybox grep -q '^ *lo:' /proc/net/dev && "                    \
  "[ $(busybox grep -c : /proc/net/dev) = 1 ] && busybox ip address show lo | busybox grep -q 127.0.0.1/8 && " \
  "busybox ip link show lo | busybox grep -q ,UP && busybox test -c /dev/null"

static void test_entered(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  static const struct {
    const char *mounts, *more;
  } rows[] = {{PROC DEV SYS SHM, ""}, /* sysfs and what comes behind it are mounted after the change of roots */
              {PROC DEV SYS SHM, ",\"maskedPaths\":[\"/sys/firmware\"],\"readonlyPaths\":[\"/proc/sys\"]"},
              {PROC SYS DEV SHM, ""},      /* devices are made in what comes behind it */
              {PROC DEV SYS SHM BIND, ""}, /* a copy of what is the host's comes behind it */
              {PROC DEV SYS, ",\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}"}};
  static const uint32_t flags[] = {0, REAPER_CREATE_NO_PIVOT, REAPER_CREATE_SUPERVISE};
  directory_in_root(scene, "data");
  assert_int_equal(quiet_life(scene->runtime, "first", HOST_MODE, 0), 0); /* opens what stays open */
  const struct census census = take_census(scene->place.root);
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *config = root_config(SCRIPT, rows[i].mounts, "", rows[i].more);
    for (size_t j = 0; j < COUNT_OF(flags); ++j) {
      reaper_create_options options = options_of(scene, config);
      options.flags |= flags[j];
      free(output_of_config(scene, config, options));
    }
    free(config);
  }
  assert_same_census(census, take_census(scene->place.root));
}

/* Listed in the order of the specification, whenever each is made. */
static void test_order(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  char *config =
      root_config("while read -r _ _ _ _ at _; do echo $at; done </proc/self/mountinfo", PROC DEV SYS SHM, "", "");
  char *text = output_of_config(scene, config, options_of(scene, config));
  assert_string_equal(text, "/\n/proc\n/dev\n/sys\n/dev/shm\n");
  free(text);
  free(config);
}

struct failing {
  const struct scene *scene;
  const char *config;
  struct denial denial;
  struct expected expected;
};

static int fails(void *argument) {
  const struct failing *failing = argument;
  CHECK(deny(&failing->denial, 1) == 0);
  const reaper_create_options options = options_of(failing->scene, failing->config);
  return create_differs(failing->scene, &options, &failing->expected);
}

/* Each call of who makes it; the container's process is ended, and the id is free. */
static void test_failures(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  const struct scene *scene = *state;
  const char *const pointer = "/linux/namespaces";
  static const char config[] = ONLY_NETWORK;
  const struct failing rows[] = {
      {scene,
       config,
       {__NR_unshare, ENOSPC, 0, 0},
       {REAPER_ERR_SYSTEM, ENOSPC, "network", pointer, "user.max_net_namespaces"}},
      {scene, config, {__NR_unshare, EPERM, 0, 0}, {REAPER_ERR_PERMISSION, EPERM, "network", pointer, "CAP_SYS_ADMIN"}},
      /* A socket of IPv4 (AF_INET, 2); SIOCSIFFLAGS; SIOCGSKNS. */
      {scene, config, {__NR_socket, EMFILE, 1, 2}, {REAPER_ERR_SYSTEM, EMFILE, "network", pointer, "socket"}},
      {scene,
       config,
       {__NR_ioctl, EPERM, 2, 0x8914},
       {REAPER_ERR_PERMISSION, EPERM, "network", pointer, "SIOCSIFFLAGS"}},
      {scene, config, {__NR_ioctl, EPERM, 2, 0x894c}, {REAPER_ERR_PERMISSION, EPERM, "network", pointer, "SIOCGSKNS"}},
      {scene, config, {__NR_setns, EPERM, 0, 0}, {REAPER_ERR_PERMISSION, EPERM, "network", pointer, "setns"}}};
  const struct census census = take_census(scene->place.root);
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    struct failing row = rows[i];
    assert_int_equal(in_child(fails, &row), 0);
  }
  assert_same_census(census, take_census(scene->place.root));
}

/* It is begun before the claim. */
static void test_taken_id(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct scene *scene = *state;
  reaper_container *container = must_create(scene, "taken", ONLY_NETWORK);
  const struct census census = take_census(scene->place.root);
  const reaper_create_options options = options_of(scene, ONLY_NETWORK);
  for (int i = 0; i < 3; ++i) {
    reaper_container *other = NULL;
    reaper_error *error = NULL;
    assert_code(reaper_create(scene->runtime, "taken", &options, &other, &error), &error, REAPER_ERR_EXISTS);
  }
  assert_same_census(census, take_census(scene->place.root));
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
}

static int lives_without_ipv4(void *argument) {
  const struct failing *failing = argument;
  CHECK(deny(&failing->denial, 1) == 0);
  return quiet_life(failing->scene->runtime, "no-ipv4", failing->config, 0);
}

/* A kernel without IPv4 has nothing to set up. */
static void test_no_ipv4(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  if (!can_deny()) SKIP("seccomp filters are not allowed here");
  struct failing row = {*state, ONLY_NETWORK, {__NR_socket, EAFNOSUPPORT, 1, 2}, {0}};
  assert_int_equal(in_child(lives_without_ipv4, &row), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_entered, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_order, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_failures, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_taken_id, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_no_ipv4, root_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
