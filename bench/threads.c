/* Threads of one host that run life cycles at once, against as many that spawn: the time of a round, in which each
 * thread runs /bin/true a few times. bench-threads [--pairs N] [--name TEXT] --threads T --root DIR --bundle DIR */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"

enum { most_threads = 64, runs_of_a_thread = 4 };

struct worker {
  pthread_t thread;
  struct host host;
  char id[32];
  measured once;
};

struct crowd {
  struct worker* workers;
  size_t count;
  measured once;
};

static void* work(void* context) {
  struct worker* worker = context;
  for (int i = 0; i < runs_of_a_thread; ++i) worker->once(&worker->host);
  return NULL;
}

static int64_t one_round(void* context) {
  const struct crowd* crowd = context;
  const int64_t begin = now_ns();
  for (size_t i = 0; i < crowd->count; ++i) {
    struct worker* worker = &crowd->workers[i];
    worker->once = crowd->once;
    const int error = pthread_create(&worker->thread, NULL, work, worker);
    if (error != 0) die(error, "pthread_create");
  }
  for (size_t i = 0; i < crowd->count; ++i) pthread_join(crowd->workers[i].thread, NULL);
  return now_ns() - begin;
}

int main(int argc, char** argv) {
  static const struct option options[] = {{"pairs", 1, NULL, 'p'}, {"name", 1, NULL, 'n'},   {"threads", 1, NULL, 't'},
                                          {"root", 1, NULL, 'r'},  {"bundle", 1, NULL, 'b'}, {NULL, 0, NULL, 0}};
  static struct worker workers[most_threads];
  struct row row = {.name = "threads", .pairs = 200};
  const char *root = NULL, *bundle = NULL;
  size_t count = 1;
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (option == 'p') row.pairs = read_count(optarg);
    if (option == 'n') row.name = optarg;
    if (option == 't') count = read_count(optarg);
    if (option == 'r') root = optarg;
    if (option == 'b') bundle = optarg;
    if (option == '?') return 2;
  }
  if (root == NULL || bundle == NULL || count == 0 || count > most_threads)
    die(0, "usage: bench-threads [--pairs N] [--name TEXT] --threads 1...%d --root DIR --bundle DIR",
        (int)most_threads);
  struct host host; /* one handle for all of them */
  host_open(&host, root, bundle);
  for (size_t i = 0; i < count; ++i) {
    snprintf(workers[i].id, sizeof workers[i].id, "thread-%zu", i);
    workers[i].host = host;
    workers[i].host.id = workers[i].id;
  }
  struct crowd reaper = {workers, count, by_reaper}, spawn = {workers, count, by_spawn};
  measure_pairs(&row, (struct subject){one_round, &reaper}, (struct subject){one_round, &spawn});
  host_close(&host);
  return 0;
}
