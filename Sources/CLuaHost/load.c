// SPDX-License-Identifier: Apache-2.0
// Evaluating a script in its run's environment, once per run.
//
// Two fibers of a run may evaluate the same script at the same time; the one that ends first gives its value
// to both. So no fiber waits for another, and a cycle is always one of a single fiber.
#include <string.h>

#include "state.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

// The script's number and the loading depth before it, in one continuation context.
static lua_KContext pack(uint32_t script, int depth) {
  return (lua_KContext)script * CLH_LOADING_MAX + depth;
}

// Stack: [name, modules, value or error on top].
static int loaded(lua_State *L, int status, lua_KContext context) {
  struct clh_fiber *fiber = clh_state_of(L)->current;
  fiber->loading_depth = (int)(context % CLH_LOADING_MAX);
  if (status != LUA_OK && status != LUA_YIELD) {
    bool traced = fiber->trace.length > 0;
    clh_after_error(L, status);
    fiber->rethrown = traced;
    return lua_error(L);
  }
  lua_pushvalue(L, 1);
  if (lua_rawget(L, 2) != LUA_TNIL) return 1;
  lua_pop(L, 1);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushboolean(L, 1);
  }
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -2);
  lua_rawset(L, 2);
  return 1;
}

static int cycle(lua_State *L, const struct clh_fiber *fiber, uint32_t script) {
  const struct clh_script *scripts = fiber->run->state->scripts;
  lua_pushliteral(L, "module cycle: ");
  int parts = 1;
  bool inside = false;
  for (int i = 0; i < fiber->loading_depth; i++) {
    inside = inside || fiber->loading[i] == script;
    if (!inside) continue;
    lua_pushfstring(L, "%s -> ", scripts[fiber->loading[i]].name);
    parts += 1;
    if (parts == 8) {  // keep within the slots that a C function has
      lua_concat(L, parts);
      parts = 1;
    }
  }
  lua_pushstring(L, scripts[script].name);
  lua_concat(L, parts + 1);
  return clh_error(L, "%s", lua_tostring(L, -1));
}

// Stack: [] -> [factory]. Undumps the script when no run of the cell has needed it before.
static void push_factory(lua_State *L, struct clh_script *script) {
  if (script->factory_ref != LUA_NOREF) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, script->factory_ref);
    return;
  }
  int status = luaL_loadbufferx(L, script->code, script->length, script->name, "b");
  if (status != LUA_OK) {
    clh_after_error(L, status);
    lua_error(L);
  }
  lua_pushvalue(L, -1);
  script->factory_ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

// Stack: [name] -> [value].
int clh_load_script(lua_State *L) {
  struct clh_state *state = clh_state_of(L);
  struct clh_fiber *fiber = state->current;
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  if (fiber == &state->boot) return clh_error(L, "scripts are loaded by runs only");
  lua_rawgeti(L, LUA_REGISTRYINDEX, fiber->run->modules_ref);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, 2) != LUA_TNIL) return 1;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_scripts);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, -2) == LUA_TNIL) return clh_error(L, "no such script: %s", lua_tostring(L, 1));
  uint32_t script = (uint32_t)lua_tointeger(L, -1);
  lua_settop(L, 2);
  for (int i = 0; i < fiber->loading_depth; i++) {
    if (fiber->loading[i] == script) return cycle(L, fiber, script);
  }
  if (fiber->loading_depth == CLH_LOADING_MAX - 1) return clh_error(L, "modules nest too deeply");
  push_factory(L, &state->scripts[script]);
  lua_rawgeti(L, LUA_REGISTRYINDEX, fiber->run->env_ref);
  lua_call(L, 1, 1);
  int depth = fiber->loading_depth;
  fiber->loading[fiber->loading_depth++] = script;
  lua_pushcfunction(L, clh_trace_handler);
  lua_insert(L, 3);
  lua_pushvalue(L, 1);
  lua_KContext context = pack(script, depth);
  return loaded(L, lua_pcallk(L, 1, 1, 3, context, loaded), context);
}

// Stack: [module name] -> [value]. "lib.money" is the script lib/money.lua; nothing else is on the path.
int clh_require(lua_State *L) {
  size_t length;
  const char *name = luaL_checklstring(L, 1, &length);
  bool plain = length > 4 && length < 200 && memcmp(name, "lib.", 4) == 0;
  for (size_t i = 0; plain && i < length; i++) {
    bool separates = name[i] == '.' && i + 1 < length && name[i + 1] != '.';
    plain = separates || (name[i] != '\0' && strchr(NAME_CHARACTERS, name[i]) != NULL);
  }
  if (!plain) return clh_error(L, "module '%s' not found: only modules of lib/ can be required", name);
  luaL_gsub(L, name, ".", "/");
  lua_pushliteral(L, ".lua");
  lua_concat(L, 2);
  lua_replace(L, 1);
  lua_settop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_scripts);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, 2) == LUA_TNIL) {
    return clh_error(L, "module '%s' not found: there is no %s", name, lua_tostring(L, 1));
  }
  lua_settop(L, 1);
  return clh_load_script(L);
}
