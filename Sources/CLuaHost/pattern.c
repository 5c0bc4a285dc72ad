// SPDX-License-Identifier: Apache-2.0
#include "pattern.h"

#include <string.h>

#include "charge.h"

#define STEPS_PER_CHARGE 512

static inline bool set_has(const uint64_t set[4], unsigned char byte) {
  return (set[byte >> 6] >> (byte & 63)) & 1;
}

void clh_pattern_subject(struct clh_matcher *m, const char *subject, size_t length) {
  m->subject = (const unsigned char *)subject;
  m->end = m->subject + length;
}

void clh_pattern_settle(struct clh_matcher *m) {
  size_t steps = m->steps;
  m->steps = 0;
  clh_charge(m->L, steps);
}

static inline bool passes(const struct clh_item *item, unsigned char byte) {
  switch (item->kind) {
    case CLH_KIND_BYTE: return item->byte == byte;
    case CLH_KIND_SET: return set_has(item->set, byte);
    default: return true;
  }
}

// The end of the longest run of bytes that pass.
static const unsigned char *run_end(struct clh_matcher *m, const struct clh_item *item,
                                    const unsigned char *at) {
  const unsigned char *stop = at;
  if (item->kind == CLH_KIND_ANY) {
    m->steps += 1 + (size_t)(m->end - at) / CLH_BYTES_PER_UNIT;
    return m->end;
  }
  if (item->kind == CLH_KIND_SET) {
    while (stop < m->end && set_has(item->set, *stop)) stop++;
  } else {
    while (stop < m->end && *stop == item->byte) stop++;
  }
  m->steps += (size_t)(stop - at);
  return stop;
}

// The end of a balanced text that starts at `at`, or NULL.
static const unsigned char *balance_end(struct clh_matcher *m, const struct clh_item *item,
                                        const unsigned char *at) {
  if (at == m->end || *at != item->byte) return NULL;
  size_t depth = 1;
  const unsigned char *next = at + 1;
  for (; next < m->end; next++) {
    // The closing byte is looked at first: %bxx ends at the second x.
    if (*next == item->other) {
      if (--depth == 0) break;
    } else if (*next == item->byte) {
      depth++;
    }
  }
  m->steps += (size_t)(next - at);
  return next < m->end ? next + 1 : NULL;
}

// The end of a text equal to a closed capture, or NULL; a position is equal to nothing.
static const unsigned char *same_end(struct clh_matcher *m, int index, const unsigned char *at) {
  if (m->capture_kinds[index] == CLH_CAPTURE_POSITION) return NULL;
  size_t length = (size_t)(m->captures[index].end - m->captures[index].start);
  m->steps += length / CLH_BYTES_PER_UNIT;
  if ((size_t)(m->end - at) < length || memcmp(m->captures[index].start, at, length) != 0) return NULL;
  return at + length;
}

static bool is_frontier(const struct clh_matcher *m, const uint64_t *set, const unsigned char *at) {
  unsigned char before = at == m->subject ? 0 : at[-1];
  unsigned char after = at == m->end ? 0 : *at;
  return !set_has(set, before) && set_has(set, after);
}

// Takes back the last choice: returns where to go on after `(*choice)->item`, or NULL when no choice is left.
static const unsigned char *other_choice(struct clh_matcher *m, struct clh_choice **choice) {
  while (*choice > m->choices) {
    struct clh_choice *last = *choice - 1;
    if (last->item->repeat == CLH_LAZY) {
      if (last->at < m->end && passes(last->item, *last->at)) return ++last->at;
    } else if (last->at > last->low) {
      return --last->at;
    }
    *choice = last;
  }
  return NULL;
}

const unsigned char *clh_pattern_match(struct clh_matcher *m, const unsigned char *at) {
  const struct clh_item *item = m->items;
  struct clh_choice *choice = m->choices;
  for (;;) {
    if (++m->steps >= STEPS_PER_CHARGE) clh_pattern_settle(m);
    const unsigned char *next = NULL;
    switch (item->kind) {
      case CLH_KIND_END: return at;
      case CLH_KIND_ANY:
      case CLH_KIND_BYTE:
      case CLH_KIND_SET:
        if (item->repeat == CLH_ONCE) {
          if (at < m->end && passes(item, *at)) next = at + 1;
        } else if (item->repeat == CLH_LAZY) {
          *choice++ = (struct clh_choice){.item = item, .low = at, .at = at};
          next = at;
        } else {
          const unsigned char *low = at;
          if (item->repeat == CLH_OPTIONAL)
            next = at + (at < m->end && passes(item, *at));
          else
            next = run_end(m, item, at);
          if (item->repeat == CLH_GREEDY_ONE && next == low++) {
            next = NULL;
          } else if (next > low) {
            *choice++ = (struct clh_choice){.item = item, .low = low, .at = next};
          }
        }
        break;
      case CLH_KIND_OPEN:
        m->captures[item->byte].start = at;
        next = at;
        break;
      case CLH_KIND_CLOSE:
        m->captures[item->byte].end = at;
        next = at;
        break;
      case CLH_KIND_POSITION:
        m->captures[item->byte].start = at;
        next = at;
        break;
      case CLH_KIND_BALANCE: next = balance_end(m, item, at); break;
      case CLH_KIND_FRONTIER: next = is_frontier(m, item->set, at) ? at : NULL; break;
      case CLH_KIND_SAME: next = same_end(m, item->byte, at); break;
      case CLH_KIND_TAIL: next = at == m->end ? at : NULL; break;
      case CLH_KIND_FAULT_CAPTURE: luaL_error(m->L, "invalid capture index %%%d", (int)item->byte); break;
      default: luaL_error(m->L, "%s", item->fault);
    }
    if (next == NULL) {
      next = other_choice(m, &choice);
      if (next == NULL) return NULL;
      item = choice[-1].item;
    }
    at = next;
    item++;
  }
}

const unsigned char *clh_pattern_search(struct clh_matcher *m, const unsigned char **at) {
  const struct clh_item *first = m->items;
  bool literal =
      first->kind == CLH_KIND_BYTE && (first->repeat == CLH_ONCE || first->repeat == CLH_GREEDY_ONE);
  for (;; ++*at) {
    if (literal) {
      size_t rest = (size_t)(m->end - *at);
      const unsigned char *found = rest == 0 ? NULL : memchr(*at, first->byte, rest);
      m->steps += (found == NULL ? rest : (size_t)(found - *at)) / CLH_BYTES_PER_UNIT;
      if (found == NULL) return NULL;
      *at = found;
    }
    const unsigned char *end = clh_pattern_match(m, *at);
    if (end != NULL) return end;
    if (*at == m->end) return NULL;
  }
}

// MARK: - Captures

void clh_pattern_push_capture(struct clh_matcher *m, int index, const unsigned char *start,
                              const unsigned char *end) {
  if (index >= m->capture_count) {
    if (index != 0) luaL_error(m->L, "invalid capture index %%%d", index + 1);
    lua_pushlstring(m->L, (const char *)start, (size_t)(end - start));
    return;
  }
  const struct clh_capture *capture = &m->captures[index];
  switch (m->capture_kinds[index]) {
    case CLH_CAPTURE_POSITION: lua_pushinteger(m->L, capture->start - m->subject + 1); break;
    case CLH_CAPTURE_CLOSED:
      lua_pushlstring(m->L, (const char *)capture->start, (size_t)(capture->end - capture->start));
      break;
    default: luaL_error(m->L, "unfinished capture");
  }
}

int clh_pattern_push_captures(struct clh_matcher *m, bool whole, const unsigned char *start,
                              const unsigned char *end) {
  int count = m->capture_count == 0 && whole ? 1 : m->capture_count;
  luaL_checkstack(m->L, count, "too many captures");
  for (int index = 0; index < count; index++) clh_pattern_push_capture(m, index, start, end);
  return count;
}
