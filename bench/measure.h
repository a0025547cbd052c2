/* Interleaved pairs: two things are measured in turns, so that whatever else the machine does meets both alike. */
#ifndef REAPER_BENCH_MEASURE_H
#define REAPER_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

/* Does the thing once; its time in nanoseconds. A failure ends the program: a figure without the work is none. */
typedef int64_t (*measured)(void* context);

struct subject {
  measured once;
  void* context;
};

/* One row of the table. `limit`: the design's figure for the ratio, 0 when there is none. */
struct row {
  const char* name;
  double limit;
  size_t pairs;
};

int64_t now_ns(void);

/* Measures `row->pairs` pairs after a few that do not count, each in random order, and prints the row: the median and
 * the quartiles of a and of b, the ratio of the medians, the quartiles of the pairs' ratios. */
void measure_pairs(const struct row* row, struct subject a, struct subject b);

/* Says why on stderr and exits with 1. `error` 0: without the words of an errno. */
void die(int error, const char* format, ...) __attribute__((noreturn, format(printf, 2, 3)));

/* Strict readers of arguments. */
size_t read_count(const char* text);
double read_number(const char* text);

#endif
