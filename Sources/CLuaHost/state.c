// SPDX-License-Identifier: Apache-2.0
// A cell's Lua state: its allocator, its life, and how Swift enters it outside of fibers.
#include "concat.h"
#include "state.h"

#include <lualib.h>
#include <stdlib.h>
#include <string.h>

const char clh_key_globals, clh_key_env_meta, clh_key_error_meta, clh_key_entries, clh_key_scripts,
    clh_key_host, clh_key_stopped;

#define BOOT_CPU_NS ((int64_t)10 * 1000 * 1000 * 1000)
#define HOOK_INSTRUCTIONS 1000

static bool injection_refuses(struct clh_state *state) {
  if (state->fail_after < 0) return false;
  if (state->fail_after == 0) return true;
  state->fail_after -= 1;
  return false;
}

// An allocation that Lua has given up on: the run that wanted it is over, whatever its script catches.
static void exhausted(struct clh_state *state) {
  struct clh_fiber *fiber = state->current;
  state->refused = false;
  if (fiber == NULL || fiber == &state->boot || clh_is_dead(fiber)) return;
  fiber->run->death = CLH_DEATH_MEMORY;
}

// What may be taken beyond the cap, so that a full cell can still end its runs.
static size_t reserve(const struct clh_state *state) { return state->bytes_max / 8 + ((size_t)1 << 20); }

static bool fits(const struct clh_state *state, size_t more) {
  bool may_exceed = state->current == NULL || state->current->unwinding || state->condemned;
  size_t cap = may_exceed ? state->bytes_max + reserve(state) : state->bytes_max;
  return more <= cap && state->bytes <= cap - more;
}

// Lua answers a refusal by a full collection and asks once more for the same block, except for the buffers of
// its auxiliary library, which give up at once. So a refusal is final when it is repeated or not retried.
// Returns whether the block may be taken after all.
static bool refuse(struct clh_state *state, void *block, size_t size, size_t more) {
  if (state->refused && state->refused_block == block && state->refused_size == size) {
    // Another run may be the one that fills the cell: it ends, and this one goes on from the reserve.
    bool has_runs = state->current != NULL && state->current != &state->boot;
    if (has_runs && !state->condemned && state->fail_after < 0 && !clh_is_dead(state->current)) {
      clh_end_hungriest(state);
      if (state->condemned && fits(state, more)) return true;
    }
    exhausted(state);
    return false;
  }
  if (state->refused) exhausted(state);
  state->refused = true;
  state->refused_block = block;
  state->refused_size = size;
  return false;
}

static void *allocate(void *context, void *block, size_t old_size, size_t size) {
  struct clh_state *state = context;
  if (block == NULL) old_size = 0;  // it says what kind of object is wanted
  if (size == 0) {
    free(block);
    state->bytes -= old_size;
    return NULL;
  }
  if (size <= old_size) {
    void *smaller = realloc(block, size);
    state->bytes -= old_size - size;
    return smaller != NULL ? smaller : block;
  }
  size_t more = size - old_size;
  if (injection_refuses(state) || !fits(state, more)) {
    if (!refuse(state, block, size, more)) return NULL;
  } else if (state->refused && (state->refused_block != block || state->refused_size != size)) {
    exhausted(state);
  }
  state->refused = false;
  void *larger = realloc(block, size);
  if (larger == NULL) return NULL;
  state->bytes += more;
  if (state->billed != NULL) state->billed->bytes_allocated += more;
  return larger;
}

void clh_settle_refusal(struct clh_state *state) {
  if (state->refused) exhausted(state);
}

void *clh_take(struct clh_state *state, size_t size) {
  return injection_refuses(state) ? NULL : calloc(1, size);
}

void clh_free(void *memory) { free(memory); }

int clh_protected(struct clh_state *state, lua_CFunction function, void *argument) {
  lua_State *L = state->L;
  lua_pushcfunction(L, function);
  lua_pushlightuserdata(L, argument);
  return lua_pcall(L, 1, 0, 0);
}

// Lua makes these strings where no error handler is set, so that having to allocate one there could end the
// process. Interned beforehand they are found, not made. Source: Lua 5.4.4, ldo.c, `luaD_seterrorobj` and
// `resume_error`.
static void anchor_messages(lua_State *L) {
  static const char *const messages[] = {
      "error in error handling",
      "cannot resume non-suspended coroutine",
      "cannot resume dead coroutine",
      "C stack overflow",
  };
  for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
    lua_pushstring(L, messages[i]);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &messages[i]);
  }
}

static int set_up(lua_State *L) {
  luaL_checkstack(L, 20, NULL);
  if (clh_concat_is_broken()) clh_concat_disable(L);
  lua_newtable(L);
  clh_open_base(L);
  clh_open_sandbox(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &clh_key_globals);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &clh_key_entries);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &clh_key_scripts);
  lua_pushliteral(L, "the run was stopped");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &clh_key_stopped);
  anchor_messages(L);
  // What `lua_load` and the stock libraries know as the globals is out of every script's reach; leave it
  // empty.
  lua_newtable(L);
  lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  return 0;
}

struct clh_state *clh_state_create(size_t memory_bytes_max, struct clh_callbacks callbacks, long fail_after) {
  struct clh_state *state = calloc(1, sizeof *state);
  if (state == NULL) return NULL;
  state->bytes_max = memory_bytes_max;
  state->callbacks = callbacks;
  state->fail_after = fail_after;
  state->report.bytes_max = SIZE_MAX;
  state->boot_run.state = state;
  state->boot_run.cpu_ns_max = BOOT_CPU_NS;
  state->boot_run.meter = &state->boot_run.cpu_ns;
  state->boot_run.env_ref = state->boot_run.private_ref = state->boot_run.modules_ref = LUA_NOREF;
  state->boot.run = &state->boot_run;
  clh_fiber_seed(&state->boot, 0);
  state->boot.blocked = 1;
  state->boot.co_ref = state->boot.group_ref = LUA_NOREF;
  state->boot.in.bytes_max = state->boot.out.bytes_max = CLH_ARGUMENT_BYTES_MAX;
  state->L = lua_newstate(allocate, state);
  if (state->L == NULL) {
    free(state);
    return NULL;
  }
  *clh_extra(state->L) = (uintptr_t)state;
  lua_sethook(state->L, clh_hook, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
  if (clh_protected(state, set_up, NULL) != LUA_OK) {
    clh_state_close(state);
    return NULL;
  }
  return state;
}

static void free_tape(struct clh_tape *tape) { clh_buffer_free(&tape->buffer); }

void clh_state_close(struct clh_state *state) {
  state->current = NULL;
  state->fail_after = -1;
  while (state->runs != NULL) clh_run_close(state->runs);
  lua_close(state->L);
  for (uint32_t i = 0; i < state->function_count; i++) {
    free(state->functions[i]->name);
    free(state->functions[i]);
  }
  free(state->functions);
  for (uint32_t i = 0; i < state->script_count; i++) free(state->scripts[i].name);
  free(state->scripts);
  free_tape(&state->report);
  free_tape(&state->boot.in);
  free_tape(&state->boot.out);
  clh_buffer_free(&state->boot.trace);
  free(state->boot.inner);
  free(state);
}

static char *copy_name(struct clh_state *state, const char *name) {
  size_t size = strlen(name) + 1;
  char *copy = clh_take(state, size);
  if (copy != NULL) memcpy(copy, name, size);
  return copy;
}

// Makes room for one more element where the count has reached a power of two. False when there is no memory.
static bool grow(struct clh_state *state, void **elements, uint32_t count, size_t size) {
  if ((count & (count - 1)) != 0) return true;
  if (injection_refuses(state)) return false;
  void *larger = realloc(*elements, (count == 0 ? 1 : (size_t)count * 2) * size);
  if (larger == NULL) return false;
  *elements = larger;
  return true;
}

bool clh_state_add_function(struct clh_state *state, const char *name, bool suspending) {
  void *elements = state->functions;
  if (!grow(state, &elements, state->function_count, sizeof *state->functions)) return false;
  state->functions = elements;
  struct clh_function *function = clh_take(state, sizeof *function);
  if (function == NULL) return false;
  function->name = copy_name(state, name);
  function->number = state->function_count;
  function->suspending = suspending;
  if (function->name == NULL) {
    free(function);
    return false;
  }
  state->functions[state->function_count++] = function;
  return true;
}

bool clh_state_add_script(struct clh_state *state, const char *name, const char *code, size_t length) {
  void *elements = state->scripts;
  if (!grow(state, &elements, state->script_count, sizeof *state->scripts)) return false;
  state->scripts = elements;
  char *copy = copy_name(state, name);
  if (copy == NULL) return false;
  state->scripts[state->script_count++] = (struct clh_script){copy, code, length, LUA_NOREF};
  return true;
}

const char *clh_state_report(const struct clh_state *state, size_t *length) {
  *length = state->report.buffer.length;
  return state->report.buffer.bytes;
}

size_t clh_state_bytes(const struct clh_state *state) { return state->bytes; }

void clh_state_fail_allocation_after(struct clh_state *state, long count) {
  state->fail_after = count;
  if (count < 0) state->refused = false;
}

static int collect(lua_State *L) {
  lua_gc(L, LUA_GCCOLLECT, 0);
  return 0;
}

void clh_state_collect(struct clh_state *state) {
  if (clh_protected(state, collect, NULL) != LUA_OK) lua_settop(state->L, 0);
}

const char *clh_lua_release(void) { return LUA_RELEASE; }
