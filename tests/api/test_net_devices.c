/*
 * linux.netDevices: moved with their addresses, set up, and what is refused. Each test is a host of its own: a child in
 * a new network namespace, with a pair of devices that ip(8) has made there.
 */
#include "devices.h"
#include "holder.h"
#include "root.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* d0 with three addresses of global scope and one of the link, and d1, its other end. */
static int make_host(void) {
  static const char *const steps[] = {"link add d0 type veth peer name d1",
                                      "link set d0 mtu 1400 up",
                                      "address add 192.0.2.7/24 brd 192.0.2.255 dev d0",
                                      "address add 192.0.2.8/24 dev d0",
                                      "address add 169.254.3.4/16 scope link dev d0",
                                      "-6 address add 2001:db8::7/64 nodad dev d0"};
  if (unshare(CLONE_NEWNET) != 0) return -1;
  for (size_t i = 0; i < COUNT_OF(steps); ++i)
    if (ip(steps[i]) != 0) return -1;
  return 0;
}

static int try_host(void *unused) {
  (void)unused;
  return make_host() != 0;
}

#define NEED_DEVICES()                                                                  \
  do {                                                                                  \
    NEED_ROOT_FILE_SYSTEM();                                                            \
    if (!holds_capability("CapEff:", CAP_NET_ADMIN)) SKIP("CAP_NET_ADMIN is not held"); \
    if (ip_program() == NULL) SKIP("no ip(8) here");                                    \
    if (in_child(try_host, NULL) != 0) SKIP("network devices cannot be made here");     \
  } while (0)

struct host {
  const struct scene *scene;
  char *config;
  const struct expected *wanted;
  int left; /* whether d0 is the host's afterwards */
};

static int has_device(const char *name) {
  char *arguments = text_of("link show %s", name);
  const int found = ip(arguments) == 0;
  free(arguments);
  return found;
}

static int live(void *argument) {
  const struct host *host = argument;
  CHECK(make_host() == 0);
  if (host->wanted != NULL) {
    const reaper_create_options options = options_of(host->scene, host->config);
    CHECK(!create_differs(host->scene, &options, host->wanted));
  } else {
    CHECK(quiet_life(host->scene->runtime, "net", host->config, 0) == 0);
  }
  CHECK(has_device("d0") == host->left);
  return 0;
}

static char *net_config(const struct scene *scene, const char *script, const char *mounts, const char *devices) {
  char *lin = text_of(",\"netDevices\":{%s}", devices);
  char *config = root_config(script, mounts, "", lin);
  char *root = in_root(scene, "");
  const char *const name = "\"rootfs\"";
  const char *const at = strstr(config, name);
  char *whole = text_of("%.*s\"%s\"%s", (int)(at - config), config, root, at + strlen(name));
  free(root);
  free(config);
  free(lin);
  return whole;
}

static void moves(const struct scene *scene, const char *script, const char *devices) {
  struct host host = {scene, net_config(scene, script, "", devices), NULL, 0};
  assert_int_equal(in_child(live, &host), 0);
  free(host.config);
}

static void refuses(const struct scene *scene, const char *mounts, const char *devices, int left,
                    struct expected wanted) {
  struct host host = {scene, net_config(scene, "true", mounts, devices), &wanted, left};
  assert_int_equal(in_child(live, &host), 0);
  free(host.config);
}

#define HAS(what, dev) "busybox ip address show dev " dev " | busybox grep -q '" what "' && "
#define LACKS(what, dev) "! busybox ip address show dev " dev " | busybox grep -q '" what "' && "

static void test_moved(void **state) {
  NEED_DEVICES();
  const struct scene *scene = *state;
  const struct census census = take_census(scene->place.root);
  moves(scene,
        HAS("inet 192.0.2.7/24 brd 192.0.2.255 scope global", "eth9") HAS("inet 192.0.2.8/24", "eth9")
            HAS("inet6 2001:db8::7/64 scope global", "eth9") HAS("mtu 1400", "eth9") HAS(",UP", "eth9")
                LACKS("169.254", "eth9") "! busybox ip link show d0 2>/dev/null",
        "\"d0\":{\"name\":\"eth9\"}");
  /* Under its own name; and two of them. */
  moves(scene, HAS("192.0.2.7/24", "d0") HAS(",UP", "d1") "true", "\"d0\":{},\"d1\":{\"name\":\"\"}");
  /* The kernel finds a number. */
  moves(scene, HAS("192.0.2.7/24", "net0") HAS(",UP", "net1") "true",
        "\"d0\":{\"name\":\"net%d\"},\"d1\":{\"name\":\"net%d\"}");
  assert_same_census(census, take_census(scene->place.root));
}

/* Of a user namespace of its own, and below a supervisor: the library moves them all the same. */
static int live_supervised(void *argument) {
  const struct host *host = argument;
  CHECK(make_host() == 0);
  reaper_create_options options = options_of(host->scene, host->config);
  options.flags = REAPER_CREATE_SUPERVISE;
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  reaper_exit_status status = {.size = sizeof status};
  if (reaper_create(host->scene->runtime, "supervised", &options, &container, &error) != 0)
    return complain("create", error);
  if (reaper_start(container, &error) != 0) return complain("start", error);
  if (reaper_wait(container, -1, &status, &error) != 0) return complain("wait", error);
  CHECK(status.exit_code == 0);
  if (reaper_delete(container, 0, &error) != 0) return complain("delete", error);
  reaper_container_free(container);
  CHECK(!has_device("d0"));
  return 0;
}

static void test_user_namespace(void **state) {
  NEED_DEVICES();
  NEED_USER_NAMESPACES(NULL);
  struct host host = {*state,
                      net_config(*state, HAS("192.0.2.7/24", "eth9") HAS(",UP", "eth9") "[ $(busybox id -u) = 0 ]", "",
                                 "\"d0\":{\"name\":\"eth9\"}"),
                      NULL, 0};
  const char *const before = "{\"type\":\"mount\"}";
  const char *const at = strstr(host.config, before);
  const size_t length = strlen(host.config) - 1; /* without the brace that ends it */
  REQUIRE(at != NULL && host.config[length - 1] == '}');
  char *config = text_of(
      "%.*s{\"type\":\"user\"},%.*s,\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":9}],"
      "\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":9}]}}",
      (int)(at - host.config), host.config, (int)(length - 1 - (size_t)(at - host.config)), at);
  free(host.config);
  host.config = config;
  assert_int_equal(in_child(live_supervised, &host), 0);
  free(host.config);
}

/* Into a network namespace of others, which goes on: there it stays, whether the container ends or its create fails. */
struct inside {
  pid_t pid;
  const char *name;
};

static int look_inside(void *argument) {
  const struct inside *inside = argument;
  char *path = text_of("/proc/%d/ns/net", (int)inside->pid);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  free(path);
  CHECK(file >= 0 && setns(file, CLONE_NEWNET) == 0);
  return !has_device(inside->name);
}

static char *joining_config(pid_t pid, const char *program, const char *devices) {
  return text_of(
      "{\"ociVersion\":\"1.3.0\",\"process\":{\"args\":[\"%s\"],\"cwd\":\"/\"},\"linux\":{\"namespaces\":"
      "[{\"type\":\"network\",\"path\":\"/proc/%d/ns/net\"}],\"netDevices\":{%s}}}",
      program, (int)pid, devices);
}

static int live_joined(void *argument) {
  const struct scene *scene = argument;
  struct holder holder;
  CHECK(make_host() == 0);
  CHECK(hold(&holder, CLONE_NEWNET, NULL, NULL, NULL) == 0);
  char *config = joining_config(holder.pid, "/bin/true", "\"d0\":{\"name\":\"eth9\"}");
  CHECK(quiet_life(scene->runtime, "joins", config, 0) == 0);
  CHECK(!has_device("d0") && has_device("d1"));
  struct inside inside = {holder.pid, "eth9"};
  CHECK(in_child(look_inside, &inside) == 0);
  free(config);
  config = joining_config(holder.pid, "/no/program", "\"d1\":{\"name\":\"eth8\"}");
  const reaper_create_options options = options_of(scene, config);
  const struct expected wanted = {REAPER_ERR_EXEC, ENOENT, "find", "/process/args/0", "no such file"};
  CHECK(!create_differs(scene, &options, &wanted));
  inside.name = "eth8";
  CHECK(in_child(look_inside, &inside) == 0);
  free(config);
  return release(holder);
}

static void test_joined(void **state) {
  NEED_DEVICES();
  assert_int_equal(in_child(live_joined, *state), 0);
}

static void test_refused(void **state) {
  NEED_DEVICES();
  const struct scene *scene = *state;
  const int invalid = REAPER_ERR_INVALID;
  refuses(scene, "", "\"d7\":{}", 1,
          (struct expected){invalid, ENODEV, "net_devices", "/linux/netDevices/d7", "no network device"});
  /* Before the first is moved, the names of all are looked at. */
  refuses(scene, "", "\"d0\":{},\"d1\":{\"name\":\"lo\"}", 1,
          (struct expected){invalid, EEXIST, "net_devices", "/linux/netDevices/d1", "already"});
  refuses(scene, "", "\"d0\":{\"name\":\"a/b\"}", 1,
          (struct expected){invalid, 0, "config", "/linux/netDevices/d0/name", "a/b"});
  refuses(scene, "", "\"d0\":{\"name\":\"%dx\"}", 1,
          (struct expected){invalid, 0, "config", "/linux/netDevices/d0/name", "%d"});
  refuses(scene, "", "\"d0\":{\"name\":\"x\"},\"d1\":{\"name\":\"x\"}", 1,
          (struct expected){invalid, 0, "config", "/linux/netDevices/d1", "earlier"});
  refuses(scene, "", "\"0123456789abcdef\":{}", 1,
          (struct expected){invalid, 0, "config", "/linux/netDevices/0123456789abcdef", "15 bytes"});
  /* What fails after the move takes a virtual device with it: the namespace ends. */
  refuses(scene, "{\"destination\":\"/a\",\"type\":\"no-such-fs\"}", "\"d0\":{}", 0,
          (struct expected){REAPER_ERR_SYSTEM, ENODEV, "mount", "/mounts/0", "no-such-fs"});
}

static int without_network(void *argument) {
  const struct host *host = argument;
  const reaper_create_options options = options_of(host->scene, host->config);
  CHECK(!create_differs(host->scene, &options, host->wanted));
  return 0;
}

static int without_capability(void *argument) {
  return drop_capability(CAP_NET_ADMIN) == 0 ? without_network(argument) : 1;
}

static void test_needs(void **state) {
  NEED_ROOT_FILE_SYSTEM();
  const struct expected no_namespace = {REAPER_ERR_INVALID, 0, "plan", "/linux/netDevices", "network namespace"};
  struct host host = {*state, text_of("%s", "{\"ociVersion\":\"1.3.0\",\"linux\":{\"netDevices\":{\"d0\":{}}}}"),
                      &no_namespace, 0};
  if (!holds_capability("CapEff:", CAP_NET_ADMIN)) SKIP("CAP_NET_ADMIN is not held");
  assert_int_equal(in_child(without_network, &host), 0);
  free(host.config);
  const struct expected no_right = {REAPER_ERR_PERMISSION, 0, "plan", "/linux/netDevices", "CAP_NET_ADMIN"};
  host.config = net_config(*state, "true", "", "\"d0\":{}");
  host.wanted = &no_right;
  assert_int_equal(in_child(without_capability, &host), 0);
  free(host.config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_moved, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_user_namespace, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_joined, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_refused, root_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_needs, root_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
