// SPDX-License-Identifier: Apache-2.0
// Writes what the provider answers: a chat completion in one piece, or its chunks as server-sent events.
#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H

#include "conversation.h"
#include "net.h"

#define ANSWER_BYTES 640

// A streamed answer that is under way.
struct stream {
  struct turn turn;
  unsigned long call;
  size_t prompt_tokens;
  int sent; // tokens
  bool is_call, wants_usage;
  char text[ANSWER_BYTES];
};

// The body of a completion; `call` is the number of the request.
void answer_write(
    struct buffer *body, const struct conversation *conversation, size_t request_bytes, unsigned long call);

struct stream stream_make(const struct conversation *conversation, size_t request_bytes, unsigned long call);
// Writes the next token as HTTP chunks; what comes before the first one goes with it, and the end of the
// answer with the last one. False: it was the last. A tool call counts as one token.
bool stream_write_token(struct stream *stream, struct buffer *output);

#endif
