// SPDX-License-Identifier: Apache-2.0
// host.spawn: branches that run as fibers of their own while this one waits.
#include "state.h"

// Of one run, so that ending it takes no longer than a moment.
#define FIBERS_MAX 2048
#define SPAWN_UNITS 200

// Stack: [...] -> [..., results] and, for a race with a winner, its number.
static int spawned(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  struct clh_fiber *fiber = clh_state_of(L)->current;
  lua_rawgeti(L, LUA_REGISTRYINDEX, fiber->group_ref);
  lua_rawgeti(L, -1, 2);
  luaL_unref(L, LUA_REGISTRYINDEX, fiber->group_ref);
  fiber->group_ref = LUA_NOREF;
  int results = lua_gettop(L);
  if (fiber->mode == CLH_SPAWN_ALL && fiber->decided) {
    if (lua_rawgeti(L, results, (lua_Integer)fiber->decider + 1) == LUA_TTABLE) {
      lua_pushliteral(L, "error");
      lua_rawget(L, -2);
    }
    return lua_error(L);
  }
  for (uint32_t i = 1; i <= fiber->branch_count; i++) {
    bool ended = lua_rawgeti(L, results, i) != LUA_TNIL;
    lua_pop(L, 1);
    if (ended) continue;
    lua_createtable(L, 0, 2);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "ok");
    clh_push_host_error(L, "cancelled", "the branch was cancelled");
    lua_setfield(L, -2, "error");
    lua_rawseti(L, results, i);
  }
  if (fiber->mode != CLH_SPAWN_RACE || !fiber->decided) return 1;
  lua_pushinteger(L, (lua_Integer)fiber->decider + 1);
  return 2;
}

// host.spawn(functions, mode, limit)
int clh_spawn(lua_State *L) {
  static const char *const modes[] = {"all", "settle", "race", NULL};
  struct clh_state *state = clh_state_of(L);
  struct clh_fiber *fiber = state->current;
  luaL_checktype(L, 1, LUA_TTABLE);
  int mode = luaL_checkoption(L, 2, "all", modes);
  lua_Unsigned count = lua_rawlen(L, 1);
  lua_Integer limit = luaL_optinteger(L, 3, 0);
  lua_settop(L, 1);
  if (fiber->loading_depth > 0 || fiber == &state->boot) {
    return clh_error(L, "parallel is not available while a script loads");
  }
  if (clh_is_dead(fiber)) return clh_error(L, "parallel is not available: the run was stopped");
  if (count > fiber->run->branches_max) {
    return clh_error(L, "too many branches: %d, at most %d", (int)(count < 1000000000 ? count : 1000000000),
                      (int)fiber->run->branches_max);
  }
  if (fiber->run->fiber_count + count > FIBERS_MAX) {
    clh_push_host_error(L, "limit", "too many branches are under way");
    return lua_error(L);
  }
  if (!clh_can_wait(L, fiber)) {
    return clh_error(L, CLH_CANNOT_WAIT, "parallel");
  }
  clh_charge(L, SPAWN_UNITS * (count + 1));
  lua_createtable(L, 2, 0);                // [list, group]
  lua_createtable(L, (int)count, 0);       // [list, group, functions]
  for (lua_Unsigned i = 1; i <= count; i++) {
    if (lua_rawgeti(L, 1, (lua_Integer)i) != LUA_TFUNCTION) {
      return clh_error(L, "branch %d is no function", (int)i);
    }
    lua_rawseti(L, 3, (lua_Integer)i);
  }
  lua_rawseti(L, 2, 1);
  lua_createtable(L, (int)count, 0);
  if (count == 0) return 1;
  lua_rawseti(L, 2, 2);
  fiber->group_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  fiber->mode = (enum clh_spawn_mode)mode;
  fiber->branch_count = (uint32_t)count;
  fiber->branch_limit = limit > 0 && (lua_Unsigned)limit < count ? (uint32_t)limit : (uint32_t)count;
  fiber->decided = false;
  fiber->spawns += 1;
  fiber->suspension = CLH_WAITING_SPAWN;
  return lua_yieldk(L, 0, 0, spawned);
}

uint32_t clh_fiber_branch_count(const struct clh_fiber *fiber) { return fiber->branch_count; }
uint32_t clh_fiber_branch_limit(const struct clh_fiber *fiber) { return fiber->branch_limit; }
enum clh_spawn_mode clh_fiber_spawn_mode(const struct clh_fiber *fiber) { return fiber->mode; }

void clh_fiber_decide(struct clh_fiber *fiber, uint32_t index) {
  fiber->decided = true;
  fiber->decider = index;
}
