// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "json.h"

#include <string.h>

static const char *skip_space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) at++;
  return at;
}

// From the opening quote to behind the closing one; NULL when it is missing.
static const char *skip_string(const char *at, const char *end) {
  for (at++; at < end;) {
    const char *quote = memchr(at, '"', (size_t)(end - at));
    if (!quote) return NULL;
    const char *backslash = quote;
    while (backslash > at && backslash[-1] == '\\') backslash--;
    at = quote + 1;
    if ((quote - backslash) % 2 == 0) return at;
  }
  return NULL;
}

struct span json_value(struct span text) {
  const char *start = skip_space(text.at, text.end);
  const char *at = start;
  int depth = 0;
  while (at && at < text.end) {
    switch (*at) {
    case '"':
      at = skip_string(at, text.end);
      if (at && depth == 0) return (struct span){start, at};
      break;
    case '{':
    case '[':
      depth++;
      at++;
      break;
    case '}':
    case ']':
      if (depth == 0) return at > start ? (struct span){start, at} : (struct span){0};
      at++;
      if (--depth == 0) return (struct span){start, at};
      break;
    case ',':
    case ':':
      if (depth == 0) return at > start ? (struct span){start, at} : (struct span){0};
      at++;
      break;
    default:
      at++;
    }
  }
  return depth == 0 && at && at > start ? (struct span){start, at} : (struct span){0};
}

struct json_walk json_walk(struct span value, char bracket) {
  struct json_walk walk = {.has_keys = bracket == '{'};
  if (value.at && *value.at == bracket) {
    walk.at = value.at + 1;
    walk.end = value.end - 1;
  }
  return walk;
}

bool json_next(struct json_walk *walk, struct span *key, struct span *value) {
  const char *at = skip_space(walk->at, walk->end);
  if (at == walk->end) return false;
  if (walk->has_keys) {
    struct span quoted = json_value((struct span){at, walk->end});
    *key = json_string(quoted);
    if (!key->at) return false;
    at = skip_space(quoted.end, walk->end);
    if (at == walk->end || *at != ':') return false;
    at++;
  }
  *value = json_value((struct span){at, walk->end});
  if (!value->at) return false;
  at = skip_space(value->end, walk->end);
  if (at < walk->end && *at == ',') at++;
  walk->at = at;
  return true;
}

struct span json_string(struct span value) {
  if (!value.at || *value.at != '"') return (struct span){0};
  return (struct span){value.at + 1, value.end - 1};
}

size_t span_length(struct span span) { return span.at ? (size_t)(span.end - span.at) : 0; }

bool span_is(struct span span, const char *text) {
  return span_length(span) == strlen(text) && memcmp(span.at, text, strlen(text)) == 0;
}

bool span_contains(struct span span, const char *text) {
  return span.at && memmem(span.at, span_length(span), text, strlen(text)) != NULL;
}
