/*
 * A root of Debian's with configured packages (tests/debian_root.sh), and what runc's default configuration gives:
 * programs of a distribution, with its loader, its users, its shell and its package manager.
 */
#include "root.h"

#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The directory of the root; or why there is none, in `reason`. */
static char *debian_root(char **reason) {
  char *line = text_of("exec %s/../debian_root.sh %s", getenv("REAPER_TEST_DATA"), getenv("REAPER_TEST_BUILD"));
  FILE *out = popen(line, "r");
  char text[4096] = "";
  assert_non_null(out);
  if (fgets(text, sizeof text, out) == NULL) text[0] = '\0';
  const int status = pclose(out);
  free(line);
  text[strcspn(text, "\n")] = '\0';
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    *reason = text_of("%s", strncmp(text, "SKIP: ", 6) == 0 ? text + 6 : text);
    return NULL;
  }
  assert_int_equal(status, 0);
  return text_of("%s", text);
}

static const char mounts[] =
    "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"strictatime\","
    "\"mode=755\",\"size=65536k\"]},"
    "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"nosuid\",\"noexec\","
    "\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]},"
    "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\",\"nodev\","
    "\"mode=1777\",\"size=65536k\"]},"
    "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"nosuid\",\"noexec\","
    "\"nodev\"]},"
    "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\","
    "\"ro\"]},"
    "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"nosuid\",\"noexec\","
    "\"nodev\",\"relatime\",\"ro\"]}";

static void test_default_configuration(void **state) {
  if (!can_make_roots()) SKIP("making namespaces needs CAP_SYS_ADMIN");
  const struct scene *scene = *state;
  char *reason = NULL;
  char *root = debian_root(&reason);
  if (root == NULL) SKIP(reason);
  char *script = json_string(
      "id -un; hostname; echo $$; . /etc/os-release; echo $ID $VERSION_CODENAME; "
      "perl -e 'print 6*7, \"\\n\"'; touch /x 2>/dev/null || echo read-only; touch /dev/shm/x; ls /dev/shm; "
      "cat /proc/keys | wc -c; (echo 1 >/proc/sys/kernel/panic) 2>/dev/null || echo sys; getent passwd daemon; "
      "apt-get --version | head -n 1 | cut -d ' ' -f 1; dpkg -l bash | tail -n 1 | cut -c 1-2; dpkg --verify coreutils "
      "&& "
      "echo verified; python3 -c 'import os; print(os.getpid(), 6*7)'");
  char *config = text_of(
      "{\"ociVersion\":\"1.2.0\",\"hostname\":\"debian\",\"process\":{\"args\":[\"/bin/bash\",\"-c\",%s],"
      "\"env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\"LC_ALL=C.UTF-8\"],"
      "\"cwd\":\"/root\",\"user\":{\"uid\":0,\"gid\":0},\"noNewPrivileges\":true,\"capabilities\":{\"bounding\":"
      "[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"]}},"
      "\"root\":{\"path\":\"%s\",\"readonly\":true},\"mounts\":[%s],\"linux\":{\"namespaces\":[{\"type\":\"pid\"},"
      "{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"},{\"type\":\"cgroup\"}],"
      "\"maskedPaths\":[\"/proc/kcore\",\"/proc/keys\",\"/sys/firmware\"],"
      "\"readonlyPaths\":[\"/proc/bus\",\"/proc/sys\"]}}",
      script, root, mounts);
  char *text = output_of_config(scene, config, options_of(scene, config));
  assert_string_equal(text,
                      "root\ndebian\n1\ndebian bookworm\n42\nread-only\nx\n0\nsys\n"
                      "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\napt\nii\nverified\n1 42\n");
  free(text);
  free(config);
  free(script);
  free(root);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_default_configuration, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
