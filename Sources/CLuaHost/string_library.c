// SPDX-License-Identifier: Apache-2.0
// The string library: own search and `rep`, stock functions behind charges for the rest, no `dump`.
#include <lualib.h>
#include <string.h>

#include "charge.h"
#include "string_search.h"

// Units for one value that `format` or `pack` converts.
#define UNITS_PER_CONVERSION 16

// Calls the stock function kept in the first upvalue with the same arguments; `len` needs no more.
static int call_stock(lua_State *L) { return lua_tocfunction(L, lua_upvalueindex(1))(L); }

// Sum of the lengths of the strings at `first` to the top.
static size_t string_bytes(lua_State *L, int first) {
  size_t bytes = 0;
  for (int index = first; index <= lua_gettop(L); index++)
    if (lua_type(L, index) == LUA_TSTRING) bytes += lua_rawlen(L, index);
  return bytes;
}

// Charges what the stock function returns.
static int call_and_charge_results(lua_State *L) {
  int count = call_stock(L);
  clh_charge_bytes(L, (size_t)count * CLH_BYTES_PER_UNIT + string_bytes(L, lua_gettop(L) - count + 1));
  return count;
}

// byte, char, sub: the work is in the arguments and results, not in the whole subject.
static int call_slice(lua_State *L) {
  clh_charge(L, (size_t)lua_gettop(L));
  return call_and_charge_results(L);
}

// lower, upper, reverse
static int call_whole(lua_State *L) {
  clh_charge_bytes(L, string_bytes(L, 1));
  return call_and_charge_results(L);
}

// unpack, packsize: the format is read byte by byte.
static int call_format(lua_State *L) {
  clh_charge(L, 1 + (lua_type(L, 1) == LUA_TSTRING ? lua_rawlen(L, 1) : 0));
  return call_and_charge_results(L);
}

// format, pack
static int call_conversion(lua_State *L) {
  clh_charge_bytes(L, string_bytes(L, 2) + (size_t)lua_gettop(L) * UNITS_PER_CONVERSION * CLH_BYTES_PER_UNIT);
  return call_format(L);
}

static int rep(lua_State *L) {
  size_t length, separator_length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer count = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &separator_length);
  size_t period = length + separator_length;
  if (count <= 0 || period == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  if ((size_t)count - 1 > CLH_STRING_BYTES_MAX / period) return luaL_error(L, "resulting string too large");
  size_t total = (size_t)count * period - separator_length;
  if (total > CLH_STRING_BYTES_MAX) return luaL_error(L, "resulting string too large");
  clh_charge_bytes(L, total);
  luaL_Buffer buffer;
  char *bytes = luaL_buffinitsize(L, &buffer, total);
  memcpy(bytes, text, length);
  if (count > 1) memcpy(bytes + length, separator, separator_length);
  // What is there is copied behind itself: the text repeats, whole periods or not.
  for (size_t filled = period; filled < total;) {
    size_t part = filled < total - filled ? filled : total - filled;
    memcpy(bytes + filled, bytes, part);
    filled += part;
  }
  luaL_pushresultsize(&buffer, total);
  return 1;
}

static const luaL_Reg own_functions[] = {
    {"find", clh_string_find},
    {"gmatch", clh_string_gmatch},
    {"gsub", clh_string_gsub},
    {"match", clh_string_match},
    {"rep", rep},
    {NULL, NULL},
};

// Each takes the stock function of the same name as its upvalue.
static const luaL_Reg charged_functions[] = {
    {"byte", call_slice},
    {"char", call_slice},
    {"format", call_conversion},
    {"len", call_stock},
    {"lower", call_whole},
    {"pack", call_conversion},
    {"packsize", call_format},
    {"reverse", call_whole},
    {"sub", call_slice},
    {"unpack", call_format},
    {"upper", call_whole},
    {NULL, NULL},
};

int clh_open_string(lua_State *L) {
  luaL_checkstack(L, 6, NULL);
  // The stock opener also makes the string metatable with its arithmetic, which stays.
  lua_pushcfunction(L, luaopen_string);
  lua_call(L, 0, 1);
  luaL_newlib(L, own_functions);
  for (const luaL_Reg *entry = charged_functions; entry->name != NULL; entry++) {
    lua_getfield(L, -2, entry->name);
    lua_pushcclosure(L, entry->func, 1);
    lua_setfield(L, -2, entry->name);
  }
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 2);
  lua_remove(L, -2);
  return 1;
}
