/*
 * Ids that must not become paths, in every function of the API and every command that takes one, next to a real
 * container of another state directory and other things that would be sorry. All of it inside a mount namespace in
 * which nothing else can be written to.
 */
#include "containers.h"
#include "sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WATCHED 1
#else
#define WATCHED 0
#endif

/* '@' is the directory that holds everything, '#' the name of that directory alone. */
static const char* const hostile[] = {
    "",
    "/",
    "//",
    "/.",
    "/..",
    ".",
    "..",
    "./",
    "../",
    "./.",
    "../..",
    "../../..",
    "../../../../../../../../../../..",
    "...",
    ".hidden",
    ".new",
    "../other/real",
    "./../other/real",
    "../root/../other/real",
    "x/../../other/real",
    "a/../../b",
    "../other//real",
    "../other/real/",
    "@/other/real",
    "@/other/real/.",
    "../canary",
    "../canary/",
    "../canary/directory",
    "../canary/link",
    "../canary/file",
    "@/canary",
    "..\\other\\real",
    "%2e%2e%2fother%2freal",
    "..%2fother%2freal",
    "/proc/self",
    "/proc/self/root",
    "/proc/self/cwd/other/real",
    "/proc/self/fd/0",
    "proc/self/fd/0",
    "/etc",
    "/dev/null",
    "a/b",
    "a/",
    "/a",
    "a//",
    "a/.",
    "a/..",
    "a b",
    " a",
    "a ",
    "a\t",
    "\n",
    "a\n",
    "a\nb",
    "a\rb",
    "a\033[2J",
    "\033]0;title\007",
    "\001",
    "a\177",
    "-",
    "--",
    "-x",
    "-f",
    "--force",
    "--root=@/other",
    "+x",
    "+",
    "~",
    "~root",
    "$HOME",
    "`id`",
    "$(id)",
    "a;id",
    "a|id",
    "a&",
    "a'b",
    "a\"b",
    "a<b",
    "*",
    "?",
    "[a]",
    "{a,b}",
    "a:b",
    "a,b",
    "a=b",
    "a@b",
    "a#b",
    "a!b",
    "%s",
    "%n%n%n%n",
    "%s%s%s%s",
    "\xc3\xa4",
    "\xef\xbc\x8f", /* a full-width slash */
    "\xe2\x80\xae"
    "a",                /* right to left */
    "\xc0\xae\xc0\xae", /* dots, overlong */
    "\xff",
    "a\x80",
    "\xef\xbb\xbf"
    "a",
    "\xf0\x9f\x98\x80",
};

struct world {
  struct scene scene; /* its place is a tmpfs */
  reaper_container* real;
  char* runtime; /* the command line */
  const char* const* ids;
};

static char* id_of(const struct world* world, const char* pattern) {
  return filled(&world->scene, pattern);
}

static void make_canary(const struct world* world) {
  const struct place* place = &world->scene.place;
  static const char* const directories[] = {"canary", "canary/directory", "canary/directory/inner"};
  static const char* const files[] = {"canary/file", "canary/directory/inner/file", "canary/state.json"};
  for (size_t i = 0; i < COUNT_OF(directories); ++i) {
    char* path = path_in(place, directories[i]);
    REQUIRE(mkdir(path, 0700) == 0);
    free(path);
  }
  for (size_t i = 0; i < COUNT_OF(files); ++i) {
    char* path = path_in(place, files[i]);
    write_whole(path, "a canary");
    free(path);
  }
  char* link = path_in(place, "canary/link");
  REQUIRE(symlink("directory", link) == 0);
  free(link);
}

/* In a child: the place is mounted over, so that what it has is made again. */
static int open_world(struct world* world, const struct place* place) {
  const int bad = enter_sandbox(place->directory);
  if (bad != 0) {
    dprintf(2, "no sandbox: %s\n", strerrorname_np(bad));
    return 1;
  }
  CHECK(chdir(place->directory) == 0);
  memset(world, 0, sizeof *world);
  world->scene.place = *place;
  CHECK(mkdir(place->bundle, 0755) == 0);
  char* config = path_in(place, "bundle/config.json");
  write_whole(config, "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}}");
  free(config);
  make_canary(world);
  char* other = path_in(place, "other");
  struct scene neighbour = {.place = *place};
  reaper_runtime_options options = {.size = sizeof options, .root = other};
  CHECK(reaper_runtime_new(&options, &neighbour.runtime, NULL) == REAPER_OK);
  world->real = must_create(&neighbour, "real", "{\"ociVersion\":\"1.0.0\"}");
  reaper_runtime_free(neighbour.runtime);
  free(other);
  options.root = place->root;
  CHECK(reaper_runtime_new(&options, &world->scene.runtime, NULL) == REAPER_OK);
  world->runtime = text_of("%s/bin/reaper-runtime", getenv("REAPER_TEST_BUILD"));
  return 0;
}

/* The neighbour lives, and all is as it was. Says of `what` how it has changed; NULL: says nothing. */
static int world_differs(const struct world* world, const char* before, const char* what) {
  char* after = picture_of_tree(world->scene.place.directory);
  int bad = strcmp(before, after) != 0;
  if (bad && what != NULL) dprintf(2, "%s has changed\n%s\nto\n%s\n", what, before, after);
  free(after);
  int32_t status = 0;
  if (reaper_status(world->real, &status, NULL) != REAPER_OK || status != REAPER_STATUS_CREATED) bad = 1;
  return bad;
}

static int close_world(struct world* world) {
  CHECK(reaper_delete(world->real, REAPER_DELETE_FORCE, NULL) == REAPER_OK);
  reaper_container_free(world->real);
  reaper_runtime_free(world->scene.runtime);
  free(world->runtime);
  CHECK(count_children() == 0);
  return 0;
}

static int is_refused(int result, reaper_error** error, const char* id) {
  const struct expected expected = {REAPER_ERR_INVALID, 0, "id", "", "container id"};
  const int differs = error_differs(result, error, &expected);
  if (differs) dprintf(2, "the id: \"%s\"\n", id);
  return !differs;
}

static int refused_by_the_api(const struct world* world, const char* id) {
  reaper_runtime* runtime = world->scene.runtime;
  reaper_create_options options = options_of(&world->scene, NULL);
  reaper_container* container = NULL;
  reaper_error* error = NULL;
  CHECK(is_refused(reaper_create(runtime, id, &options, &container, &error), &error, id));
  options.flags = REAPER_CREATE_SUPERVISE;
  CHECK(is_refused(reaper_create(runtime, id, &options, &container, &error), &error, id));
  CHECK(is_refused(reaper_open(runtime, id, &container, &error), &error, id));
  CHECK(is_refused(reaper_delete_id(runtime, id, 0, &error), &error, id));
  CHECK(is_refused(reaper_delete_id(runtime, id, REAPER_DELETE_FORCE, &error), &error, id));
  CHECK(container == NULL);
  return 0;
}

static int all_by_the_api(void* place) {
  struct world world;
  CHECK(open_world(&world, place) == 0);
  char* before = picture_of_tree(world.scene.place.directory);
  for (size_t i = 0; i < COUNT_OF(hostile); ++i) {
    char* id = id_of(&world, hostile[i]);
    CHECK(refused_by_the_api(&world, id) == 0);
    CHECK(!world_differs(&world, before, id));
    free(id);
  }
  static const size_t lengths[] = {256, 257, 4095, 4096, 4097, 100000};
  for (size_t i = 0; i < COUNT_OF(lengths); ++i) {
    char* id = malloc(lengths[i] + 1);
    memset(id, 'x', lengths[i]);
    id[lengths[i]] = '\0';
    CHECK(refused_by_the_api(&world, id) == 0);
    free(id);
  }
  CHECK(!world_differs(&world, before, "a long id"));
  free(before);
  return close_world(&world);
}

/* One command with an id: it fails with one line that moves no cursor. */
static int refused_by_the_command(const struct world* world, const char* const command[], const char* id) {
  const char* words[16] = {world->runtime, "--root", world->scene.place.root};
  size_t count = 3;
  while (*command != NULL) words[count++] = *command++;
  words[count++] = "--";
  words[count++] = id;
  words[count] = NULL;
  char* said = NULL;
  const int code = run_words(words, &said);
  int bad = code != 1 || strchr(said, '\n') != said + strlen(said) - 1;
  for (const char* at = said; *at != '\0'; ++at) bad |= ((unsigned char)*at < 0x20 && *at != '\n') || *at == 0x7f;
  bad |= strstr(said, "container id ") == NULL;
  if (bad) dprintf(2, "%s of the id \"%s\": exit code %d, %s\n", words[3], id, code, said);
  free(said);
  return bad;
}

static int all_by_the_commands(void* place) {
  struct world world;
  CHECK(open_world(&world, place) == 0);
  const char* const bundle = world.scene.place.bundle;
  const char* const commands[][6] = {
      {"create", "--bundle", bundle},
      {"run", "--bundle", bundle},
      {"run", "--detach", "--bundle", bundle},
      {"start"},
      {"state"},
      {"kill"},
      {"kill", "--all"},
      {"wait", "--timeout", "0"},
      {"delete"},
      {"delete", "--force"},
  };
  char* before = picture_of_tree(world.scene.place.directory);
  for (size_t i = 0; i < COUNT_OF(hostile); ++i) {
    char* id = id_of(&world, hostile[i]);
    /* A sanitizer's program takes a tenth of a second to start: there each id meets two of the commands, in turn. */
    const size_t met = WATCHED ? 2 : COUNT_OF(commands);
    for (size_t at = 0; at < met; ++at)
      CHECK(!refused_by_the_command(&world, commands[(i * met + at) % COUNT_OF(commands)], id));
    CHECK(!world_differs(&world, before, id));
    free(id);
  }
  free(before);
  return close_world(&world);
}

/* What a path would reach is really there: the same words, as the id that they are, in the state directory beside. */
static int neighbour_is_reached(void* place) {
  struct world world;
  CHECK(open_world(&world, place) == 0);
  char* other = path_in(place, "other");
  const char* const words[] = {world.runtime, "--root", other, "delete", "--force", "real", NULL};
  char* before = picture_of_tree(world.scene.place.directory);
  char* said = NULL;
  CHECK(run_words(words, &said) == 0);
  CHECK(world_differs(&world, before, NULL));
  return 0;
}

/* Names in the state directory that a valid id finds, and that lead elsewhere. */
static int planted_names(void* place) {
  struct world world;
  CHECK(open_world(&world, place) == 0);
  const struct scene* scene = &world.scene;
  warm_up(scene);
  static const char* const targets[] = {"../other/real", "../canary",      "/",      ".",
                                        "planted1",      "/proc/self/cwd", "nowhere"};
  for (size_t i = 0; i < COUNT_OF(targets); ++i) {
    char* path = text_of("%s/planted%zu", scene->place.root, i);
    CHECK(symlink(targets[i], path) == 0);
    free(path);
  }
  char* fifo = text_of("%s/planted-fifo", scene->place.root);
  char* file = text_of("%s/planted-file", scene->place.root);
  CHECK(mkfifo(fifo, 0600) == 0);
  write_whole(file, "a canary");
  char* before = picture_of_tree(scene->place.directory);
  for (size_t i = 0; i < COUNT_OF(targets) + 2; ++i) {
    char* id = text_of("planted%zu", i);
    if (i >= COUNT_OF(targets)) {
      free(id);
      id = text_of("planted-%s", i == COUNT_OF(targets) ? "fifo" : "file");
    }
    const reaper_create_options options = options_of(scene, "{\"ociVersion\":\"1.0.0\"}");
    reaper_container* container = NULL;
    CHECK(reaper_create(scene->runtime, id, &options, &container, NULL) != REAPER_OK);
    CHECK(reaper_open(scene->runtime, id, &container, NULL) != REAPER_OK);
    CHECK(reaper_delete_id(scene->runtime, id, 0, NULL) != REAPER_OK);
    CHECK(reaper_delete_id(scene->runtime, id, REAPER_DELETE_FORCE, NULL) != REAPER_OK);
    char* list = NULL;
    CHECK(reaper_list(scene->runtime, &list, NULL) == REAPER_OK);
    reaper_free(list);
    CHECK(!world_differs(&world, before, id));
    free(id);
  }
  free(before);
  free(file);
  free(fifo);
  return close_world(&world);
}

static void in_a_sandbox(int (*body)(void*)) {
  need_sandbox();
  struct place place;
  place_make(&place);
  const int result = in_child(body, &place);
  place_remove(&place);
  assert_int_equal(result, 0);
}

static void test_enough_ids(void** state) {
  (void)state;
  assert_true(COUNT_OF(hostile) >= 60);
  for (size_t i = 0; i < COUNT_OF(hostile); ++i)
    for (size_t at = 0; at < i; ++at) assert_string_not_equal(hostile[i], hostile[at]);
}

static void test_R1_ids_in_the_api(void** state) {
  (void)state;
  in_a_sandbox(all_by_the_api);
}

static void test_row18_ids_in_every_command(void** state) {
  (void)state;
  in_a_sandbox(all_by_the_commands);
}

static void test_the_picture_shows_changes(void** state) {
  (void)state;
  in_a_sandbox(neighbour_is_reached);
}

static void test_R1_names_planted_in_the_state_directory(void** state) {
  (void)state;
  in_a_sandbox(planted_names);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_enough_ids),
      cmocka_unit_test(test_R1_ids_in_the_api),
      cmocka_unit_test(test_row18_ids_in_every_command),
      cmocka_unit_test(test_the_picture_shows_changes),
      cmocka_unit_test(test_R1_names_planted_in_the_state_directory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
