// SPDX-License-Identifier: Apache-2.0
// What Swift cannot import of Linux's threads.
#ifndef PERIGEE_CTHREAD_H
#define PERIGEE_CTHREAD_H

#include <stdint.h>

/// The kernel's number of the calling thread.
int32_t cthread_id(void);

/// Names the calling thread, at most 15 bytes.
void cthread_name(const char *name);

/// Sets a thread's niceness: 0 is the ordinary one, 19 the smallest share of the processor.
void cthread_nice(int32_t thread, int32_t niceness);

/// Processor time that a thread of this process has used, in nanoseconds; 0 when there is no such thread.
int64_t cthread_cpu_ns(int32_t thread);

#endif
