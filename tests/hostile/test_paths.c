/*
 * Paths of a hostile kind for every option that takes one: nothing hangs, nothing beside them changes, and what is said
 * moves no cursor. Inside a mount namespace in which nothing else can be written to.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "containers.h"
#include "sandbox.h"

enum { ROOT, BUNDLE, PID_FILE, CONSOLE, LOG, OPTIONS };

/* '@' is the directory that holds everything. The exit code with --root, --bundle, --pid-file, --console-socket, --log.
 */
static const struct {
  const char* path;
  const char* codes;
} rows[] = {
    {"@/victim", "11010"},
    {"@/victim/x", "11111"},
    {"@/own", "01111"},
    {"@/link-to-victim", "11010"},
    {"@/link-to-own", "01011"},
    {"@/link-to-nothing", "11010"},
    {"@/link-to-itself", "11011"},
    {"@/fifo", "11111"},
    {"@/link-to-fifo", "11011"},
    {"/dev/null", "11110"},
    {"/dev/zero", "11110"},
    {"/dev/full", "11110"},
    {"/proc/self/fd/0", "11110"},
    {"/proc/self/fd/999", "11111"},
    {"/proc/self/mem", "11111"},
    {"/proc/self/exe", "11111"},
    {"/proc/1/root", "11111"},
    {"/", "11111"},
    {"..", "11111"},
    {"", "11111"},
    {"@/missing/directory", "01111"},
    {"@/a\033[2J\007", "01010"},
    {"@/a\nb", "01010"},
    {"@/%s%n", "01010"},
};

struct world {
  struct place place;
  char* runtime;
};

static void make_link(const struct world* world, const char* name, const char* target) {
  char* path = path_in(&world->place, name);
  remove_tree(path);
  REQUIRE(symlink(target, path) == 0);
  free(path);
}

/* What the last try may have changed, made anew. */
static void make_surroundings(const struct world* world) {
  char* victim = path_in(&world->place, "victim");
  char* own = path_in(&world->place, "own");
  char* fifo = path_in(&world->place, "fifo");
  char* nothing = path_in(&world->place, "nothing");
  char* missing = path_in(&world->place, "missing");
  remove_tree(missing);
  free(missing);
  remove_tree(nothing);
  remove_tree(victim);
  remove_tree(own);
  remove_tree(fifo);
  write_whole(victim, "a victim");
  REQUIRE(mkdir(own, 0700) == 0 && mkfifo(fifo, 0600) == 0);
  make_link(world, "link-to-victim", "victim");
  make_link(world, "link-to-own", "own");
  make_link(world, "link-to-nothing", "nothing");
  make_link(world, "link-to-itself", "link-to-itself");
  make_link(world, "link-to-fifo", "fifo");
  free(nothing);
  free(fifo);
  free(own);
  free(victim);
}

static int is_printable_line(const char* said) {
  for (const char* at = said; *at != '\0'; ++at)
    if (((unsigned char)*at < 0x20 && (*at != '\n' || at[1] != '\0')) || *at == 0x7f) return 0;
  return strlen(said) < 16384;
}

/* Runs it, and takes back what it has made. */
static int differs(const struct world* world, int option, const char* path, int expected) {
  const char* const root = option == ROOT ? path : world->place.root;
  const char* const bundle = option == BUNDLE ? path : world->place.bundle;
  const char* create[12] = {world->runtime, "--root", root, "create", "--bundle", bundle};
  size_t count = 6;
  if (option == PID_FILE) create[count++] = "--pid-file";
  if (option == CONSOLE) create[count++] = "--console-socket";
  if (option == PID_FILE || option == CONSOLE) create[count++] = path;
  create[count] = "x";
  const char* const list[] = {world->runtime, "--root", root, "--log", path, "list", NULL};
  const char* const remove[] = {world->runtime, "--root", root, "delete", "--force", "x", NULL};
  char* said = NULL;
  const int code = run_words(option == LOG ? list : create, &said);
  int bad = code != expected;
  if (code != 0) bad |= !is_printable_line(said) || *said == '\0';
  if (bad) dprintf(2, "option %d with \"%s\": exit code %d: %s\n", option, path, code, said);
  free(said);
  if (code == 0 && option != LOG) {
    if (run_words(remove, &said) != 0) bad = 1;
    free(said);
    if (option == ROOT && strncmp(path, world->place.directory, strlen(world->place.directory)) == 0) remove_tree(path);
  }
  return bad;
}

static int open_world(struct world* world, const struct place* place) {
  CHECK(enter_sandbox(place->directory) == 0);
  CHECK(chdir(place->directory) == 0);
  world->place = *place;
  world->runtime = text_of("%s/bin/reaper-runtime", getenv("REAPER_TEST_BUILD"));
  CHECK(mkdir(place->bundle, 0755) == 0);
  char* config = path_in(place, "bundle/config.json");
  char* canary = path_in(place, "canary");
  write_whole(config, "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/\"}}");
  CHECK(mkdir(canary, 0700) == 0);
  free(canary);
  canary = path_in(place, "canary/file");
  write_whole(canary, "a canary");
  free(canary);
  free(config);
  return 0;
}

static int every_path(void* place) {
  struct world world;
  CHECK(open_world(&world, place) == 0);
  char* canary = path_in(&world.place, "canary");
  char* before = picture_of_tree(canary);
  const struct scene scene = {.place = world.place};
  int bad = 0;
  for (size_t i = 0; i < COUNT_OF(rows); ++i) {
    char* path = filled(&scene, rows[i].path);
    for (int option = 0; option < OPTIONS; ++option) {
      make_surroundings(&world);
      bad += differs(&world, option, path, rows[i].codes[option] - '0');
    }
    free(path);
  }
  static const size_t lengths[] = {255 + 2, 4095, 4096, 100000};
  for (size_t i = 0; i < COUNT_OF(lengths); ++i) {
    char* path = malloc(lengths[i] + 1);
    memset(path, 'a', lengths[i]);
    path[0] = '/';
    path[lengths[i]] = '\0';
    for (int option = 0; option < OPTIONS; ++option) bad += differs(&world, option, path, 1);
    free(path);
  }
  char* after = picture_of_tree(canary);
  CHECK(strcmp(before, after) == 0);
  char* victim = path_in(&world.place, "victim");
  char* text = read_whole(victim);
  CHECK(strcmp(text, "a victim") == 0); /* nobody wrote through a link to it, the log aside */
  free(text);
  free(victim);
  free(after);
  free(before);
  free(canary);
  free(world.runtime);
  return bad;
}

static void test_row17_paths_of_every_option(void** state) {
  (void)state;
  need_sandbox();
  struct place place;
  place_make(&place);
  const int result = in_child(every_path, &place);
  place_remove(&place);
  assert_int_equal(result, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_row17_paths_of_every_option)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
