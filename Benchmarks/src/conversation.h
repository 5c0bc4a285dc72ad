// SPDX-License-Identifier: Apache-2.0
// Reads the body of a chat completion request and checks that the server did the whole work of the turn.
#ifndef BENCH_CONVERSATION_H
#define BENCH_CONVERSATION_H

#include "json.h"
#include "turn.h"

struct conversation {
  struct turn turn;  // of the newest user message
  int users;         // user messages in a row that belong to the session, the newest one counted
  bool has_called;   // the newest user message was answered with tool calls
  unsigned results;  // a bit for each call whose result came back
  bool is_streamed;  // the answer is wanted in pieces
  bool wants_usage;  // and the usage behind them
  const char *fault; // what is missing; NULL when the request is good
};

// Call identifiers are made from the turn and the call's index, so that the provider need not remember them.
void call_identifier(const struct turn *turn, int index, char *identifier, size_t size);
// Whether a call is one of add_todo; else it is one of list_todos.
bool call_adds(const struct turn *turn, int index);
bool has_results(const struct conversation *conversation);
// The title of the to-do that is added.
void todo_title(const struct turn *turn, char *title, size_t size);

struct conversation conversation_read(struct span body);

#endif
