// SPDX-License-Identifier: Apache-2.0
// A fiber: one coroutine that runs an entry, or a branch, slice by slice.
#include "state.h"

#include <stdlib.h>
#include <string.h>

// Keeps what a branch ended with as { ok =, value =, error = }.
// Stack: [function, results, ..., value] -> [].
static void keep_branch_result(lua_State *L, const struct clh_fiber *fiber, bool ok) {
  lua_createtable(L, 0, 2);
  lua_pushboolean(L, ok);
  lua_setfield(L, -2, "ok");
  lua_insert(L, -2);
  lua_setfield(L, -2, ok ? "value" : "error");
  lua_rawseti(L, 2, (lua_Integer)fiber->branch_index + 1);
}

// Stack: [..., result].
static int put_out_result(lua_State *L, struct clh_fiber *fiber) {
  fiber->encoding = true;
  fiber->out.bytes_max = fiber->run->result_bytes_max;
  clh_tape_reset(&fiber->out);
  if (fiber->form == CLH_RESULT_JSON) {
    clh_json_encode(L, -1, &fiber->out.buffer);
    if (fiber->out.buffer.length > fiber->out.bytes_max) return luaL_error(L, "the result is too large");
  } else {
    const char *problem = clh_tape_write(L, -1, &fiber->out);
    if (problem != NULL) return luaL_error(L, "%s", problem);
  }
  return 0;
}

static int described(lua_State *L, int status, lua_KContext context) {
  (void)context;
  struct clh_fiber *fiber = clh_state_of(L)->current;
  bool has_text = (status == LUA_OK || status == LUA_YIELD) && lua_type(L, -1) == LUA_TSTRING;
  if (status != LUA_OK && status != LUA_YIELD) clh_after_error(L, status);
  if (!has_text) lua_pop(L, 1);
  clh_report_error(L, fiber, CLH_FAILURE_RUNTIME, has_text);
  return 0;
}

// Stack: [handler, ..., result or error]; for a branch [function, results, handler, ..., result or error].
static int ended(lua_State *L, int status, lua_KContext context) {
  (void)context;
  struct clh_fiber *fiber = clh_state_of(L)->current;
  bool ok = status == LUA_OK || status == LUA_YIELD;
  if (!ok) {
    bool rethrown = fiber->rethrown;
    clh_after_error(L, status);
    fiber->rethrown = rethrown;
  }
  if (clh_is_dead(fiber)) return 0;
  fiber->failed = !ok;
  if (fiber->is_branch) {
    keep_branch_result(L, fiber, ok);
    return 0;
  }
  if (ok) return put_out_result(L, fiber);
  if (status == LUA_ERRERR) {
    clh_report_plain(&fiber->out, CLH_FAILURE_STACK, "stack overflow", strlen("stack overflow"));
    return 0;
  }
  bool is_named = false;
  if (lua_istable(L, -1)) {
    lua_pushliteral(L, "code");
    is_named = lua_rawget(L, -2) == LUA_TSTRING;
    lua_pop(L, 1);
  }
  if (is_named || luaL_getmetafield(L, -1, "__tostring") == LUA_TNIL) {
    clh_report_error(L, fiber, CLH_FAILURE_RUNTIME, false);
    return 0;
  }
  // A __tostring is the script's: it runs on its budget and may be interrupted.
  lua_pushvalue(L, -2);
  return described(L, lua_pcallk(L, 1, 1, 0, 0, described), 0);
}

// Stack: [entry], or [function, results] of a branch.
static int fiber_main(lua_State *L) {
  struct clh_fiber *fiber = clh_state_of(L)->current;
  lua_pushcfunction(L, clh_trace_handler);
  int count = 0;
  int handler = fiber->is_branch ? 3 : 1;
  if (fiber->is_branch) {
    lua_pushvalue(L, 1);
  } else {
    lua_insert(L, 1);
    size_t offset = 0;
    count = (int)clh_tape_open_array(L, &fiber->in, &offset);
    luaL_checkstack(L, count + 1, "too many arguments");
    for (int i = 0; i < count; i++) clh_tape_push(L, &fiber->in, &offset);
  }
  return ended(L, lua_pcallk(L, count, 1, handler, 0, ended), 0);
}

struct opening {
  struct clh_fiber *fiber;
  const char *entry;
  const struct clh_fiber *parent;
  bool found;
};

// Makes the fiber's coroutine with its function and arguments on it.
static int open_coroutine(lua_State *L) {
  struct opening *opening = lua_touserdata(L, 1);
  struct clh_fiber *fiber = opening->fiber;
  lua_State *co = lua_newthread(L);
  fiber->co_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  fiber->co = co;
  clh_co_set(co, CLH_CO_FIBER);
  lua_pushcfunction(co, fiber_main);
  if (opening->parent != NULL) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, opening->parent->group_ref);
    lua_rawgeti(L, -1, 1);
    opening->found = lua_rawgeti(L, -1, (lua_Integer)fiber->branch_index + 1) == LUA_TFUNCTION;
    lua_rawgeti(L, -3, 2);
    lua_xmove(L, co, 2);
  } else {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_entries);
    opening->found = lua_getfield(L, -1, opening->entry) == LUA_TFUNCTION;
    lua_xmove(L, co, 1);
  }
  return 0;
}

static struct clh_fiber *make(struct clh_run *run) {
  struct clh_fiber *fiber = clh_take(run->state, sizeof *fiber);
  if (fiber == NULL) return NULL;
  fiber->run = run;
  fiber->co_ref = fiber->group_ref = LUA_NOREF;
  fiber->in.bytes_max = fiber->out.bytes_max = CLH_ARGUMENT_BYTES_MAX;
  fiber->next = run->fibers;
  run->fibers = fiber;
  run->fiber_count += 1;
  return fiber;
}

void clh_fiber_seed(struct clh_fiber *fiber, uint64_t seed) {
  fiber->seed = seed;
  clh_random_seed(fiber->random, seed, 0);
}

// The end of MurmurHash3: neighbouring branches begin far apart.
static uint64_t stir(uint64_t value) {
  value = (value ^ value >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
  value = (value ^ value >> 33) * UINT64_C(0xC4CEB9FE1A85EC53);
  return value ^ value >> 33;
}

static enum clh_fiber_start open(struct clh_fiber *fiber, struct opening *opening) {
  struct clh_state *state = fiber->run->state;
  state->billed = fiber->run;
  int status = clh_protected(state, open_coroutine, opening);
  state->billed = NULL;
  if (status == LUA_OK && opening->found) return CLH_STARTED;
  lua_settop(state->L, 0);
  clh_fiber_close(fiber);
  return status == LUA_OK ? CLH_NO_ENTRY : CLH_NO_MEMORY;
}

enum clh_fiber_start clh_fiber_open(struct clh_run *run, const char *entry, enum clh_result_form form,
                                    uint64_t seed, struct clh_fiber **fiber) {
  *fiber = make(run);
  if (*fiber == NULL) return CLH_NO_MEMORY;
  (*fiber)->form = form;
  clh_fiber_seed(*fiber, seed);
  struct opening opening = {.fiber = *fiber, .entry = entry};
  return open(*fiber, &opening);
}

enum clh_fiber_start clh_fiber_open_branch(struct clh_fiber *parent, uint32_t index,
                                           struct clh_fiber **fiber) {
  if (parent->group_ref == LUA_NOREF) return CLH_NO_ENTRY;
  *fiber = make(parent->run);
  if (*fiber == NULL) return CLH_NO_MEMORY;
  (*fiber)->is_branch = true;
  (*fiber)->branch_index = index;
  clh_fiber_seed(*fiber, stir(parent->seed ^ stir((uint64_t)parent->spawns << 32 | index)));
  struct opening opening = {.fiber = *fiber, .parent = parent};
  return open(*fiber, &opening);
}

// A tape that is larger gives its memory back when it has been read.
#define TAPE_BYTES_KEPT ((size_t)64 << 10)

static void set_billed(struct clh_fiber *fiber, size_t bytes) {
  struct clh_state *state = fiber->run->state;
  state->bytes += bytes - fiber->billed;
  __atomic_store_n(&state->bytes_seen, state->bytes, __ATOMIC_RELAXED);
  fiber->billed = bytes;
}

// Ends the suspended fibers of runs that were killed while another run was running, or none was.
static void reap(struct clh_state *state) {
  state->condemned = false;
  for (struct clh_run *run = state->runs; run != NULL; run = run->next) {
    if (run->death != CLH_ALIVE) clh_run_finish(run);
  }
}

void clh_fiber_bill(struct clh_fiber *fiber) {
  struct clh_state *state = fiber->run->state;
  // What has ended frees its tapes soon; nobody else is to pay for them.
  if (fiber->finished || clh_is_dead(fiber)) return;
  size_t bytes = fiber->in.buffer.capacity + fiber->out.buffer.capacity;
  if (bytes > fiber->billed) fiber->run->bytes_allocated += bytes - fiber->billed;
  set_billed(fiber, bytes);
  if (state->bytes <= state->bytes_max) return;
  lua_gc(state->L, LUA_GCCOLLECT, 0);
  if (state->bytes > state->bytes_max) clh_end_hungriest(state);
  if (state->current == NULL && state->condemned) reap(state);
}

void clh_fiber_tapes_read(struct clh_fiber *fiber) {
  if (fiber->in.buffer.capacity > TAPE_BYTES_KEPT) clh_buffer_free(&fiber->in.buffer);
  if (fiber->out.buffer.capacity > TAPE_BYTES_KEPT) clh_buffer_free(&fiber->out.buffer);
  set_billed(fiber, 0);
}

static void release(struct clh_fiber *fiber) {
  lua_State *L = fiber->run->state->L;
  luaL_unref(L, LUA_REGISTRYINDEX, fiber->co_ref);
  luaL_unref(L, LUA_REGISTRYINDEX, fiber->group_ref);
  fiber->co_ref = fiber->group_ref = LUA_NOREF;
  fiber->co = NULL;
}

void clh_fiber_close(struct clh_fiber *fiber) {
  struct clh_run *run = fiber->run;
  if (!fiber->finished) {
    if (fiber->death == CLH_ALIVE) fiber->death = CLH_DEATH_CLOSED;
    clh_fiber_finish(fiber);
  }
  struct clh_fiber **link = &run->fibers;
  while (*link != fiber) link = &(*link)->next;
  *link = fiber->next;
  run->fiber_count -= 1;
  set_billed(fiber, 0);
  clh_buffer_free(&fiber->in.buffer);
  clh_buffer_free(&fiber->out.buffer);
  clh_buffer_free(&fiber->trace);
  free(fiber->inner);
  free(fiber);
  if (run->closed && run->fibers == NULL) free(run);
}

static int reset_coroutine(lua_State *L) {
  lua_resetthread((lua_State *)lua_touserdata(L, 1));
  return 0;
}

// Runs the __close handlers of a fiber that was left by a yield, innermost coroutine first.
void clh_fiber_finish(struct clh_fiber *fiber) {
  if (fiber->finished) return;
  fiber->finished = true;
  set_billed(fiber, 0);
  struct clh_state *state = fiber->run->state;
  if (fiber->started) {
    clh_begin_slice(state, fiber);
    clh_begin_grace(fiber);
    fiber->suspension = CLH_RUNNING;
    fiber->loading_depth = 0;
    fiber->blocked = 1;
    for (int i = fiber->depth - 1; i >= 0 && !fiber->abandoned; i--) {
      if (clh_protected(state, reset_coroutine, fiber->inner[i]) != LUA_OK) lua_settop(state->L, 0);
    }
    fiber->depth = 0;
    if (!fiber->abandoned && clh_protected(state, reset_coroutine, fiber->co) != LUA_OK)
      lua_settop(state->L, 0);
    clh_end_slice(state);
  }
  release(fiber);
}

struct resumption {
  struct clh_fiber *fiber;
  int count, status;
};

// In a protected call of the main thread, by whose error a fiber can be abandoned.
static int resume_coroutine(lua_State *L) {
  struct resumption *resumption = lua_touserdata(L, 1);
  int results = 0;
  resumption->status = lua_resume(resumption->fiber->co, L, resumption->count, &results);
  return 0;
}

enum clh_slice clh_fiber_resume(struct clh_fiber *fiber) {
  struct clh_run *run = fiber->run;
  struct clh_state *state = run->state;
  if (clh_used_ns(run) >= run->cpu_ns_max && run->death == CLH_ALIVE) run->death = CLH_DEATH_TIME;
  if (clh_is_dead(fiber)) {
    clh_fiber_finish(fiber);
    return CLH_SLICE_DEAD;
  }
  struct resumption resumption = {fiber, fiber->started ? 0 : fiber->is_branch ? 2 : 1, LUA_ERRMEM};
  fiber->started = true;
  fiber->suspension = CLH_RUNNING;
  fiber->depth = 0;
  clh_begin_slice(state, fiber);
  if (clh_protected(state, resume_coroutine, &resumption) != LUA_OK) lua_settop(state->L, 0);
  clh_end_slice(state);
  int status = resumption.status;
  if (state->condemned) reap(state);
  if (status == LUA_ERRMEM && !fiber->abandoned && run->death == CLH_ALIVE) run->death = CLH_DEATH_MEMORY;
  if (run->death != CLH_ALIVE) clh_run_finish(run);
  if (clh_is_dead(fiber)) {
    clh_fiber_finish(fiber);
    return CLH_SLICE_DEAD;
  }
  if (status == LUA_YIELD) {
    switch (fiber->suspension) {
      case CLH_WAITING_CALL:
        return CLH_SLICE_CALL;
      case CLH_WAITING_SPAWN:
        return CLH_SLICE_SPAWN;
      default:
        return CLH_SLICE_PREEMPTED;
    }
  }
  fiber->finished = true;
  if (status != LUA_OK) {
    // What is raised here is the host's own: putting arguments in or the result out.
    fiber->failed = true;
    size_t length = 0;
    const char *text = lua_type(fiber->co, -1) == LUA_TSTRING ? lua_tolstring(fiber->co, -1, &length) : "";
    clh_report_plain(&fiber->out, fiber->encoding ? CLH_FAILURE_RESULT : CLH_FAILURE_RUNTIME, text, length);
  }
  release(fiber);
  return fiber->failed ? CLH_SLICE_FAILED : CLH_SLICE_DONE;
}

void clh_fiber_kill(struct clh_fiber *fiber, enum clh_death death) {
  if (fiber->finished) return;
  if (fiber->death == CLH_ALIVE) fiber->death = death;
  clh_fiber_finish(fiber);
}

enum clh_death clh_fiber_death(const struct clh_fiber *fiber) {
  return fiber->death != CLH_ALIVE ? fiber->death : fiber->run->death;
}

uint32_t clh_fiber_function(const struct clh_fiber *fiber) { return fiber->function; }
uint32_t clh_fiber_calls(const struct clh_fiber *fiber) { return fiber->calls; }
uint32_t clh_fiber_spawns(const struct clh_fiber *fiber) { return fiber->spawns; }

const char *clh_fiber_output(const struct clh_fiber *fiber, size_t *length) {
  *length = fiber->out.buffer.length;
  return fiber->out.buffer.bytes;
}

struct clh_tape *clh_fiber_input(struct clh_fiber *fiber) {
  clh_tape_reset(&fiber->in);
  return &fiber->in;
}
