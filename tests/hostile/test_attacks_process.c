/*
 * The field's attacks on the process that becomes the program, one test for each: named after the row of
 * docs/security.md that it stands in.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "containers.h"

#define AS_ORDINARY ",\"user\":{\"uid\":12345,\"gid\":12345,\"additionalGids\":[]}"
#define SLEEPER "\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\""

static void need_root(void) {
  if (!is_root()) SKIP("needs root");
}

/* Up to `most` bytes of a link of /proc, "" when it cannot be read. */
static void link_of(pid_t pid, const char* name, char* target, size_t size) {
  char* path = text_of("/proc/%d/%s", (int)pid, name);
  const ssize_t length = readlink(path, target, size - 1);
  target[length > 0 ? length : 0] = '\0';
  free(path);
}

/* ---- Row 10: a descriptor as the working directory ---- */

/* The caller has left directories open without close-on-exec, at all low numbers. */
static int leak_directories(void* argument) {
  const struct scene* scene = argument;
  char* secret = path_in(&scene->place, "secret");
  CHECK(mkdir(secret, 0755) == 0);
  const int directory = open(secret, O_RDONLY | O_DIRECTORY);
  CHECK(directory >= 0);
  for (int number = 3; number <= 24; ++number)
    if (number != directory && fcntl(number, F_GETFD) < 0) CHECK(dup2(directory, number) == number);
  for (int number = 3; number <= 24; ++number) {
    char* members = text_of("\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/proc/self/fd/%d\"", number);
    char* config = process_config(members);
    const reaper_create_options options = options_of(scene, config);
    reaper_container* container = NULL;
    reaper_error* error = NULL;
    const int result = reaper_create(scene->runtime, "leak", &options, &container, &error);
    if (result == REAPER_OK) {
      int32_t pid = 0;
      char where[256] = "";
      CHECK(reaper_pid(container, &pid, NULL) == REAPER_OK);
      link_of(pid, "cwd", where, sizeof where);
      CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
      reaper_container_free(container);
      dprintf(2, "%s was entered: it is %s\n", members, where);
      return 1;
    }
    CHECK(strcmp(reaper_error_pointer(error), "/process/cwd") == 0);
    reaper_error_free(error);
    free(config);
    free(members);
  }
  free(secret);
  return 0;
}

static void test_row10_descriptor_as_working_directory(void** state) {
  struct scene* scene = *state;
  warm_up(scene);
  assert_int_equal(in_child(leak_directories, scene), 0);
}

/* ---- Row 2: the runtime's own files, through /proc/PID/exe ---- */

/* What a workload that is root would do to init: its image is a memfd that nobody can write to any more. */
static void test_row2_image_of_init_is_sealed(void** state) {
  const struct scene* scene = *state;
  char* config = process_config(SLEEPER);
  reaper_container* container = must_create(scene, "sealed", config);
  char* path = text_of("/proc/%d/exe", (int)must_pid(container));
  assert_true(open(path, O_WRONLY | O_CLOEXEC) < 0);
  assert_true(open(path, O_RDWR | O_CLOEXEC) < 0);
  assert_true(open(path, O_WRONLY | O_TRUNC | O_CLOEXEC) < 0);
  const int image = open(path, O_RDONLY | O_CLOEXEC);
  /* Who may not even read it has nothing to write to. */
  assert_true(image >= 0 || !holds_capability("CapEff:", CAP_SYS_PTRACE));
  const int wanted = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  if (image >= 0) assert_int_equal(fcntl(image, F_GET_SEALS) & wanted, wanted);
  if (image >= 0) close(image);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(path);
  free(config);
}

static uint64_t hash_of(const char* path) {
  uint64_t hash = 0xcbf29ce484222325U;
  FILE* file = fopen(path, "re");
  REQUIRE(file != NULL);
  for (int byte; (byte = getc(file)) != EOF;) hash = (hash ^ (uint64_t)byte) * 0x100000001b3U;
  fclose(file);
  return hash;
}

/* As CVE-2019-5736 had it: the program is the runtime itself, and another process writes to what it is. */
static void test_row2_interpreter_is_the_runtime(void** state) {
  const struct scene* scene = *state;
  char* runtime = text_of("%s/bin/reaper-runtime", getenv("REAPER_TEST_BUILD"));
  const uint64_t before = hash_of(runtime), library_before = hash_of(REAPER_LIBRARY);
  char* script = path_in(&scene->place, "script");
  write_whole(script, "#!/proc/self/exe\n");
  assert_int_equal(chmod(script, 0755), 0);
  char* quoted = json_string(script);
  char* members = text_of("\"args\":[%s],\"cwd\":\"/\"", quoted);
  char* config = process_config(members);
  for (int round = 0; round < 20; ++round) {
    reaper_container* container = must_create(scene, "itself", config);
    char* path = text_of("/proc/%d/exe", (int)must_pid(container));
    reaper_error* error = NULL;
    (void)reaper_start(container, &error);
    reaper_error_free(error);
    for (int try = 0; try < 20; ++try) {
      const int image = open(path, O_WRONLY | O_CLOEXEC);
      assert_true(image < 0);
    }
    assert_int_not_equal(must_wait(container).exit_code, 0);
    must_delete(container);
    free(path);
  }
  assert_true(hash_of(runtime) == before);
  assert_true(hash_of(REAPER_LIBRARY) == library_before);
  free(config);
  free(members);
  free(quoted);
  free(script);
  free(runtime);
}

/* An ordinary workload of root's: neither its own image before execve nor its caller's files open for writing. */
static void test_row2_files_of_the_caller(void** state) {
  need_root();
  const struct scene* scene = *state;
  char* script =
      text_of("for f in /proc/%d/exe %s /proc/$PPID/exe /proc/self/exe; do (: >>$f) 2>/dev/null && echo $f; done; true",
              (int)getpid(), REAPER_LIBRARY);
  char* output = output_of(scene, script, AS_ORDINARY);
  assert_string_equal(output, "");
  free(output);
  free(script);
}

/* ---- Rows 1 and 26: the target user against init ---- */

struct attack {
  pid_t init;
};

/* One round of everything that the same uid could try, but for signals. The name of what worked, or NULL. */
static const char* attack_once(pid_t pid) {
  if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) return "PTRACE_SEIZE";
  if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) == 0) return "PTRACE_ATTACH";
  const int process = (int)syscall(SYS_pidfd_open, pid, 0);
  for (int number = 0; process >= 0 && number < 16; ++number)
    if (syscall(SYS_pidfd_getfd, process, number, 0) >= 0) return "pidfd_getfd";
  if (process >= 0) close(process);
  static const char* const files[] = {"mem", "environ", "auxv", "maps", "syscall", "stack", "fd/0", "cwd/.", "root/."};
  for (size_t i = 0; i < COUNT_OF(files); ++i) {
    char* path = text_of("/proc/%d/%s", (int)pid, files[i]);
    const int file = open(path, strcmp(files[i], "mem") == 0 ? O_RDWR : O_RDONLY);
    char byte;
    const int worked = file >= 0 && read(file, &byte, 1) == 1;
    if (file >= 0) close(file);
    free(path);
    if (worked || (file >= 0 && strcmp(files[i], "mem") == 0)) return files[i];
  }
  return NULL;
}

static int attack_while_created(void* argument) {
  const struct attack* attack = argument;
  CHECK(become_ordinary() == 0);
  for (int round = 0; round < 1000; ++round) {
    const char* worked = attack_once(attack->init);
    if (worked == NULL) continue;
    dprintf(2, "%s worked in round %d\n", worked, round);
    return 1;
  }
  return 0;
}

/* The uid is the program's already while init waits, and so nobody of that uid may touch it but by signals. */
static void test_row1_target_user_against_waiting_init(void** state) {
  need_root();
  const struct scene* scene = *state;
  char* config = process_config(SLEEPER AS_ORDINARY);
  reaper_container* container = must_create(scene, "waiting", config);
  struct attack attack = {.init = must_pid(container)};
  assert_int_equal(in_child(attack_while_created, &attack), 0);
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  must_start(container);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(config);
}

/* Through the start as well: who is attached finds the program, never init. */
static int attack_until_execve(void* argument) {
  const struct attack* attack = argument;
  CHECK(become_ordinary() == 0);
  char* name_path = text_of("/proc/%d/comm", (int)attack->init);
  int is_init = 1, seized = 0;
  while (is_init && !seized) {
    seized = ptrace(PTRACE_SEIZE, attack->init, NULL, NULL) == 0;
    /* execve(2) holds ptrace(2) off until both name and memory are the program's. */
    char* name = read_whole(name_path);
    is_init = name != NULL && strncmp(name, "reaper-init", 11) == 0;
    free(name);
  }
  free(name_path);
  return is_init; /* and seized */
}

static void test_row26_target_user_through_the_start(void** state) {
  need_root();
  const struct scene* scene = *state;
  char* config = process_config(SLEEPER AS_ORDINARY);
  for (int round = 0; round < 50; ++round) {
    reaper_container* container = must_create(scene, "racing", config);
    struct attack attack = {.init = must_pid(container)};
    const pid_t attacker = fork_body(attack_until_execve, &attack);
    sleep_ms(round % 3);
    must_start(container);
    assert_int_equal(exit_of(attacker), 0);
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    reaper_container_free(container);
  }
  free(config);
}

static int be_an_ordinary_sleeper(void* nothing) {
  (void)nothing;
  if (become_ordinary() == 0) execl("/bin/sleep", "sleep", "1000", (char*)NULL);
  return 1;
}

static int is_asleep(void* pid) {
  char* path = text_of("/proc/%d/comm", *(const pid_t*)pid);
  char* name = read_whole(path);
  const int asleep = name != NULL && strcmp(name, "sleep\n") == 0;
  free(name);
  free(path);
  return asleep;
}

/* The same weapons against a process that is no reaper-init, to show that they are some. */
static void test_the_attacks_are_attacks(void** state) {
  (void)state;
  need_root();
  pid_t victim = fork_body(be_an_ordinary_sleeper, NULL);
  assert_true(wait_until(is_asleep, &victim));
  struct attack attack = {.init = victim};
  assert_int_equal(in_child(attack_while_created, &attack), 1);
  assert_int_equal(kill(victim, SIGKILL), 0);
  assert_int_equal(exit_of(victim), 128 + SIGKILL);
}

static int kill_it(void* argument) {
  const struct attack* attack = argument;
  CHECK(become_ordinary() == 0);
  return kill(attack->init, SIGKILL) != 0;
}

/* Linux lets equal uids signal each other, and nothing here can forbid it. It ends the container, and is told so. */
static void test_row1_signal_of_the_target_user_is_told(void** state) {
  need_root();
  const struct scene* scene = *state;
  char* config = process_config(SLEEPER AS_ORDINARY);
  reaper_container* container = must_create(scene, "killed", config);
  struct attack attack = {.init = must_pid(container)};
  assert_int_equal(in_child(kill_it, &attack), 0);
  assert_int_equal(must_wait(container).signal, SIGKILL);
  reaper_error* error = NULL;
  assert_int_equal(reaper_start(container, &error), REAPER_ERR_STATUS);
  reaper_error_free(error);
  must_delete(container);
  free(config);
}

/* ---- The loader's variables ---- */

/* They reach the program from process.env alone; init has no loader and no environment. */
static void test_loader_variables_reach_the_program_alone(void** state) {
  const struct scene* scene = *state;
  setenv("LD_PRELOAD", "/no/such/library.so", 1);
  setenv("LD_AUDIT", "/no/such/audit.so", 1);
  char* config = shell_config("env", "");
  reaper_container* container = must_create(scene, "loader", config);
  unsetenv("LD_PRELOAD");
  unsetenv("LD_AUDIT");
  char* path = text_of("/proc/%d/environ", (int)must_pid(container));
  char* environment = read_whole(path);
  if (environment != NULL) assert_string_equal(environment, ""); /* as an ordinary user it cannot be read at all */
  free(environment);
  free(path);
  assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  reaper_container_free(container);
  free(config);
  static const char own[] =
      "\"args\":[\"/usr/bin/env\"],\"cwd\":\"/\",\"env\":[\"LD_BIND_NOW=1\",\"LD_LIBRARY_PATH=/nowhere\"]";
  config = process_config(own);
  char* output = output_of_config(scene, config, options_of(scene, config));
  assert_string_equal(output, "LD_BIND_NOW=1\nLD_LIBRARY_PATH=/nowhere\n");
  free(output);
  free(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_row10_descriptor_as_working_directory, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row2_image_of_init_is_sealed, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row2_interpreter_is_the_runtime, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row2_files_of_the_caller, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row1_target_user_against_waiting_init, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_row26_target_user_through_the_start, scene_setup, scene_teardown),
      cmocka_unit_test(test_the_attacks_are_attacks),
      cmocka_unit_test_setup_teardown(test_row1_signal_of_the_target_user_is_told, scene_setup, scene_teardown),
      cmocka_unit_test_setup_teardown(test_loader_variables_reach_the_program_alone, scene_setup, scene_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
