// SPDX-License-Identifier: Apache-2.0
// Lua patterns: compiled once per call into a row of items, matched without recursion.
//
// A pattern has no alternation, so each repeated item has at most one open choice at a time and the choices
// form one stack as long as the pattern. Every step is charged, so that no pattern outlives the run's budget.
// Source: Lua 5.4 manual, 6.4.1.
#ifndef CLH_PATTERN_H
#define CLH_PATTERN_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLH_CAPTURES_MAX 32

enum clh_item_kind {
  CLH_KIND_END,
  CLH_KIND_ANY,
  CLH_KIND_BYTE,
  CLH_KIND_SET,
  CLH_KIND_OPEN,
  CLH_KIND_CLOSE,
  CLH_KIND_POSITION,
  CLH_KIND_BALANCE,
  CLH_KIND_FRONTIER,
  CLH_KIND_SAME,
  CLH_KIND_TAIL,
  CLH_KIND_FAULT,
  CLH_KIND_FAULT_CAPTURE,
};

enum clh_repeat { CLH_ONCE, CLH_OPTIONAL, CLH_GREEDY, CLH_GREEDY_ONE, CLH_LAZY };

/// One pattern item: a byte test with its repetition, or a mark.
struct clh_item {
  uint8_t kind;
  uint8_t repeat;
  uint8_t byte;   // the literal; the opening byte of %b; the capture's index
  uint8_t other;  // the closing byte of %b
  union {
    const uint64_t *set;  // 256 bits
    const char *fault;    // message of an item that raises when it is reached
  };
};

/// An item that could have matched otherwise: bytes `low` to `at` may still be tried.
struct clh_choice {
  const struct clh_item *item;
  const unsigned char *low, *at;
};

struct clh_capture {
  const unsigned char *start, *end;
};

enum clh_capture_kind { CLH_CAPTURE_OPEN, CLH_CAPTURE_CLOSED, CLH_CAPTURE_POSITION };

/// A compiled pattern together with the subject it is tried on.
struct clh_matcher {
  lua_State *L;
  const unsigned char *subject, *end;
  struct clh_item *items;
  struct clh_choice *choices;
  uint64_t (*sets)[4];
  size_t steps;  // not yet charged
  int capture_count;
  uint8_t capture_kinds[CLH_CAPTURES_MAX];
  struct clh_capture captures[CLH_CAPTURES_MAX];
};

/// Room for a short pattern, so that most calls allocate nothing.
#define CLH_PATTERN_INLINE_BYTES 48
#define CLH_PATTERN_INLINE_SETS 3
struct clh_pattern_room {
  struct clh_item items[CLH_PATTERN_INLINE_BYTES + 1];
  struct clh_choice choices[CLH_PATTERN_INLINE_BYTES + 1];
  uint64_t sets[CLH_PATTERN_INLINE_SETS][4];
};

/// Compiles `pattern` into `room`, or into a userdata that it pushes when the pattern is long or `room` NULL.
/// Stack: [] -> [] or [userdata]. A malformed item raises only when matching reaches it.
void clh_pattern_compile(struct clh_matcher *m, lua_State *L, struct clh_pattern_room *room,
                         const char *pattern, size_t length);

/// Sets the subject, which the caller keeps alive.
void clh_pattern_subject(struct clh_matcher *m, const char *subject, size_t length);

/// Matches at exactly `at`; returns the end of the match or NULL. May raise.
const unsigned char *clh_pattern_match(struct clh_matcher *m, const unsigned char *at);

/// Moves `*at` forward to the first match; returns its end or NULL. May raise.
const unsigned char *clh_pattern_search(struct clh_matcher *m, const unsigned char **at);

/// Charges the steps not yet charged. May raise.
void clh_pattern_settle(struct clh_matcher *m);

/// Pushes capture `index` (from 0) of the match from `start` to `end`; the whole match is capture 0 of none.
void clh_pattern_push_capture(struct clh_matcher *m, int index, const unsigned char *start,
                              const unsigned char *end);

/// Pushes every capture, or the whole match when there is none and `whole` is set. Returns how many.
int clh_pattern_push_captures(struct clh_matcher *m, bool whole, const unsigned char *start,
                              const unsigned char *end);

#endif
