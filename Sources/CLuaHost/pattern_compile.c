// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "charge.h"
#include "pattern.h"

// Bytes of each class and of its complement, in the C locale, whatever the process's locale is.
#define CLASS(low, high) {{low, high, 0, 0}, {~(low), ~(high), ~0ull, ~0ull}}
static const uint64_t classes[][2][4] = {
    CLASS(0x0000000000000000ull, 0x07fffffe07fffffeull),  // a letters
    CLASS(0x00000000ffffffffull, 0x8000000000000000ull),  // c control
    CLASS(0x03ff000000000000ull, 0x0000000000000000ull),  // d digits
    CLASS(0xfffffffe00000000ull, 0x7fffffffffffffffull),  // g printable but space
    CLASS(0x0000000000000000ull, 0x07fffffe00000000ull),  // l lower case
    CLASS(0xfc00fffe00000000ull, 0x78000001f8000001ull),  // p punctuation
    CLASS(0x0000000100003e00ull, 0x0000000000000000ull),  // s space
    CLASS(0x0000000000000000ull, 0x0000000007fffffeull),  // u upper case
    CLASS(0x03ff000000000000ull, 0x07fffffe07fffffeull),  // w letters and digits
    CLASS(0x03ff000000000000ull, 0x0000007e0000007eull),  // x hexadecimal digits
    CLASS(0x0000000000000001ull, 0x0000000000000000ull),  // z the zero byte, as stock Lua still has it
};

// The set of a class letter (upper case: the complement), or NULL for a byte that stands for itself.
static const uint64_t *class_set(unsigned char letter) {
  static const char letters[] = "acdglpsuwxz";
  unsigned char lower = letter | 0x20;
  if (lower < 'a' || lower > 'z') return NULL;
  const char *found = memchr(letters, lower, sizeof letters - 1);
  return found == NULL ? NULL : classes[found - letters][letter != lower];
}

struct compiler {
  struct clh_matcher *m;
  const unsigned char *at, *end;
  struct clh_item *item;
  uint64_t (*set)[4];
};

static void add_fault(struct compiler *c, const char *message) {
  c->item->kind = CLH_KIND_FAULT;
  c->item->fault = message;
  c->item++;
  c->at = c->end;
}

// Reads a set whose '[' is passed. Returns false when it has no end.
static bool read_set(struct compiler *c) {
  const unsigned char *at = c->at;
  bool complement = at < c->end && *at == '^';
  if (complement) at++;
  const unsigned char *close = at;
  // The first byte never closes the set, so that []] holds a bracket.
  do {
    if (close == c->end) return false;
    if (*close++ == '%' && close < c->end) close++;
  } while (close == c->end || *close != ']');
  uint64_t *set = *c->set++;
  memset(set, 0, sizeof *c->set);
  while (at < close) {
    unsigned char from = *at, to = *at;
    const uint64_t *class = NULL;
    if (*at == '%') {
      class = class_set(at[1]);
      from = to = at[1];
      at += 2;
    } else if (close - at > 2 && at[1] == '-') {
      to = at[2];
      at += 3;
    } else {
      at++;
    }
    if (class != NULL) {
      for (int word = 0; word < 4; word++) set[word] |= class[word];
    } else {
      for (int byte = from; byte <= to; byte++) set[byte >> 6] |= 1ull << (byte & 63);
    }
  }
  if (complement)
    for (int word = 0; word < 4; word++) set[word] = ~set[word];
  c->item->set = set;
  c->at = close + 1;
  return true;
}

// Reads a byte test and the repetition after it.
static void add_test(struct compiler *c) {
  struct clh_item *item = c->item;
  unsigned char byte = *c->at++;
  item->kind = CLH_KIND_BYTE;
  item->byte = byte;
  if (byte == '.') {
    item->kind = CLH_KIND_ANY;
  } else if (byte == '%') {
    if (c->at == c->end) return add_fault(c, "malformed pattern (ends with '%')");
    item->byte = *c->at++;
    const uint64_t *class = class_set(item->byte);
    if (class != NULL) {
      item->kind = CLH_KIND_SET;
      item->set = class;
    }
  } else if (byte == '[') {
    item->kind = CLH_KIND_SET;
    if (!read_set(c)) return add_fault(c, "malformed pattern (missing ']')");
  }
  item->repeat = CLH_ONCE;
  if (c->at < c->end) {
    switch (*c->at) {
      case '?': item->repeat = CLH_OPTIONAL; break;
      case '*': item->repeat = CLH_GREEDY; break;
      case '+': item->repeat = CLH_GREEDY_ONE; break;
      case '-': item->repeat = CLH_LAZY; break;
      default: c->at--;
    }
    c->at++;
  }
  c->item++;
}

static void add_open(struct compiler *c) {
  struct clh_matcher *m = c->m;
  c->at++;
  if (m->capture_count == CLH_CAPTURES_MAX) return add_fault(c, "too many captures");
  bool position = c->at < c->end && *c->at == ')';
  if (position) c->at++;
  c->item->kind = position ? CLH_KIND_POSITION : CLH_KIND_OPEN;
  c->item->byte = (uint8_t)m->capture_count;
  m->capture_kinds[m->capture_count++] = position ? CLH_CAPTURE_POSITION : CLH_CAPTURE_OPEN;
  c->item++;
}

static void add_close(struct compiler *c) {
  struct clh_matcher *m = c->m;
  c->at++;
  int index = m->capture_count - 1;
  while (index >= 0 && m->capture_kinds[index] != CLH_CAPTURE_OPEN) index--;
  if (index < 0) return add_fault(c, "invalid pattern capture");
  m->capture_kinds[index] = CLH_CAPTURE_CLOSED;
  c->item->kind = CLH_KIND_CLOSE;
  c->item->byte = (uint8_t)index;
  c->item++;
}

// Reads what '%' makes special: %b, %f and %0 to %9. Returns false for an ordinary escape.
static bool add_special(struct compiler *c) {
  if (c->end - c->at < 2) return false;
  unsigned char byte = c->at[1];
  if (byte == 'b') {
    if (c->end - c->at < 4) {
      add_fault(c, "malformed pattern (missing arguments to '%b')");
      return true;
    }
    *c->item++ = (struct clh_item){.kind = CLH_KIND_BALANCE, .byte = c->at[2], .other = c->at[3]};
    c->at += 4;
  } else if (byte == 'f') {
    c->at += 2;
    if (c->at == c->end || *c->at != '[') {
      add_fault(c, "missing '[' after '%f' in pattern");
      return true;
    }
    c->at++;
    c->item->kind = CLH_KIND_FRONTIER;
    if (read_set(c))
      c->item++;
    else
      add_fault(c, "malformed pattern (missing ']')");
  } else if (byte >= '0' && byte <= '9') {
    int index = byte - '1';
    bool known = index >= 0 && index < c->m->capture_count && c->m->capture_kinds[index] != CLH_CAPTURE_OPEN;
    // An unknown capture keeps its digit, so that the message can name it.
    c->item->kind = known ? CLH_KIND_SAME : CLH_KIND_FAULT_CAPTURE;
    c->item->byte = (uint8_t)(known ? index : byte - '0');
    c->item++;
    c->at += 2;
  } else {
    return false;
  }
  return true;
}

void clh_pattern_compile(struct clh_matcher *m, lua_State *L, struct clh_pattern_room *room,
                         const char *pattern, size_t length) {
  size_t sets = 0;
  for (size_t i = 0; i < length; i++) sets += pattern[i] == '[';
  clh_charge(L, 1 + length);
  if (room != NULL && length <= CLH_PATTERN_INLINE_BYTES && sets <= CLH_PATTERN_INLINE_SETS) {
    m->items = room->items;
    m->choices = room->choices;
    m->sets = room->sets;
  } else {
    size_t items = length + 1;
    if (length > CLH_STRING_BYTES_MAX) luaL_error(L, "pattern too long");
    char *block = lua_newuserdatauv(
        L, sets * sizeof *m->sets + items * (sizeof *m->items + sizeof *m->choices), 0);
    m->sets = (void *)block;
    m->items = (void *)(block + sets * sizeof *m->sets);
    m->choices = (void *)(m->items + items);
  }
  m->L = L;
  m->steps = 0;
  m->capture_count = 0;
  const unsigned char *bytes = (const unsigned char *)pattern;
  struct compiler c = {.m = m, .at = bytes, .end = bytes + length, .item = m->items, .set = m->sets};
  while (c.at < c.end) {
    switch (*c.at) {
      case '(': add_open(&c); break;
      case ')': add_close(&c); break;
      case '$':
        if (c.at + 1 == c.end) {
          c.item++->kind = CLH_KIND_TAIL;
          c.at++;
        } else {
          add_test(&c);
        }
        break;
      case '%':
        if (!add_special(&c)) add_test(&c);
        break;
      default: add_test(&c);
    }
  }
  c.item->kind = CLH_KIND_END;
}
