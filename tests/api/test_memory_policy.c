/* linux.memoryPolicy on the real kernel: what the program has, and what the kernel refuses. The program of the
 * containers is this one: `policy` says what get_mempolicy(2) gives. */
#include "processes.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NODES 1024

static char probe_path[4096];

static int say_policy(void) {
  unsigned long nodes[NODES / 8 / sizeof(unsigned long)] = {0};
  int mode = -1;
  if (syscall(SYS_get_mempolicy, &mode, nodes, (unsigned long)NODES, NULL, 0UL) != 0) return 1;
  printf("0x%x %lx\n", (unsigned)mode, nodes[0]);
  return 0;
}

static int has_policies(void) {
  int mode = -1;
  return syscall(SYS_get_mempolicy, &mode, NULL, 0UL, NULL, 0UL) == 0;
}
#define NEED_POLICIES()                                                              \
  do {                                                                               \
    if (!has_policies()) SKIP("this kernel has no memory policies, or denies them"); \
  } while (0)

static char *policy_config(const char *policy) {
  return text_of(
      "{\"ociVersion\":\"1.3.0\",\"process\":{\"args\":[\"%s\",\"policy\"],\"cwd\":\"/"
      "\"},\"linux\":{\"memoryPolicy\":{%s}}}",
      probe_path, policy);
}

static void test_applied(void **state) {
  NEED_POLICIES();
  static const struct {
    const char *policy, *wanted;
  } rows[] = {
      {"\"mode\":\"MPOL_DEFAULT\"", "0x0 0\n"},
      {"\"mode\":\"MPOL_PREFERRED\",\"nodes\":\"0\"", "0x1 1\n"},
      {"\"mode\":\"MPOL_PREFERRED\",\"nodes\":\"\"", "0x4 0\n"},
      {"\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[]", "0x2 1\n"},
      {"\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_STATIC_NODES\"]", "0x8002 1\n"},
      {"\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_RELATIVE_NODES\"]", "0x4002 1\n"},
      {"\"mode\":\"MPOL_INTERLEAVE\",\"nodes\":\"0\"", "0x3 1\n"},
      {"\"mode\":\"MPOL_LOCAL\"", "0x4 0\n"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *config = policy_config(rows[i].policy);
    char *text = output_of_config(*state, config, options_of(*state, config));
    assert_string_equal(text, rows[i].wanted);
    free(text);
    free(config);
  }
}

/* A further process has the container's, whatever its caller's is; by the record alone, as another caller has it. */
static void test_executed(void **state) {
  NEED_POLICIES();
  static const struct {
    const char *policy, *wanted;
  } rows[] = {
      {"\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_STATIC_NODES\"]", "0x8002 1\n"},
      {"\"mode\":\"MPOL_LOCAL\"", "0x4 0\n"},
  };
  const struct scene *scene = *state;
  char *process = text_of("{\"args\":[\"%s\",\"policy\"],\"cwd\":\"/\"}", probe_path);
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char *config = text_of(
        "{\"ociVersion\":\"1.3.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"},"
        "\"linux\":{\"memoryPolicy\":{%s}}}",
        rows[i].policy);
    reaper_container *container = must_run(scene, "policy", config);
    reaper_container *other = must_open(scene, "policy");
    char *text = output_of_exec(other, exec_options(process));
    assert_string_equal(text, rows[i].wanted);
    free(text);
    reaper_container_free(other);
    end(container);
    free(config);
  }
  free(process);
}

/* A node that this machine does not have. */
static void test_refused_by_the_kernel(void **state) {
  NEED_POLICIES();
  char *config = policy_config("\"mode\":\"MPOL_BIND\",\"nodes\":\"1023\"");
  reaper_create_options options = options_of(*state, config);
  reaper_container *container = NULL;
  reaper_error *error = NULL;
  const struct scene *scene = *state;
  const struct expected expected = {REAPER_ERR_SYSTEM, EINVAL, "set_mempolicy", "/linux/memoryPolicy", "1023"};
  assert_error(reaper_create(scene->runtime, "m", &options, &container, &error), &error, &expected);
  assert_null(container);
  free(config);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "policy") == 0) return say_policy();
  const ssize_t size = readlink("/proc/self/exe", probe_path, sizeof probe_path - 1);
  if (size < 0) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_applied, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_executed, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_refused_by_the_kernel, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
