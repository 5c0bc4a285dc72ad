// SPDX-License-Identifier: Apache-2.0
#ifndef CSIMULATION_H
#define CSIMULATION_H

#include <stdint.h>

// Has every job that would go to Swift's thread pool handed to `take` instead.
void sim_take_jobs(void (*_Nonnull take)(void *_Nonnull job));

// Runs a job on the calling thread, as the pool would.
void sim_run(void *_Nonnull job);

// From here on the system's random bytes are those of this seed.
void sim_seed(uint64_t seed);

#endif
