// SPDX-License-Identifier: Apache-2.0
// The utf8 library, charged by the bytes it touches. Source of the interface: Lua 5.4 manual, 6.5.
#include <limits.h>
#include <stdint.h>

#include "charge.h"

#define LAX_MAX 0x7fffffffu

static const char invalid_message[] = "invalid UTF-8 code";

static inline bool is_continuation(char byte) { return ((unsigned char)byte & 0xc0) == 0x80; }

// Reads one character before `end`; returns the byte after it, or NULL when it is not well formed.
static const char *read_character(const char *at, const char *end, bool lax, uint32_t *code) {
  static const uint32_t least[] = {0, 0x80, 0x800, 0x10000, 0x200000, 0x4000000};
  unsigned char lead = (unsigned char)*at++;
  if (lead < 0x80) {
    *code = lead;
    return at;
  }
  int following = lead >= 0xfc ? 5 : lead >= 0xf8 ? 4 : lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  if (lead < 0xc0 || lead >= 0xfe || end - at < following) return NULL;
  uint32_t value = lead & (0x3fu >> following);
  for (int i = 0; i < following; i++, at++) {
    if (!is_continuation(*at)) return NULL;
    value = value << 6 | ((unsigned char)*at & 0x3fu);
  }
  if (value < least[following]) return NULL;
  if (!lax && (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))) return NULL;
  *code = value;
  return at;
}

// A position from 1, counted from the end when negative; 0 when it lies before the start.
static lua_Integer absolute(lua_Integer position, size_t length) {
  if (position >= 0) return position;
  return (size_t)0 - (size_t)position > length ? 0 : (lua_Integer)length + position + 1;
}

static int character(lua_State *L) {
  int count = lua_gettop(L);
  clh_charge(L, 1 + (size_t)count);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (int argument = 1; argument <= count; argument++) {
    lua_Unsigned code = (lua_Unsigned)luaL_checkinteger(L, argument);
    luaL_argcheck(L, code <= LAX_MAX, argument, "value out of range");
    lua_pushfstring(L, "%U", (long)code);
    luaL_addvalue(&buffer);
  }
  luaL_pushresult(&buffer);
  return 1;
}

static int codepoint(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer first = absolute(luaL_optinteger(L, 2, 1), length);
  lua_Integer last = absolute(luaL_optinteger(L, 3, first), length);
  bool lax = lua_toboolean(L, 4);
  luaL_argcheck(L, first >= 1, 2, "out of bounds");
  luaL_argcheck(L, last <= (lua_Integer)length, 3, "out of bounds");
  if (first > last) return 0;
  if (last - first >= INT_MAX) return luaL_error(L, "string slice too long");
  clh_charge(L, 1 + (size_t)(last - first));
  luaL_checkstack(L, (int)(last - first) + 1, "string slice too long");
  int count = 0;
  for (const char *at = text + first - 1, *stop = text + last; at < stop; count++) {
    uint32_t code;
    at = read_character(at, text + length, lax, &code);
    if (at == NULL) return luaL_error(L, invalid_message);
    lua_pushinteger(L, code);
  }
  return count;
}

static int length_of(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer first = absolute(luaL_optinteger(L, 2, 1), length);
  lua_Integer last = absolute(luaL_optinteger(L, 3, -1), length);
  bool lax = lua_toboolean(L, 4);
  luaL_argcheck(L, first >= 1 && first - 1 <= (lua_Integer)length, 2, "initial position out of bounds");
  luaL_argcheck(L, last - 1 < (lua_Integer)length, 3, "final position out of bounds");
  clh_charge(L, 1 + (last > first ? (size_t)(last - first) / 4 : 0));
  lua_Integer count = 0;
  for (const char *at = text + first - 1, *stop = text + last; at < stop; count++) {
    uint32_t code;
    const char *next = read_character(at, text + length, lax, &code);
    if (next == NULL) {
      luaL_pushfail(L);
      lua_pushinteger(L, at - text + 1);
      return 2;
    }
    at = next;
  }
  lua_pushinteger(L, count);
  return 1;
}

static int offset(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer n = luaL_checkinteger(L, 2);
  lua_Integer start = absolute(luaL_optinteger(L, 3, n >= 0 ? 1 : (lua_Integer)length + 1), length);
  luaL_argcheck(L, start >= 1 && start - 1 <= (lua_Integer)length, 3, "position out of bounds");
  const char *from = text + start - 1, *at = from, *end = text + length;
  if (n == 0) {
    while (at > text && is_continuation(*at)) at--;
  } else {
    if (is_continuation(*at)) return luaL_error(L, "initial position is a continuation byte");
    if (n < 0) {
      while (n < 0 && at > text) {
        do at--;
        while (at > text && is_continuation(*at));
        n++;
      }
    } else {
      n--;
      while (n > 0 && at < end) {
        // The zero byte behind every Lua string stops this.
        do at++;
        while (is_continuation(*at));
        n--;
      }
    }
  }
  clh_charge(L, 1 + (size_t)(at < from ? from - at : at - from) / 4);
  if (n == 0)
    lua_pushinteger(L, at - text + 1);
  else
    luaL_pushfail(L);
  return 1;
}

// Stack: [text, position of the last character or 0] -> [position, code] or [].
static int step(lua_State *L, bool lax) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Unsigned position = (lua_Unsigned)lua_tointeger(L, 2);
  if (position >= length) return 0;
  const char *at = text + position, *end = text + length;
  while (is_continuation(*at)) at++;
  clh_charge(L, 1 + (size_t)(at - text - (ptrdiff_t)position) / 4);
  if (at >= end) return 0;
  uint32_t code;
  const char *next = read_character(at, end, lax, &code);
  if (next == NULL || is_continuation(*next)) return luaL_error(L, invalid_message);
  lua_pushinteger(L, at - text + 1);
  lua_pushinteger(L, code);
  return 2;
}

static int step_strict(lua_State *L) { return step(L, false); }

static int step_lax(lua_State *L) { return step(L, true); }

static int codes(lua_State *L) {
  bool lax = lua_toboolean(L, 2);
  const char *text = luaL_checkstring(L, 1);
  luaL_argcheck(L, !is_continuation(*text), 1, invalid_message);
  lua_pushcfunction(L, lax ? step_lax : step_strict);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

static const luaL_Reg functions[] = {
    {"char", character}, {"codepoint", codepoint}, {"codes", codes},
    {"len", length_of},  {"offset", offset},       {NULL, NULL},
};

int clh_open_utf8(lua_State *L) {
  luaL_newlib(L, functions);
  lua_pushlstring(L, "[\0-\x7F\xC2-\xFD][\x80-\xBF]*", 14);
  lua_setfield(L, -2, "charpattern");
  return 1;
}
