/* Abuse of the gate by who may reach it: init survives, and a start afterwards succeeds. */
#include "containers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The form of a frame (docs/state.md, src/plan/wire.h), written down a second time: containers outlive an upgrade. */
struct frame {
  uint32_t magic;
  uint16_t version;
  uint16_t type;
  uint32_t size;
  uint32_t reserved;
};
#define MAGIC 0x4d465052U
#define START 4
#define ACCEPTED 5
#define EXEC 6

static int connect_gate(const struct scene *scene) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/gated/gate", scene->place.root);
  assert_true(fd >= 0 && length < (int)sizeof address.sun_path);
  assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

static reaper_container *create_gated(const struct scene *scene) {
  char *config = shell_config("exit 23", "");
  reaper_container *container = must_create(scene, "gated", config);
  free(config);
  return container;
}

/* A real start, after what was done. */
static void see_it_start(reaper_container *container) {
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  must_start(container);
  assert_int_equal(must_wait(container).exit_code, 23);
  must_delete(container);
}

/* What init answers before it hangs up: nothing. */
static void assert_hung_up(int fd) {
  char byte;
  const ssize_t got = recv(fd, &byte, 1, 0);
  assert_true(got == 0 || (got < 0 && errno == ECONNRESET));
  close(fd);
}

static void test_silent_clients(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = create_gated(scene);
  for (int i = 0; i < 100; ++i) close(connect_gate(scene)); /* more than its queue holds */
  const int silent = connect_gate(scene);
  see_it_start(container); /* although that one is open all the time */
  close(silent);
}

static void test_wrong_frames(void **state) {
  const struct scene *scene = *state;
  const struct frame frames[] = {
      {0, 1, START, 0, 0},           /* no magic */
      {0x5250464dU, 1, START, 0, 0}, /* the other byte order */
      {MAGIC, 0, START, 0, 0},       /* versions */
      {MAGIC, 2, START, 0, 0},
      {MAGIC, 65535, START, 0, 0},
      {MAGIC, 1, 0, 0, 0}, /* types */
      {MAGIC, 1, ACCEPTED, 0, 0},
      {MAGIC, 1, 65535, 0, 0},
      {MAGIC, 1, START, 1, 0}, /* a start has no payload */
      {MAGIC, 1, START, UINT32_MAX, 0},
  };
  reaper_container *container = create_gated(scene);
  for (size_t i = 0; i < COUNT_OF(frames); ++i) {
    const int fd = connect_gate(scene);
    assert_int_equal(send(fd, &frames[i], sizeof frames[i], MSG_NOSIGNAL), sizeof frames[i]);
    assert_hung_up(fd);
  }
  see_it_start(container);
}

static void test_garbage(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = create_gated(scene);
  char *noise = malloc(100000);
  assert_non_null(noise);
  unsigned seed = 7;
  for (int i = 0; i < 100000; ++i) noise[i] = (char)rand_r(&seed);
  for (int i = 0; i < 50; ++i) {
    const int fd = connect_gate(scene);
    send(fd, noise + 100 * i, (size_t)(1 + i * 997), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (i % 2 == 0)
      close(fd);
    else if (i >= 16)
      assert_hung_up(fd);
    else
      close(fd); /* less than a frame: init waits for the rest */
  }
  free(noise);
  see_it_start(container);
}

static void test_half_frames(void **state) {
  const struct scene *scene = *state;
  const struct frame start = {MAGIC, 1, START, 0, 0};
  reaper_container *container = create_gated(scene);
  for (size_t size = 0; size < sizeof start; ++size) {
    const int fd = connect_gate(scene);
    assert_int_equal(send(fd, &start, size, MSG_NOSIGNAL), size);
    close(fd);
  }
  assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
  see_it_start(container);
}

static void read_answer(int fd, int type) {
  struct frame answer;
  assert_int_equal(recv(fd, &answer, sizeof answer, MSG_WAITALL), sizeof answer);
  assert_int_equal(answer.magic, MAGIC);
  assert_int_equal(answer.version, 1);
  assert_int_equal(answer.type, type);
  assert_int_equal(answer.size, 0);
}

/* A frame in pieces is a frame; whoever was ACCEPTED has won, and if it goes away the program runs all the same. */
static void test_start_by_hand(void **state) {
  const struct scene *scene = *state;
  const struct frame start = {MAGIC, 1, START, 0, 0};
  for (int stays = 0; stays < 2; ++stays) {
    char *config = shell_config("sleep 0.3; exit 24", "");
    reaper_container *container = must_create(scene, "gated", config);
    const int fd = connect_gate(scene);
    for (size_t i = 0; i < sizeof start; ++i) assert_int_equal(send(fd, (const char *)&start + i, 1, MSG_NOSIGNAL), 1);
    read_answer(fd, ACCEPTED);
    if (stays) {
      read_answer(fd, EXEC);
      char byte;
      assert_int_equal(recv(fd, &byte, 1, 0), 0); /* end of file: it was executed */
      assert_int_equal(must_status(container), REAPER_STATUS_RUNNING);
    }
    close(fd);
    assert_int_equal(must_wait(container).exit_code, 24);
    reaper_error *error = NULL;
    assert_code(reaper_start(container, &error), &error, REAPER_ERR_STATUS);
    must_delete(container);
    free(config);
  }
}

/* ---- init is gone ---- */

static void test_start_after_init_was_killed(void **state) {
  const struct scene *scene = *state;
  reaper_container *container = create_gated(scene);
  const int before = connect_gate(scene);
  assert_int_equal(kill(must_pid(container), SIGKILL), 0);
  assert_hung_up(before);
  reaper_error *error = NULL;
  const struct expected expected = {REAPER_ERR_STATUS, 0, "status", "", "is stopped, not created"};
  assert_int_equal(must_wait(container).signal, SIGKILL);
  assert_error(reaper_start(container, &error), &error, &expected);
  char *text = must_state(container);
  assert_contains(text, "\"status\":\"stopped\"");
  reaper_free(text);
  must_delete(container);
}

/* ---- a gate that is none ---- */

/* Somebody else's listener in its place, which answers `reply` and hangs up. */
struct impostor {
  int listener;
  const void *reply;
  size_t size;
};

static int answer_once(void *argument) {
  const struct impostor *impostor = argument;
  const int fd = accept(impostor->listener, NULL, NULL);
  struct frame start;
  CHECK(fd >= 0 && recv(fd, &start, sizeof start, MSG_WAITALL) == sizeof start);
  CHECK(send(fd, impostor->reply, impostor->size, MSG_NOSIGNAL) == (ssize_t)impostor->size);
  return 0;
}

/* End of file alone, half a frame, noise: none of these is a success. */
static void test_impostors(void **state) {
  const struct scene *scene = *state;
  const struct frame accepted = {MAGIC, 1, ACCEPTED, 0, 0};
  const struct frame later = {MAGIC, 2, ACCEPTED, 0, 0};
  const struct frame huge = {MAGIC, 1, 7, UINT32_MAX, 0};
  const struct {
    const void *reply;
    size_t size;
    int code;
  } rows[] = {{"", 0, REAPER_ERR_STATUS},
              {"garbage garbage garbage", 23, REAPER_ERR_INTERNAL},
              {&accepted, 9, REAPER_ERR_INTERNAL},
              {&accepted, sizeof accepted, REAPER_ERR_SYSTEM},
              {&later, sizeof later, REAPER_ERR_UNSUPPORTED},
              {&huge, sizeof huge, REAPER_ERR_INTERNAL}};
  char *gate = text_of("%s/gated/gate", scene->place.root);
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    reaper_container *container = create_gated(scene);
    assert_int_equal(unlink(gate), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, gate);
    struct impostor impostor = {socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rows[i].reply, rows[i].size};
    assert_int_equal(bind(impostor.listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(impostor.listener, 16), 0);
    /* Status asks whether somebody listens, with a connection that says nothing. */
    reaper_error *error = NULL;
    const pid_t helper = fork_body(answer_once, &impostor);
    const int result = reaper_start(container, &error);
    assert_code(result, &error, rows[i].code);
    /* After an error the container is stopped; after STATUS it is what it was. */
    assert_int_equal(must_status(container),
                     rows[i].code == REAPER_ERR_STATUS ? REAPER_STATUS_CREATED : REAPER_STATUS_STOPPED);
    kill(helper, SIGKILL);
    exit_of(helper);
    close(impostor.listener);
    assert_int_equal(reaper_delete(container, REAPER_DELETE_FORCE, NULL), REAPER_OK);
    assert_int_equal(must_wait(container).signal, SIGKILL);
    reaper_container_free(container);
  }
  free(gate);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_silent_clients), TEST(test_wrong_frames),  TEST(test_garbage),
      TEST(test_half_frames),    TEST(test_start_by_hand), TEST(test_start_after_init_was_killed),
      TEST(test_impostors),
  };
  return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
