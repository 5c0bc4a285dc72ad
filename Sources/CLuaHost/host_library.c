// SPDX-License-Identifier: Apache-2.0
// What the preludes get: the `host` table, and a place to put globals and entries.
#include <string.h>

#include "state.h"

static int host_run(lua_State *L) {
  struct clh_state *state = clh_state_of(L);
  if (state->current == &state->boot) return luaL_error(L, "there is no run yet");
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->current->run->private_ref);
  return 1;
}

// host.loading(): whether a script is being evaluated, which has no run to ask for anything.
static int host_loading(lua_State *L) {
  struct clh_state *state = clh_state_of(L);
  lua_pushboolean(L, state->current->loading_depth > 0 || state->current == &state->boot);
  return 1;
}

// host.readonly(table [, name [, deep]])
static int host_readonly(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *name = luaL_optstring(L, 2, "the table");
  clh_push_readonly(L, 1, name, lua_toboolean(L, 3));
  return 1;
}

// host.lazy(index, complete, pairs): a read-only table that asks `index(_, name)` at each look at a field, and
// `pairs()` for the loop over all. `complete()` returns all of them in a table, always the same, to C functions that
// look at the whole: it may neither wait nor encode, and changes no table that scripts have.
static int host_lazy(lua_State *L) {
  for (int i = 1; i <= 3; i++) luaL_checktype(L, i, LUA_TFUNCTION);
  lua_settop(L, 3);
  clh_push_lazy(L, "the table");
  return 1;
}

// host.lend(): the run's functions have something that they may change, which is asked for at its end.
static int host_lend(lua_State *L) {
  clh_state_of(L)->current->run->has_lent = true;
  return 0;
}

// host.where(function): `agents/a.lua:12`, the line on which it begins.
static int host_where(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_Debug ar;
  lua_settop(L, 1);
  lua_getinfo(L, ">S", &ar);
  lua_pushfstring(L, "%s:%d", ar.source[0] == '@' ? ar.source + 1 : ar.short_src, ar.linedefined);
  return 1;
}

static int start(lua_State *L) {
  struct clh_state *state = lua_touserdata(L, 1);
  static const luaL_Reg functions[] = {
      {"run", host_run},          {"load", clh_load_script}, {"readonly", host_readonly},
      {"error", clh_host_raise},  {"spawn", clh_spawn},      {"loading", host_loading},
      {"where", host_where},      {"lazy", host_lazy},       {"lend", host_lend},
      {NULL, NULL},
  };
  clh_add_host_functions(L, state);
  lua_createtable(L, 0, 8);
  lua_insert(L, 1);
  lua_setfield(L, 1, "functions");
  luaL_setfuncs(L, functions, 0);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_globals);
  lua_getfield(L, -1, "pcall");
  lua_setfield(L, 1, "pcall");
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &clh_key_host);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_scripts);
  for (uint32_t i = 0; i < state->script_count; i++) {
    lua_pushinteger(L, i);
    lua_setfield(L, -2, state->scripts[i].name);
  }
  return 0;
}

// Copies the fields of one module into another, and its metatable when the other has none.
// Stack: [..., from, to] unchanged.
static void merge(lua_State *L) {
  int to = lua_gettop(L), from = to - 1;
  lua_pushnil(L);
  while (lua_next(L, from)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, to);
  }
  if (lua_getmetatable(L, from)) {
    if (lua_getmetatable(L, to)) {
      lua_pop(L, 2);
    } else {
      lua_setmetatable(L, to);
    }
  }
}

// Stack: [prelude's result] -> [].
static void add_globals(lua_State *L) {
  if (lua_getfield(L, -1, "globals") == LUA_TTABLE) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_globals);
    int globals = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, globals - 1)) {
      lua_pushvalue(L, -2);
      bool both = lua_rawget(L, globals) == LUA_TTABLE && lua_istable(L, -2);
      if (both) {
        merge(L);
        lua_pop(L, 2);
      } else {
        lua_pop(L, 1);
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, globals);
      }
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  if (lua_getfield(L, -1, "entries") == LUA_TTABLE) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_entries);
    merge(L);
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
}

struct prelude {
  const char *name, *code;
  size_t length;
};

static int run_prelude(lua_State *L) {
  struct prelude *prelude = lua_touserdata(L, 1);
  lua_settop(L, 0);
  if (luaL_loadbufferx(L, prelude->code, prelude->length, prelude->name, "b") != LUA_OK) return lua_error(L);
  lua_newtable(L);  // the prelude's own environment, before the globals of the host
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "_G");
  lua_createtable(L, 0, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_globals);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_call(L, 1, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_host);
  lua_call(L, 1, 1);
  if (lua_isfunction(L, -1)) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_host);
    lua_call(L, 1, 1);
  }
  if (!lua_istable(L, -1)) return luaL_error(L, "a prelude has to return a table");
  add_globals(L);
  return 0;
}

bool clh_boot(struct clh_state *state, lua_CFunction function, void *argument) {
  clh_begin_slice(state, &state->boot);
  int status = clh_protected(state, function, argument);
  clh_end_slice(state);
  if (status == LUA_OK) return true;
  size_t length = 0;
  bool is_text = lua_type(state->L, -1) == LUA_TSTRING;
  const char *message = is_text ? lua_tolstring(state->L, -1, &length) : "a prelude failed";
  if (!is_text) length = strlen(message);
  enum clh_failure failure = status == LUA_ERRMEM ? CLH_FAILURE_MEMORY : CLH_FAILURE_RUNTIME;
  clh_report_plain(&state->report, failure, message, length);
  lua_settop(state->L, 0);
  return false;
}

bool clh_state_start(struct clh_state *state) { return clh_boot(state, start, state); }

bool clh_state_prelude(struct clh_state *state, const char *name, const char *code, size_t length) {
  struct prelude prelude = {name, code, length};
  return clh_boot(state, run_prelude, &prelude);
}
