// SPDX-License-Identifier: Apache-2.0
// The value tape: how values cross between Lua and Swift, binary-safe and without a raise in between.
#include <string.h>

#include "state.h"

#define DEPTH_MAX 64
#define KEPT_CAPACITY_MAX ((size_t)16 << 10)

void clh_tape_reset(struct clh_tape *tape) {
  if (tape->buffer.capacity > KEPT_CAPACITY_MAX) clh_buffer_free(&tape->buffer);
  tape->buffer.length = 0;
  tape->out_of_memory = tape->too_large = tape->raises = false;
}

static void put(struct clh_tape *tape, const void *bytes, size_t length) {
  if (length > tape->bytes_max || tape->buffer.length > tape->bytes_max - length) {
    tape->too_large = true;
  } else if (!clh_buffer_append(&tape->buffer, bytes, length)) {
    tape->out_of_memory = true;
  }
}

static void put_tag(struct clh_tape *tape, enum clh_tag tag) {
  char byte = (char)tag;
  put(tape, &byte, 1);
}

static void put_count(struct clh_tape *tape, size_t count) {
  uint32_t narrow = (uint32_t)count;
  if (count > UINT32_MAX) tape->too_large = true;
  put(tape, &narrow, sizeof narrow);
}

static void put_bytes(struct clh_tape *tape, const void *bytes, size_t length) {
  put_count(tape, length);
  if (length > 0) put(tape, bytes, length);
}

void clh_tape_nil(struct clh_tape *tape) { put_tag(tape, CLH_TAG_NIL); }
void clh_tape_null(struct clh_tape *tape) { put_tag(tape, CLH_TAG_NULL); }

void clh_tape_boolean(struct clh_tape *tape, bool value) {
  put_tag(tape, value ? CLH_TAG_TRUE : CLH_TAG_FALSE);
}

void clh_tape_integer(struct clh_tape *tape, int64_t value) {
  put_tag(tape, CLH_TAG_INTEGER);
  put(tape, &value, sizeof value);
}

void clh_tape_number(struct clh_tape *tape, double value) {
  put_tag(tape, CLH_TAG_NUMBER);
  put(tape, &value, sizeof value);
}

void clh_tape_string(struct clh_tape *tape, const void *bytes, size_t length) {
  put_tag(tape, CLH_TAG_STRING);
  put_bytes(tape, bytes, length);
}

void clh_tape_json(struct clh_tape *tape, const void *bytes, size_t length) {
  put_tag(tape, CLH_TAG_JSON);
  put_bytes(tape, bytes, length);
}

void clh_tape_array(struct clh_tape *tape, size_t count) {
  put_tag(tape, CLH_TAG_ARRAY);
  put_count(tape, count);
}

void clh_tape_table(struct clh_tape *tape, size_t count) {
  put_tag(tape, CLH_TAG_TABLE);
  put_count(tape, count);
}

void clh_tape_key(struct clh_tape *tape, const void *bytes, size_t length) { put_bytes(tape, bytes, length); }

void clh_tape_raise(struct clh_tape *tape) { tape->raises = true; }

static const char *write_value(lua_State *L, struct clh_tape *tape, int depth);

// Stack: [..., table]. The keys must be the strings, or exactly 1 to n.
static const char *write_table(lua_State *L, struct clh_tape *tape, int depth) {
  if (depth == 0) return "table nests too deeply";
  luaL_checkstack(L, 6, NULL);
  lua_pushvalue(L, -1);
  clh_resolve_proxy(L, -1);
  const char *problem = NULL;
  int table = lua_gettop(L);
  lua_Unsigned length = lua_rawlen(L, table);
  if (length > 0) {
    clh_tape_array(tape, length);
    clh_charge(L, length);
    for (lua_Unsigned i = 1; i <= length && problem == NULL; i++) {
      lua_rawgeti(L, table, (lua_Integer)i);
      problem = lua_isnil(L, -1) ? "mixed or sparse table" : write_value(L, tape, depth - 1);
      lua_pop(L, 1);
    }
    lua_Unsigned keys = 0;
    lua_pushnil(L);
    while (problem == NULL && lua_next(L, table)) {
      lua_pop(L, 1);
      keys += 1;
      if (!lua_isinteger(L, -1) || keys > length) problem = "mixed or sparse table";
    }
    lua_settop(L, table - 1);
    return problem;
  }
  if (clh_json_is_array(L, table)) {
    lua_pushnil(L);
    if (lua_next(L, table)) problem = "mixed or sparse table";
    clh_tape_array(tape, 0);
    lua_settop(L, table - 1);
    return problem;
  }
  put_tag(tape, CLH_TAG_TABLE);
  size_t at = tape->buffer.length;
  uint32_t count = 0;
  put_count(tape, 0);
  lua_pushnil(L);
  while (problem == NULL && lua_next(L, table)) {
    if (lua_type(L, -2) == LUA_TSTRING) {
      size_t size;
      const char *key = lua_tolstring(L, -2, &size);
      clh_tape_key(tape, key, size);
      problem = write_value(L, tape, depth - 1);
    } else {
      problem = lua_isinteger(L, -2) ? "mixed or sparse table" : "table key that is no string";
    }
    count += 1;
    lua_pop(L, 1);
  }
  clh_charge(L, count);
  if (at + sizeof count <= tape->buffer.length) memcpy(tape->buffer.bytes + at, &count, sizeof count);
  lua_settop(L, table - 1);
  return problem;
}

// Stack: [..., value].
static const char *write_value(lua_State *L, struct clh_tape *tape, int depth) {
  if (tape->too_large) return "value is too large";
  if (tape->out_of_memory) return "not enough memory";
  switch (lua_type(L, -1)) {
    case LUA_TNIL:
      clh_tape_nil(tape);
      return NULL;
    case LUA_TBOOLEAN:
      clh_tape_boolean(tape, lua_toboolean(L, -1));
      return NULL;
    case LUA_TNUMBER:
      if (lua_isinteger(L, -1)) {
        clh_tape_integer(tape, lua_tointeger(L, -1));
      } else {
        clh_tape_number(tape, lua_tonumber(L, -1));
      }
      return NULL;
    case LUA_TSTRING: {
      size_t length;
      const char *bytes = lua_tolstring(L, -1, &length);
      clh_tape_string(tape, bytes, length);
      clh_charge_bytes(L, length);
      return NULL;
    }
    case LUA_TTABLE:
      return write_table(L, tape, depth);
    case LUA_TLIGHTUSERDATA:
      if (clh_json_is_null(L, -1)) {
        clh_tape_null(tape);
        return NULL;
      }
      return "userdata not allowed";
    case LUA_TFUNCTION:
      return "function not allowed";
    case LUA_TTHREAD:
      return "coroutine not allowed";
    default:
      return "userdata not allowed";
  }
}

const char *clh_tape_write(lua_State *L, int index, struct clh_tape *tape) {
  luaL_checkstack(L, 2, NULL);
  lua_pushvalue(L, index);
  const char *problem = write_value(L, tape, DEPTH_MAX);
  lua_pop(L, 1);
  if (problem == NULL && tape->too_large) problem = "value is too large";
  if (problem == NULL && tape->out_of_memory) problem = "not enough memory";
  return problem;
}

// Passes `size` bytes. Swift writes whole values only; even a tape that holds others
// is not read past its end.
static const char *take(lua_State *L, const struct clh_tape *tape, size_t *offset, size_t size) {
  if (tape->buffer.length - *offset < size) luaL_error(L, "the host's value is damaged");
  const char *bytes = tape->buffer.bytes + *offset;
  *offset += size;
  return bytes;
}

static uint32_t read_length(lua_State *L, const struct clh_tape *tape, size_t *offset) {
  uint32_t length;
  memcpy(&length, take(L, tape, offset, sizeof length), sizeof length);
  return length;
}

// The count of values that follow, each of at least one byte: so none makes a table larger than its tape.
static uint32_t read_count(lua_State *L, const struct clh_tape *tape, size_t *offset) {
  uint32_t count = read_length(L, tape, offset);
  if (tape->buffer.length - *offset < count) luaL_error(L, "the host's value is damaged");
  return count;
}

static void push_value(lua_State *L, const struct clh_tape *tape, size_t *offset, int depth);

static void push_bytes(lua_State *L, const struct clh_tape *tape, size_t *offset) {
  uint32_t length = read_length(L, tape, offset);
  lua_pushlstring(L, take(L, tape, offset, length), length);
  clh_charge_bytes(L, length);
}

static void push_array(lua_State *L, const struct clh_tape *tape, size_t *offset, int depth) {
  uint32_t count = read_count(L, tape, offset);
  lua_createtable(L, count < INT32_MAX ? (int)count : INT32_MAX, 0);
  clh_charge(L, count);
  for (uint32_t i = 1; i <= count; i++) {
    push_value(L, tape, offset, depth - 1);
    lua_rawseti(L, -2, i);
  }
  clh_json_mark_array(L, -1);
}

static void push_table(lua_State *L, const struct clh_tape *tape, size_t *offset, int depth) {
  uint32_t count = read_count(L, tape, offset);
  lua_createtable(L, 0, count < INT32_MAX ? (int)count : INT32_MAX);
  clh_charge(L, count);
  for (uint32_t i = 0; i < count; i++) {
    push_bytes(L, tape, offset);
    push_value(L, tape, offset, depth - 1);
    lua_rawset(L, -3);
  }
}

static void push_value(lua_State *L, const struct clh_tape *tape, size_t *offset, int depth) {
  if (depth == 0) luaL_error(L, "value nests too deeply");
  luaL_checkstack(L, 4, NULL);
  enum clh_tag tag = (enum clh_tag)*take(L, tape, offset, 1);
  switch (tag) {
    case CLH_TAG_NIL:
      lua_pushnil(L);
      return;
    case CLH_TAG_FALSE:
    case CLH_TAG_TRUE:
      lua_pushboolean(L, tag == CLH_TAG_TRUE);
      return;
    case CLH_TAG_INTEGER: {
      int64_t value;
      memcpy(&value, take(L, tape, offset, sizeof value), sizeof value);
      lua_pushinteger(L, value);
      return;
    }
    case CLH_TAG_NUMBER: {
      double value;
      memcpy(&value, take(L, tape, offset, sizeof value), sizeof value);
      lua_pushnumber(L, value);
      return;
    }
    case CLH_TAG_STRING:
      push_bytes(L, tape, offset);
      return;
    case CLH_TAG_ARRAY:
      push_array(L, tape, offset, depth);
      return;
    case CLH_TAG_TABLE:
      push_table(L, tape, offset, depth);
      return;
    case CLH_TAG_JSON: {
      uint32_t length = read_length(L, tape, offset);
      clh_json_decode(L, take(L, tape, offset, length), length);
      return;
    }
    case CLH_TAG_NULL:
      clh_json_push_null(L);
      return;
  }
  luaL_error(L, "the host's value is damaged");
}

static void check(lua_State *L, const struct clh_tape *tape) {
  if (tape->too_large) luaL_error(L, "value is too large");
  if (tape->out_of_memory) luaL_error(L, "not enough memory");
}

uint32_t clh_tape_open_array(lua_State *L, const struct clh_tape *tape, size_t *offset) {
  check(L, tape);
  if (tape->buffer.length == 0 || tape->buffer.bytes[*offset] != CLH_TAG_ARRAY) return 0;
  *offset += 1;
  return read_count(L, tape, offset);
}

void clh_tape_push(lua_State *L, const struct clh_tape *tape, size_t *offset) {
  check(L, tape);
  if (*offset >= tape->buffer.length) {
    lua_pushnil(L);
    return;
  }
  push_value(L, tape, offset, DEPTH_MAX);
}
