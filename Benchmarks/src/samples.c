// SPDX-License-Identifier: Apache-2.0
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>

#include "net.h"

void samples_add(struct samples *samples, uint64_t nanoseconds) {
  if (samples->count == samples->capacity) {
    samples->capacity = samples->capacity ? samples->capacity * 2 : 4096;
    samples->nanoseconds = realloc(samples->nanoseconds, samples->capacity * sizeof *samples->nanoseconds);
    if (!samples->nanoseconds) die("out of memory");
  }
  samples->nanoseconds[samples->count++] = nanoseconds;
}

static int compare(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return (a > b) - (a < b);
}

static double milliseconds(const struct samples *samples, double part) {
  if (!samples->count) return 0;
  size_t index = (size_t)(part * (double)samples->count);
  if (index >= samples->count) index = samples->count - 1;
  return (double)samples->nanoseconds[index] / 1e6;
}

void samples_print(struct samples *samples, const char *prefix) {
  if (samples->count) qsort(samples->nanoseconds, samples->count, sizeof *samples->nanoseconds, compare);
  printf(",\"%sp50_ms\":%.4f,\"%sp90_ms\":%.4f,\"%sp99_ms\":%.4f,\"%smax_ms\":%.4f", prefix,
         milliseconds(samples, 0.5), prefix, milliseconds(samples, 0.9), prefix, milliseconds(samples, 0.99),
         prefix, milliseconds(samples, 1));
}
