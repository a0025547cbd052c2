/* Processes and threads that want the same container at the same moment: in every round one create and one start win,
 * and whoever comes second is told so by its name. REAPER_ROUNDS=1000 for more of them. */
#include "containers.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CREATORS 64
#define STARTERS 16

static const char sleeper[] =
    "{\"ociVersion\":\"1.2.0\",\"process\":{\"args\":[\"/bin/sleep\",\"1000\"],\"cwd\":\"/\"}}";

enum { won = 10, lost = 11 }; /* exit statuses; anything else is a failure, which has said why */

static int rounds(int by_default) {
  const char* wanted = getenv("REAPER_ROUNDS");
  const long number = wanted != NULL ? strtol(wanted, NULL, 10) : 0;
  return number > 0 ? (int)number : by_default;
}

/* ---- as many processes as one likes, let go together ---- */

struct race {
  const struct scene* scene;
  int go; /* end of file here is the shot */
  int (*body)(reaper_runtime* runtime, const struct scene* scene);
};

static int racer(void* argument) {
  const struct race* race = argument;
  const reaper_runtime_options options = {.size = sizeof options, .root = race->scene->place.root};
  reaper_runtime* runtime = NULL;
  reaper_error* error = NULL;
  char byte;
  if (reaper_runtime_new(&options, &runtime, &error) != REAPER_OK) return complain("runtime", error);
  if (read(race->go, &byte, 1) != 0) return 1;
  const int result = race->body(runtime, race->scene);
  reaper_runtime_free(runtime);
  return result;
}

/* Runs them; how many say `won`. The others say `lost`. */
static int run_race(const struct scene* scene, int count, int (*body)(reaper_runtime*, const struct scene*)) {
  pid_t racers[CREATORS];
  int shot[2];
  assert_true(count <= CREATORS);
  assert_int_equal(pipe(shot), 0);
  struct race race = {scene, shot[0], body};
  for (int i = 0; i < count; ++i) {
    racers[i] = fork();
    assert_true(racers[i] >= 0);
    if (racers[i] == 0) {
      close(shot[1]); /* or the last of them would never read the end of file */
      _exit(racer(&race));
    }
  }
  close(shot[1]);
  close(shot[0]);
  int winners = 0, failures = 0;
  for (int i = 0; i < count; ++i) {
    const int said = exit_of(racers[i]);
    winners += said == won;
    failures += said != won && said != lost;
  }
  assert_int_equal(failures, 0);
  return winners;
}

static int verdict(const char* what, int result, int beaten, reaper_error* error) {
  if (result == REAPER_OK) return won;
  if (result != beaten) return complain(what, error);
  reaper_error_free(error);
  return lost;
}

static int create_it(reaper_runtime* runtime, const struct scene* scene) {
  const reaper_create_options options = options_of(scene, sleeper);
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  const int result = reaper_create(runtime, "wanted", &options, &container, &error);
  reaper_container_free(container);
  return verdict("create", result, REAPER_ERR_EXISTS, error);
}

static int start_it(reaper_runtime* runtime, const struct scene* scene) {
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  (void)scene;
  if (reaper_open(runtime, "wanted", &container, &error) != REAPER_OK) return complain("open", error);
  const int result = reaper_start(container, &error);
  reaper_container_free(container);
  return verdict("start", result, REAPER_ERR_STATUS, error);
}

static void test_processes(void** state) {
  const struct scene* scene = *state;
  /* The creators are gone after each round: their containers come to us, and so are reaped here. */
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const int count = rounds(15);
  for (int round = 0; round < count; ++round) {
    assert_int_equal(run_race(scene, CREATORS, create_it), 1);
    assert_int_equal(run_race(scene, STARTERS, start_it), 1);
    reaper_container* container = must_open(scene, "wanted");
    assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    assert_int_equal(must_wait(container).signal, SIGKILL);
    reaper_container_free(container);
    assert_int_equal(count_children(), 0);
    assert_int_equal(count_entries(scene->place.root), 0);
  }
  printf("processes: %d rounds of %d creates and %d starts, one winner in each\n", count, CREATORS, STARTERS);
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

/* ---- the same id from 64 threads ---- */

struct crowd {
  const struct scene* scene;
  reaper_container* created[CREATORS];
};

static int create_among_threads(struct crowd* crowd, int number) {
  const reaper_create_options options = options_of(crowd->scene, sleeper);
  reaper_error* error = NULL;
  const int result = reaper_create(crowd->scene->runtime, "wanted", &options, &crowd->created[number], &error);
  const int said = verdict("create", result, REAPER_ERR_EXISTS, error);
  return said != won && said != lost;
}

static int create_body(void* crowd, int number) {
  return create_among_threads(crowd, number);
}

static void test_threads(void** state) {
  const int count = rounds(15);
  for (int round = 0; round < count; ++round) {
    struct crowd crowd = {.scene = *state};
    assert_int_equal(run_threads(CREATORS, create_body, &crowd), 0);
    int winners = 0;
    for (int i = 0; i < CREATORS; ++i) {
      if (crowd.created[i] == NULL) continue;
      ++winners;
      assert_int_equal(reaper_delete(crowd.created[i], REAPER_DELETE_FORCE, NULL), REAPER_OK);
      reaper_container_free(crowd.created[i]);
    }
    assert_int_equal(winners, 1);
  }
}

/* ---- two that disagree ---- */

struct duel {
  const struct scene* scene;
  int results[2];
};

static reaper_container* open_or_null(const struct scene* scene, int* result) {
  reaper_container* container = NULL;
  *result = reaper_open(scene->runtime, "wanted", &container, NULL);
  return container;
}

static int start_or_delete(void* argument, int number) {
  struct duel* duel = argument;
  reaper_container* container = open_or_null(duel->scene, &duel->results[number]);
  if (container == NULL) return 0;
  duel->results[number] =
      number == 0 ? reaper_start(container, NULL) : reaper_delete(container, REAPER_DELETE_FORCE, NULL);
  reaper_container_free(container);
  return 0;
}

/* The delete wins in the end; the start has won before it, or is told that there is nothing to start. */
static void test_delete_against_start(void** state) {
  const struct scene* scene = *state;
  const int count = rounds(150);
  int started = 0;
  for (int round = 0; round < count; ++round) {
    struct duel duel = {.scene = scene};
    reaper_container* container = must_create(scene, "wanted", sleeper);
    assert_int_equal(run_threads(2, start_or_delete, &duel), 0);
    started += duel.results[0] == REAPER_OK;
    if (duel.results[0] != REAPER_OK && duel.results[0] != REAPER_ERR_STATUS)
      assert_int_equal(duel.results[0], REAPER_ERR_NOT_FOUND);
    assert_int_equal(duel.results[1], REAPER_OK);
    assert_int_equal(must_wait(container).signal, SIGKILL);
    reaper_container_free(container);
    assert_int_equal(count_entries(scene->place.root), 0);
  }
  printf("delete against start: %d rounds, in %d the start came first\n", count, started);
}

static int kill_it(void* argument, int number) {
  struct duel* duel = argument;
  reaper_container* container = open_or_null(duel->scene, &duel->results[number]);
  if (container == NULL) return 1;
  if (number == 1) usleep(300);
  duel->results[number] = reaper_kill(container, SIGTERM, 0, NULL);
  reaper_container_free(container);
  return 0;
}

/* A signal arrives, or the container is said not to be running; the status is one of the two that it can be. */
static void test_kill_against_exit(void** state) {
  const struct scene* scene = *state;
  char* config = shell_config("exit 7", "");
  const int count = rounds(150);
  int killed = 0;
  for (int round = 0; round < count; ++round) {
    struct duel duel = {.scene = scene};
    reaper_container* container = must_create(scene, "wanted", config);
    must_start(container);
    assert_int_equal(run_threads(2, kill_it, &duel), 0);
    for (int i = 0; i < 2; ++i)
      if (duel.results[i] != REAPER_OK) assert_int_equal(duel.results[i], REAPER_ERR_STATUS);
    const reaper_exit_status status = must_wait(container);
    if (status.exit_code != 7) {
      ++killed;
      assert_int_equal(status.signal, SIGTERM);
      assert_true(duel.results[0] == REAPER_OK || duel.results[1] == REAPER_OK);
    }
    must_delete(container);
  }
  printf("kill against exit: %d rounds, in %d the signal came first\n", count, killed);
  free(config);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_processes), TEST(test_threads), TEST(test_delete_against_start),
                                     TEST(test_kill_against_exit)};
  return cmocka_run_group_tests_name("races", tests, NULL, NULL);
}
