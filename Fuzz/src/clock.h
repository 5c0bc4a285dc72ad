// SPDX-License-Identifier: Apache-2.0
#ifndef FUZZ_CLOCK_H
#define FUZZ_CLOCK_H

#include <stdint.h>
#include <time.h>

extern int64_t fuzz_clock_ns, fuzz_clock_step_ns;

/// Stands in for `clock_gettime` where the Lua host looks at the time.
int fuzz_clock_gettime(clockid_t clock, struct timespec *time);

#endif
