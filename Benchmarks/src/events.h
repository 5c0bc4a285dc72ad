// SPDX-License-Identifier: Apache-2.0
// Reads the server-sent events of one turn as they come: the server's own, or the chunks of a provider.
#ifndef BENCH_EVENTS_H
#define BENCH_EVENTS_H

#include <stdbool.h>

#include "net.h"
#include "samples.h"
#include "turn.h"

struct events {
  char tag[TAG_BYTES];   // has to be in the text, and in what completes it
  struct buffer partial; // the front of an event that is not whole yet
  struct buffer text;    // the deltas since the last tool event, joined and still escaped
  int deltas;            // how many these are
  uint64_t first, last;  // when the first and the newest of them came
  bool is_over;          // the last event was there, and all that has to come before it
  const char *fault;     // what is wrong with them; NULL as long as all is well
};

void events_begin(struct events *events, const struct turn *turn);
// Takes bytes that came at `now`, and adds the times from one delta to the next to `gaps`, unless NULL.
void events_take(
    struct events *events, const char *bytes, size_t length, uint64_t now, struct samples *gaps);

#endif
