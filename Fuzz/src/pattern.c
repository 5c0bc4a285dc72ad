// SPDX-License-Identifier: Apache-2.0
// The pattern functions against stock Lua's: results, captures and error messages have to be the same.
//
// An input is: function and options, start, count, and then three texts with a newline between them: pattern,
// replacement, subject. Stock Lua runs only where ours came to its end within a small budget.
#include <string.h>

#include "plain.h"

#define PATTERN_BYTES_MAX 40
#define SUBJECT_BYTES_MAX 64
#define UNITS_MAX 20000
#define MATCHES_MAX 40

enum { FIND, MATCH, GMATCH, GSUB, FUNCTIONS };
static const char *const names[] = {"find", "match", "gmatch", "gsub"};

struct text {
  const char *bytes;
  size_t length;
};

static lua_State *L;
static int function, options, start, count;
static struct text pattern, replacement, subject;

static struct text next_text(const uint8_t **data, size_t *size, size_t most, bool is_last) {
  const uint8_t *bytes = *data;
  const uint8_t *stop = is_last || *size == 0 ? NULL : memchr(bytes, '\n', *size);
  size_t length = stop == NULL ? *size : (size_t)(stop - bytes);
  size_t used = stop == NULL ? length : length + 1;
  *data += used;
  *size -= used;
  return (struct text){(const char *)bytes, length < most ? length : most};
}

// gsub's function: what it returns depends on the options.
static int replace(lua_State *state) {
  switch (options >> 4 & 7) {
    case 0: return 1;
    case 1: lua_pushboolean(state, 0); return 1;
    case 2: return 0;
    case 3: lua_pushinteger(state, lua_gettop(state)); return 1;
    case 4: lua_settop(state, 2); return 1;
    case 5: lua_pushnumber(state, 0.5); return 1;
    case 6: lua_newtable(state); return 1;
    default: return luaL_error(state, "no replacement");
  }
}

static void push_replacement(lua_State *state) {
  switch (options >> 2 & 3) {
    case 1:
      lua_pushcfunction(state, replace);
      break;
    case 2:
      lua_newtable(state);
      lua_pushlstring(state, replacement.bytes, replacement.length);
      lua_setfield(state, -2, "a");
      lua_pushboolean(state, 0);
      lua_setfield(state, -2, "b");
      lua_pushinteger(state, 7);
      lua_rawseti(state, -2, 1);
      break;
    default: lua_pushlstring(state, replacement.bytes, replacement.length);
  }
}

// Stack: [library] -> [results...].
static int run(lua_State *state) {
  luaL_checkstack(state, MATCHES_MAX * 34, NULL);
  lua_getfield(state, 1, names[function]);
  lua_pushlstring(state, subject.bytes, subject.length);
  lua_pushlstring(state, pattern.bytes, pattern.length);
  bool has_start = start != 0;
  switch (function) {
    case GSUB:
      push_replacement(state);
      if (count != 0) lua_pushinteger(state, count);
      lua_call(state, count != 0 ? 4 : 3, LUA_MULTRET);
      break;
    case GMATCH: {
      if (has_start) lua_pushinteger(state, start);
      lua_call(state, has_start ? 3 : 2, 1);
      int step = lua_gettop(state);
      for (int i = 0; i < MATCHES_MAX; i++) {
        int top = lua_gettop(state);
        lua_pushvalue(state, step);
        lua_call(state, 0, LUA_MULTRET);
        if (lua_gettop(state) == top || lua_isnil(state, top + 1)) break;
      }
      lua_remove(state, step);
      break;
    }
    default:
      lua_pushinteger(state, has_start ? start : 1);
      lua_pushboolean(state, function == FIND && (options & 4) != 0);
      lua_call(state, 4, LUA_MULTRET);
  }
  return lua_gettop(state) - 1;
}

static int run_library(const char *library) {
  lua_pushcfunction(L, run);
  lua_getfield(L, LUA_REGISTRYINDEX, library);
  return lua_pcall(L, 1, LUA_MULTRET, 0);
}

static void show(const char *whose, int status, int first, int last) {
  fprintf(stderr, "%s: status %d", whose, status);
  for (int i = first; i <= last; i++) {
    size_t length;
    const char *text = luaL_tolstring(L, i, &length);
    fprintf(stderr, ", %s \"%.*s\"", luaL_typename(L, i), (int)length, text);
    lua_pop(L, 1);
  }
  fputc('\n', stderr);
}

static void open(void) {
  L = fuzz_plain_open();
  lua_pushcfunction(L, luaopen_string);
  lua_call(L, 0, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "stock");
  clh_open_string(L);
  lua_setfield(L, LUA_REGISTRYINDEX, "own");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3) return 0;
  if (L == NULL) open();
  lua_settop(L, 0);
  function = data[0] % FUNCTIONS;
  options = data[0];
  start = (int8_t)data[1];
  count = (int8_t)data[2];
  data += 3;
  size -= 3;
  pattern = next_text(&data, &size, PATTERN_BYTES_MAX, false);
  replacement = next_text(&data, &size, PATTERN_BYTES_MAX, false);
  subject = next_text(&data, &size, SUBJECT_BYTES_MAX, true);

  fuzz_units_left = UNITS_MAX;
  fuzz_over_budget = false;
  int own = run_library("own");
  int own_last = lua_gettop(L);
  fuzz_units_left = 0;
  if (!fuzz_over_budget) {
    int stock = run_library("stock");
    int stock_last = lua_gettop(L);
    bool same = own == stock && stock_last == 2 * own_last;
    for (int i = 1; same && i <= own_last; i++) same = fuzz_same(L, i, own_last + i);
    if (!same) {
      fprintf(stderr, "%s, pattern \"%.*s\", replacement \"%.*s\", subject \"%.*s\", start %d, count %d\n",
              names[function], (int)pattern.length, pattern.bytes, (int)replacement.length, replacement.bytes,
              (int)subject.length, subject.bytes, start, count);
      show("own", own, 1, own_last);
      show("stock", stock, own_last + 1, stock_last);
    }
    FUZZ_CHECK(same, "another outcome than stock Lua's");
  }
  lua_settop(L, 0);
  lua_gc(L, LUA_GCSTEP, 10);
  return 0;
}
