/* Fills a state directory with containers that have run, and empties it again:
 *   bench-populate --root DIR --bundle DIR [--from N] --to M [--remove] */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"

int main(int argc, char** argv) {
  static const struct option options[] = {{"root", 1, NULL, 'r'}, {"bundle", 1, NULL, 'b'}, {"from", 1, NULL, 'f'},
                                          {"to", 1, NULL, 't'},   {"remove", 0, NULL, 'x'}, {NULL, 0, NULL, 0}};
  const char *root = NULL, *bundle = NULL;
  size_t from = 0, to = 0;
  int removing = 0;
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (option == 'r') root = optarg;
    if (option == 'b') bundle = optarg;
    if (option == 'f') from = read_count(optarg);
    if (option == 't') to = read_count(optarg);
    if (option == 'x') removing = 1;
    if (option == '?') return 2;
  }
  if (root == NULL || bundle == NULL)
    die(0, "usage: bench-populate --root DIR --bundle DIR [--from N] --to M [--remove]");
  struct host host;
  host_open(&host, root, bundle);
  for (size_t i = from; i < to; ++i) {
    char id[32];
    snprintf(id, sizeof id, "crowd-%05zu", i);
    if (removing)
      sweep_up(&host, id);
    else
      leave_stopped(&host, id);
  }
  host_close(&host);
  return 0;
}
