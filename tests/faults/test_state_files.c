/*
 * Every file of a container's directory, damaged in every way: what is said of it is true or a clear error, the other
 * containers are shown, and a forced delete finds the process before it removes anything, or refuses.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervised.h"
#include "tamper.h"

/* ---- Damages: each stands in the place of a file afterwards ---- */

static void make_empty(const struct scene* scene, const char* path) {
  (void)scene;
  write_whole(path, "");
}

static void make_text(const struct scene* scene, const char* path) {
  (void)scene;
  write_whole(path, "4711 1 0123-4567 1 1 0123456789abcdef\n");
}

static void make_bytes(const struct scene* scene, const char* path) {
  (void)scene;
  write_whole(path, "\xff\xfe\x1b[2J\r\n{\"version\":1,");
}

/* More than any record may have: 16 MiB is the limit. */
static void make_huge(const struct scene* scene, const char* path) {
  make_empty(scene, path);
  REQUIRE(truncate(path, 17 << 20) == 0);
}

static void make_link(const struct scene* scene, const char* path) {
  char* precious = path_in(&scene->place, "precious");
  write_whole(precious, "keep me");
  REQUIRE(symlink(precious, path) == 0);
  free(precious);
}

static void make_dangling_link(const struct scene* scene, const char* path) {
  (void)scene;
  REQUIRE(symlink("../../nothing", path) == 0);
}

static void make_fifo(const struct scene* scene, const char* path) {
  (void)scene;
  REQUIRE(mkfifo(path, 0600) == 0);
}

/* Bound by its directory, since paths of sockets are short. */
static void make_socket(const struct scene* scene, const char* path) {
  (void)scene;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(snprintf(address.sun_path, sizeof address.sun_path, "%s", path) < (int)sizeof address.sun_path);
  REQUIRE(fd >= 0 && bind(fd, (struct sockaddr*)&address, sizeof address) == 0);
  close(fd);
}

static void make_directory(const struct scene* scene, const char* path) {
  (void)scene;
  REQUIRE(mkdir(path, 0700) == 0);
}

typedef void (*damager)(const struct scene*, const char*);
static const damager damages[] = {make_empty,         make_text, make_bytes,  make_huge,     make_link,
                                  make_dangling_link, make_fifo, make_socket, make_directory};

static void put(const struct scene* scene, const char* name, damager damage) {
  char* path = file_of(scene, "c", name);
  remove_tree(path);
  damage(scene, path);
  free(path);
}

/* ---- The container that is damaged, and one beside it ---- */

struct damaged {
  pid_t pid;
  pid_t supervisor; /* 0: none */
  int status;
  char* record;
  char* identity;
};

static char* copy_of(const struct scene* scene, const char* name) {
  char* path = file_of(scene, "c", name);
  char* text = read_whole(path);
  REQUIRE(text != NULL);
  free(path);
  return text;
}

static void restore(const struct scene* scene, const char* name, const char* text) {
  char* path = file_of(scene, "c", name);
  remove_tree(path);
  write_whole(path, text);
  free(path);
}

/* `is_grown`: supervised and started. */
static struct damaged make(const struct scene* scene, int is_grown) {
  reaper_container* container =
      is_grown ? must_supervise(scene, "c", endless_program) : must_create(scene, "c", endless_program);
  if (is_grown) must_start(container);
  struct damaged made = {must_pid(container), is_grown ? supervisor_of(scene, "c") : 0, must_status(container),
                         copy_of(scene, "state.json"), copy_of(scene, "identity")};
  reaper_container_free(container);
  return made;
}

static void forget(struct damaged* damaged) {
  free(damaged->record);
  free(damaged->identity);
}

static void assert_ended(const struct scene* scene, const struct damaged* damaged) {
  assert_true(is_gone(damaged->pid));
  if (damaged->supervisor != 0) {
    assert_goes(damaged->supervisor); /* by itself, where nothing told of it; then it is ours to reap */
    waitpid(damaged->supervisor, NULL, WNOHANG);
  }
  assert_int_equal(count_entries(scene->place.root), 1); /* the one beside it */
  assert_int_equal(count_children(), 1);
}

static void assert_lists_the_other(const struct scene* scene, const char* status_of_damaged) {
  char* list = NULL;
  assert_int_equal(reaper_list(scene->runtime, &list, NULL), REAPER_OK);
  char* wanted = text_of("\"status\":\"%s\"", status_of_damaged);
  assert_contains(list, "{\"id\":\"c\",");
  assert_contains(list, wanted);
  const char* other = strstr(list, "{\"id\":\"other\",");
  assert_non_null(other);
  assert_contains(other, "\"status\":\"created\"");
  free(wanted);
  reaper_free(list);
}

static void assert_precious(const struct scene* scene) {
  char* path = path_in(&scene->place, "precious");
  char* text = read_whole(path);
  assert_true(text == NULL || strcmp(text, "keep me") == 0);
  free(text);
  free(path);
}

/* What --force does where not all is known: all of it, or nothing, or what an error tells that can be mended. */
static void delete_by_force(const struct scene* scene, struct damaged* damaged) {
  char* directory = text_of("%s/c", scene->place.root);
  const int entries = count_entries(directory);
  reaper_error* error = NULL;
  const int result = reaper_delete_id(scene->runtime, "c", REAPER_DELETE_FORCE, &error);
  if (result == REAPER_OK) {
    assert_ended(scene, damaged);
  } else if (reaper_error_errno(error) == EISDIR) { /* nothing that Reaper makes is a directory */
    assert_contains(reaper_error_message(error), "container \"c\": unlink ");
    assert_string_equal(reaper_error_stage(error), "delete");
  } else {
    assert_int_equal(result, REAPER_ERR_CORRUPT);
    assert_contains(reaper_error_message(error), "container \"c\"");
    assert_int_equal(count_entries(directory), entries);
    assert_true(is_unharmed(damaged->pid));
    assert_true(damaged->supervisor == 0 || is_unharmed(damaged->supervisor));
  }
  reaper_error_free(error);
  assert_precious(scene);
  free(directory);
}

/* After somebody has put right what was damaged. */
static void mend_and_delete(const struct scene* scene, struct damaged* damaged, const char* name) {
  char* directory = text_of("%s/c", scene->place.root);
  if (count_entries(directory) != 0) {
    const char* const damaged_files[] = {name, "exit"}; /* the supervisor renames .exit.new to it */
    for (size_t i = 0; i < COUNT_OF(damaged_files); ++i) {
      char* path = file_of(scene, "c", damaged_files[i]);
      remove_tree(path);
      free(path);
    }
    restore(scene, "state.json", damaged->record);
    restore(scene, "identity", damaged->identity);
    reaper_error* error = NULL;
    if (reaper_delete_id(scene->runtime, "c", REAPER_DELETE_FORCE, &error) != REAPER_OK) {
      complain(name, error);
      fail();
    }
  }
  assert_ended(scene, damaged);
  free(directory);
  forget(damaged);
}

static void make_other(const struct scene* scene) {
  reaper_container_free(must_create(scene, "other", endless_program));
}

/* ---- The record ---- */

static void assert_record_is(const struct scene* scene, int code, const char* part) {
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  int result = reaper_open(scene->runtime, "c", &container, &error);
  assert_contains(reaper_error_message(error), "container \"c\"");
  assert_contains(reaper_error_message(error), part);
  assert_code(result, &error, code);
  assert_null(container);
  result = reaper_delete_id(scene->runtime, "c", 0, &error);
  assert_code(result, &error, code);
  assert_lists_the_other(scene, "corrupt");
}

static void test_record_in_another_form(void** state) {
  const struct scene* scene = *state;
  make_other(scene);
  for (size_t i = 0; i < 2 * COUNT_OF(damages); ++i) {
    struct damaged damaged = make(scene, (int)i % 2);
    reaper_container* held = must_open(scene, "c");
    put(scene, "state.json", damages[i / 2]);
    if (damages[i / 2] != make_dangling_link) assert_record_is(scene, REAPER_ERR_CORRUPT, "state.json");
    assert_int_equal(must_status(held), damaged.status); /* the handle has read it before */
    reaper_container_free(held);
    delete_by_force(scene, &damaged);
    mend_and_delete(scene, &damaged, "state.json");
  }
}

static void write_bytes(const char* path, const char* bytes, size_t length) {
  const int file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  REQUIRE(file >= 0 && write(file, bytes, length) == (ssize_t)length);
  close(file);
}

/* Cut at every byte, and each byte turned: never believed. By force it is found by `identity`. */
static void test_record_at_every_byte(void** state) {
  const struct scene* scene = *state;
  make_other(scene);
  struct damaged damaged = make(scene, 0);
  char* path = file_of(scene, "c", "state.json");
  const size_t length = strlen(damaged.record);
  for (size_t at = 0; at < length; ++at) {
    for (int is_turned = 0; is_turned < 2; ++is_turned) {
      char* text = text_of("%s", damaged.record);
      if (is_turned) text[at] = (char)(text[at] ^ 1 << at % 8);
      write_bytes(path, text, is_turned ? length : at);
      free(text);
      reaper_container* container = NULL;
      reaper_error* error = NULL;
      assert_code(reaper_open(scene->runtime, "c", &container, &error), &error, REAPER_ERR_CORRUPT);
      if (at % 16 == 0) assert_record_is(scene, REAPER_ERR_CORRUPT, "state.json");
    }
  }
  assert_true(is_unharmed(damaged.pid));
  assert_int_equal(reaper_delete_id(scene->runtime, "c", REAPER_DELETE_FORCE, NULL), REAPER_OK);
  mend_and_delete(scene, &damaged, "state.json");
  free(path);
}

/* A frame that is whole around what no version has written. */
static void test_record_that_lies(void** state) {
  const struct scene* scene = *state;
  make_other(scene);
  struct damaged damaged = make(scene, 1);
  static const char* const members[] = {"id",        "ociVersion", "bundle",       "created",       "ownerUid",  "pid",
                                        "startTime", "bootId",     "pidNamespace", "timeNamespace", "hasProcess"};
  static const char* const values[] = {"null", "[]", "-1", "\"\\u0000\"", "1e3", "18446744073709551616", "{", ""};
  int count = 0;
  for (size_t member = 0; member < COUNT_OF(members); ++member) {
    for (size_t value = 0; value < COUNT_OF(values); ++value, ++count) {
      if (strcmp(values[value], "\"\\u0000\"") == 0 && member == 3) continue; /* `created` is only printed */
      if (strcmp(values[value], "\"\\u0000\"") == 0 && member == 1) continue; /* and so is ociVersion */
      change_record(scene, "c", members[member], values[value]);
      assert_record_is(scene, REAPER_ERR_CORRUPT, "state.json");
      restore(scene, "state.json", damaged.record);
    }
  }
  change_record(scene, "c", "id", "\"other\"");
  assert_record_is(scene, REAPER_ERR_CORRUPT, "is that of container \"other\"");
  write_record(scene, "c", "2", "{\"of\":\"the future\"}");
  assert_record_is(scene, REAPER_ERR_UNSUPPORTED, "newer version of Reaper");
  assert_true(is_unharmed(damaged.pid));
  delete_by_force(scene, &damaged); /* what finds the process is the same in every version */
  assert_ended(scene, &damaged);
  forget(&damaged);
}

/* ---- identity ---- */

/* With a good record nobody needs it; with a damaged one nobody else tells, and nothing is removed. */
static void test_identity_at_every_byte(void** state) {
  const struct scene* scene = *state;
  make_other(scene);
  struct damaged damaged = make(scene, 1);
  char* path = file_of(scene, "c", "identity");
  const size_t length = strlen(damaged.identity);
  reaper_error* error = NULL;
  for (size_t at = 0; at < length; ++at) {
    for (int is_turned = 0; is_turned < 2; ++is_turned) {
      char* text = text_of("%s", damaged.identity);
      if (is_turned) text[at] = (char)(text[at] ^ 1 << at % 8);
      write_bytes(path, text, is_turned ? length : at);
      free(text);
      reaper_container* container = must_open(scene, "c");
      assert_int_equal(must_status(container), damaged.status);
      reaper_container_free(container);
      put(scene, "state.json", make_text);
      const struct expected expected = {REAPER_ERR_CORRUPT, 0, "delete", "", "nothing was removed"};
      assert_error(reaper_delete_id(scene->runtime, "c", REAPER_DELETE_FORCE, &error), &error, &expected);
      restore(scene, "state.json", damaged.record);
    }
  }
  assert_true(is_unharmed(damaged.pid));
  assert_int_equal(reaper_delete_id(scene->runtime, "c", REAPER_DELETE_FORCE, NULL), REAPER_OK);
  mend_and_delete(scene, &damaged, "identity");
  free(path);
}

/* ---- The other files ---- */

static const char* const others[] = {"identity",    "owner",     "pid",      "gate",
                                     "started",     "cgroup",    "exit",     ".state.json.new",
                                     ".cgroup.new", ".exit.new", "starting", "supervisor"};

/* The record tells all; what else stands there harms nobody, and is removed with the rest. */
static void test_other_files(void** state) {
  const struct scene* scene = *state;
  make_other(scene);
  for (size_t i = 0; i < 2 * COUNT_OF(damages) * COUNT_OF(others); ++i) {
    const char* name = others[i / 2 / COUNT_OF(damages)];
    struct damaged damaged = make(scene, (int)i % 2);
    put(scene, name, damages[i / 2 % COUNT_OF(damages)]);
    reaper_container* container = must_open(scene, "c");
    assert_int_equal(must_status(container), damaged.status);
    reaper_free(must_state(container));
    reaper_container_free(container);
    assert_lists_the_other(scene, damaged.status == REAPER_STATUS_CREATED ? "created" : "running");
    delete_by_force(scene, &damaged);
    mend_and_delete(scene, &damaged, name);
  }
}

/* The record is damaged, too: the process is found, or nothing is removed. */
static void test_other_files_and_the_record(void** state) {
  const struct scene* scene = *state;
  make_other(scene);
  for (size_t i = 0; i < 2 * COUNT_OF(damages) * COUNT_OF(others); ++i) {
    const char* name = others[i / 2 / COUNT_OF(damages)];
    struct damaged damaged = make(scene, (int)i % 2);
    put(scene, "state.json", make_bytes);
    put(scene, name, damages[i / 2 % COUNT_OF(damages)]);
    assert_record_is(scene, REAPER_ERR_CORRUPT, "state.json");
    delete_by_force(scene, &damaged);
    mend_and_delete(scene, &damaged, name);
  }
}

/* How it ended cannot be read from its file: wait and state say what else is known, and do not hang. */
static void test_exit_record(void** state) {
  const struct scene* scene = *state;
  make_other(scene);
  for (size_t i = 0; i < COUNT_OF(damages); ++i) {
    struct damaged damaged = make(scene, 1);
    assert_int_equal(kill(damaged.pid, SIGTERM), 0);
    assert_goes(damaged.supervisor);
    put(scene, "exit", damages[i]);
    reaper_container* container = must_open(scene, "c");
    assert_int_equal(must_status(container), REAPER_STATUS_STOPPED);
    reaper_free(must_state(container));
    reaper_exit_status status = {.size = sizeof status};
    reaper_error* error = NULL;
    const int result = reaper_wait(container, LIMIT_MS, &status, &error);
    if (result == REAPER_OK) /* Linux 6.15 tells, as long as somebody holds a pidfd */
      assert_int_equal(status.signal, SIGTERM);
    else
      assert_code(result, &error, REAPER_ERR_UNKNOWN);
    reaper_container_free(container);
    delete_by_force(scene, &damaged);
    mend_and_delete(scene, &damaged, "exit");
  }
}

/* What is not the gate that init has bound starts nothing, above all not the container beside it. */
static void test_gate(void** state) {
  const struct scene* scene = *state;
  make_other(scene);
  for (size_t i = 0; i <= COUNT_OF(damages); ++i) {
    struct damaged damaged = make(scene, 0);
    put(scene, "gate", damages[i % COUNT_OF(damages)]);
    if (i == COUNT_OF(damages)) {
      char* gate = file_of(scene, "c", "gate");
      remove_tree(gate);
      assert_int_equal(symlink("../other/gate", gate), 0);
      free(gate);
    }
    reaper_container* container = must_open(scene, "c");
    reaper_error* error = NULL;
    const int result = reaper_start(container, &error);
    if (result == REAPER_OK) fail_msg("started by damage %zu", i);
    reaper_error_free(error);
    reaper_container_free(container);
    container = must_open(scene, "other");
    assert_int_equal(must_status(container), REAPER_STATUS_CREATED);
    reaper_container_free(container);
    delete_by_force(scene, &damaged);
    mend_and_delete(scene, &damaged, "gate");
  }
}

static void give_away(const char* path) {
  assert_int_equal(lchown(path, 12345, 54321), 0);
}

/* A container's directory and files that were given to another user stay a container: nobody else can have put them
 * into a root that only its owner may write to. An empty directory of another user's is none, and stays. */
static void test_owned_by_somebody_else(void** state) {
  if (!is_root()) SKIP("needs root");
  const struct scene* scene = *state;
  make_other(scene);
  for (int is_grown = 0; is_grown < 2; ++is_grown) {
    struct damaged damaged = make(scene, is_grown);
    for (size_t i = 0; i < COUNT_OF(others); ++i) {
      char* path = file_of(scene, "c", others[i]);
      if (access(path, F_OK) == 0) give_away(path);
      free(path);
    }
    char* directory = text_of("%s/c", scene->place.root);
    give_away(directory);
    free(directory);
    assert_lists_the_other(scene, is_grown ? "running" : "created");
    delete_by_force(scene, &damaged);
    forget(&damaged);
  }
  char* theirs = text_of("%s/theirs", scene->place.root);
  assert_int_equal(mkdir(theirs, 0700), 0);
  give_away(theirs);
  reaper_error* error = NULL;
  const struct expected expected = {REAPER_ERR_CORRUPT, 0, "state-directory", "",
                                    "Reaper did not make: nothing was removed"};
  assert_error(reaper_delete_id(scene->runtime, "theirs", REAPER_DELETE_FORCE, &error), &error, &expected);
  const reaper_create_options options = options_of(scene, endless_program);
  reaper_container* container = NULL;
  assert_int_equal(reaper_create(scene->runtime, "theirs", &options, &container, NULL), REAPER_ERR_EXISTS);
  assert_int_equal(rmdir(theirs), 0);
  free(theirs);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_record_in_another_form),
      TEST(test_record_at_every_byte),
      TEST(test_record_that_lies),
      TEST(test_identity_at_every_byte),
      TEST(test_other_files),
      TEST(test_other_files_and_the_record),
      TEST(test_exit_record),
      TEST(test_gate),
      TEST(test_owned_by_somebody_else),
  };
  return cmocka_run_group_tests_name("state_files", tests, NULL, NULL);
}
