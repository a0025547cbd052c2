/* The clock, the statistics and the rows. */
#include "measure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { warm_up_pairs = 10 };

struct quartiles {
  double low, median, high;
};

int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void die(int error, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "bench: ");
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  if (error != 0) fprintf(stderr, ": %s", strerror(error));
  fputc('\n', stderr);
  exit(1);
}

size_t read_count(const char* text) {
  char* end = NULL;
  errno = 0;
  const unsigned long value = strtoul(text, &end, 10);
  if (errno != 0 || *text < '0' || *text > '9' || *end != '\0') die(0, "not a count: %s", text);
  return value;
}

double read_number(const char* text) {
  char* end = NULL;
  errno = 0;
  const double value = strtod(text, &end);
  if (errno != 0 || end == text || *end != '\0') die(0, "not a number: %s", text);
  return value;
}

static int compare(const void* left, const void* right) {
  const double a = *(const double*)left;
  const double b = *(const double*)right;
  return (a > b) - (a < b);
}

/* The value at `part` of a sorted row, between its neighbours where it falls between them. */
static double quantile(const double* sorted, size_t count, double part) {
  const double position = part * (double)(count - 1);
  const size_t below = (size_t)position;
  const double rest = position - (double)below;
  if (below + 1 >= count) return sorted[count - 1];
  return sorted[below] * (1 - rest) + sorted[below + 1] * rest;
}

static struct quartiles quartiles_of(double* values, size_t count) {
  qsort(values, count, sizeof *values, compare);
  const struct quartiles result = {quantile(values, count, 0.25), quantile(values, count, 0.5),
                                   quantile(values, count, 0.75)};
  return result;
}

static void one_pair(struct subject a, struct subject b, double* time_a, double* time_b) {
  const int a_first = random() & 1;
  if (a_first) *time_a = (double)a.once(a.context) / 1e6;
  *time_b = (double)b.once(b.context) / 1e6;
  if (!a_first) *time_a = (double)a.once(a.context) / 1e6;
}

static void print_row(const struct row* row, struct quartiles a, struct quartiles b, struct quartiles ratio) {
  const double of_medians = a.median / b.median;
  printf("| %s | %.3f (%.3f - %.3f) | %.3f (%.3f - %.3f) | **%.2f** (%.2f - %.2f) |", row->name, a.median, a.low,
         a.high, b.median, b.low, b.high, of_medians, ratio.low, ratio.high);
  if (row->limit > 0)
    printf(" at most %.2f | %s |\n", row->limit, of_medians <= row->limit ? "met" : "not met");
  else
    printf(" - | - |\n");
  fflush(stdout);
}

void measure_pairs(const struct row* row, struct subject a, struct subject b) {
  if (row->pairs < 4) die(0, "%s: at least 4 pairs are needed for quartiles", row->name);
  double* times = calloc(3 * row->pairs, sizeof *times);
  if (times == NULL) die(errno, "no memory for %zu pairs", row->pairs);
  double *times_a = times, *times_b = times + row->pairs, *ratios = times + 2 * row->pairs;
  double ignored_a, ignored_b;
  srandom((unsigned)now_ns());
  for (size_t i = 0; i < warm_up_pairs; ++i) one_pair(a, b, &ignored_a, &ignored_b);
  for (size_t i = 0; i < row->pairs; ++i) {
    one_pair(a, b, &times_a[i], &times_b[i]);
    ratios[i] = times_a[i] / times_b[i];
  }
  const struct quartiles of_a = quartiles_of(times_a, row->pairs);
  const struct quartiles of_b = quartiles_of(times_b, row->pairs);
  print_row(row, of_a, of_b, quartiles_of(ratios, row->pairs));
  free(times);
}
