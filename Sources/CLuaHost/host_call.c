// SPDX-License-Identifier: Apache-2.0
// Calling the host: the arguments go onto the fiber's output tape, Swift answers on its input tape, and only
// this side raises or yields.
#include <string.h>

#include "state.h"

#define CALL_UNITS 20

// Stack: [error table] -> [text].
static int error_text(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_pushliteral(L, "code");
  bool has_code = lua_rawget(L, 1) == LUA_TSTRING;
  lua_pushliteral(L, "message");
  bool has_message = lua_rawget(L, 1) == LUA_TSTRING;
  const char *code = has_code ? lua_tostring(L, 2) : "error";
  lua_pushfstring(L, "%s: %s", code, has_message ? lua_tostring(L, 3) : "");
  return 1;
}

// Gives the table at the top the metatable of host errors. Stack: unchanged. May raise.
static void mark_error(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_error_meta) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, error_text);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "error");
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &clh_key_error_meta);
  }
  lua_setmetatable(L, -2);
}

void clh_push_host_error(lua_State *L, const char *code, const char *message) {
  lua_createtable(L, 0, 4);
  lua_pushstring(L, code);
  lua_setfield(L, -2, "code");
  lua_pushstring(L, message);
  lua_setfield(L, -2, "message");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "retryable");
  mark_error(L);
}

// host.error(code, message, retryable, detail)
int clh_host_raise(lua_State *L) {
  luaL_checkstring(L, 1);
  luaL_checkstring(L, 2);
  lua_settop(L, 4);
  lua_createtable(L, 0, 4);
  lua_insert(L, 1);
  lua_setfield(L, 1, "detail");
  lua_pushboolean(L, lua_toboolean(L, -1));
  lua_setfield(L, 1, "retryable");
  lua_pop(L, 1);
  lua_setfield(L, 1, "message");
  lua_setfield(L, 1, "code");
  mark_error(L);
  return lua_error(L);
}

// Stack: [...] -> [..., value]. Raises what the host raised.
static int push_reply(lua_State *L, struct clh_fiber *fiber) {
  size_t offset = 0;
  clh_tape_push(L, &fiber->in, &offset);
  clh_fiber_tapes_read(fiber);
  if (!fiber->in.raises) return 1;
  if (!lua_istable(L, -1)) return clh_error(L, "the host failed");
  mark_error(L);
  return lua_error(L);
}

static int answered(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return push_reply(L, clh_state_of(L)->current);
}

/* The name as scripts know it: `_db.query` stands behind `db.query`. */
static const char *shown_name(const struct clh_function *function) {
  return function->name[0] == '_' ? function->name + 1 : function->name;
}

static int host_call(lua_State *L) {
  const struct clh_function *function = lua_touserdata(L, lua_upvalueindex(1));
  struct clh_state *state = clh_state_of(L);
  struct clh_fiber *fiber = state->current;
  clh_charge(L, CALL_UNITS);
  fiber->calls += 1;
  if (fiber->loading_depth > 0 || fiber == &state->boot) {
    return clh_error(L,
                     "%s is not available while a script loads; "
                     "call it from a tool, prompt, before, after or run",
                     shown_name(function));
  }
  if (clh_is_dead(fiber)) return clh_error(L, "%s is not available: the run was stopped", shown_name(function));
  if (function->suspending && !clh_can_wait(L, fiber)) {
    return clh_error(L, CLH_CANNOT_WAIT, shown_name(function));
  }
  int count = lua_gettop(L);
  clh_tape_reset(&fiber->out);
  clh_tape_array(&fiber->out, (size_t)count);
  for (int i = 1; i <= count; i++) {
    const char *problem = clh_tape_write(L, i, &fiber->out);
    if (problem != NULL) return clh_error(L, "bad argument #%d to '%s' (%s)", i, function->name, problem);
  }
  clh_tape_reset(&fiber->in);
  if (function->suspending) {
    clh_fiber_bill(fiber);
    fiber->suspension = CLH_WAITING_CALL;
    fiber->function = function->number;
    return lua_yieldk(L, 0, 0, answered);
  }
  state->callbacks.immediate(state->callbacks.context, fiber, function->number);
  return push_reply(L, fiber);
}

// Adds a function named "db.query" to the table "db" in the globals; one that starts with '_' only to the
// host's functions. Stack: [host functions, globals] -> the same.
static void add_host_function(lua_State *L, struct clh_function *function) {
  const char *name = function->name;
  lua_pushlightuserdata(L, function);
  lua_pushcclosure(L, host_call, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, 1, name);
  const char *dot = strchr(name, '.');
  if (name[0] == '_') {
    lua_pop(L, 1);
  } else if (dot == NULL) {
    lua_setfield(L, 2, name);
  } else {
    lua_pushlstring(L, name, (size_t)(dot - name));
    lua_pushvalue(L, -1);
    if (lua_rawget(L, 2) == LUA_TNIL) {
      lua_pop(L, 1);
      lua_newtable(L);
      lua_pushvalue(L, -2);
      lua_pushvalue(L, -2);
      lua_rawset(L, 2);
    }
    lua_pushvalue(L, -3);  // [function, module name, module, function]
    lua_setfield(L, -2, dot + 1);
    lua_pop(L, 3);
  }
}

// Stack: [] -> [host functions].
void clh_add_host_functions(lua_State *L, struct clh_state *state) {
  lua_settop(L, 0);
  lua_newtable(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_globals);
  for (uint32_t i = 0; i < state->function_count; i++) add_host_function(L, state->functions[i]);
  lua_settop(L, 1);
}
