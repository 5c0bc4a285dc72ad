// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
// Swift's runtime and the C library, where they decide by chance.
//
// Source of the declarations: swift/Runtime/Concurrency.h of the Swift runtime.
#include "csimulation.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

#define SWIFTCALL __attribute__((swiftcall))

typedef SWIFTCALL void (*enqueue_original)(void *job);
extern SWIFTCALL void (*swift_task_enqueueGlobal_hook)(void *job, enqueue_original original);

struct executor {
  void *identity;
  uintptr_t implementation;
};

extern SWIFTCALL void swift_job_run(void *job, struct executor executor);

static void (*taker)(void *job);
static pthread_t thread;

static SWIFTCALL void enqueue(void *job, enqueue_original original) {
  (void)original;
  taker(job);
}

void sim_take_jobs(void (*take)(void *job)) {
  thread = pthread_self();
  taker = take;
  swift_task_enqueueGlobal_hook = enqueue;
}

void sim_run(void *job) { swift_job_run(job, (struct executor){NULL, 0}); }

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t state;

void sim_seed(uint64_t seed) {
  pthread_mutex_lock(&lock);
  state = seed;
  pthread_mutex_unlock(&lock);
}

// SplitMix64.
static void fill(unsigned char *bytes, size_t length) {
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < length; i++) {
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    bytes[i] = (unsigned char)(z ^ (z >> 31));
  }
  pthread_mutex_unlock(&lock);
}

// In place of the C library's, by which Swift's library asks the kernel for random bytes: names and jitter come of the
// seed, too.
long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long), d = va_arg(list, long),
       e = va_arg(list, long), f = va_arg(list, long);
  va_end(list);
  if (number == SYS_getrandom) {
    fill((unsigned char *)a, (size_t)b);
    return b;
  }
  long (*original)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  return original(number, a, b, c, d, e, f);
}

// Scripts take no time, so that none of them is interrupted where it happens to be slow.
int clock_gettime(clockid_t clock, struct timespec *time) {
  if (taker && pthread_equal(pthread_self(), thread) && (clock == CLOCK_THREAD_CPUTIME_ID || clock == CLOCK_MONOTONIC)) {
    *time = (struct timespec){0};
    return 0;
  }
  return (int)syscall(SYS_clock_gettime, (long)clock, (long)time);
}
