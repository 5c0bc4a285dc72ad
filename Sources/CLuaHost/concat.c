// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE  // getentropy
#include "concat.h"

#include <lauxlib.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)512 << 10)
#define BLOCK_BYTES ((size_t)16)

struct arena {
  char *bytes;
  size_t used;
};

// Frees nothing, so that a stale pointer finds what was there: asking is safe.
static void *keep(void *context, void *block, size_t old_size, size_t size) {
  struct arena *arena = context;
  if (size == 0) return NULL;
  if (block != NULL && size <= old_size) return block;
  size_t rounded = (size + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
  if (rounded > ARENA_BYTES - arena->used) return NULL;
  char *larger = arena->bytes + arena->used;
  arena->used += rounded;
  if (block != NULL) memcpy(larger, block, old_size);
  return larger;
}

static int grow_stack(lua_State *L) {
  luaL_checkstack(L, 1000, NULL);
  lua_pushliteral(L, "joined");
  return 1;
}

static int join(lua_State *L) {
  lua_gc(L, LUA_GCSTOP);
  if (luaL_loadstring(L, "local a, b = ... return a .. '/' .. b") != LUA_OK) return lua_error(L);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, grow_stack);
  lua_setfield(L, -2, "__concat");
  for (int operand = 0; operand < 2; operand++) {
    lua_newtable(L);
    lua_pushvalue(L, 2);
    lua_setmetatable(L, -2);
  }
  lua_remove(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

static bool is_broken;

static void ask(void) {
  struct arena arena = {malloc(ARENA_BYTES), 0};
  lua_State *L = arena.bytes != NULL ? lua_newstate(keep, &arena) : NULL;
  // Without an answer the worse is assumed.
  is_broken = true;
  if (L != NULL) {
    lua_pushcfunction(L, join);
    if (lua_pcall(L, 0, 1, 0) == LUA_OK) is_broken = lua_type(L, -1) != LUA_TSTRING;
  }
  // The state lies in the arena as a whole.
  free(arena.bytes);
}

bool clh_concat_is_broken(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, ask);
  return is_broken;
}

// Lua finds handlers by the address of their event's name, which it interns once. Under other bytes, which no
// script can guess, that object is out of reach: a script's own "__concat" is another one.
// Source: Lua 5.4, ltm.c `luaT_init`, lstring.c `internshrstr`.
void clh_concat_disable(lua_State *L) {
  const char *name = lua_pushstring(L, "__concat");
  char secret[sizeof "__concat" - 1];
  if (getentropy(secret, sizeof secret) != 0) luaL_error(L, "the system has no random numbers");
  memcpy((char *)(uintptr_t)name, secret, sizeof secret);
  lua_pop(L, 1);
}
