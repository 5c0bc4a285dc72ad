// SPDX-License-Identifier: Apache-2.0
#include "plain.h"

#include <string.h>

size_t fuzz_units_left;
bool fuzz_over_budget;
long fuzz_growths_left = -1;

void clh_probe_charge(lua_State *L, size_t units) {
  if (fuzz_units_left == 0) return;
  if (units >= fuzz_units_left) {
    fuzz_over_budget = true;
    luaL_error(L, "over budget");
  }
  fuzz_units_left -= units;
}

static void *allocate(void *context, void *block, size_t old_size, size_t size) {
  (void)context;
  if (size == 0) {
    free(block);
    return NULL;
  }
  if (block == NULL || size > old_size) {
    if (fuzz_growths_left == 0) return NULL;
    if (fuzz_growths_left > 0) fuzz_growths_left--;
  }
  return realloc(block, size);
}

lua_State *fuzz_plain_open(void) {
  lua_State *L = lua_newstate(allocate, NULL);
  FUZZ_CHECK(L != NULL, "no state");
  memset(lua_getextraspace(L), 0, LUA_EXTRASPACE);
  return L;
}

static bool same_tables(lua_State *L, int left, int right) {
  if (clh_json_is_array(L, left) != clh_json_is_array(L, right)) return false;
  luaL_checkstack(L, 8, NULL);
  size_t members = 0;
  lua_pushnil(L);
  while (lua_next(L, left)) {
    lua_pushvalue(L, -2);
    lua_rawget(L, right);
    bool same = fuzz_same(L, lua_gettop(L) - 1, lua_gettop(L));
    lua_pop(L, 2);
    if (!same) {
      lua_pop(L, 1);
      return false;
    }
    members++;
  }
  lua_pushnil(L);
  while (lua_next(L, right)) {
    lua_pop(L, 1);
    members--;
  }
  return members == 0;
}

bool fuzz_same(lua_State *L, int left, int right) {
  int type = lua_type(L, left);
  if (type != lua_type(L, right)) return false;
  if (type == LUA_TTABLE) return same_tables(L, left, right);
  if (type != LUA_TNUMBER) return lua_rawequal(L, left, right);
  if (lua_isinteger(L, left) != lua_isinteger(L, right)) return false;
  if (lua_isinteger(L, left)) return lua_tointeger(L, left) == lua_tointeger(L, right);
  double a = lua_tonumber(L, left), b = lua_tonumber(L, right);
  return memcmp(&a, &b, sizeof a) == 0;
}
