// SPDX-License-Identifier: Apache-2.0
// Tells the thread sanitizer what a task learns from a continuation that was resumed before it waited; empty in every
// other build.
//
// The runtime tells the sanitizer of every resumption, by a release of the task's address, but acquires it only where
// the task is enqueued again. A task that finds itself resumed already goes on at once: what it then reads of the
// thread that resumed it would be reported as a race. So we acquire wherever such a task passes.
// Source: Swift 6.3, stdlib/public/Concurrency/Task.cpp, swift_continuation_awaitImpl.
#define _GNU_SOURCE  // RTLD_NEXT
#if __has_feature(thread_sanitizer)
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>
#include <stdlib.h>

__attribute__((swiftcall)) void *swift_task_getCurrent(void);
__attribute__((swiftasynccall)) void swift_continuation_await(void *context);
void swift_task_enterThreadLocalContext(char *state);
__attribute__((swiftcall)) void swift_task_dealloc(void *memory);

static __attribute__((swiftasynccall)) void (*library_await)(void *context);
static void (*library_enter)(char *state);
static __attribute__((swiftcall)) void (*library_dealloc)(void *memory);

static void *library_function(const char *name) {
  void *function = dlsym(RTLD_NEXT, name);
  if (function == NULL) abort();
  return function;
}

__attribute__((constructor)) static void find_library_functions(void) {
  library_await = library_function("swift_continuation_await");
  library_enter = library_function("swift_task_enterThreadLocalContext");
  library_dealloc = library_function("swift_task_dealloc");
}

static void acquire_task(void) {
  void *task = swift_task_getCurrent();
  if (task != NULL) __tsan_acquire(task);
}

// Resumed before it waited.
__attribute__((swiftasynccall)) void swift_continuation_await(void *context) {
  acquire_task();
  return library_await(context);
}

// Resumed while it was about to wait.
void swift_task_enterThreadLocalContext(char *state) {
  acquire_task();
  library_enter(state);
}

// Checked continuations wait inside of the library; their frame is given back where they return.
__attribute__((swiftcall)) void swift_task_dealloc(void *memory) {
  acquire_task();
  library_dealloc(memory);
}
#endif
