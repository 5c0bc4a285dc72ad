// SPDX-License-Identifier: Apache-2.0
// The basic functions of scripts: the stock ones that are safe, and own versions of those that are not.
#include <lualib.h>
#include <string.h>

#include "state.h"

#define CHUNK_BYTES_MAX ((size_t)256 << 10)
#define UNITS_PER_CHUNK_BYTE 4

static int pcall_end(lua_State *L, int status, lua_KContext skip) {
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)skip;
  clh_after_error(L, status);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int base_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  return pcall_end(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, pcall_end), 0);
}

// The handler is called after the stack is unwound, not where the error is raised: there it would run with
// the hooks off when the error comes from a hook.
static int handler_end(lua_State *L, int status, lua_KContext context) {
  (void)context;
  if (status != LUA_OK && status != LUA_YIELD) clh_after_error(L, status);
  lua_pushboolean(L, 0);
  lua_insert(L, 3);
  return lua_gettop(L) - 2;
}

// Stack: [function, handler, true, results or error...].
static int xpcall_end(lua_State *L, int status, lua_KContext context) {
  (void)context;
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 2;
  clh_after_error(L, status);
  lua_pushvalue(L, 2);
  lua_replace(L, 3);  // [function, handler, handler, error]
  return handler_end(L, lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 0, 0, handler_end), 0);
}

static int base_xpcall(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  int count = lua_gettop(L) - 2;
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2);  // [function, handler, true, function, arguments...]
  return xpcall_end(L, lua_pcallk(L, count, LUA_MULTRET, 0, 0, xpcall_end), 0);
}

bool clh_complete_target(lua_State *L) {
  // No script can make one of these.
  if (lua_tocfunction(L, -1) == clh_complete) lua_call(L, 0, 1);
  return lua_istable(L, -1);
}

void clh_resolve_proxy(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (luaL_getmetafield(L, index, CLH_TARGET_FIELD) == LUA_TNIL) return;
  if (clh_complete_target(L)) {
    lua_replace(L, index);
  } else {
    lua_pop(L, 1);
  }
}

static int base_next(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  clh_resolve_proxy(L, 1);
  if (lua_next(L, 1)) return 2;
  lua_pushnil(L);
  return 1;
}

static int pairs_end(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 3;
}

static int base_pairs(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") == LUA_TNIL) {
    lua_pushcfunction(L, base_next);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
  }
  lua_pushvalue(L, 1);
  lua_callk(L, 1, 3, 0, pairs_end);
  return 3;
}

static int base_rawget(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  clh_resolve_proxy(L, 1);
  lua_rawget(L, 1);
  return 1;
}

static int base_rawlen(lua_State *L) {
  int type = lua_type(L, 1);
  luaL_argexpected(L, type == LUA_TTABLE || type == LUA_TSTRING, 1, "table or string");
  if (type == LUA_TTABLE) clh_resolve_proxy(L, 1);
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, 1));
  return 1;
}

static int base_rawset(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  if (luaL_getmetafield(L, 1, CLH_TARGET_FIELD) != LUA_TNIL) return luaL_error(L, "the table is read-only");
  lua_rawset(L, 1);
  return 1;
}

// Finalizers would run at any allocation, on any run's time; Lua ignores a `__gc` that is added later.
static int base_setmetatable(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  int type = lua_type(L, 2);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) {
    return luaL_error(L, "cannot change a protected metatable");
  }
  lua_settop(L, 2);
  if (type == LUA_TTABLE) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL) return luaL_error(L, "a metatable with __gc is not allowed");
    lua_pop(L, 1);
  }
  lua_setmetatable(L, 1);
  return 1;
}

static int base_tonumber(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING) clh_charge_bytes(L, lua_rawlen(L, 1));
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int load_failure(lua_State *L, const char *message) {
  lua_pushnil(L);
  lua_pushstring(L, message);
  return 2;
}

// Text only, from a string only, into the run's environment or a given table.
static int base_load(lua_State *L) {
  size_t length;
  luaL_checktype(L, 1, LUA_TSTRING);
  const char *chunk = lua_tolstring(L, 1, &length);
  const char *name = luaL_optstring(L, 2, "load");
  const char *mode = luaL_optstring(L, 3, "t");
  bool has_environment = !lua_isnone(L, 4);
  lua_settop(L, 4);
  if (strchr(mode, 't') == NULL) return load_failure(L, "only text can be loaded");
  if (length > CHUNK_BYTES_MAX) return load_failure(L, "chunk is too large");
  clh_charge(L, length * UNITS_PER_CHUNK_BYTE);
  // A name that starts with '=' can pass for no script of the host's.
  lua_pushfstring(L, "=(%s)", name[0] == '=' || name[0] == '@' ? name + 1 : name);
  int status = luaL_loadbufferx(L, chunk, length, lua_tostring(L, -1), "t");
  if (status != LUA_OK) {
    clh_after_error(L, status);
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  if (has_environment) {
    lua_pushvalue(L, 4);
  } else {
    lua_rawgeti(L, LUA_REGISTRYINDEX, clh_state_of(L)->current->run->env_ref);
  }
  if (lua_setupvalue(L, -2, 1) == NULL) lua_pop(L, 1);
  return 1;
}

// Stack: [globals] -> [globals].
void clh_open_base(lua_State *L) {
  static const char *const stock[] = {
      "assert", "error", "getmetatable", "ipairs", "rawequal", "select", "tostring", "type", "_VERSION",
  };
  static const luaL_Reg own[] = {
      {"load", base_load},     {"next", base_next},     {"pairs", base_pairs},
      {"pcall", base_pcall},   {"rawget", base_rawget}, {"rawlen", base_rawlen},
      {"rawset", base_rawset}, {"require", clh_require}, {"setmetatable", base_setmetatable},
      {"xpcall", base_xpcall}, {NULL, NULL},
  };
  lua_pushcfunction(L, luaopen_base);
  lua_call(L, 0, 1);
  for (size_t i = 0; i < sizeof stock / sizeof *stock; i++) {
    lua_getfield(L, -1, stock[i]);
    lua_setfield(L, -3, stock[i]);
  }
  lua_getfield(L, -1, "tonumber");
  lua_pushcclosure(L, base_tonumber, 1);
  lua_setfield(L, -3, "tonumber");
  lua_pop(L, 1);
  luaL_setfuncs(L, own, 0);
}
