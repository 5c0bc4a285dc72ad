// SPDX-License-Identifier: Apache-2.0
// JSON text straight into Lua tables. Source: RFC 8259.
#define _GNU_SOURCE  // strtod_l
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "charge.h"
#include "json_scan.h"

// Members kept on the stack so that a table of up to this many is made in its final size.
#define MEMBERS_ON_STACK 16

#define BYTES_PER_CHARGE 4096
#define UNITS_PER_VALUE 4

// Digits that fit 64 unsigned bits, whatever they are.
#define DIGITS_MAX 19

struct decoder {
  lua_State *L;
  const char *text, *at, *end;
  const char *charged;  // the text up to here is paid for
  size_t values;        // read since then
  int array_metatable;  // stack index
  int depth;
};

static void value(struct decoder *d);

static int fault_at(struct decoder *d, const char *message, const char *at) {
  return luaL_error(d->L, "invalid JSON: %s at byte %I", message, (LUAI_UACINT)(at - d->text));
}

static int fault(struct decoder *d, const char *message) { return fault_at(d, message, d->at); }

static void settle(struct decoder *d) {
  size_t values = d->values, bytes = (size_t)(d->at - d->charged);
  d->values = 0;
  d->charged = d->at;
  clh_charge_bytes(d->L, bytes + values * UNITS_PER_VALUE * CLH_BYTES_PER_UNIT);
}

static inline int next(const struct decoder *d) { return d->at < d->end ? (unsigned char)*d->at : -1; }

static inline void skip_space(struct decoder *d) {
  while (d->at < d->end && (*d->at == ' ' || *d->at == '\n' || *d->at == '\r' || *d->at == '\t')) d->at++;
}

static void word(struct decoder *d, const char *text, size_t length) {
  if ((size_t)(d->end - d->at) < length || memcmp(d->at, text, length) != 0) fault(d, "unexpected word");
  d->at += length;
}

// MARK: - Numbers

static locale_t c_locale;

static void make_c_locale(void) { c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

// Pushes the number that `start`..<`end` spells, rounded correctly in any locale.
static void push_float(struct decoder *d, const char *start, const char *end) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_c_locale);
  char room[64];
  size_t length = (size_t)(end - start);
  bool fits = length < sizeof room;
  char *text = fits ? room : lua_newuserdatauv(d->L, length + 1, 0);
  memcpy(text, start, length);
  text[length] = '\0';
  double number = strtod_l(text, NULL, c_locale);
  if (!isfinite(number)) fault_at(d, "number out of range", start);
  lua_pushnumber(d->L, number);
  if (!fits) lua_remove(d->L, -2);
}

static const char *digits_end(struct decoder *d, const char *at) {
  const char *start = at;
  while (at < d->end && *at >= '0' && *at <= '9') at++;
  if (at == start) fault_at(d, "expected a digit", at);
  return at;
}

static void number(struct decoder *d) {
  // Powers of ten that a double holds exactly.
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const char *start = d->at, *whole = start + (*start == '-');
  const char *at = digits_end(d, whole);
  if (*whole == '0' && at > whole + 1) fault_at(d, "a number may not start with 0", whole);
  const char *fraction = NULL, *fraction_end = NULL;
  bool is_plain = true;
  if (at < d->end && *at == '.') {
    fraction = at + 1;
    at = fraction_end = digits_end(d, fraction);
  }
  if (at < d->end && (*at == 'e' || *at == 'E')) {
    is_plain = false;
    at++;
    if (at < d->end && (*at == '+' || *at == '-')) at++;
    at = digits_end(d, at);
  }
  d->at = at;
  const char *whole_end = fraction == NULL ? at : fraction - 1;
  ptrdiff_t digits = at - whole - (fraction != NULL);
  if (!is_plain || digits > DIGITS_MAX) return push_float(d, start, at);
  uint64_t mantissa = 0;
  for (const char *digit = whole; digit < whole_end; digit++)
    mantissa = mantissa * 10 + (uint64_t)(*digit - '0');
  if (fraction == NULL) {
    uint64_t limit = (uint64_t)INT64_MAX + (*start == '-');
    if (mantissa > limit) return push_float(d, start, at);
    lua_pushinteger(d->L, (lua_Integer)(*start == '-' ? 0 - mantissa : mantissa));
    return;
  }
  for (const char *digit = fraction; digit < fraction_end; digit++)
    mantissa = mantissa * 10 + (uint64_t)(*digit - '0');
  // One division of two exact doubles rounds once, hence correctly.
  if (mantissa > (1ull << 53)) return push_float(d, start, at);
  double number = (double)mantissa / powers[fraction_end - fraction];
  lua_pushnumber(d->L, *start == '-' ? -number : number);
}

// MARK: - Strings

static uint32_t hex4(struct decoder *d) {
  if (d->end - d->at < 4) fault_at(d, "unexpected end", d->end);
  uint32_t code = 0;
  for (int i = 0; i < 4; i++, d->at++) {
    unsigned char byte = (unsigned char)*d->at, lower = byte | 0x20;
    if (byte >= '0' && byte <= '9')
      code = code << 4 | (uint32_t)(byte - '0');
    else if (lower >= 'a' && lower <= 'f')
      code = code << 4 | (uint32_t)(lower - 'a' + 10);
    else
      fault(d, "expected four hexadecimal digits");
  }
  return code;
}

static void add_code(luaL_Buffer *buffer, uint32_t code) {
  char *out = luaL_prepbuffsize(buffer, 4);
  int length = 0;
  if (code < 0x80) {
    out[length++] = (char)code;
  } else {
    int following = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    out[length++] = (char)(0xff00u >> (following + 1) | code >> 6 * following);
    while (following-- > 0) out[length++] = (char)(0x80 | (code >> 6 * following & 0x3f));
  }
  luaL_addsize(buffer, length);
}

// Appends the character of the escape whose backslash is passed.
static void escape(struct decoder *d, luaL_Buffer *buffer) {
  int byte = next(d);
  if (byte < 0) fault(d, "unexpected end");
  d->at++;
  switch (byte) {
    case '"':
    case '\\':
    case '/': break;
    case 'b': byte = '\b'; break;
    case 'f': byte = '\f'; break;
    case 'n': byte = '\n'; break;
    case 'r': byte = '\r'; break;
    case 't': byte = '\t'; break;
    case 'u': {
      uint32_t code = hex4(d);
      if (code >= 0xd800 && code < 0xdc00) {
        if (d->end - d->at < 2 || d->at[0] != '\\' || d->at[1] != 'u') fault(d, "lone surrogate");
        d->at += 2;
        uint32_t low = hex4(d);
        if (low < 0xdc00 || low > 0xdfff) fault(d, "lone surrogate");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      } else if (code >= 0xdc00 && code <= 0xdfff) {
        fault(d, "lone surrogate");
      }
      return add_code(buffer, code);
    }
    default: d->at--; fault(d, "unknown escape");
  }
  luaL_addchar(buffer, (char)byte);
}

// Passes bytes up to a quote or a backslash; they are checked to be UTF-8.
static const char *plain(struct decoder *d, const char *start) {
  bool has_high = false;
  const char *from = d->at;
  d->at = clh_json_plain_end(from, d->end, &has_high);
  if (d->at == d->end) fault_at(d, "string without an end", start);
  if ((unsigned char)*d->at < 0x20) fault(d, "control character in a string");
  if (has_high && !clh_json_is_utf8(from, (size_t)(d->at - from))) fault_at(d, "string is not UTF-8", start);
  return from;
}

static void string(struct decoder *d) {
  const char *start = ++d->at;
  const char *from = plain(d, start);
  // Most strings have no escape: they are copied once.
  if (*d->at == '"') {
    lua_pushlstring(d->L, from, (size_t)(d->at - from));
    d->at++;
    return;
  }
  luaL_Buffer buffer;
  luaL_buffinit(d->L, &buffer);
  for (;;) {
    luaL_addlstring(&buffer, from, (size_t)(d->at - from));
    if (*d->at++ == '"') break;
    escape(d, &buffer);
    from = plain(d, start);
  }
  luaL_pushresult(&buffer);
}

// MARK: - Arrays and objects

static void enter(struct decoder *d) {
  if (++d->depth > CLH_JSON_DEPTH_MAX) fault(d, "nested deeper than 128");
  luaL_checkstack(d->L, 2 * MEMBERS_ON_STACK + 4, "JSON");
  d->at++;
  skip_space(d);
}

// Passes the comma (false) or the closing bracket (true) after an element.
static bool closes(struct decoder *d, char bracket) {
  skip_space(d);
  int byte = next(d);
  if (byte == bracket) {
    d->at++;
    return true;
  }
  if (byte != ',') fault(d, bracket == ']' ? "expected ',' or ']'" : "expected ',' or '}'");
  d->at++;
  skip_space(d);
  return false;
}

static void array(struct decoder *d) {
  lua_State *L = d->L;
  enter(d);
  int count = 0;
  bool closed = next(d) == ']';
  if (closed) d->at++;
  while (!closed && count < MEMBERS_ON_STACK) {
    value(d);
    count++;
    closed = closes(d, ']');
  }
  lua_createtable(L, closed ? count : 2 * count, 0);
  lua_insert(L, -1 - count);
  int table = lua_gettop(L) - count;
  for (int index = count; index >= 1; index--) lua_rawseti(L, table, index);
  for (lua_Integer index = count + 1; !closed; index++) {
    value(d);
    lua_rawseti(L, table, index);
    closed = closes(d, ']');
  }
  lua_pushvalue(L, d->array_metatable);
  lua_setmetatable(L, table);
  d->depth--;
}

static void member(struct decoder *d) {
  if (next(d) != '"') fault(d, "expected a key in quotes");
  string(d);
  skip_space(d);
  if (next(d) != ':') fault(d, "expected ':'");
  d->at++;
  skip_space(d);
  value(d);
}

static void object(struct decoder *d) {
  lua_State *L = d->L;
  enter(d);
  int count = 0;
  bool closed = next(d) == '}';
  if (closed) d->at++;
  while (!closed && count < MEMBERS_ON_STACK) {
    member(d);
    count++;
    closed = closes(d, '}');
  }
  lua_createtable(L, 0, closed ? count : 2 * count);
  int table = lua_gettop(L), first = table - 2 * count;
  // In the order of the text, so that the last of a repeated key counts.
  for (int index = first; index < table; index += 2) {
    lua_pushvalue(L, index);
    lua_pushvalue(L, index + 1);
    lua_rawset(L, table);
  }
  if (count > 0) {
    lua_replace(L, first);
    lua_settop(L, first);
    table = first;
  }
  while (!closed) {
    member(d);
    lua_rawset(L, table);
    closed = closes(d, '}');
  }
  d->depth--;
}

static void value(struct decoder *d) {
  d->values++;
  if (d->at - d->charged >= BYTES_PER_CHARGE) settle(d);
  switch (next(d)) {
    case '{': object(d); break;
    case '[': array(d); break;
    case '"': string(d); break;
    case 't':
      word(d, "true", 4);
      lua_pushboolean(d->L, true);
      break;
    case 'f':
      word(d, "false", 5);
      lua_pushboolean(d->L, false);
      break;
    case 'n':
      word(d, "null", 4);
      clh_json_push_null(d->L);
      break;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': number(d); break;
    case -1: fault(d, "unexpected end"); break;
    default: fault(d, "unexpected character");
  }
}

void clh_json_decode(lua_State *L, const char *bytes, size_t length) {
  luaL_checkstack(L, 2 * MEMBERS_ON_STACK, "JSON");
  clh_json_push_array_metatable(L);
  struct decoder d = {.L = L, .text = bytes, .at = bytes, .end = bytes + length, .charged = bytes};
  d.array_metatable = lua_gettop(L);
  skip_space(&d);
  value(&d);
  skip_space(&d);
  if (d.at < d.end) fault(&d, "unexpected text after the value");
  settle(&d);
  lua_remove(L, d.array_metatable);
}
