// SPDX-License-Identifier: Apache-2.0
// Durations that were measured, and their percentiles.
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
  uint64_t *nanoseconds;
  size_t count, capacity;
};

void samples_add(struct samples *samples, uint64_t nanoseconds);
// Prints `,"NAME_p50_ms":N` and so on for p50, p90, p99 and max; 0 where nothing was measured. Sorts.
void samples_print(struct samples *samples, const char *prefix);

#endif
