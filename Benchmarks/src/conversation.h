// SPDX-License-Identifier: Apache-2.0
// Reads the body of a chat completion request and checks that the server did the whole work of the turn.
#ifndef BENCH_CONVERSATION_H
#define BENCH_CONVERSATION_H

#include "json.h"
#include "turn.h"

struct conversation {
  struct turn turn;  // of the newest user message
  int users;         // user messages in a row that belong to the session, the newest one counted
  bool has_called;   // the newest user message was answered with a tool call
  bool has_result;   // and the call's result came back
  bool is_streamed;  // the answer is wanted in pieces
  bool wants_usage;  // and the usage behind them
  const char *fault; // what is missing; NULL when the request is good
};

// Call identifiers are made from the turn, so that the provider need not remember them.
void call_identifier(const struct turn *turn, char *identifier, size_t size);
// The title of the to-do that MODE_ADD adds.
void todo_title(const struct turn *turn, char *title, size_t size);

struct conversation conversation_read(struct span body);

#endif
