// SPDX-License-Identifier: Apache-2.0
// What scripts find as globals: read-only views of the libraries, and one environment per run.
#include <lualib.h>
#include <string.h>

#include "state.h"

#define PROXY_DEPTH_MAX 16

static int refuse_write(lua_State *L) {
  return clh_error(L, "%s is read-only", lua_tostring(L, lua_upvalueindex(1)));
}

static int proxy_length(lua_State *L) {
  clh_resolve_proxy(L, 1);
  lua_pushinteger(L, luaL_len(L, 1));
  return 1;
}

// Copies a metamethod that does not change the table. Stack: [..., table's metatable, proxy's metatable].
static void keep_metafield(lua_State *L, const char *field) {
  lua_getfield(L, -2, field);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
  } else {
    lua_setfield(L, -2, field);
  }
}

// Pushes an empty table and the metatable of a read-only view, which still lacks __index and the target.
static void push_view(lua_State *L, const char *name) {
  lua_newtable(L);
  lua_createtable(L, 0, 8);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pushcfunction(L, proxy_length);
  lua_setfield(L, -2, "__len");
  lua_pushstring(L, name);
  lua_pushcclosure(L, refuse_write, 1);
  lua_setfield(L, -2, "__newindex");
}

static void push_readonly(lua_State *L, int index, const char *name, int depth);

// Replaces the tables in the table at `index` by proxies.
static void deepen(lua_State *L, int index, const char *name, int depth) {
  if (depth == 0) clh_error(L, "%s nests too deeply", name);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    if (lua_istable(L, -1)) {
      push_readonly(L, lua_gettop(L), name, depth - 1);
      lua_pushvalue(L, -3);
      lua_insert(L, -2);      // [key, value, key, proxy]
      lua_rawset(L, index);   // an existing key, so that the traversal goes on
    }
    lua_pop(L, 1);
  }
}

static void push_readonly(lua_State *L, int index, const char *name, int depth) {
  luaL_checkstack(L, 10, NULL);
  if (luaL_getmetafield(L, index, CLH_TARGET_FIELD) != LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushvalue(L, index);
    return;
  }
  if (depth > 0) deepen(L, index, name, depth);
  push_view(L, name);
  lua_pushvalue(L, index);
  lua_setfield(L, -2, "__index");
  lua_pushvalue(L, index);
  lua_setfield(L, -2, CLH_TARGET_FIELD);
  if (lua_getmetatable(L, index)) {
    lua_insert(L, -2);
    keep_metafield(L, "__call");
    keep_metafield(L, "__tostring");
    keep_metafield(L, "__name");
    lua_remove(L, -2);
  }
  lua_setmetatable(L, -2);
}

void clh_push_readonly(lua_State *L, int index, const char *name, bool deep) {
  push_readonly(L, lua_absindex(L, index), name, deep ? PROXY_DEPTH_MAX : 0);
}

int clh_complete(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_call(L, 0, 1);
  return 1;
}

void clh_push_lazy(lua_State *L, const char *name) {
  luaL_checkstack(L, 6, NULL);
  push_view(L, name);
  lua_rotate(L, -5, 2);  // [table, metatable, index, complete, pairs]
  lua_setfield(L, -4, "__pairs");
  lua_pushcclosure(L, clh_complete, 1);
  lua_setfield(L, -3, CLH_TARGET_FIELD);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

static uint64_t rotate_left(uint64_t value, int by) { return (value << by) | (value >> (64 - by)); }

// xoshiro256**, one generator per fiber: what a branch draws does not depend on its neighbours. Source: https://prng.di.unimi.it (public domain).
static uint64_t random_next(uint64_t state[4]) {
  uint64_t result = rotate_left(state[1] * 5, 7) * 9;
  uint64_t moved = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= moved;
  state[3] = rotate_left(state[3], 45);
  return result;
}

void clh_random_seed(uint64_t state[4], uint64_t high, uint64_t low) {
  state[0] = high;
  state[1] = 0xff;
  state[2] = low;
  state[3] = 0;
  for (int i = 0; i < 16; i++) random_next(state);
}

// A value in 0...limit without bias: draws until one fits under the mask.
static uint64_t random_below(uint64_t state[4], uint64_t limit) {
  uint64_t mask = limit;
  for (int shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
  uint64_t value;
  do {
    value = random_next(state) & mask;
  } while (value > limit);
  return value;
}

static uint64_t *random_state(lua_State *L) { return clh_state_of(L)->current->random; }

static int math_random(lua_State *L) {
  uint64_t *state = random_state(L);
  lua_Integer low = 1, high;
  switch (lua_gettop(L)) {
    case 0:
      lua_pushnumber(L, (lua_Number)(random_next(state) >> 11) * 0x1p-53);
      return 1;
    case 1:
      high = luaL_checkinteger(L, 1);
      if (high == 0) {
        lua_pushinteger(L, (lua_Integer)random_next(state));
        return 1;
      }
      break;
    case 2:
      low = luaL_checkinteger(L, 1);
      high = luaL_checkinteger(L, 2);
      break;
    default:
      return clh_error(L, "wrong number of arguments");
  }
  luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
  uint64_t offset = random_below(state, (uint64_t)high - (uint64_t)low);
  lua_pushinteger(L, (lua_Integer)(offset + (uint64_t)low));
  return 1;
}

static int math_randomseed(lua_State *L) {
  lua_Integer high = 0;
  if (lua_isinteger(L, 1)) {
    high = lua_tointeger(L, 1);
  } else if (!lua_isnone(L, 1)) {
    lua_Number number = luaL_checknumber(L, 1);
    memcpy(&high, &number, sizeof high);
  }
  clh_random_seed(random_state(L), (uint64_t)high, (uint64_t)luaL_optinteger(L, 2, 0));
  return 0;
}

// The run's own Lua time, in seconds: the process's would tell of its neighbours.
static int os_clock(lua_State *L) {
  struct clh_state *state = clh_state_of(L);
  int64_t used = clh_used_ns(state->current->run) + clh_slice_cpu(state);
  lua_pushnumber(L, (lua_Number)used / 1e9);
  return 1;
}

static int os_date(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING) clh_charge(L, lua_rawlen(L, 1) * 8);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// Stack: [globals] -> [globals, os].
static void open_os(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, luaopen_os);
  lua_call(L, 0, 1);
  lua_getfield(L, -1, "time");
  lua_setfield(L, -3, "time");
  lua_getfield(L, -1, "difftime");
  lua_setfield(L, -3, "difftime");
  lua_getfield(L, -1, "date");
  lua_pushcclosure(L, os_date, 1);
  lua_setfield(L, -3, "date");
  lua_pop(L, 1);
  lua_pushcfunction(L, os_clock);
  lua_setfield(L, -2, "clock");
}

// Stack: [globals] -> [globals].
void clh_open_sandbox(lua_State *L) {
  clh_open_string(L);
  lua_setfield(L, -2, "string");
  clh_open_table(L);
  lua_setfield(L, -2, "table");
  clh_open_utf8(L);
  lua_setfield(L, -2, "utf8");
  clh_open_json(L);
  lua_setfield(L, -2, "json");
  clh_open_coroutine(L);
  lua_setfield(L, -2, "coroutine");
  lua_pushcfunction(L, luaopen_math);
  lua_call(L, 0, 1);
  lua_pushcfunction(L, math_random);
  lua_setfield(L, -2, "random");
  lua_pushcfunction(L, math_randomseed);
  lua_setfield(L, -2, "randomseed");
  lua_setfield(L, -2, "math");
  open_os(L);
  lua_setfield(L, -2, "os");
}

static int refuse_global(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING) {
    return clh_error(L, "assignment to global '%s': use local", lua_tostring(L, 2));
  }
  return clh_error(L, "assignment to a global: use local");
}

static int seal(lua_State *L) {
  lua_settop(L, 0);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &clh_key_globals);
  lua_newtable(L);  // [globals, sealed]
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    if (lua_istable(L, -1)) {
      const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "the table";
      clh_push_readonly(L, -1, name, true);
      lua_replace(L, -2);
    }
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, 2);
  }
  lua_createtable(L, 0, 4);
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "__index");
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, CLH_TARGET_FIELD);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pushcfunction(L, refuse_global);
  lua_setfield(L, -2, "__newindex");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &clh_key_env_meta);
  return 0;
}

bool clh_state_seal(struct clh_state *state) { return clh_boot(state, seal, NULL); }
