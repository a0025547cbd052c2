/* Hosts that are no quiet place: threads that allocate, SIGCHLD taken away, closed descriptors, small stacks, forks. */
#include "containers.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char sleeper[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";

/* ---- threads that allocate and free all the time ---- */

#define ALLOCATORS 64
#define CREATORS 8
#define ROUNDS 20

struct storm {
  const struct scene* scene;
  atomic_int creators; /* still at work */
};

static int allocate_all_the_time(struct storm* storm, int number) {
  unsigned seed = (unsigned)number;
  void* blocks[32] = {NULL};
  while (atomic_load(&storm->creators) > 0) {
    for (int i = 0; i < 1000; ++i) {
      const int at = rand_r(&seed) % 32;
      free(blocks[at]);
      blocks[at] = malloc((size_t)(1 + rand_r(&seed) % 5000));
      CHECK(blocks[at] != NULL);
      memset(blocks[at], at, 1);
    }
    /* So that the two cores of a small machine also get to what is tested. */
    const struct timespec pause = {.tv_nsec = 2000000};
    nanosleep(&pause, NULL);
  }
  for (int i = 0; i < 32; ++i) free(blocks[i]);
  return 0;
}

static int create_in_the_storm(struct storm* storm, int number) {
  char id[20];
  snprintf(id, sizeof id, "storm-%d", number);
  char* script = text_of("exit %d", number);
  char* config = shell_config(script, "");
  int bad = 0;
  for (int round = 0; round < ROUNDS && bad == 0; ++round) bad = quiet_life(storm->scene->runtime, id, config, number);
  free(config);
  free(script);
  atomic_fetch_sub(&storm->creators, 1);
  return bad;
}

static int storm_thread(void* argument, int number) {
  return number < CREATORS ? create_in_the_storm(argument, number) : allocate_all_the_time(argument, number);
}

static void test_allocating_threads(void** state) {
  struct storm storm = {.scene = *state};
  atomic_store(&storm.creators, CREATORS);
  assert_int_equal(run_threads(CREATORS + ALLOCATORS, storm_thread, &storm), 0);
  assert_int_equal(count_entries(storm.scene->place.root), 0);
}

/* ---- SIGCHLD ---- */

static void reap_everybody(int signal) {
  (void)signal;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

/* A host that takes every status away. PIDFD_GET_INFO still tells (Linux 6.15); else it is unknown, and never 0. */
static int life_without_children(void* argument) {
  const struct sigaction* action = argument;
  CHECK(sigaction(SIGCHLD, action, NULL) == 0);
  struct scene scene;
  scene_open(&scene);
  char* config = shell_config("exit 44", "");
  for (int round = 0; round < 20; ++round) {
    reaper_container* container = must_create(&scene, "taken", config);
    must_start(container);
    reaper_exit_status status = {.size = sizeof status};
    reaper_error* error = NULL;
    const int result = reaper_wait(container, LIMIT_MS, &status, &error);
    if (result == REAPER_OK) {
      CHECK(status.exit_code == 44);
    } else {
      CHECK(!kernel_is_at_least(6, 15));
      CHECK(result == REAPER_ERR_UNKNOWN);
      reaper_error_free(error);
    }
    int32_t number = 0;
    CHECK(reaper_status(container, &number, NULL) == REAPER_OK && number == REAPER_STATUS_STOPPED);
    must_delete(container);
    /* A failing create reaps, and says what it should although there is nothing left to reap. */
    const reaper_create_options options =
        options_of(&scene, "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"/no/such\"],\"cwd\":\"/\"}}");
    const struct expected expected = {REAPER_ERR_EXEC, 2, "find", "/process/args/0", "no such file or directory"};
    const int failed = reaper_create(scene.runtime, "taken", &options, &container, &error);
    CHECK(!error_differs(failed, &error, &expected));
    /* Force on a living one. */
    container = must_create(&scene, "taken", sleeper);
    CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
    reaper_container_free(container);
    CHECK(count_entries(scene.place.root) == 0);
  }
  free(config);
  scene_close(&scene);
  struct sigaction now;
  CHECK(sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler == action->sa_handler);
  return 0;
}

static void test_sigchld(void** state) {
  (void)state;
  struct sigaction actions[] = {{.sa_handler = SIG_IGN},
                                {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT},
                                {.sa_handler = reap_everybody},
                                {.sa_handler = reap_everybody, .sa_flags = SA_RESTART}};
  for (size_t i = 0; i < COUNT_OF(actions); ++i) assert_int_equal(in_child(life_without_children, &actions[i]), 0);
}

/* ---- signals ---- */

static void test_blocked_signals_stay(void** state) {
  const struct scene* scene = *state;
  sigset_t blocked, before, after, old;
  sigemptyset(&blocked);
  const int signals[] = {SIGTERM, SIGUSR1, SIGCHLD, 40};
  for (size_t i = 0; i < COUNT_OF(signals); ++i) sigaddset(&blocked, signals[i]);
  assert_int_equal(pthread_sigmask(SIG_BLOCK, &blocked, &old), 0);
  assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
  char* text = output_of(scene, "grep SigBlk /proc/self/status", "");
  assert_contains(text, "0000000000000000");
  free(text);
  assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
  assert_int_equal(pthread_sigmask(SIG_SETMASK, &old, NULL), 0);
  for (int signal = 1; signal <= 64; ++signal) {
    if (signal == 32 || signal == 33) continue; /* glibc's own */
    assert_int_equal(sigismember(&before, signal), sigismember(&after, signal));
  }
}

/* Handlers of the host run in the host, and never in what was cloned from it. */
static atomic_int handled;
static volatile pid_t host_pid;
static volatile sig_atomic_t handled_elsewhere;

static void count_signal(int signal) {
  (void)signal;
  atomic_fetch_add(&handled, 1);
  if (getpid() != host_pid) handled_elsewhere = 1;
}

static int send_signals(void* argument) {
  const pid_t host = *(pid_t*)argument;
  while (kill(host, SIGUSR1) == 0 && getppid() == host) {
  }
  return 0;
}

static int lives_under_fire(void* argument) {
  (void)argument;
  const struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
  pid_t self = getpid();
  host_pid = self;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  struct scene scene;
  scene_open(&scene);
  char* config = shell_config("exit 4", "");
  const pid_t sender = fork_body(send_signals, &self);
  int bad = 0;
  for (int round = 0; round < 50 && bad == 0; ++round) bad = quiet_life(scene.runtime, "fire", config, 4);
  kill(sender, SIGKILL);
  exit_of(sender);
  free(config);
  scene_close(&scene);
  CHECK(atomic_load(&handled) > 0);
  CHECK(handled_elsewhere == 0);
  return bad;
}

static void test_signals_all_the_time(void** state) {
  (void)state;
  assert_int_equal(in_child(lives_under_fire, NULL), 0);
}

/* ---- descriptors ---- */

static int life_with_closed_standard_descriptors(void* argument) {
  const int which = *(int*)argument;
  struct scene scene;
  scene_open(&scene);
  char* marker = path_in(&scene.place, "marker");
  /* Read before anything is redirected: dash does that in itself. */
  char* script = text_of("x=$(for i in 0 1 2; do readlink /proc/$$/fd/$i; done); echo \"$x\" > %s; exit 3", marker);
  char* config = shell_config(script, "");
  const int report = dup(2);
  for (int fd = 0; fd < 3; ++fd)
    if ((which >> fd & 1) != 0) close(fd);
  const int bad = quiet_life(scene.runtime, "closed", config, 3);
  CHECK(dup2(report, 2) == 2);
  char* text = read_whole(marker);
  if (text == NULL || strcmp(text, "/dev/null\n/dev/null\n/dev/null\n") != 0) {
    dprintf(2, "closed %d: the program had %s\n", which, text != NULL ? text : "nothing");
    return 1;
  }
  free(text);
  free(config);
  free(script);
  free(marker);
  scene_close(&scene);
  return bad;
}

static void test_closed_standard_descriptors(void** state) {
  (void)state;
  for (int which = 1; which < 8; ++which) assert_int_equal(in_child(life_with_closed_standard_descriptors, &which), 0);
}

static int life_with_many_descriptors(void* argument) {
  (void)argument;
  struct scene scene;
  scene_open(&scene);
  for (int fd = 3; fd < 5000; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    CHECK(dup2(2, fd) == fd); /* not close-on-exec */
  }
  char* marker = path_in(&scene.place, "marker");
  char* script = text_of("ls /proc/$$/fd > %s; exit 3", marker);
  char* config = shell_config(script, "");
  const int bad = quiet_life(scene.runtime, "many", config, 3);
  char* text = read_whole(marker);
  CHECK(text != NULL && strlen(text) <= strlen("0\n1\n10\n2\n3\n")); /* dash may have one of its own */
  int count = 0;
  for (int fd = 3; fd < 5000; ++fd) count += fcntl(fd, F_GETFD) >= 0;
  CHECK(count == 4997); /* and the host still has its own */
  free(text);
  free(config);
  free(script);
  free(marker);
  scene_close(&scene);
  return bad;
}

static void test_many_descriptors(void** state) {
  (void)state;
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < 5100) SKIP("RLIMIT_NOFILE is below 5100");
  const struct rlimit before = limit;
  limit.rlim_cur = limit.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  const int result = in_child(life_with_many_descriptors, NULL);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  assert_int_equal(result, 0);
}

/* No descriptor to be had: an error that says so, nothing left behind, and afterwards all is well. */
static int life_without_descriptors(void* argument) {
  (void)argument;
  struct scene scene;
  scene_open(&scene);
  warm_up(&scene);
  char* config = shell_config("exit 3", "");
  const reaper_create_options options = options_of(&scene, config);
  const struct census before = take_census(scene.place.root);
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  int failures = 0;
  for (int room = 0; room < 40; ++room) {
    const struct rlimit tight = {(rlim_t)(before.descriptors - 1 + room), limit.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &tight) == 0);
    reaper_container* container = NULL;
    reaper_error* error = NULL;
    const int result = reaper_create(scene.runtime, "tight", &options, &container, &error);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (result == REAPER_OK) {
      CHECK(reaper_delete(container, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
      reaper_container_free(container);
    } else {
      ++failures;
      if (reaper_error_errno(error) != 24 /* EMFILE */) return complain("create", error);
      reaper_error_free(error);
    }
    const struct census after = take_census(scene.place.root);
    if (memcmp(&before, &after, sizeof before) != 0)
      dprintf(2, "with room for %d: %d descriptors more, %d children more, %d entries\n", room,
              after.descriptors - before.descriptors, after.children - before.children, after.entries);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
  }
  CHECK(failures > 0);
  const int bad = quiet_life(scene.runtime, "tight", config, 3);
  free(config);
  scene_close(&scene);
  return bad;
}

static void test_no_descriptors(void** state) {
  (void)state;
  assert_int_equal(in_child(life_without_descriptors, NULL), 0);
}

/* ---- a small stack ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SMALL_STACK (512 * 1024) /* instrumented frames are many times larger */
#else
#define SMALL_STACK (64 * 1024)
#endif

static void* life_on_a_small_stack(void* argument) {
  const struct scene* scene = argument;
  char* config = shell_config("exit 8", "");
  char* bad_config = shell_config("exit 8", ",\"user\":{\"uid\":-1}");
  char deep[200];
  memset(deep, '[', sizeof deep); /* far deeper than is allowed */
  intptr_t bad = 0;
  for (int round = 0; round < 3; ++round) {
    bad += quiet_life(scene->runtime, "small", config, 8);
    reaper_create_options options = options_of(scene, bad_config);
    reaper_container* container = NULL;
    char* text = NULL;
    bad += reaper_create(scene->runtime, "small", &options, &container, NULL) != REAPER_ERR_INVALID;
    options.config = deep;
    options.config_length = sizeof deep;
    bad += reaper_create(scene->runtime, "small", &options, &container, NULL) != REAPER_ERR_INVALID;
    bad += reaper_list(scene->runtime, &text, NULL) != REAPER_OK;
    reaper_free(text);
    options = options_of(scene, config);
    bad += reaper_plan(scene->runtime, &options, REAPER_FORMAT_TEXT, &text, NULL) != REAPER_OK;
    reaper_free(text);
    bad += reaper_features(&text, NULL) != REAPER_OK;
    reaper_free(text);
  }
  free(bad_config);
  free(config);
  return (void*)bad;
}

static void test_small_stack(void** state) {
  pthread_attr_t attributes;
  pthread_t thread;
  void* result = NULL;
  assert_int_equal(pthread_attr_init(&attributes), 0);
  assert_int_equal(pthread_attr_setstacksize(&attributes, SMALL_STACK), 0);
  assert_int_equal(pthread_create(&thread, &attributes, life_on_a_small_stack, *state), 0);
  assert_int_equal(pthread_join(thread, &result), 0);
  assert_null(result);
  pthread_attr_destroy(&attributes);
}

/* ---- a host that forks ---- */

struct forker {
  const struct scene* scene;
  atomic_int creators;
};

/* Children that live on for a while, with copies of every descriptor and lock that was open at that moment. */
static int fork_all_the_time(struct forker* forker) {
  pid_t children[16] = {0};
  for (int at = 0; atomic_load(&forker->creators) > 0; at = (at + 1) % 16) {
    if (children[at] != 0) {
      CHECK(kill(children[at], SIGKILL) == 0);
      CHECK(waitpid(children[at], NULL, 0) == children[at]);
    }
    children[at] = fork();
    CHECK(children[at] >= 0);
    if (children[at] == 0) {
      for (;;) pause();
    }
  }
  for (int at = 0; at < 16; ++at) {
    if (children[at] == 0) continue;
    CHECK(kill(children[at], SIGKILL) == 0);
    CHECK(waitpid(children[at], NULL, 0) == children[at]);
  }
  return 0;
}

static int fork_or_create(void* argument, int number) {
  struct forker* forker = argument;
  if (number >= 4) return fork_all_the_time(forker);
  char id[20];
  snprintf(id, sizeof id, "forking-%d", number);
  char* config = shell_config("exit 2", "");
  int bad = 0;
  for (int round = 0; round < 10 && bad == 0; ++round) bad = quiet_life(forker->scene->runtime, id, config, 2);
  free(config);
  atomic_fetch_sub(&forker->creators, 1);
  return bad;
}

static void test_forks_during_creates(void** state) {
  struct forker forker = {.scene = *state};
  atomic_store(&forker.creators, 4);
  assert_int_equal(run_threads(5, fork_or_create, &forker), 0);
}

struct handles {
  reaper_runtime* runtime;
  reaper_container *created, *running;
  reaper_error* error;
  char* text;
};

static int free_in_the_child(void* argument) {
  struct handles* handles = argument;
  reaper_runtime_free(handles->runtime);
  reaper_container_free(handles->running);
  reaper_container_free(handles->created);
  reaper_error_free(handles->error);
  reaper_free(handles->text);
  return 0;
}

/* After fork, free functions are safe in the child; the parent's containers do not notice. */
static void test_free_after_fork(void** state) {
  const struct scene* scene = *state;
  const reaper_runtime_options options = {.size = sizeof options, .root = scene->place.root};
  struct handles handles = {NULL, NULL, NULL, NULL, NULL};
  assert_int_equal(reaper_runtime_new(&options, &handles.runtime, NULL), REAPER_OK);
  struct scene own = {scene->place, handles.runtime};
  handles.created = must_create(&own, "created", sleeper);
  handles.running = must_create(&own, "running", sleeper);
  must_start(handles.running);
  handles.text = must_state(handles.running);
  assert_int_equal(reaper_start(handles.running, &handles.error), REAPER_ERR_STATUS);
  assert_int_equal(in_child(free_in_the_child, &handles), 0);
  assert_int_equal(must_status(handles.created), REAPER_STATUS_CREATED);
  assert_int_equal(must_status(handles.running), REAPER_STATUS_RUNNING);
  must_start(handles.created);
  assert_int_equal(reaper_delete(handles.created, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  assert_int_equal(reaper_delete(handles.running, REAPER_DELETE_FORCE, NULL), REAPER_OK);
  free_in_the_child(&handles);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_allocating_threads),
      TEST(test_sigchld),
      TEST(test_blocked_signals_stay),
      TEST(test_signals_all_the_time),
      TEST(test_closed_standard_descriptors),
      TEST(test_many_descriptors),
      TEST(test_no_descriptors),
      TEST(test_small_stack),
      TEST(test_forks_during_creates),
      TEST(test_free_after_fork),
  };
  return cmocka_run_group_tests_name("hostile_host", tests, NULL, NULL);
}
