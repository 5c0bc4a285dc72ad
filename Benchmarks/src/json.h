// SPDX-License-Identifier: Apache-2.0
// Walks JSON text in place: nothing is copied, unescaped or checked beyond what the walk needs.
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct span {
  const char *at, *end; // both NULL: absent
};

// The members of an object, or the elements of an array.
struct json_walk {
  const char *at, *end;
  bool has_keys;
};

// The first value of the text; absent when there is none.
struct span json_value(struct span text);
// Starts at the value's bracket, `{` or `[`; a value of another kind is walked as an empty one.
struct json_walk json_walk(struct span value, char bracket);
// The next value, and its key in an object; false at the end, or where the text is no JSON.
bool json_next(struct json_walk *walk, struct span *key, struct span *value);
// A string without its quotes, still escaped; absent when the value is no string.
struct span json_string(struct span value);

bool span_is(struct span span, const char *text);
bool span_contains(struct span span, const char *text);
size_t span_length(struct span span);

#endif
