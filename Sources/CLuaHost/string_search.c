// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE  // memmem
#include "string_search.h"

#include <string.h>

#include "charge.h"
#include "pattern.h"

// Offset from 0 of the optional start argument; `length + 1` when it lies behind the subject.
static size_t start_offset(lua_State *L, int argument, size_t length) {
  lua_Integer init = luaL_optinteger(L, argument, 1);
  if (init > 0) {
    size_t offset = (size_t)init - 1;
    return offset > length ? length + 1 : offset;
  }
  if (init == 0 || init < -(lua_Integer)length) return 0;
  return (size_t)((lua_Integer)length + init);
}

static bool has_specials(const char *pattern, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (pattern[i] != '\0' && strchr("^$*+?.([%-", pattern[i]) != NULL) return true;
  return false;
}

// Pushes the bounds of the first plain occurrence at or behind `from`.
static int find_plain(lua_State *L, const char *subject, size_t length, size_t from, const char *text,
                      size_t text_length) {
  size_t rest = length - from;
  const char *found = NULL;
  if (text_length == 0)
    found = subject + from;
  else if (text_length <= rest)
    found = memmem(subject + from, rest, text, text_length);
  clh_charge_bytes(L, found == NULL ? rest : (size_t)(found - subject) - from + text_length);
  if (found == NULL) {
    luaL_pushfail(L);
    return 1;
  }
  lua_pushinteger(L, found - subject + 1);
  lua_pushinteger(L, found - subject + (lua_Integer)text_length);
  return 2;
}

static int find_or_match(lua_State *L, bool find) {
  size_t length, pattern_length;
  const char *subject = luaL_checklstring(L, 1, &length);
  const char *pattern = luaL_checklstring(L, 2, &pattern_length);
  size_t from = start_offset(L, 3, length);
  if (from > length) {
    luaL_pushfail(L);
    return 1;
  }
  if (find && (lua_toboolean(L, 4) || !has_specials(pattern, pattern_length)))
    return find_plain(L, subject, length, from, pattern, pattern_length);
  bool anchored = pattern_length > 0 && *pattern == '^';
  struct clh_matcher matcher;
  struct clh_pattern_room room;
  clh_pattern_compile(&matcher, L, &room, pattern + anchored, pattern_length - anchored);
  clh_pattern_subject(&matcher, subject, length);
  const unsigned char *start = matcher.subject + from;
  const unsigned char *end =
      anchored ? clh_pattern_match(&matcher, start) : clh_pattern_search(&matcher, &start);
  clh_pattern_settle(&matcher);
  if (end == NULL) {
    luaL_pushfail(L);
    return 1;
  }
  if (!find) return clh_pattern_push_captures(&matcher, true, start, end);
  lua_pushinteger(L, start - matcher.subject + 1);
  lua_pushinteger(L, end - matcher.subject);
  return 2 + clh_pattern_push_captures(&matcher, false, start, end);
}

int clh_string_find(lua_State *L) { return find_or_match(L, true); }

int clh_string_match(lua_State *L) { return find_or_match(L, false); }

// MARK: - gmatch

struct iteration {
  struct clh_matcher matcher;
  const unsigned char *next;      // where the next match may start
  const unsigned char *last_end;  // an empty match may not follow here
};

// Upvalues: subject, pattern, iteration, compiled pattern. The first two only keep the bytes alive.
static int gmatch_step(lua_State *L) {
  struct iteration *iteration = lua_touserdata(L, lua_upvalueindex(3));
  struct clh_matcher *m = &iteration->matcher;
  m->L = L;
  const unsigned char *start = iteration->next;
  while (start <= m->end) {
    const unsigned char *end = clh_pattern_search(m, &start);
    if (end == NULL) break;
    if (end != iteration->last_end) {
      iteration->next = iteration->last_end = end;
      clh_pattern_settle(m);
      return clh_pattern_push_captures(m, true, start, end);
    }
    start++;
  }
  iteration->next = m->end + 1;
  clh_pattern_settle(m);
  return 0;
}

int clh_string_gmatch(lua_State *L) {
  size_t length, pattern_length;
  const char *subject = luaL_checklstring(L, 1, &length);
  const char *pattern = luaL_checklstring(L, 2, &pattern_length);
  size_t from = start_offset(L, 3, length);
  lua_settop(L, 2);
  struct iteration *iteration = lua_newuserdatauv(L, sizeof *iteration, 0);
  clh_pattern_compile(&iteration->matcher, L, NULL, pattern, pattern_length);
  clh_pattern_subject(&iteration->matcher, subject, length);
  iteration->next = iteration->matcher.subject + from;
  iteration->last_end = NULL;
  lua_pushcclosure(L, gmatch_step, 4);
  return 1;
}

// MARK: - gsub

static void check_size(lua_State *L, const luaL_Buffer *buffer) {
  if (luaL_bufflen(buffer) > CLH_STRING_BYTES_MAX) luaL_error(L, "resulting string too large");
}

static void add_bytes(luaL_Buffer *buffer, const unsigned char *start, const unsigned char *end) {
  luaL_addlstring(buffer, (const char *)start, (size_t)(end - start));
}

// Appends the replacement text with its %0 to %9 filled in.
static void add_template(struct clh_matcher *m, luaL_Buffer *buffer, const unsigned char *start,
                         const unsigned char *end) {
  size_t length;
  const char *text = lua_tolstring(m->L, 3, &length);
  const char *stop = text + length;
  m->steps += length / CLH_BYTES_PER_UNIT;
  for (const char *escape; (escape = memchr(text, '%', (size_t)(stop - text))) != NULL;) {
    luaL_addlstring(buffer, text, (size_t)(escape - text));
    char digit = escape + 1 < stop ? escape[1] : '\0';
    m->steps++;
    if (digit == '%') {
      luaL_addchar(buffer, '%');
    } else if (digit == '0') {
      add_bytes(buffer, start, end);
    } else if (digit >= '1' && digit <= '9') {
      clh_pattern_push_capture(m, digit - '1', start, end);
      luaL_addvalue(buffer);
    } else {
      luaL_error(m->L, "invalid use of '%c' in replacement string", '%');
    }
    text = escape + 2;
  }
  luaL_addlstring(buffer, text, (size_t)(stop - text));
}

// Appends what replaces the match from `start` to `end`. Returns false when the match stays as it is.
static bool add_replacement(struct clh_matcher *m, luaL_Buffer *buffer, int type, const unsigned char *start,
                            const unsigned char *end) {
  lua_State *L = m->L;
  switch (type) {
    case LUA_TFUNCTION: {
      lua_pushvalue(L, 3);
      lua_call(L, clh_pattern_push_captures(m, true, start, end), 1);
      break;
    }
    case LUA_TTABLE:
      clh_pattern_push_capture(m, 0, start, end);
      lua_gettable(L, 3);
      break;
    default: add_template(m, buffer, start, end); return true;
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    add_bytes(buffer, start, end);
    return false;
  }
  if (!lua_isstring(L, -1)) luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  m->steps += lua_rawlen(L, -1) / CLH_BYTES_PER_UNIT;
  luaL_addvalue(buffer);
  return true;
}

int clh_string_gsub(lua_State *L) {
  size_t length, pattern_length;
  const char *subject = luaL_checklstring(L, 1, &length);
  const char *pattern = luaL_checklstring(L, 2, &pattern_length);
  int type = lua_type(L, 3);
  if (type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TTABLE && type != LUA_TFUNCTION)
    return luaL_typeerror(L, 3, "string/function/table");
  lua_Integer replacements_max = luaL_optinteger(L, 4, (lua_Integer)length + 1);
  bool anchored = pattern_length > 0 && *pattern == '^';
  struct clh_matcher matcher;
  struct clh_pattern_room room;
  clh_pattern_compile(&matcher, L, &room, pattern + anchored, pattern_length - anchored);
  clh_pattern_subject(&matcher, subject, length);
  const unsigned char *at = matcher.subject, *copied = at, *last_end = NULL;
  lua_Integer count = 0;
  bool changed = false;
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  while (count < replacements_max) {
    const unsigned char *start = at;
    const unsigned char *end =
        anchored ? clh_pattern_match(&matcher, start) : clh_pattern_search(&matcher, &start);
    if (end == NULL) break;
    if (end != last_end) {
      count++;
      add_bytes(&buffer, copied, start);
      changed |= add_replacement(&matcher, &buffer, type, start, end);
      check_size(L, &buffer);
      at = copied = last_end = end;
    } else if (start < matcher.end) {
      // An empty match right behind the last match is none: its byte is passed over.
      at = start + 1;
    } else {
      break;
    }
    if (anchored) break;
  }
  if (changed) matcher.steps += luaL_bufflen(&buffer) / CLH_BYTES_PER_UNIT;
  clh_pattern_settle(&matcher);
  if (changed) {
    add_bytes(&buffer, copied, matcher.end);
    check_size(L, &buffer);
    luaL_pushresult(&buffer);
  } else {
    lua_pushvalue(L, 1);
  }
  lua_pushinteger(L, count);
  return 2;
}
