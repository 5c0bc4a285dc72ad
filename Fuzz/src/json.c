// SPDX-License-Identifier: Apache-2.0
// The JSON codec. An input is a JSON text; one that starts with 0xFF is a recipe for a Lua value, and one
// that starts with 0xFE a text that is decoded and encoded with failing allocations.
//
// Holds: a text is decoded if and only if the grammar below accepts it; decode, encode, decode gives the same
// value and then the same text; what encodes decodes again.
#include <math.h>
#include <string.h>

#include "plain.h"

#define DEPTH_MAX 128

// MARK: - The grammar of RFC 8259, written without looking at the decoder

struct text {
  const uint8_t *at, *end;
};

static bool take(struct text *t, const char *set) {
  if (t->at == t->end || *t->at == 0 || strchr(set, *t->at) == NULL) return false;
  t->at++;
  return true;
}

static void space(struct text *t) {
  while (take(t, " \t\r\n")) {
  }
}

static bool literal(struct text *t, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(t->end - t->at) < length || memcmp(t->at, word, length) != 0) return false;
  t->at += length;
  return true;
}

static int hex(struct text *t) {
  int code = 0;
  for (int i = 0; i < 4; i++) {
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const uint8_t *at = t->at;
    if (!take(t, digits)) return -1;
    code = code * 16 + (int)(strchr(digits, *at) - digits) % 16;
  }
  return code;
}

static bool character(struct text *t) {
  uint8_t lead = *t->at++;
  if (lead < 0x20) return false;
  if (lead < 0x80) return true;
  int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  uint32_t code = lead & (0x3F >> more);
  if (lead < 0xC0 || lead >= 0xF8) return false;
  for (int i = 0; i < more; i++, t->at++) {
    if (t->at == t->end || (*t->at & 0xC0) != 0x80) return false;
    code = code << 6 | (*t->at & 0x3F);
  }
  static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
  return code >= least[more] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

static bool string(struct text *t) {
  if (!take(t, "\"")) return false;
  while (t->at < t->end) {
    if (take(t, "\"")) return true;
    if (!take(t, "\\")) {
      if (!character(t)) return false;
    } else if (take(t, "u")) {
      int code = hex(t);
      if (code < 0 || (code >= 0xDC00 && code <= 0xDFFF)) return false;
      if (code < 0xD800 || code > 0xDBFF) continue;
      if (!literal(t, "\\u")) return false;
      int low = hex(t);
      if (low < 0xDC00 || low > 0xDFFF) return false;
    } else if (!take(t, "\"\\/bfnrt")) {
      return false;
    }
  }
  return false;
}

static bool digits(struct text *t) {
  if (!take(t, "0123456789")) return false;
  while (take(t, "0123456789")) {
  }
  return true;
}

static bool number(struct text *t) {
  const uint8_t *start = t->at;
  take(t, "-");
  if (!take(t, "0") && !digits(t)) return false;
  if (take(t, ".") && !digits(t)) return false;
  if (take(t, "eE")) {
    take(t, "+-");
    if (!digits(t)) return false;
  }
  size_t length = (size_t)(t->at - start);
  char *copy = malloc(length + 1);
  memcpy(copy, start, length);
  copy[length] = 0;
  bool is_finite = isfinite(strtod(copy, NULL));
  free(copy);
  return is_finite;
}

static bool value(struct text *t, int depth);

static bool members(struct text *t, int depth, bool has_keys, const char *close) {
  if (depth == DEPTH_MAX) return false;
  t->at++;
  space(t);
  if (take(t, close)) return true;
  for (;;) {
    if (has_keys) {
      if (!string(t)) return false;
      space(t);
      if (!take(t, ":")) return false;
      space(t);
    }
    if (!value(t, depth + 1)) return false;
    space(t);
    if (take(t, close)) return true;
    if (!take(t, ",")) return false;
    space(t);
  }
}

static bool value(struct text *t, int depth) {
  if (t->at == t->end) return false;
  switch (*t->at) {
    case '{': return members(t, depth, true, "}");
    case '[': return members(t, depth, false, "]");
    case '"': return string(t);
    case 't': return literal(t, "true");
    case 'f': return literal(t, "false");
    case 'n': return literal(t, "null");
    default: return number(t);
  }
}

static bool is_json(const uint8_t *bytes, size_t length) {
  struct text t = {bytes, bytes + length};
  space(&t);
  if (!value(&t, 0)) return false;
  space(&t);
  return t.at == t.end;
}

// MARK: - A Lua value from a recipe

static uint8_t byte(struct text *t) { return t->at < t->end ? *t->at++ : 0; }

static void push_recipe(lua_State *L, struct text *t, int depth) {
  luaL_checkstack(L, 8, NULL);
  uint8_t kind = byte(t) % 12;
  switch (depth > 0 || kind < 7 ? kind : 0) {
    case 0: clh_json_push_null(L); return;
    case 1: lua_pushboolean(L, byte(t) & 1); return;
    case 2: lua_pushinteger(L, (int8_t)byte(t)); return;
    case 3:
    case 4: {
      uint64_t bits = 0;
      for (int i = 0; i < 8; i++) bits = bits << 8 | byte(t);
      double number;
      memcpy(&number, &bits, sizeof number);
      if (kind == 3)
        lua_pushinteger(L, (lua_Integer)bits);
      else
        lua_pushnumber(L, number);
      return;
    }
    case 5:
    case 6: {
      size_t length = byte(t) % 40;
      if (length > (size_t)(t->end - t->at)) length = (size_t)(t->end - t->at);
      lua_pushlstring(L, (const char *)t->at, length);
      t->at += length;
      return;
    }
    case 7:
    case 8: {
      int count = byte(t) % 24;
      lua_newtable(L);
      if (kind == 7) clh_json_mark_array(L, -1);
      for (int i = 1; i <= count && t->at < t->end; i++) {
        push_recipe(L, t, depth - 1);
        lua_rawseti(L, -2, i);
      }
      return;
    }
    case 9: {  // a read-only proxy
      lua_newtable(L);
      lua_newtable(L);
      push_recipe(L, t, depth - 1);
      lua_setfield(L, -2, CLH_TARGET_FIELD);
      lua_setmetatable(L, -2);
      return;
    }
    default: {
      int count = byte(t) % 24;
      lua_newtable(L);
      for (int i = 0; i < count && t->at < t->end; i++) {
        push_recipe(L, t, kind == 10 ? 0 : depth - 1);
        bool is_key = lua_type(L, -1) == LUA_TSTRING;
        if (!is_key) {
          lua_pop(L, 1);
          lua_pushfstring(L, "k%d", i);
        }
        push_recipe(L, t, depth - 1);
        lua_rawset(L, -3);
      }
    }
  }
}

// MARK: - The harness

static lua_State *L;
static struct clh_buffer first, second;
static const uint8_t *input;
static size_t input_length;

static int decode_input(lua_State *state) {
  clh_json_decode(state, (const char *)input, input_length);
  return 1;
}

static int decode_first(lua_State *state) {
  clh_json_decode(state, first.bytes, first.length);
  return 1;
}

static int encode(lua_State *state) {
  clh_json_encode(state, 1, lua_touserdata(state, 2));
  return 0;
}

static int make(lua_State *state) {
  struct text t = {input, input + input_length};
  push_recipe(state, &t, 8);
  return 1;
}

static int compare(lua_State *state) {
  lua_pushboolean(state, fuzz_same(state, 1, 2));
  return 1;
}

// Stack: [value] unchanged. Returns Lua's status; an error message is dropped.
static int encode_value(int index, struct clh_buffer *out) {
  index = lua_absindex(L, index);
  out->length = 0;
  lua_pushcfunction(L, encode);
  lua_pushvalue(L, index);
  lua_pushlightuserdata(L, out);
  int status = lua_pcall(L, 2, 0, 0);
  if (status != LUA_OK) lua_pop(L, 1);
  return status;
}

static int call(lua_CFunction function) {
  lua_pushcfunction(L, function);
  return lua_pcall(L, 0, 1, 0);
}

// Stack: [value] -> [value, decoded]. `first` holds the value's text.
static void go_round(bool is_same_value) {
  FUZZ_CHECK(is_json((const uint8_t *)first.bytes, first.length), "encode wrote %.*s", (int)first.length,
             first.bytes);
  FUZZ_CHECK(call(decode_first) == LUA_OK, "%s: %.*s", lua_tostring(L, -1), (int)first.length, first.bytes);
  if (is_same_value) {
    lua_pushcfunction(L, compare);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    FUZZ_CHECK(lua_pcall(L, 2, 1, 0) == LUA_OK && lua_toboolean(L, -1), "another value: %.*s",
               (int)first.length, first.bytes);
    lua_pop(L, 1);
  }
  FUZZ_CHECK(encode_value(2, &second) == LUA_OK, "does not encode again");
  FUZZ_CHECK(first.length == second.length && memcmp(first.bytes, second.bytes, first.length) == 0,
             "%.*s and then %.*s", (int)first.length, first.bytes, (int)second.length, second.bytes);
}

static void with_failing_allocations(long growths) {
  fuzz_growths_left = growths;
  if (call(decode_input) == LUA_OK) encode_value(-1, &first);
  fuzz_growths_left = -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (L == NULL) L = fuzz_plain_open();
  lua_settop(L, 0);
  uint8_t kind = size > 0 ? data[0] : 0;
  size_t skipped = kind == 0xFE && size > 1 ? 2 : kind == 0xFF ? 1 : 0;
  input = data + skipped;
  input_length = size - skipped;
  if (kind == 0xFF) {
    FUZZ_CHECK(call(make) == LUA_OK, "%s", lua_tostring(L, -1));
    if (encode_value(1, &first) == LUA_OK) go_round(false);
  } else if (skipped == 2) {
    with_failing_allocations(data[1]);
  } else {
    bool decodes = call(decode_input) == LUA_OK;
    FUZZ_CHECK(decodes == is_json(input, input_length),
               "decode says %s", decodes ? "yes" : lua_tostring(L, -1));
    if (decodes) {
      FUZZ_CHECK(encode_value(1, &first) == LUA_OK, "decoded but does not encode");
      go_round(true);
    }
  }
  lua_settop(L, 0);
  lua_gc(L, LUA_GCSTEP, 10);
  return 0;
}
