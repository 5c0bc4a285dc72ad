// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE  // gettid
#include "cthread.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int32_t cthread_id(void) { return gettid(); }

void cthread_name(const char *name) { prctl(PR_SET_NAME, name); }

void cthread_nice(int32_t thread, int32_t niceness) {
  setpriority(PRIO_PROCESS, (id_t)thread, niceness);
}

int64_t cthread_cpu_ns(int32_t thread) {
  // The clock's number as the kernel makes it: the thread's, "of a thread" (4), "time on the processor" (2).
  clockid_t clock = (clockid_t)(~(unsigned)thread << 3 | 4u | 2u);
  struct timespec time;
  if (clock_gettime(clock, &time) != 0) return 0;
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}
