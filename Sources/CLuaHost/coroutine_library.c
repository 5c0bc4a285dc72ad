// SPDX-License-Identifier: Apache-2.0
// The coroutine library of scripts. A fiber that waits, has to give way or dies leaves through any number of
// coroutines: each resume passes the yield on, and its continuation resumes the inner coroutine again.
#include <stdlib.h>

#include "state.h"

#define RESUME_UNITS 50
#define CLOSE_DEPTH_MAX 20

static struct clh_fiber *fiber_of(lua_State *L) { return clh_state_of(L)->current; }

// The body of every coroutine runs in a protected call: an error that leaves a hook uncaught would otherwise
// turn the coroutine's hooks off for the handlers that run after it.
static int body_end(lua_State *L, int status, lua_KContext context) {
  (void)context;
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L);
  clh_after_error(L, status);
  return lua_error(L);
}

static int body(lua_State *L) {
  return body_end(L, lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 0, body_end), 0);
}

static lua_State *new_coroutine(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  clh_charge(L, RESUME_UNITS);
  lua_State *co = lua_newthread(L);
  lua_pushcfunction(co, body);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return co;
}

static bool enter(struct clh_fiber *fiber, lua_State *co) {
  if (fiber->depth == fiber->inner_capacity) {
    int capacity = fiber->inner_capacity == 0 ? 4 : fiber->inner_capacity * 2;
    lua_State **larger = realloc(fiber->inner, (size_t)capacity * sizeof *larger);
    if (larger == NULL) return false;
    fiber->inner = larger;
    fiber->inner_capacity = capacity;
  }
  fiber->inner[fiber->depth++] = co;
  clh_co_set(co, CLH_CO_ACTIVE);
  return true;
}

// Resumes `co` with the `count` values on its top. `context` is the loading depth of the resumer.
// Stack of L: [...] -> [..., results] and their number, or [..., error] and -1. Does not return when the
// fiber leaves: then `go_on` is called later, with the same context.
static int resume(lua_State *L, lua_State *co, int count, lua_KContext context, lua_KFunction go_on) {
  struct clh_fiber *fiber = fiber_of(L);
  if (!enter(fiber, co)) return luaL_error(L, "not enough memory");
  bool blocks = !lua_isyieldable(L);
  fiber->blocked += blocks;
  int results = 0;
  int status = lua_resume(co, L, count, &results);
  fiber->blocked -= blocks;
  if (status == LUA_YIELD && fiber->suspension != CLH_RUNNING) return lua_yieldk(L, 0, context, go_on);
  fiber->depth -= 1;
  clh_co_clear(co, CLH_CO_ACTIVE);
  fiber->loading_depth = (int)context;
  if (status == LUA_OK || status == LUA_YIELD) {
    if (clh_is_dead(fiber) && !fiber->unwinding) clh_die(L, fiber);
    if (lua_checkstack(L, results + 1)) {
      lua_xmove(co, L, results);
      return results;
    }
    lua_pop(co, results);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, 1);
  clh_after_error(L, status);
  return -1;
}

// Moves the arguments on top of L to a coroutine that scripts may resume and resumes it.
static int start(lua_State *L, lua_State *co, int count, lua_KFunction go_on) {
  clh_charge(L, RESUME_UNITS);
  if (clh_co_bits(co) != 0) {
    lua_pushliteral(L, "cannot resume non-suspended coroutine");
    return -1;
  }
  if (!lua_checkstack(co, count)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  // One that has not begun holds `body` and the script's function.
  bool is_fresh = lua_status(co) == LUA_OK && lua_gettop(co) > 0;
  lua_xmove(L, co, count);
  if (is_fresh) count += 1;
  return resume(L, co, count, fiber_of(L)->loading_depth, go_on);
}

static int resume_end(lua_State *L, int results) {
  bool ok = results >= 0;
  if (!ok) results = 1;
  lua_pushboolean(L, ok);
  lua_insert(L, -(results + 1));
  return results + 1;
}

static int resume_again(lua_State *L, int status, lua_KContext context) {
  (void)status;
  return resume_end(L, resume(L, lua_tothread(L, 1), 0, context, resume_again));
}

static lua_State *check_coroutine(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co != NULL, 1, "coroutine");
  return co;
}

static int co_resume(lua_State *L) {
  lua_State *co = check_coroutine(L);
  return resume_end(L, start(L, co, lua_gettop(L) - 1, resume_again));
}

static int wrap_end(lua_State *L, int results) {
  if (results >= 0) return results;
  if (lua_type(L, -1) == LUA_TSTRING) {  // as the stock library does: say where it came through
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int wrap_again(lua_State *L, int status, lua_KContext context) {
  (void)status;
  return wrap_end(L, resume(L, lua_tothread(L, lua_upvalueindex(1)), 0, context, wrap_again));
}

static int wrapped(lua_State *L) {
  return wrap_end(L, start(L, lua_tothread(L, lua_upvalueindex(1)), lua_gettop(L), wrap_again));
}

static int co_create(lua_State *L) {
  new_coroutine(L);
  return 1;
}

static int co_wrap(lua_State *L) {
  new_coroutine(L);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

static int co_yield(lua_State *L) {
  if (clh_co_bits(L) & CLH_CO_FIBER) return luaL_error(L, "attempt to yield from outside a coroutine");
  return lua_yield(L, lua_gettop(L));
}

static int co_isyieldable(lua_State *L) {
  lua_State *co = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
  lua_pushboolean(L, !(clh_co_bits(co) & CLH_CO_FIBER) && lua_isyieldable(co));
  return 1;
}

static int co_running(lua_State *L) {
  lua_pushboolean(L, (lua_pushthread(L) == 1) || (clh_co_bits(L) & CLH_CO_FIBER) != 0);
  return 2;
}

static const char *status_name(lua_State *L, lua_State *co) {
  if (co == L) return "running";
  if (clh_co_bits(co) != 0) return "normal";
  switch (lua_status(co)) {
    case LUA_YIELD:
      return "suspended";
    case LUA_OK:
      return lua_gettop(co) == 0 ? "dead" : "suspended";
    default:
      return "dead";
  }
}

static int co_status(lua_State *L) {
  lua_pushstring(L, status_name(L, check_coroutine(L)));
  return 1;
}

// `lua_resetthread` of Lua 5.4.4 does not count C levels, so handlers that close coroutines whose handlers
// close coroutines are counted here.
static int co_close(lua_State *L) {
  lua_State *co = check_coroutine(L);
  if (co == L || clh_co_bits(co) != 0) {
    return luaL_error(L, "cannot close a %s coroutine", status_name(L, co));
  }
  struct clh_fiber *fiber = fiber_of(L);
  clh_charge(L, RESUME_UNITS);
  if (fiber->closing >= CLOSE_DEPTH_MAX) return luaL_error(L, "C stack overflow");
  fiber->closing += 1;
  fiber->blocked += 1;
  clh_co_set(co, CLH_CO_ACTIVE);
  int status = lua_resetthread(co);
  clh_co_clear(co, CLH_CO_ACTIVE);
  fiber->blocked -= 1;
  fiber->closing -= 1;
  if (status == LUA_OK) {
    if (clh_is_dead(fiber) && !fiber->unwinding) clh_die(L, fiber);
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  clh_after_error(L, status);
  return 2;
}

int clh_open_coroutine(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"create", co_create}, {"resume", co_resume},       {"wrap", co_wrap},       {"yield", co_yield},
      {"status", co_status}, {"isyieldable", co_isyieldable}, {"running", co_running}, {"close", co_close},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
