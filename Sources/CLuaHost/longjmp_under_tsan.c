// SPDX-License-Identifier: Apache-2.0
// Lets the thread sanitizer see Lua's errors leave their frames; empty in every other build.
//
// The sanitizer keeps a stack of calls of its own and takes off it what a `longjmp` leaves, but does not know the
// checked one that Debian's Lua calls: its stack would grow with each error until it overflows.
#undef _FORTIFY_SOURCE  // Else `longjmp` below would be the checked one.
// Not every compiler that builds this folder knows the question.
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#include <setjmp.h>

_Noreturn void __longjmp_chk(jmp_buf buffer, int value);

_Noreturn void __longjmp_chk(jmp_buf buffer, int value) { longjmp(buffer, value); }
#endif
#endif
