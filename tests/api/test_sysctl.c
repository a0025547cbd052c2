/*
 * What is set in namespaces of the container's own: kernel parameters, and the clocks of a time namespace. By root, and
 * by an ordinary user in a user namespace; nothing of it reaches the host.
 */
#include "containers.h"
#include "reaper.h"

#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#define NEEDS "making namespaces needs CAP_SYS_ADMIN"
#define ALL "{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"}"

static int try_namespace(void *flags) {
  return unshare(*(int *)flags) != 0;
}

static int can_make(void) {
  int flags = CLONE_NEWNET;
  return is_root() && holds_capability("CapEff:", CAP_SYS_ADMIN) && in_child(try_namespace, &flags) == 0;
}

static char *config_of(const char *script, const char *namespaces, const char *lin) {
  char *quoted = json_string(script);
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sh\",\"-c\",%s],\"env\":[\"PATH=/usr/bin:/bin\"],"
      "\"cwd\":\"/\"},\"linux\":{\"namespaces\":[%s]%s}}",
      quoted, namespaces, lin);
  free(quoted);
  return config;
}

static int says(const struct scene *scene, const char *script, const char *namespaces, const char *lin, uint32_t flags,
                const char *expected) {
  char *config = config_of(script, namespaces, lin);
  reaper_create_options options = options_of(scene, config);
  options.flags = flags;
  char *text = output_of_config(scene, config, options);
  const int differs = strcmp(text, expected) != 0;
  if (differs) dprintf(2, "--- wanted\n%s--- found\n%s", expected, text);
  free(text);
  free(config);
  return differs;
}

static const char parameters[] =
    ",\"sysctl\":{\"net.ipv4.ip_forward\":\"1\",\"net/ipv4/conf/lo/forwarding\":\"0\",\"kernel.msgmax\":\"4242\","
    "\"kernel.domainname\":\"example.org\"}";
static const char show[] =
    "cd /proc/sys; cat net/ipv4/ip_forward net/ipv4/conf/lo/forwarding kernel/msgmax kernel/domainname";

static void test_parameters(void **state) {
  if (!can_make()) SKIP(NEEDS);
  char *before = read_whole("/proc/sys/kernel/msgmax");
  const uint32_t flags[] = {0, REAPER_CREATE_SUPERVISE};
  for (size_t i = 0; i < COUNT_OF(flags); ++i) {
    assert_int_equal(says(*state, show, ALL, parameters, flags[i], "1\n0\n4242\nexample.org\n"), 0);
    assert_int_equal(says(*state, show, ALL ",{\"type\":\"pid\"}", parameters, flags[i], "1\n0\n4242\nexample.org\n"),
                     0);
  }
  char *after = read_whole("/proc/sys/kernel/msgmax");
  assert_string_equal(before, after);
  free(after);
  free(before);
}

static void refused(const struct scene *scene, const char *namespaces, const char *lin, struct expected wanted) {
  char *config = config_of("true", namespaces, lin);
  const reaper_create_options options = options_of(scene, config);
  assert_int_equal(create_differs(scene, &options, &wanted), 0);
  free(config);
}

/* What would change the host, and what the kernel does not know or take. */
static void test_refusals(void **state) {
  if (!can_make()) SKIP(NEEDS);
  const struct scene *scene = *state;
  warm_up(scene);
  const struct {
    const char *namespaces, *name, *part;
  } rows[] = {{ALL, "kernel.core_pattern", "is in no namespace"},
              {ALL, "vm.swappiness", "is in no namespace"},
              {ALL, "kernel.sem/x", "is in no namespace"},
              {"{\"type\":\"uts\"}", "net.ipv4.ip_forward", "needs a namespace of type \"network\""},
              {"{\"type\":\"network\",\"path\":\"/proc/self/ns/net\"}", "net.ipv4.ip_forward",
               "needs a namespace of type \"network\""},
              {"{\"type\":\"network\"}", "kernel.shmmax", "needs a namespace of type \"ipc\""},
              {"{\"type\":\"network\"}", "fs.mqueue.msg_max", "needs a namespace of type \"ipc\""},
              {"{\"type\":\"ipc\"}", "kernel.hostname", "needs a namespace of type \"uts\""}};
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *lin = text_of(",\"sysctl\":{\"%s\":\"1\"}", rows[i].name);
    char *slash = strchr(rows[i].name, '/');
    char *pointer = slash == NULL ? text_of("/linux/sysctl/%s", rows[i].name) : text_of("/linux/sysctl/kernel.sem~1x");
    refused(scene, rows[i].namespaces, lin, (struct expected){REAPER_ERR_INVALID, 0, "plan", pointer, rows[i].part});
    free(pointer);
    free(lin);
  }
  refused(
      scene, ALL, ",\"sysctl\":{\"net.ipv4.no_such\":\"1\"}",
      (struct expected){REAPER_ERR_SYSTEM, 2, "sysctl", "/linux/sysctl/net.ipv4.no_such", "ENOENT: net/ipv4/no_such"});
  refused(scene, ALL, ",\"sysctl\":{\"net.ipv4.ip_forward\":\"x\"}",
          (struct expected){REAPER_ERR_SYSTEM, 22, "sysctl", "/linux/sysctl/net.ipv4.ip_forward", "EINVAL"});
  refused(scene, ALL, ",\"timeOffsets\":{\"monotonic\":{\"secs\":1}}",
          (struct expected){REAPER_ERR_INVALID, 0, "plan", "/linux/timeOffsets", "needs a new time namespace"});
}

static const char offsets[] =
    ",\"timeOffsets\":{\"monotonic\":{\"secs\":10,\"nanosecs\":5},\"boottime\":{\"secs\":10000000,\"nanosecs\":0}}";
/* The offsets are those of the children; /proc/uptime is what the program itself sees. */
static const char clocks[] =
    "cat /proc/self/timens_offsets; read up rest </proc/uptime; [ ${up%%.*} -ge 10000000 ] && echo later;"
    "[ \"$(readlink /proc/self/ns/time)\" = \"$(readlink /proc/self/ns/time_for_children)\" ] && echo same";
static const char later[] = "monotonic          10         5\nboottime     10000000         0\nlater\nsame\n";

static void test_clocks(void **state) {
  if (!can_make()) SKIP(NEEDS);
  int flag = CLONE_NEWTIME;
  if (in_child(try_namespace, &flag) != 0) SKIP("this kernel has no time namespaces");
  const uint32_t flags[] = {0, REAPER_CREATE_SUPERVISE};
  for (size_t i = 0; i < COUNT_OF(flags); ++i) {
    assert_int_equal(says(*state, clocks, "{\"type\":\"time\"}", offsets, flags[i], later), 0);
    assert_int_equal(says(*state, clocks, "{\"type\":\"time\"},{\"type\":\"pid\"}", offsets, flags[i], later), 0);
  }
  refused(*state, "{\"type\":\"time\"}", ",\"timeOffsets\":{\"boottime\":{\"secs\":-1000000000}}",
          (struct expected){REAPER_ERR_SYSTEM, 34, "time_offsets", "/linux/timeOffsets", "ERANGE"});
}

static int ordinary(void *unused) {
  (void)unused;
  CHECK(become_ordinary() == 0);
  struct scene scene;
  scene_open(&scene);
  char *maps = text_of(
      "%s,\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}],"
      "\"gidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}]",
      offsets, geteuid(), getegid());
  char *net = text_of("%s,\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}", maps);
  int bad = 0;
  const uint32_t flags[] = {0, REAPER_CREATE_SUPERVISE};
  for (size_t i = 0; i < COUNT_OF(flags); ++i) {
    bad += says(&scene, clocks, "{\"type\":\"user\"},{\"type\":\"time\"}", maps, flags[i], later);
    bad +=
        says(&scene, "cat /proc/sys/net/ipv4/ip_forward",
             "{\"type\":\"user\"},{\"type\":\"time\"},{\"type\":\"network\"},{\"type\":\"pid\"}", net, flags[i], "1\n");
  }
  free(net);
  free(maps);
  scene_close(&scene);
  return bad;
}

static int try_ordinary(void *unused) {
  (void)unused;
  return become_ordinary() != 0 || unshare(CLONE_NEWUSER | CLONE_NEWTIME) != 0;
}

static void test_ordinary(void **state) {
  (void)state;
  if (in_child(try_ordinary, NULL) != 0) SKIP(NEEDS);
  assert_int_equal(in_child(ordinary, NULL), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_parameters, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_refusals, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_clocks, scene_setup, scene_teardown),
      cmocka_unit_test(test_ordinary),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
