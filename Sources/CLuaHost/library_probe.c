// SPDX-License-Identifier: Apache-2.0
#include "clh_library_probe.h"

#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "charge.h"

// Of the probe that runs on this thread.
static _Thread_local long units_charged, units_max;

void clh_probe_charge(lua_State *L, size_t units) {
  if (units_max == 0) return;
  units_charged += (long)units;
  if (units_charged > units_max) luaL_error(L, "over budget");
}

struct script {
  const char *text;
  size_t length;
};

// Stack: [stock] -> [stock]. Not entered as loaded, so that messages name the functions of both kinds alike.
static void open_stock(lua_State *L, const char *name, lua_CFunction opener) {
  lua_pushcfunction(L, opener);
  lua_call(L, 0, 1);
  lua_setfield(L, -2, name);
}

static int open_and_run(lua_State *L) {
  const struct script *script = lua_touserdata(L, 1);
  luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
  luaL_requiref(L, LUA_COLIBNAME, luaopen_coroutine, 1);
  luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
  lua_newtable(L);
  open_stock(L, LUA_STRLIBNAME, luaopen_string);
  open_stock(L, LUA_TABLIBNAME, luaopen_table);
  open_stock(L, LUA_UTF8LIBNAME, luaopen_utf8);
  lua_setglobal(L, "stock");
  clh_open_string(L);
  lua_setglobal(L, "string");
  clh_open_table(L);
  lua_setglobal(L, "table");
  clh_open_utf8(L);
  lua_setglobal(L, "utf8");
  clh_open_json(L);
  lua_setglobal(L, "json");
  if (luaL_loadbufferx(L, script->text, script->length, "=probe", "t") != LUA_OK) return lua_error(L);
  lua_call(L, 0, 1);
  luaL_tolstring(L, -1, NULL);
  return 1;
}

int clh_probe(const char *script, size_t length, long budget_units, char **out, long *units) {
  *out = NULL;
  lua_State *L = luaL_newstate();
  if (L == NULL) return 1;
  // No run: charges come to this file.
  memset(lua_getextraspace(L), 0, LUA_EXTRASPACE);
  units_charged = 0;
  units_max = budget_units;
  struct script parts = {.text = script, .length = length};
  lua_pushcfunction(L, open_and_run);
  lua_pushlightuserdata(L, &parts);
  int status = lua_pcall(L, 1, 1, 0);
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "(error object is no string)";
  *out = strdup(text);
  if (units != NULL) *units = units_charged;
  units_max = 0;
  lua_close(L);
  return status != LUA_OK;
}

void clh_probe_free(char *out) { free(out); }
