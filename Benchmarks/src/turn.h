// SPDX-License-Identifier: Apache-2.0
// The tag at the front of every message of the load generator. It tells the provider how to answer and names
// the turn, so that the provider can check the history and the load generator can check the answer.
#ifndef BENCH_TURN_H
#define BENCH_TURN_H

#include <stdio.h>
#include <string.h>

#define SESSION_BYTES 64
#define TAG_BYTES 160
// Pieces that a text is streamed in.
#define ANSWER_TOKENS 60

enum mode {
  MODE_PLAIN, // a text
  MODE_LIST,  // first a call of list_todos, then a text
  MODE_ADD,   // first a call of add_todo, then a text
  MODE_THREE, // first calls of list_todos, add_todo and list_todos at once, then a text
};

#define CALLS_MAX 3

static const char *const mode_names[] = {"plain", "list", "add", "three"};
static const int mode_calls[] = {0, 1, 1, CALLS_MAX};

struct turn {
  enum mode mode;
  int delay_milliseconds; // of each answer of the provider; when it is streamed, of its first token
  int every_milliseconds; // from one streamed token to the next; 0: all at once
  int number;             // from 1, in its session
  int history;            // past messages that its agent asks for; 0: not told
  char session[SESSION_BYTES];
};

static inline int mode_named(const char *name) {
  for (int mode = MODE_PLAIN; mode <= MODE_THREE; mode++)
    if (strcmp(name, mode_names[mode]) == 0) return mode;
  return -1;
}

// Writes the tag, at most `size` bytes with its NUL.
static inline void turn_tag(const struct turn *turn, char *tag, size_t size) {
  char history[24] = "";
  if (turn->history) snprintf(history, sizeof history, " history=%d", turn->history);
  snprintf(tag, size, "[%s delay=%d every=%d session=%s turn=%d%s]", mode_names[turn->mode],
           turn->delay_milliseconds, turn->every_milliseconds, turn->session, turn->number, history);
}

// Reads the tag at the front of a text with a NUL; 0 when there is none.
static inline int turn_read(const char *text, struct turn *turn) {
  char mode[8];
  turn->history = 0;
  if (sscanf(text, "[%7s delay=%d every=%d session=%63s turn=%d history=%d]", mode, &turn->delay_milliseconds,
             &turn->every_milliseconds, turn->session, &turn->number, &turn->history) < 5)
    return 0;
  int found = mode_named(mode);
  if (found < 0) return 0;
  turn->mode = (enum mode)found;
  return 1;
}

#endif
