// SPDX-License-Identifier: Apache-2.0
// The table library, charged per element so that a false `__len` costs budget, not time.
// Source: Lua 5.4 manual, 6.6. Metamethods are respected, as there.
#include <limits.h>

#include "charge.h"
#include "table_sort.h"

// Elements between two charges.
#define ELEMENTS_PER_CHARGE 256

// Counts one element of a loop.
static inline void tick(lua_State *L, unsigned *elements) {
  if (++*elements % ELEMENTS_PER_CHARGE == 0) clh_charge(L, ELEMENTS_PER_CHARGE);
}

static bool has_metafield(lua_State *L, int metatable, const char *name) {
  lua_pushstring(L, name);
  bool has = lua_rawget(L, metatable) != LUA_TNIL;
  lua_pop(L, 1);
  return has;
}

void clh_check_list(lua_State *L, int argument, int access) {
  if (lua_type(L, argument) == LUA_TTABLE) return;
  // Anything else may act as a table by its metamethods.
  if (lua_getmetatable(L, argument)) {
    int metatable = lua_gettop(L);
    if ((!(access & CLH_LIST_READ) || has_metafield(L, metatable, "__index")) &&
        (!(access & CLH_LIST_WRITE) || has_metafield(L, metatable, "__newindex")) &&
        (!(access & CLH_LIST_LENGTH) || has_metafield(L, metatable, "__len"))) {
      lua_pop(L, 1);
      return;
    }
  }
  luaL_checktype(L, argument, LUA_TTABLE);
}

static int concat(lua_State *L) {
  clh_check_list(L, 1, CLH_LIST_READ | CLH_LIST_LENGTH);
  lua_Integer length = luaL_len(L, 1);
  size_t separator_length;
  const char *separator = luaL_optlstring(L, 2, "", &separator_length);
  lua_Integer first = luaL_optinteger(L, 3, 1);
  lua_Integer last = luaL_optinteger(L, 4, length);
  clh_charge(L, 1);
  unsigned elements = 0;
  size_t charged = 0;
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (lua_Integer index = first; index <= last; index++) {
    lua_geti(L, 1, index);
    if (!lua_isstring(L, -1))
      return luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1),
                        (LUAI_UACINT)index);
    luaL_addvalue(&buffer);
    if (index < last) luaL_addlstring(&buffer, separator, separator_length);
    if (luaL_bufflen(&buffer) > CLH_STRING_BYTES_MAX) return luaL_error(L, "resulting string too large");
    tick(L, &elements);
    if (luaL_bufflen(&buffer) - charged > 4096) {
      clh_charge_bytes(L, luaL_bufflen(&buffer) - charged);
      charged = luaL_bufflen(&buffer);
    }
    if (index == LUA_MAXINTEGER) break;
  }
  luaL_pushresult(&buffer);
  return 1;
}

static int insert(lua_State *L) {
  clh_check_list(L, 1, CLH_LIST_READ | CLH_LIST_WRITE | CLH_LIST_LENGTH);
  lua_Integer end = (lua_Integer)((lua_Unsigned)luaL_len(L, 1) + 1);
  lua_Integer position = end;
  clh_charge(L, 1);
  switch (lua_gettop(L)) {
    case 2: break;
    case 3: {
      position = luaL_checkinteger(L, 2);
      luaL_argcheck(L, (lua_Unsigned)position - 1u < (lua_Unsigned)end, 2, "position out of bounds");
      unsigned elements = 0;
      for (lua_Integer index = end; index > position; index--) {
        lua_geti(L, 1, index - 1);
        lua_seti(L, 1, index);
        tick(L, &elements);
      }
      break;
    }
    default: return luaL_error(L, "wrong number of arguments to 'insert'");
  }
  lua_seti(L, 1, position);
  return 0;
}

static int list_remove(lua_State *L) {
  clh_check_list(L, 1, CLH_LIST_READ | CLH_LIST_WRITE | CLH_LIST_LENGTH);
  lua_Integer size = luaL_len(L, 1);
  lua_Integer position = luaL_optinteger(L, 2, size);
  clh_charge(L, 1);
  // The size itself is a valid position even when it is 0.
  if (position != size)
    luaL_argcheck(L, (lua_Unsigned)position - 1u <= (lua_Unsigned)size, 2, "position out of bounds");
  lua_geti(L, 1, position);
  unsigned elements = 0;
  for (; position < size; position++) {
    lua_geti(L, 1, position + 1);
    lua_seti(L, 1, position);
    tick(L, &elements);
  }
  lua_pushnil(L);
  lua_seti(L, 1, position);
  return 1;
}

static int move(lua_State *L) {
  lua_Integer first = luaL_checkinteger(L, 2);
  lua_Integer last = luaL_checkinteger(L, 3);
  lua_Integer to = luaL_checkinteger(L, 4);
  int target = lua_isnoneornil(L, 5) ? 1 : 5;
  clh_check_list(L, 1, CLH_LIST_READ);
  clh_check_list(L, target, CLH_LIST_WRITE);
  clh_charge(L, 1);
  if (last >= first) {
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
    lua_Integer count = last - first + 1;
    luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
    // Where the ranges overlap and the target lies behind, the last element goes first.
    bool backward = to > first && to <= last && (target == 1 || lua_compare(L, 1, target, LUA_OPEQ));
    unsigned elements = 0;
    for (lua_Integer step = 0; step < count; step++) {
      lua_Integer offset = backward ? count - 1 - step : step;
      lua_geti(L, 1, first + offset);
      lua_seti(L, target, to + offset);
      tick(L, &elements);
    }
  }
  lua_pushvalue(L, target);
  return 1;
}

static int pack(lua_State *L) {
  int count = lua_gettop(L);
  clh_charge(L, 1 + (size_t)count);
  lua_createtable(L, count, 1);
  lua_insert(L, 1);
  for (int index = count; index >= 1; index--) lua_seti(L, 1, index);
  lua_pushinteger(L, count);
  lua_setfield(L, 1, "n");
  return 1;
}

static int unpack(lua_State *L) {
  lua_Integer first = luaL_optinteger(L, 2, 1);
  lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
  if (first > last) return 0;
  lua_Unsigned span = (lua_Unsigned)last - (lua_Unsigned)first;
  if (span >= INT_MAX || !lua_checkstack(L, (int)span + 1))
    return luaL_error(L, "too many results to unpack");
  clh_charge(L, 1 + (size_t)span);
  for (; first < last; first++) lua_geti(L, 1, first);
  lua_geti(L, 1, last);
  return (int)span + 1;
}

static const luaL_Reg functions[] = {
    {"concat", concat},
    {"insert", insert},
    {"move", move},
    {"pack", pack},
    {"remove", list_remove},
    {"sort", clh_table_sort},
    {"unpack", unpack},
    {NULL, NULL},
};

int clh_open_table(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
