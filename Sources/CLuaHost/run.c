// SPDX-License-Identifier: Apache-2.0
// A run: an environment, a private table and the modules that were loaded, shared by the run's fibers.
#include "state.h"

static int open_run(lua_State *L) {
  struct clh_run *run = lua_touserdata(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "_G");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_env_meta);
  lua_setmetatable(L, -2);
  run->env_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_createtable(L, 0, 4);
  run->private_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_newtable(L);
  run->modules_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

static void release(struct clh_run *run) {
  lua_State *L = run->state->L;
  luaL_unref(L, LUA_REGISTRYINDEX, run->env_ref);
  luaL_unref(L, LUA_REGISTRYINDEX, run->private_ref);
  luaL_unref(L, LUA_REGISTRYINDEX, run->modules_ref);
  run->env_ref = run->private_ref = run->modules_ref = LUA_NOREF;
}

struct clh_run *clh_run_open(struct clh_state *state, int64_t cpu_ns_max, size_t result_bytes_max,
                             uint32_t branches_max) {
  struct clh_run *run = clh_take(state, sizeof *run);
  if (run == NULL) return NULL;
  run->state = state;
  run->cpu_ns_max = cpu_ns_max;
  run->meter = &run->cpu_ns;
  run->result_bytes_max = result_bytes_max;
  run->branches_max = branches_max;
  run->env_ref = run->private_ref = run->modules_ref = LUA_NOREF;
  state->billed = run;
  int status = clh_protected(state, open_run, run);
  state->billed = NULL;
  if (status != LUA_OK) {
    lua_settop(state->L, 0);
    release(run);
    clh_free(run);
    return NULL;
  }
  run->next = state->runs;
  state->runs = run;
  return run;
}

struct telling {
  struct clh_run *run;
  const char *name, *text;
  size_t length;
};

static int tell(lua_State *L) {
  struct telling *telling = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, telling->run->private_ref);
  if (lua_getfield(L, -1, "told") == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 8);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "told");
  }
  lua_pushlstring(L, telling->text, telling->length);
  lua_setfield(L, -2, telling->name);
  return 0;
}

bool clh_run_tell(struct clh_run *run, const char *name, const char *text, size_t length) {
  struct telling telling = {run, name, text, length};
  run->state->billed = run;
  int status = clh_protected(run->state, tell, &telling);
  run->state->billed = NULL;
  if (status != LUA_OK) lua_settop(run->state->L, 0);
  return status == LUA_OK;
}

bool clh_run_has_lent(const struct clh_run *run) { return run->has_lent; }

void clh_run_finish(struct clh_run *run) {
  for (struct clh_fiber *fiber = run->fibers; fiber != NULL; fiber = fiber->next) clh_fiber_finish(fiber);
  release(run);
}

void clh_run_close(struct clh_run *run) {
  if (run->death == CLH_ALIVE) run->death = CLH_DEATH_CLOSED;
  clh_run_finish(run);
  struct clh_run **link = &run->state->runs;
  while (*link != run) link = &(*link)->next;
  *link = run->next;
  run->closed = true;
  // A shared meter may be gone before the last fiber is.
  run->cpu_ns = clh_used_ns(run);
  run->meter = &run->cpu_ns;
  if (run->fibers == NULL) clh_free(run);
}

enum clh_death clh_run_death(const struct clh_run *run) { return run->death; }

int64_t clh_run_cpu_ns(const struct clh_run *run) { return clh_used_ns(run); }

void clh_run_share_meter(struct clh_run *run, int64_t *meter) { run->meter = meter; }
