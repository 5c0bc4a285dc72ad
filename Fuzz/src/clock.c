// SPDX-License-Identifier: Apache-2.0
// The clock of the fuzzed cells: it advances by a fixed step at each look, so that budgets, slices and graces
// end at the same instruction each time.
#include "clock.h"

int64_t fuzz_clock_ns, fuzz_clock_step_ns = 1000;

int fuzz_clock_gettime(clockid_t clock, struct timespec *time) {
  (void)clock;
  fuzz_clock_ns += fuzz_clock_step_ns;
  time->tv_sec = fuzz_clock_ns / 1000000000;
  time->tv_nsec = fuzz_clock_ns % 1000000000;
  return 0;
}
