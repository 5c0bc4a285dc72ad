// SPDX-License-Identifier: Apache-2.0
// Compiling a script, outside of any cell, to a function that takes an environment.
#include <stdlib.h>
#include <string.h>

#include "state.h"

#define COMPILER_BYTES_MAX ((size_t)128 << 20)
#define PIECES_MAX 3

struct compilation {
  const char *name;
  const char *pieces[PIECES_MAX];
  size_t lengths[PIECES_MAX];
  int next, last;
  struct clh_buffer code;
  size_t bytes;
};

static void *allocate(void *context, void *block, size_t old_size, size_t size) {
  struct compilation *compilation = context;
  if (block == NULL) old_size = 0;
  if (size == 0) {
    free(block);
    compilation->bytes -= old_size;
    return NULL;
  }
  if (size > old_size && compilation->bytes + (size - old_size) > COMPILER_BYTES_MAX) return NULL;
  void *moved = realloc(block, size);
  if (moved == NULL) return size <= old_size ? block : NULL;
  compilation->bytes += size - old_size;
  return moved;
}

static const char *read_piece(lua_State *L, void *context, size_t *length) {
  (void)L;
  struct compilation *compilation = context;
  // To Lua an empty piece is the end.
  while (compilation->next <= compilation->last && compilation->lengths[compilation->next] == 0) {
    compilation->next += 1;
  }
  if (compilation->next > compilation->last) return NULL;
  *length = compilation->lengths[compilation->next];
  return compilation->pieces[compilation->next++];
}

static int write_code(lua_State *L, const void *bytes, size_t length, void *context) {
  (void)L;
  struct compilation *compilation = context;
  return !clh_buffer_append(&compilation->code, bytes, length);
}

// Stack: [compilation] -> [compilation, function].
static void load_pieces(lua_State *L, struct compilation *compilation, int first, int last) {
  compilation->next = first;
  compilation->last = last;
  if (lua_load(L, read_piece, compilation, compilation->name, "t") != LUA_OK) lua_error(L);
}

// The script is compiled alone first, so that it cannot close the function that is then put around it.
static int compile(lua_State *L) {
  struct compilation *compilation = lua_touserdata(L, 1);
  load_pieces(L, compilation, 1, 1);
  lua_pop(L, 1);
  load_pieces(L, compilation, 0, 2);
  if (lua_dump(L, write_code, compilation, 0) != 0) return luaL_error(L, "not enough memory");
  return 0;
}

// A first line that starts with '#' is for the shell, and a byte order mark for nobody.
static void skip_prologue(const char **source, size_t *length) {
  if (*length >= 3 && memcmp(*source, "\xEF\xBB\xBF", 3) == 0) {
    *source += 3;
    *length -= 3;
  }
  if (*length == 0 || (*source)[0] != '#') return;
  const char *end = memchr(*source, '\n', *length);
  size_t skipped = end == NULL ? *length : (size_t)(end - *source);
  *source += skipped;
  *length -= skipped;
}

enum clh_compiled clh_compile(const char *name, const char *source, size_t length, char **output,
                              size_t *output_length) {
  skip_prologue(&source, &length);
  static const char before[] = "local _ENV = ...; return function(...) ";
  static const char after[] = "\nend";
  struct compilation compilation = {
      .name = name,
      .pieces = {before, source, after},
      .lengths = {sizeof before - 1, length, sizeof after - 1},
  };
  *output = NULL;
  *output_length = 0;
  lua_State *L = lua_newstate(allocate, &compilation);
  if (L == NULL) return CLH_COMPILE_NO_MEMORY;
  lua_pushcfunction(L, compile);
  lua_pushlightuserdata(L, &compilation);
  int status = lua_pcall(L, 1, 0, 0);
  enum clh_compiled result = status == LUA_OK ? CLH_COMPILED : CLH_COMPILE_SYNTAX;
  if (status == LUA_OK) {
    *output = compilation.code.bytes;
    *output_length = compilation.code.length;
    compilation.code = (struct clh_buffer){0};
  } else if (status == LUA_ERRMEM || lua_type(L, -1) != LUA_TSTRING) {
    result = CLH_COMPILE_NO_MEMORY;
  } else {
    size_t size;
    const char *message = lua_tolstring(L, -1, &size);
    *output = malloc(size + 1);
    if (*output == NULL) {
      result = CLH_COMPILE_NO_MEMORY;
    } else {
      memcpy(*output, message, size);
      (*output)[size] = 0;
      *output_length = size;
    }
  }
  clh_buffer_free(&compilation.code);
  lua_close(L);
  return result;
}
