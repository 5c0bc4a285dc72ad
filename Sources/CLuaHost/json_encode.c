// SPDX-License-Identifier: Apache-2.0
// Lua values to JSON text. Tables are read raw, lazy ones are completed first; members are written in the order of
// their keys' bytes, so that equal tables give equal text. A float keeps a point or an exponent, so that it is
// decoded as a float.
// Source: RFC 8259.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "charge.h"
#include "json_scan.h"

// Members of an object whose keys are kept in the C frame.
#define KEYS_IN_FRAME 16

// Longest path in a message, in bytes.
#define PATH_BYTES_MAX 120

struct key {
  const char *text;
  size_t length;
};

// Where a value is: a member (`key.text` set) or an element of the parent.
struct place {
  const struct place *parent;
  struct key key;
  lua_Integer index;
};

struct encoder {
  lua_State *L;
  struct clh_buffer *out;
  const void *array_metatable;
  size_t units;
  int depth;
};

static void value(struct encoder *e, const struct place *place);

// MARK: - Faults

// Appends the path of `place` from the root on, as a script would write it.
static size_t write_path(const struct place *place, char *path, size_t room) {
  if (place == NULL) return (size_t)snprintf(path, room, "value");
  size_t used = write_path(place->parent, path, room);
  if (used >= room) return used;
  int added = place->key.text == NULL
                  ? snprintf(path + used, room - used, "[%lld]", (long long)place->index)
                  : snprintf(path + used, room - used, ".%.32s", place->key.text);
  return used + (size_t)added;
}

static void fault(struct encoder *e, const char *what, const struct place *place) {
  char path[PATH_BYTES_MAX];
  size_t length = write_path(place, path, sizeof path);
  luaL_error(e->L, "cannot encode %s as JSON (at %s%s)", what, path, length < sizeof path ? "" : "...");
}

// MARK: - Bytes

static void add_units(struct encoder *e, size_t units) {
  e->units += units;
  if (e->units < 512) return;
  units = e->units;
  e->units = 0;
  clh_charge(e->L, units);
}

// Makes room for `length` more bytes.
static void grow(struct encoder *e, size_t length) {
  struct clh_buffer *out = e->out;
  add_units(e, length / CLH_BYTES_PER_UNIT);
  if (out->length + length > CLH_STRING_BYTES_MAX) luaL_error(e->L, "resulting JSON too large");
  if (!clh_buffer_reserve(out, length)) luaL_error(e->L, "not enough memory");
}

static inline void put(struct encoder *e, const char *bytes, size_t length) {
  struct clh_buffer *out = e->out;
  if (length > out->capacity - out->length) grow(e, length);
  memcpy(out->bytes + out->length, bytes, length);
  out->length += length;
}

static inline void put_byte(struct encoder *e, char byte) { put(e, &byte, 1); }

// Writes a string; returns false when it is not UTF-8.
static bool put_string(struct encoder *e, const char *text, size_t length) {
  static const char hex[] = "0123456789abcdef";
  const char *at = text, *end = text + length;
  bool has_high = false;
  add_units(e, 1 + length / CLH_BYTES_PER_UNIT);
  put_byte(e, '"');
  for (;;) {
    const char *stop = clh_json_plain_end(at, end, &has_high);
    put(e, at, (size_t)(stop - at));
    if (stop == end) break;
    unsigned char byte = (unsigned char)*stop;
    char escape[6] = {'\\', (char)byte, '0', '0', hex[byte >> 4], hex[byte & 15]};
    size_t escape_length = 2;
    switch (byte) {
      case '"':
      case '\\': break;
      case '\b': escape[1] = 'b'; break;
      case '\f': escape[1] = 'f'; break;
      case '\n': escape[1] = 'n'; break;
      case '\r': escape[1] = 'r'; break;
      case '\t': escape[1] = 't'; break;
      default:
        escape[1] = 'u';
        escape_length = 6;
    }
    put(e, escape, escape_length);
    at = stop + 1;
  }
  put_byte(e, '"');
  return !has_high || clh_json_is_utf8(text, length);
}

static void put_integer(struct encoder *e, lua_Integer integer) {
  char text[24], *at = text + sizeof text;
  lua_Unsigned rest = integer < 0 ? 0 - (lua_Unsigned)integer : (lua_Unsigned)integer;
  do *--at = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (integer < 0) *--at = '-';
  put(e, at, (size_t)(text + sizeof text - at));
}

// Writes a float of at most six decimals, as most are; returns false for any other.
static bool put_short_float(struct encoder *e, double number) {
  double scaled = rint(number * 1e6);
  // The quotient of two exact doubles is rounded as a reader of these digits rounds them.
  if (fabs(scaled) > 0x1p53 || scaled / 1e6 != number || (number == 0 && signbit(number))) return false;
  uint64_t digits = (uint64_t)fabs(scaled), fraction = digits % 1000000;
  char decimals[7] = ".";
  for (int i = 6; i >= 1; i--, fraction /= 10) decimals[i] = (char)('0' + fraction % 10);
  size_t length = 7;
  while (length > 2 && decimals[length - 1] == '0') length--;
  if (scaled < 0) put_byte(e, '-');
  put_integer(e, (lua_Integer)(digits / 1000000));
  put(e, decimals, length);
  return true;
}

// Writes a float so that decoding gives the same float: with a point or exponent, and digits enough.
static void put_float(struct encoder *e, double number, const struct place *place) {
  if (!isfinite(number)) fault(e, isnan(number) ? "a NaN" : "an infinite number", place);
  if (put_short_float(e, number)) return;
  char text[40];
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, number);
    if (strtod(text, NULL) == number) break;
  }
  // Whatever the locale's decimal point is, JSON's is a point.
  bool is_whole = true, in_point = false;
  for (const char *at = text; *at != '\0'; at++) {
    bool is_point = strchr("0123456789+-e", *at) == NULL;
    if (!is_point)
      put_byte(e, *at);
    else if (!in_point)
      put_byte(e, '.');
    in_point = is_point;
    is_whole = is_whole && !is_point && *at != 'e';
  }
  if (is_whole) put(e, ".0", 2);
}

// MARK: - Tables

static int compare_keys(const void *left, const void *right) {
  const struct key *a = left, *b = right;
  size_t least = a->length < b->length ? a->length : b->length;
  int order = memcmp(a->text, b->text, least);
  return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static void sort_keys(struct key *keys, size_t count) {
  if (count > KEYS_IN_FRAME) return qsort(keys, count, sizeof *keys, compare_keys);
  for (size_t i = 1; i < count; i++) {
    struct key key = keys[i];
    size_t hole = i;
    for (; hole > 0 && compare_keys(&keys[hole - 1], &key) > 0; hole--) keys[hole] = keys[hole - 1];
    keys[hole] = key;
  }
}

// What the keys of a table are.
struct shape {
  size_t strings, indices;  // `indices` are whole numbers of 1 to the raw length
  bool has_others;
  struct key first_keys[KEYS_IN_FRAME];
};

static struct key key_at_top(lua_State *L) {
  struct key key;
  key.text = lua_tolstring(L, -1, &key.length);
  return key;
}

// Stack: unchanged. The keys stay alive because the table is not written while it is encoded.
static void read_shape(struct encoder *e, int table, struct shape *shape) {
  lua_State *L = e->L;
  lua_Unsigned length = lua_rawlen(L, table);
  shape->strings = shape->indices = 0;
  shape->has_others = false;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING) {
      if (shape->strings < KEYS_IN_FRAME) shape->first_keys[shape->strings] = key_at_top(L);
      shape->strings++;
    } else if (lua_isinteger(L, -1) && (lua_Unsigned)lua_tointeger(L, -1) - 1u < length) {
      shape->indices++;
    } else {
      shape->has_others = true;
    }
    add_units(e, 1);
  }
}

static void put_array(struct encoder *e, int table, lua_Integer count, const struct place *parent) {
  struct place place = {.parent = parent};
  put_byte(e, '[');
  for (place.index = 1; place.index <= count; place.index++) {
    if (place.index > 1) put_byte(e, ',');
    lua_rawgeti(e->L, table, place.index);
    value(e, &place);
    lua_pop(e->L, 1);
  }
  put_byte(e, ']');
}

static void put_object(struct encoder *e, int table, struct shape *shape, const struct place *parent) {
  lua_State *L = e->L;
  struct key *keys = shape->first_keys;
  if (shape->strings > KEYS_IN_FRAME) {
    keys = lua_newuserdatauv(L, shape->strings * sizeof *keys, 0);
    size_t count = 0;
    lua_pushnil(L);
    while (lua_next(L, table)) {
      lua_pop(L, 1);
      keys[count++] = key_at_top(L);
    }
    add_units(e, 4 * count);
  }
  sort_keys(keys, shape->strings);
  put_byte(e, '{');
  for (size_t i = 0; i < shape->strings; i++) {
    struct place place = {.parent = parent, .key = keys[i]};
    if (i > 0) put_byte(e, ',');
    if (!put_string(e, keys[i].text, keys[i].length)) fault(e, "a key that is not UTF-8", parent);
    put_byte(e, ':');
    lua_pushlstring(L, keys[i].text, keys[i].length);
    lua_rawget(L, table);
    value(e, &place);
    lua_pop(L, 1);
  }
  put_byte(e, '}');
}

// Replaces read-only proxies at the top by what they stand for; says whether that is marked as an array.
static bool resolve(struct encoder *e, const struct place *place) {
  lua_State *L = e->L;
  for (int hops = 0; lua_getmetatable(L, -1); hops++) {
    if (lua_topointer(L, -1) == e->array_metatable) {
      lua_pop(L, 1);
      return true;
    }
    lua_pushliteral(L, CLH_TARGET_FIELD);
    lua_rawget(L, -2);
    if (!clh_complete_target(L)) {
      lua_pop(L, 2);
      return false;
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
    if (hops == CLH_JSON_DEPTH_MAX) fault(e, "a cycle of proxies", place);
  }
  return false;
}

static void table(struct encoder *e, const struct place *place) {
  lua_State *L = e->L;
  if (++e->depth > CLH_JSON_DEPTH_MAX) fault(e, "a cycle or more than 128 levels", place);
  luaL_checkstack(L, 10, "JSON");
  int top = lua_gettop(L), table = top + 1;
  lua_pushvalue(L, top);
  bool is_array = resolve(e, place);
  struct shape shape;
  read_shape(e, table, &shape);
  lua_Integer length = (lua_Integer)lua_rawlen(L, table);
  bool is_sequence = shape.strings == 0 && !shape.has_others && shape.indices == (size_t)length;
  if (is_sequence && (is_array || length > 0))
    put_array(e, table, length, place);
  else if (!is_array && shape.indices == 0 && !shape.has_others)
    put_object(e, table, &shape, place);
  else
    fault(e, "a table with mixed or sparse keys", place);
  lua_settop(L, top);
  e->depth--;
}

// Writes the value at the top. Stack: unchanged.
static void value(struct encoder *e, const struct place *place) {
  lua_State *L = e->L;
  add_units(e, 1);
  switch (lua_type(L, -1)) {
    case LUA_TSTRING: {
      struct key text = key_at_top(L);
      if (!put_string(e, text.text, text.length)) fault(e, "a string that is not UTF-8", place);
      return;
    }
    case LUA_TNUMBER:
      if (lua_isinteger(L, -1)) return put_integer(e, lua_tointeger(L, -1));
      return put_float(e, lua_tonumber(L, -1), place);
    case LUA_TTABLE: return table(e, place);
    case LUA_TBOOLEAN:
      return lua_toboolean(L, -1) ? put(e, "true", 4) : put(e, "false", 5);
    case LUA_TNIL: return put(e, "null", 4);
    case LUA_TLIGHTUSERDATA:
      if (clh_json_is_null(L, -1)) return put(e, "null", 4);
      return fault(e, "a userdata", place);
    case LUA_TFUNCTION: return fault(e, "a function", place);
    case LUA_TTHREAD: return fault(e, "a coroutine", place);
    default: return fault(e, "a userdata", place);
  }
}

void clh_json_encode(lua_State *L, int index, struct clh_buffer *out) {
  luaL_checkstack(L, 4, NULL);
  lua_pushvalue(L, index);
  clh_json_push_array_metatable(L);
  struct encoder encoder = {.L = L, .out = out, .array_metatable = lua_topointer(L, -1)};
  lua_pop(L, 1);
  value(&encoder, NULL);
  lua_pop(L, 1);
  clh_charge(L, encoder.units);
}
