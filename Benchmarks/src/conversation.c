// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "conversation.h"

#include <stdlib.h>

#define SYSTEM_BYTES_MIN 300
#define TODOS_MIN 10
// Servers that keep tool messages have room for fewer turns in the same number of messages.
static const int turns_min[] = {4, 4, 4, 3};

void call_identifier(const struct turn *turn, int index, char *identifier, size_t size) {
  snprintf(identifier, size, "call-%s-%d-%d", turn->session, turn->number, index);
}

bool call_adds(const struct turn *turn, int index) {
  return turn->mode == MODE_ADD || (turn->mode == MODE_THREE && index == 1);
}

bool has_results(const struct conversation *conversation) {
  return conversation->results == (1u << mode_calls[conversation->turn.mode]) - 1;
}

void todo_title(const struct turn *turn, char *title, size_t size) {
  snprintf(title, size, "call the plumber, %s-%d", turn->session, turn->number);
}

// Whether the answer is the one that the provider gave to this turn.
static bool answers(struct span content, const struct turn *turn) {
  char tag[TAG_BYTES];
  turn_tag(turn, tag, sizeof tag);
  return span_contains(content, tag);
}

static int count(struct span text, const char *what) {
  int found = 0;
  while (text.at && (text.at = memmem(text.at, span_length(text), what, strlen(what)))) {
    found++;
    text.at += strlen(what);
  }
  return found;
}

static const char *read_user(struct conversation *so_far, struct span content, bool was_answered) {
  char text[TAG_BYTES];
  size_t length = span_length(content);
  if (length >= sizeof text) length = sizeof text - 1;
  if (length) memcpy(text, content.at, length);
  text[length] = 0;
  struct turn turn;
  if (!turn_read(text, &turn)) return "a user message without its tag";
  if (so_far->users > 0) {
    if (strcmp(turn.session, so_far->turn.session) != 0) return "a message of another session";
    if (turn.number != so_far->turn.number + 1) return "a turn of the history is missing";
    if (!was_answered) return "an answer of the history is missing";
  }
  so_far->turn = turn;
  so_far->users++;
  so_far->has_called = false;
  so_far->results = 0;
  return NULL;
}

static const char *read_result(struct conversation *so_far, struct span call, struct span content) {
  char expected[TAG_BYTES];
  int index = 0, calls = so_far->has_called ? mode_calls[so_far->turn.mode] : 0;
  for (; index < calls; index++) {
    call_identifier(&so_far->turn, index, expected, sizeof expected);
    if (span_is(call, expected)) break;
  }
  if (index == calls) return "a tool result without its call";
  bool adds = call_adds(&so_far->turn, index);
  if (!adds && count(content, "\\\"title\\\"") < TODOS_MIN)
    return "the result of list_todos has fewer than ten rows";
  todo_title(&so_far->turn, expected, sizeof expected);
  if (adds && !span_contains(content, expected)) return "the result of add_todo has not the title";
  so_far->results |= 1u << index;
  return NULL;
}

// Whole turns: of an odd number of messages the oldest is left out.
static const char *history_fault(const struct conversation *so_far) {
  int newest = so_far->turn.number, turns = so_far->turn.history / 2 + 1;
  if (so_far->turn.history)
    return so_far->users == (newest < turns ? newest : turns) ? NULL : "not the history that was asked for";
  int needed = turns_min[so_far->turn.mode];
  return so_far->users < (newest < needed ? newest : needed) ? "the history is too short" : NULL;
}

// Whether all calls are there that the provider made in this turn.
static bool has_calls(const struct turn *turn, struct span calls) {
  for (int index = 0; index < mode_calls[turn->mode]; index++) {
    char identifier[TAG_BYTES];
    call_identifier(turn, index, identifier, sizeof identifier);
    if (!span_contains(calls, identifier)) return false;
  }
  return mode_calls[turn->mode] > 0;
}

static const char *read_messages(struct conversation *so_far, struct span messages) {
  struct json_walk list = json_walk(messages, '[');
  struct span none, message;
  bool has_system = false, was_answered = false;
  while (json_next(&list, &none, &message)) {
    struct span role = {0}, content = {0}, calls = {0}, call = {0}, key, value;
    struct json_walk members = json_walk(message, '{');
    while (json_next(&members, &key, &value)) {
      if (span_is(key, "role")) role = json_string(value);
      if (span_is(key, "content")) content = json_string(value);
      if (span_is(key, "tool_calls")) calls = value;
      if (span_is(key, "tool_call_id")) call = json_string(value);
    }
    const char *fault = NULL;
    if (span_is(role, "system") || span_is(role, "developer")) {
      has_system = span_length(content) >= SYSTEM_BYTES_MIN;
    } else if (span_is(role, "user")) {
      fault = read_user(so_far, content, was_answered);
      was_answered = false;
    } else if (span_is(role, "assistant") && so_far->users > 0) {
      if (has_calls(&so_far->turn, calls)) so_far->has_called = true;
      else if (answers(content, &so_far->turn)) was_answered = true;
      else fault = "an answer that the provider did not give";
    } else if (span_is(role, "tool") && so_far->users > 0) {
      fault = read_result(so_far, call, content);
    }
    if (fault) return fault;
  }
  if (!has_system) return "no system prompt of the size of the work";
  if (so_far->users == 0) return "no user message";
  if (was_answered) return "the newest message is no question";
  if (so_far->has_called && !has_results(so_far)) return "a call without its result";
  return history_fault(so_far);
}

static bool asks_for_usage(struct span stream_options) {
  struct json_walk members = json_walk(stream_options, '{');
  struct span key, value;
  while (json_next(&members, &key, &value))
    if (span_is(key, "include_usage")) return span_is(value, "true");
  return false;
}

struct conversation conversation_read(struct span body) {
  struct conversation conversation = {0};
  struct span messages = {0}, tools = {0}, key, value;
  struct json_walk members = json_walk(json_value(body), '{');
  while (json_next(&members, &key, &value)) {
    if (span_is(key, "messages")) messages = value;
    if (span_is(key, "tools")) tools = value;
    if (span_is(key, "stream")) conversation.is_streamed = span_is(value, "true");
    if (span_is(key, "stream_options")) conversation.wants_usage = asks_for_usage(value);
  }
  conversation.fault = read_messages(&conversation, messages);
  bool has_tools = span_contains(tools, "\"list_todos\"") && span_contains(tools, "\"add_todo\"");
  if (!conversation.fault && !has_tools) conversation.fault = "the two tools are not declared";
  return conversation;
}
