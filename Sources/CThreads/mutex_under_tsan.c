// SPDX-License-Identifier: Apache-2.0
// Tells the thread sanitizer of the lock behind Swift's Mutex; empty in every other build.
//
// The fast paths of Mutex are compiled into our code and seen. When threads meet, libswiftSynchronization takes or
// hands on the lock in the kernel, which is not seen: what lies behind the lock would be reported as a race.
// Source: Swift 6.3, stdlib/public/Synchronization/Mutex/LinuxImpl.swift.
#define _GNU_SOURCE  // RTLD_NEXT
#if __has_feature(thread_sanitizer)
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>
#include <stdint.h>
#include <stdlib.h>

// A handle's methods as Swift calls them; ours come before the library's.
#define METHOD __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

METHOD void lock_slow(uint32_t thread, SELF) __asm__(LOCK_SLOW);
METHOD _Bool try_lock_slow(SELF) __asm__(TRY_LOCK_SLOW);
METHOD void unlock_slow(SELF) __asm__(UNLOCK_SLOW);

static METHOD void (*library_lock_slow)(uint32_t thread, SELF);
static METHOD _Bool (*library_try_lock_slow)(SELF);
static METHOD void (*library_unlock_slow)(SELF);

// A Swift without this method has another lock, of which this file would tell lies.
static void *library_method(const char *name) {
  void *method = dlsym(RTLD_NEXT, name);
  if (method == NULL) abort();
  return method;
}

__attribute__((constructor)) static void find_library_methods(void) {
  library_lock_slow = library_method(LOCK_SLOW);
  library_try_lock_slow = library_method(TRY_LOCK_SLOW);
  library_unlock_slow = library_method(UNLOCK_SLOW);
}

METHOD void lock_slow(uint32_t thread, SELF) {
  library_lock_slow(thread, self);
  __tsan_acquire(self);
}

METHOD _Bool try_lock_slow(SELF) {
  _Bool is_locked = library_try_lock_slow(self);
  if (is_locked) __tsan_acquire(self);
  return is_locked;
}

METHOD void unlock_slow(SELF) {
  __tsan_release(self);
  library_unlock_slow(self);
}
#endif
