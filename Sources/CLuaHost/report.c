// SPDX-License-Identifier: Apache-2.0
// How an error that nothing caught is told to Swift: a tape of
// kind, message, script, line, traceback, code, host message, retryable, detail.
#include <stdarg.h>
#include <string.h>

#include "state.h"

#define LEVELS_SEARCHED_MAX 40
#define MESSAGE_BYTES_MAX 4000

void clh_report_plain(struct clh_tape *tape, enum clh_failure failure, const char *message, size_t length) {
  clh_tape_reset(tape);
  clh_tape_integer(tape, failure);
  clh_tape_string(tape, message, length < MESSAGE_BYTES_MAX ? length : MESSAGE_BYTES_MAX);
}

static const char *script_named(const struct clh_state *state, const char *name) {
  for (uint32_t i = 0; i < state->script_count; i++) {
    if (strcmp(state->scripts[i].name, name) == 0) return state->scripts[i].name;
  }
  return NULL;
}

// How Lua shortens a chunk name, which is what stands in front of a message. Source: lobject.c,
// `luaO_chunkid`.
static size_t short_name(const char *name, const char **tail) {
  size_t length = strlen(name);
  size_t most = LUA_IDSIZE - 1;
  if (length <= most) {
    *tail = name;
    return length;
  }
  *tail = name + (length - (most - 3));
  return most - 3;
}

// The script, and the line in it, that is running or has called what is running; NULL when there is none
// near.
static const char *place(lua_State *L, int *line) {
  struct clh_state *state = clh_state_of(L);
  lua_Debug ar;
  for (int level = 0; level < LEVELS_SEARCHED_MAX && lua_getstack(L, level, &ar); level++) {
    if (!lua_getinfo(L, "Sl", &ar) || ar.source[0] != '@' || ar.currentline <= 0) continue;
    const char *script = script_named(state, ar.source + 1);
    if (script == NULL) continue;
    *line = ar.currentline;
    return script;
  }
  *line = 0;
  return NULL;
}

int clh_error(lua_State *L, const char *format, ...) {
  int line;
  const char *script = place(L, &line);
  if (script != NULL) {
    const char *tail;
    short_name(script, &tail);
    lua_pushfstring(L, "%s%s:%d: ", tail == script ? "" : "...", tail, line);
  } else {
    lua_pushliteral(L, "");
  }
  va_list arguments;
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_concat(L, 2);
  return lua_error(L);
}

// Stack: [error] -> [error].
int clh_trace_handler(lua_State *L) {
  struct clh_state *state = clh_state_of(L);
  struct clh_fiber *fiber = state->current;
  if (fiber->rethrown) {
    fiber->rethrown = false;
    return 1;
  }
  fiber->trace.length = 0;
  fiber->trace_script = NULL;
  if (clh_is_dead(fiber)) return 1;
  fiber->trace_script = place(L, &fiber->trace_line);
  luaL_traceback(L, L, NULL, 1);
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  clh_buffer_append(&fiber->trace, text, length);
  lua_settop(L, 1);
  return 1;
}

// Skips "script:line: " when `text` starts with it.
static bool skip_position(const struct clh_state *state, const char **text, size_t *length,
                          const char **script, int *line) {
  for (uint32_t i = 0; i < state->script_count; i++) {
    const char *tail;
    size_t size = short_name(state->scripts[i].name, &tail);
    const char *at = *text;
    size_t left = *length;
    if (tail != state->scripts[i].name) {
      if (left < 3 || memcmp(at, "...", 3) != 0) continue;
      at += 3;
      left -= 3;
    }
    if (left < size + 3 || memcmp(at, tail, size) != 0 || at[size] != ':') continue;
    at += size + 1;
    left -= size + 1;
    int number = 0;
    size_t digits = 0;
    while (digits < left && digits < 9 && at[digits] >= '0' && at[digits] <= '9') {
      number = number * 10 + (at[digits++] - '0');
    }
    if (digits == 0 || left < digits + 2 || memcmp(at + digits, ": ", 2) != 0) continue;
    *text = at + digits + 2;
    *length = left - digits - 2;
    *script = state->scripts[i].name;
    *line = number;
    return true;
  }
  return false;
}

static bool ends_with(const char *text, size_t length, const char *end) {
  size_t size = strlen(end);
  return length >= size && memcmp(text + length - size, end, size) == 0;
}

// Stack: [table, buffer] -> []. Appends the JSON text of the table's `detail`. Raises when it has none.
static int encode_detail(lua_State *L) {
  lua_pushliteral(L, "detail");
  lua_rawget(L, 1);
  clh_json_encode(L, -1, lua_touserdata(L, 2));
  return 0;
}

// Stack: [..., error table] unchanged. Writes code, message, retryable and detail.
static void write_host_error(lua_State *L, struct clh_tape *out) {
  int table = lua_gettop(L);
  size_t length;
  lua_pushliteral(L, "code");
  lua_rawget(L, table);
  const char *bytes = lua_tolstring(L, -1, &length);
  clh_tape_string(out, bytes, length);
  lua_pushliteral(L, "message");
  lua_rawget(L, table);
  bytes = lua_tolstring(L, -1, &length);
  clh_tape_string(out, bytes, length);
  lua_pushliteral(L, "retryable");
  lua_rawget(L, table);
  clh_tape_boolean(out, lua_toboolean(L, -1));
  lua_pushliteral(L, "detail");
  if (lua_rawget(L, table) == LUA_TNIL) {
    clh_tape_nil(out);
  } else {
    // The fiber's input is idle here and owns the bytes whatever is raised.
    struct clh_tape *scratch = &clh_state_of(L)->current->in;
    clh_tape_reset(scratch);
    lua_pushcfunction(L, encode_detail);
    lua_pushvalue(L, table);
    lua_pushlightuserdata(L, &scratch->buffer);
    int status = lua_pcall(L, 2, 0, 0);
    if (status == LUA_OK) {
      clh_tape_string(out, scratch->buffer.bytes, scratch->buffer.length);
    } else {
      clh_after_error(L, status);
      clh_tape_nil(out);
    }
  }
  lua_settop(L, table);
}

static bool has_string(lua_State *L, int table, const char *field) {
  lua_pushstring(L, field);
  bool is_string = lua_rawget(L, table) == LUA_TSTRING;
  lua_pop(L, 1);
  return is_string;
}

void clh_report_error(lua_State *L, struct clh_fiber *fiber, enum clh_failure failure, bool has_text) {
  struct clh_tape *out = &fiber->out;
  clh_tape_reset(out);
  int error = lua_gettop(L) - (has_text ? 1 : 0);
  bool is_host = lua_istable(L, error) && has_string(L, error, "code") && has_string(L, error, "message");
  const char *message, *script = NULL;
  size_t length;
  int line = 0;
  if (is_host) {
    lua_pushliteral(L, "message");
    lua_rawget(L, error);
    message = lua_tolstring(L, -1, &length);
  } else if (has_text || lua_type(L, error) == LUA_TSTRING) {
    message = lua_tolstring(L, -1, &length);
    while (skip_position(fiber->run->state, &message, &length, &script, &line)) {
    }
  } else if (lua_type(L, error) == LUA_TNUMBER) {
    message = luaL_tolstring(L, error, &length);
  } else {
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, error));
    length = strlen(message);
  }
  if (ends_with(message, length, "stack overflow")) failure = CLH_FAILURE_STACK;
  clh_tape_integer(out, failure);
  clh_tape_string(out, message, length < MESSAGE_BYTES_MAX ? length : MESSAGE_BYTES_MAX);
  if (script == NULL) {  // what the message does not say of the place, the trace does
    script = fiber->trace_script;
    line = fiber->trace_line;
  }
  if (script != NULL) {
    clh_tape_string(out, script, strlen(script));
  } else {
    clh_tape_nil(out);
  }
  clh_tape_integer(out, line);
  if (fiber->trace.length > 0) {
    clh_tape_string(out, fiber->trace.bytes, fiber->trace.length);
  } else {
    clh_tape_nil(out);
  }
  lua_settop(L, error);
  if (is_host) write_host_error(L, out);
}
