// SPDX-License-Identifier: Apache-2.0
// The json library, the mark of a JSON array and the growing buffer.
#include <stdlib.h>
#include <string.h>

#include "charge.h"
#include "json_scan.h"
#include "state.h"

// The scratch buffer gives memory beyond this back after each use.
#define SCRATCH_BYTES_KEPT ((size_t)64 << 10)

bool clh_buffer_reserve(struct clh_buffer *buffer, size_t length) {
  if (length <= buffer->capacity - buffer->length) return true;
  size_t capacity = buffer->capacity < 256 ? 256 : buffer->capacity;
  while (capacity - buffer->length < length) {
    if (capacity > SIZE_MAX / 2) return false;
    capacity *= 2;
  }
  char *grown = realloc(buffer->bytes, capacity);
  if (grown == NULL) return false;
  buffer->bytes = grown;
  buffer->capacity = capacity;
  return true;
}

bool clh_buffer_append(struct clh_buffer *buffer, const char *bytes, size_t length) {
  if (!clh_buffer_reserve(buffer, length)) return false;
  if (length > 0) memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
  return true;
}

void clh_buffer_free(struct clh_buffer *buffer) {
  free(buffer->bytes);
  *buffer = (struct clh_buffer){0};
}

// MARK: - The array mark

// The address is the registry key.
static const char array_metatable_key;

// The metatable is shared by the whole state, so scripts must not reach it.
void clh_json_push_array_metatable(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &array_metatable_key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &array_metatable_key);
}

void clh_json_mark_array(lua_State *L, int index) {
  index = lua_absindex(L, index);
  luaL_checkstack(L, 3, NULL);
  clh_json_push_array_metatable(L);
  lua_setmetatable(L, index);
}

bool clh_json_is_array(lua_State *L, int index) {
  if (!lua_istable(L, index) || !lua_getmetatable(L, index)) return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &array_metatable_key);
  bool is_array = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is_array;
}

// MARK: - Library

static int free_scratch(lua_State *L) {
  clh_buffer_free(lua_touserdata(L, 1));
  return 0;
}

// Upvalue: the scratch buffer. Encoding runs no code of scripts and never yields, so one buffer serves the state.
static int encode(lua_State *L) {
  luaL_checkany(L, 1);
  struct clh_buffer *scratch = lua_touserdata(L, lua_upvalueindex(1));
  scratch->length = 0;
  clh_json_encode(L, 1, scratch);
  lua_pushlstring(L, scratch->bytes, scratch->length);
  if (scratch->capacity > SCRATCH_BYTES_KEPT) clh_buffer_free(scratch);
  return 1;
}

static int decode(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  clh_json_decode(L, text, length);
  return 1;
}

static int array(lua_State *L) {
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  // A read-only view of a list is one already.
  lua_pushvalue(L, 1);
  clh_resolve_proxy(L, 2);
  bool is_array = clh_json_is_array(L, 2);
  lua_settop(L, 1);
  if (!is_array) {
    luaL_argcheck(L, !lua_getmetatable(L, 1), 1, "table has a metatable");
    clh_json_mark_array(L, 1);
  }
  return 1;
}

int clh_open_json(lua_State *L) {
  luaL_checkstack(L, 5, NULL);
  lua_createtable(L, 0, 4);
  struct clh_buffer *scratch = lua_newuserdatauv(L, sizeof *scratch, 0);
  *scratch = (struct clh_buffer){0};
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, free_scratch);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_pushcclosure(L, encode, 1);
  lua_setfield(L, -2, "encode");
  lua_pushcfunction(L, decode);
  lua_setfield(L, -2, "decode");
  lua_pushcfunction(L, array);
  lua_setfield(L, -2, "array");
  clh_json_push_null(L);
  lua_setfield(L, -2, "null");
  return 1;
}
