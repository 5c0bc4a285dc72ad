// SPDX-License-Identifier: Apache-2.0
// What a run may use: the count hook, charged units, the memory's pressure valve, and how a run dies.
//
// A dead fiber leaves its stack by a yield that nothing can catch. Where a C frame forbids a yield it leaves
// by an error, which every catching function of the sandbox passes on (`clh_after_error`).
#include <time.h>

#include "state.h"

#define NS_PER_MS ((int64_t)1000 * 1000)
#define SLICE_NS (1 * NS_PER_MS)
#define GRACE_NS (20 * NS_PER_MS)
#define UNITS_PER_CHECK 20000

// Processor time for which a script may hold its thread where it cannot be interrupted: in a comparator, a
// pattern match.
#define STRETCH_NS (200 * NS_PER_MS)

// Instructions between two looks at the clock: fewer while instructions turn out to be slow ones, such as
// comparing strings of megabytes.
#define HOOK_COUNT_MAX 1000
#define HOOK_COUNT_MIN 16
#define HOOK_COUNT_GROWTH 8
#define HOOK_SLOW_NS (2 * NS_PER_MS)

// Lua itself would stop at about ten times that, when the stack has eaten most of a cell.
#define CALL_DEPTH_MAX 16000

static int64_t read_clock(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000 * NS_PER_MS + time.tv_nsec;
}

int64_t clh_now(void) { return read_clock(CLOCK_MONOTONIC); }

// The thread's own time, which stands still while others have the processor. Reading it costs twenty times what
// the other clock does, so it is read only where the other one says that it matters.
int64_t clh_slice_cpu(const struct clh_state *state) {
  return read_clock(CLOCK_THREAD_CPUTIME_ID) - state->slice_cpu_start;
}

void clh_begin_slice(struct clh_state *state, struct clh_fiber *fiber) {
  int64_t now = clh_now();
  state->refused = false;
  state->current = fiber;
  state->billed = fiber->run;
  state->last_check = now;
  __atomic_store_n(&state->slice_start, now, __ATOMIC_RELAXED);
  state->slice_deadline = now + SLICE_NS;
  state->slice_cpu_start = read_clock(CLOCK_THREAD_CPUTIME_ID);
  state->kill_deadline = now + (fiber->run->cpu_ns_max - clh_used_ns(fiber->run));
  state->units_left = UNITS_PER_CHECK;
}

size_t clh_state_bytes_seen(const struct clh_state *state) {
  return __atomic_load_n(&state->bytes_seen, __ATOMIC_RELAXED);
}

static void end_grace(const struct clh_state *state, const struct clh_fiber *fiber) {
  if (fiber->run->death == CLH_ALIVE) return;
  int64_t used = fiber->run->grace_used_ns + clh_slice_cpu(state) - fiber->grace_cpu_start;
  fiber->run->grace_used_ns = used < GRACE_NS ? used : GRACE_NS;
}

void clh_end_slice(struct clh_state *state) {
  clh_settle_refusal(state);
  int64_t used = clh_now() - state->slice_start;
  if (used > SLICE_NS) used = clh_slice_cpu(state);
  if (state->current->unwinding) end_grace(state, state->current);
  __atomic_fetch_add(state->current->run->meter, used, __ATOMIC_RELAXED);
  __atomic_store_n(&state->slice_start, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&state->bytes_seen, state->bytes, __ATOMIC_RELAXED);
  state->current = NULL;
  state->billed = NULL;
}

int64_t clh_state_slice_ns(const struct clh_state *state) {
  int64_t start = __atomic_load_n(&state->slice_start, __ATOMIC_RELAXED);
  return start == 0 ? 0 : clh_now() - start;
}

void clh_begin_grace(struct clh_fiber *fiber) {
  // The fibers of a dead run share what there is; those of a living one are billed to its budget.
  int64_t left = fiber->run->death == CLH_ALIVE ? GRACE_NS : GRACE_NS - fiber->run->grace_used_ns;
  fiber->unwinding = true;
  fiber->grace_cpu_start = clh_slice_cpu(fiber->run->state);
  fiber->grace_cpu_end = fiber->grace_cpu_start + left;
  fiber->grace_deadline = clh_now() + left;
}

// As `is_spent`: the thread's own time counts, and is asked when the clock says that the end has come.
static bool is_grace_over(struct clh_fiber *fiber, int64_t now) {
  if (now < fiber->grace_deadline) return false;
  int64_t left = fiber->grace_cpu_end - clh_slice_cpu(fiber->run->state);
  fiber->grace_deadline = now + left;
  return left <= 0;
}

// Leaves all frames of the fiber at once: no handler that is still pending runs. The error is raised in the main
// thread, under whose protected call the fiber runs; its coroutines are never touched again.
static void abandon(struct clh_fiber *fiber) {
  lua_State *main = fiber->run->state->L;
  fiber->abandoned = true;
  lua_pushnil(main);
  lua_error(main);
}

static void raise_stopped(lua_State *L, struct clh_fiber *fiber) {
  if (!fiber->unwinding) {
    clh_begin_grace(fiber);
  } else if (is_grace_over(fiber, clh_now())) {
    abandon(fiber);
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_stopped);
  lua_error(L);
}

void clh_die(lua_State *L, struct clh_fiber *fiber) {
  if (!fiber->unwinding && clh_can_wait(L, fiber)) {
    fiber->suspension = CLH_DYING;
    lua_yield(L, 0);
    return;  // only in a hook, which must return at once
  }
  raise_stopped(L, fiber);
}

void clh_after_error(lua_State *L, int status) {
  struct clh_fiber *fiber = clh_state_of(L)->current;
  fiber->rethrown = false;
  bool is_boot = fiber == &clh_state_of(L)->boot;
  if (status == LUA_ERRMEM && !is_boot && !clh_is_dead(fiber)) fiber->run->death = CLH_DEATH_MEMORY;
  if (!clh_is_dead(fiber)) return;
  if (fiber->unwinding && !is_grace_over(fiber, clh_now())) {
    // A __close handler of a dead fiber may catch its own errors.
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_stopped);
    bool stopped = lua_rawequal(L, -1, -2);
    lua_pop(L, 1);
    if (!stopped) return;
  }
  clh_die(L, fiber);
}

static struct clh_run *hungriest(const struct clh_state *state) {
  struct clh_run *victim = NULL;
  for (struct clh_run *run = state->runs; run != NULL; run = run->next) {
    if (run->death != CLH_ALIVE) continue;
    if (victim == NULL || run->bytes_allocated > victim->bytes_allocated) victim = run;
  }
  return victim;
}

void clh_end_hungriest(struct clh_state *state) {
  struct clh_run *victim = hungriest(state);
  if (victim == NULL) return;
  victim->death = CLH_DEATH_MEMORY;
  if (state->current != NULL && victim == state->current->run) return;
  state->condemned = true;
  state->slice_deadline = 0;  // give way at once, so that the memory is freed
}

static size_t pressure_mark(const struct clh_state *state) { return state->bytes_max - state->bytes_max / 8; }

// Over the pressure mark the garbage goes; if what is left still fills most of the cell, the run that has
// allocated most ends.
static void relieve(lua_State *L, struct clh_state *state) {
  if (state->condemned || clh_is_dead(state->current)) return;
  lua_gc(L, LUA_GCCOLLECT, 0);
  if (state->bytes > state->bytes_max - state->bytes_max / 4) clh_end_hungriest(state);
}

// Says whether the budget is used up. The clock ran at least as fast as the thread's own time, so that one is asked
// only when the clock says that the end has come.
static bool is_spent(struct clh_state *state, struct clh_run *run, int64_t now) {
  if (now < state->kill_deadline) return false;
  int64_t left = run->cpu_ns_max - clh_used_ns(run) - clh_slice_cpu(state);
  state->kill_deadline = now + left;
  return left <= 0;
}

static bool holds_its_thread(const struct clh_state *state, int64_t now) {
  return now - state->slice_start >= STRETCH_NS && clh_slice_cpu(state) >= STRETCH_NS;
}

// Looks at memory, clock and caller. Returns true when the fiber has to leave its stack. `can_pause`: it is
// in a hook, where the slice can end in a yield unless a C frame is in the way.
static bool is_over(lua_State *L, struct clh_fiber *fiber, int64_t now, bool can_pause) {
  struct clh_state *state = fiber->run->state;
  if (state->bytes > pressure_mark(state)) relieve(L, state);
  if (!clh_is_dead(fiber) && is_spent(state, fiber->run, now)) fiber->run->death = CLH_DEATH_TIME;
  if (clh_is_dead(fiber)) return !fiber->unwinding || is_grace_over(fiber, now);
  if (now < state->slice_deadline || fiber == &state->boot) return false;
  if (can_pause && clh_can_wait(L, fiber)) return false;
  if (holds_its_thread(state, now)) {
    fiber->run->death = CLH_DEATH_STRETCH;
  } else if (state->callbacks.is_cancelled(state->callbacks.context)) {
    // A slice that cannot end in a yield still ends when nobody waits for its result.
    fiber->death = CLH_DEATH_CANCELLED;
  }
  return clh_is_dead(fiber);
}

// Setting a hook takes time in proportion to the stack's depth, so that time is not counted as the script's.
static void adapt_hook(lua_State *L, struct clh_state *state, int64_t now) {
  int count = lua_gethookcount(L);
  int wanted = count;
  if (now - state->last_check > HOOK_SLOW_NS) {
    wanted = HOOK_COUNT_MIN;
  } else if (count < HOOK_COUNT_MAX) {
    wanted = count * HOOK_COUNT_GROWTH < HOOK_COUNT_MAX ? count * HOOK_COUNT_GROWTH : HOOK_COUNT_MAX;
  }
  state->last_check = now;
  if (wanted == count) return;
  lua_sethook(L, clh_hook, LUA_MASKCOUNT, wanted);
  state->last_check = clh_now();
}

void clh_hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  struct clh_state *state = clh_state_of(L);
  struct clh_fiber *fiber = state->current;
  if (fiber == NULL) return;
  int64_t now = clh_now();
  adapt_hook(L, state, now);
  lua_Debug deep;
  if (lua_getstack(L, CALL_DEPTH_MAX, &deep) && !fiber->unwinding) clh_error(L, "stack overflow");
  if (is_over(L, fiber, now, true)) {
    clh_die(L, fiber);
    return;
  }
  if (now >= state->slice_deadline && !clh_is_dead(fiber) && clh_can_wait(L, fiber)) {
    fiber->suspension = CLH_WAITING_TURN;
    lua_yield(L, 0);
  }
}

void clh_charge(lua_State *L, size_t units) {
  struct clh_state *state = clh_state_of(L);
  if (state == NULL) {
    clh_probe_charge(L, units);
    return;
  }
  struct clh_fiber *fiber = state->current;
  // A library's buffer is refused without a collection before, so make room for what is about to be built.
  size_t mark = pressure_mark(state);
  bool presses = state->bytes > mark || units > (mark - state->bytes) / CLH_BYTES_PER_UNIT;
  if (presses && fiber != NULL) relieve(L, state);
  if (units < state->units_left && !presses) {
    state->units_left -= units;
    return;
  }
  state->units_left = UNITS_PER_CHECK;
  if (fiber == NULL) return;
  int64_t now = clh_now();
  if (is_over(L, fiber, now, false)) clh_die(L, fiber);
  // This C function cannot pause, the instruction behind its call can.
  if (now >= state->slice_deadline && lua_gethookcount(L) != 1 && clh_can_wait(L, fiber))
    lua_sethook(L, clh_hook, LUA_MASKCOUNT, 1);
}
