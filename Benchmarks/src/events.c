// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "events.h"

#include <string.h>

#include "json.h"

void events_begin(struct events *events, const struct turn *turn) {
  turn_tag(turn, events->tag, sizeof events->tag);
  events->partial.length = events->text.length = 0;
  events->deltas = 0;
  events->is_over = false;
  events->fault = NULL;
}

static struct span member(struct span object, const char *name) {
  struct json_walk members = json_walk(object, '{');
  struct span key, value;
  while (json_next(&members, &key, &value))
    if (span_is(key, name)) return value;
  return (struct span){0};
}

// `delta.content` of the first choice; absent in the chunks of role, tool call, finish and usage.
static struct span provider_text(struct span chunk) {
  struct json_walk choices = json_walk(member(chunk, "choices"), '[');
  struct span none, choice;
  if (!json_next(&choices, &none, &choice)) return (struct span){0};
  return json_string(member(member(choice, "delta"), "content"));
}

static void take_text(struct events *events, struct span text, uint64_t now, struct samples *gaps) {
  if (!span_length(text)) return;
  if (events->deltas++ == 0) events->first = now;
  else if (gaps) samples_add(gaps, now - events->last);
  events->last = now;
  buffer_append(&events->text, text.at, span_length(text));
}

static void end(struct events *events) {
  struct span text = {events->text.bytes, events->text.bytes + events->text.length};
  if (events->deltas != ANSWER_TOKENS) events->fault = "not one event for each token";
  else if (!span_contains(text, events->tag)) events->fault = "the text of another turn";
  events->is_over = true;
}

static void take_event(
    struct events *events, struct span name, struct span data, uint64_t now, struct samples *gaps) {
  if (events->is_over) events->fault = "an event behind the last one";
  struct span value = json_value(data);
  if (!name.at) {
    if (span_is(data, "[DONE]")) end(events);
    else take_text(events, provider_text(value), now, gaps);
  } else if (span_is(name, "message.delta")) {
    take_text(events, json_string(member(value, "text")), now, gaps);
  } else if (span_is(name, "message.completed")) {
    end(events);
    if (!span_contains(data, events->tag)) events->fault = "message.completed without the text";
  } else if (span_is(name, "tool.started") || span_is(name, "tool.finished")) {
    events->text.length = 0;
    events->deltas = 0;
  } else if (!span_is(name, "run.started")) {
    events->fault = "an event of an error, or of an unknown name";
  }
}

// The value of a line `field: value`; absent when the line is of another field.
static struct span line_value(struct span line, const char *field) {
  size_t length = strlen(field);
  if (span_length(line) < length || memcmp(line.at, field, length) != 0) return (struct span){0};
  return (struct span){line.at + length, line.end};
}

void events_take(
    struct events *events, const char *bytes, size_t length, uint64_t now, struct samples *gaps) {
  buffer_append(&events->partial, bytes, length);
  const char *at = events->partial.bytes, *end = at + events->partial.length, *blank;
  while ((blank = memmem(at, (size_t)(end - at), "\n\n", 2))) {
    struct span name = {0}, data = {0};
    while (at <= blank) {
      const char *newline = memchr(at, '\n', (size_t)(end - at));
      struct span line = {at, newline}, value;
      if ((value = line_value(line, "event: ")).at) name = value;
      if ((value = line_value(line, "data: ")).at) data = value;
      at = newline + 1;
    }
    at = blank + 2;
    // Without data it is a comment that keeps the connection open.
    if (data.at) take_event(events, name, data, now, gaps);
  }
  buffer_drop(&events->partial, (size_t)(at - events->partial.bytes));
}
