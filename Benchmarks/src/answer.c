// SPDX-License-Identifier: Apache-2.0
#include "answer.h"

#include <stdarg.h>

#define TITLE_BYTES 160
#define EVENT_BYTES 1024
#define CALL_TOKENS 15
#define TEXT_TOKENS 72

static const char text[] =
    "Two things on the list can wait until next week, and one cannot: the letter from the "
    "insurance asks for an answer by Thursday. I would write it this morning, while the office "
    "still answers the telephone, and do the shopping on the way home. Shall I note a reminder?";

static bool is_call(const struct conversation *conversation) {
  return !has_results(conversation);
}

static const char *tool_name(const struct turn *turn, int index) {
  return call_adds(turn, index) ? "add_todo" : "list_todos";
}

// As JSON inside of a JSON string.
static void call_arguments(const struct turn *turn, int index, char *arguments, size_t size) {
  char title[TITLE_BYTES];
  todo_title(turn, title, sizeof title);
  if (call_adds(turn, index)) snprintf(arguments, size, "{\\\"title\\\":\\\"%s\\\"}", title);
  else snprintf(arguments, size, "{}");
}

static void write_calls(struct buffer *body, const struct turn *turn) {
  buffer_print(body,
               "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,\"refusal\":null,"
               "\"tool_calls\":[");
  for (int index = 0; index < mode_calls[turn->mode]; index++) {
    char identifier[TAG_BYTES], arguments[TITLE_BYTES * 2];
    call_identifier(turn, index, identifier, sizeof identifier);
    call_arguments(turn, index, arguments, sizeof arguments);
    buffer_print(body,
                 "%s{\"id\":\"%s\",\"type\":\"function\",\"function\":{\"name\":\"%s\","
                 "\"arguments\":\"%s\"}}",
                 index ? "," : "", identifier, tool_name(turn, index), arguments);
  }
  buffer_print(body, "]},\"logprobs\":null,\"finish_reason\":\"tool_calls\"}");
}

static void write_text(struct buffer *body, const struct turn *turn) {
  char tag[TAG_BYTES];
  turn_tag(turn, tag, sizeof tag);
  buffer_print(body,
               "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s %s\","
               "\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}",
               tag, text);
}

void answer_write(
    struct buffer *body, const struct conversation *conversation, size_t request_bytes, unsigned long call) {
  size_t prompt_tokens = request_bytes / 4;
  size_t completion_tokens = is_call(conversation) ? CALL_TOKENS : TEXT_TOKENS;
  buffer_print(body,
               "{\"id\":\"chatcmpl-%lu\",\"object\":\"chat.completion\",\"created\":1700000000,"
               "\"model\":\"bench-1\",\"choices\":[",
               call);
  (is_call(conversation) ? write_calls : write_text)(body, &conversation->turn);
  buffer_print(body,
               "],\"usage\":{\"prompt_tokens\":%zu,\"completion_tokens\":%zu,\"total_tokens\":%zu},"
               "\"system_fingerprint\":\"fp_bench\"}",
               prompt_tokens, completion_tokens, prompt_tokens + completion_tokens);
}

static void write_chunk(struct buffer *output, const char *event, size_t length) {
  char size[24];
  buffer_append(output, size, (size_t)snprintf(size, sizeof size, "%zx\r\n", length));
  buffer_append(output, event, length);
  buffer_append(output, "\r\n", 2);
}

// One event with a chunk of the completion. `format` is what follows its `choices`.
__attribute__((format(printf, 3, 4))) static void write_event(
    const struct stream *stream, struct buffer *output, const char *format, ...) {
  char event[EVENT_BYTES];
  size_t used = (size_t)snprintf(event, sizeof event,
                                 "data: {\"id\":\"chatcmpl-%lu\",\"object\":\"chat.completion.chunk\","
                                 "\"created\":1700000000,\"model\":\"bench-1\","
                                 "\"system_fingerprint\":\"fp_bench\",\"choices\":",
                                 stream->call);
  va_list arguments;
  va_start(arguments, format);
  used += (size_t)vsnprintf(event + used, sizeof event - used, format, arguments);
  va_end(arguments);
  if (used + 4 > sizeof event) die("an event longer than %d bytes", EVENT_BYTES);
  memcpy(event + used, "}\n\n", 3);
  write_chunk(output, event, used + 3);
}

// `delta` is the JSON text of one.
static void write_delta(
    const struct stream *stream, struct buffer *output, const char *delta, const char *finish_reason) {
  write_event(stream, output, "[{\"index\":0,\"delta\":%s,\"logprobs\":null,\"finish_reason\":%s}]%s", delta,
              finish_reason, stream->wants_usage ? ",\"usage\":null" : "");
}

struct stream stream_make(const struct conversation *conversation, size_t request_bytes, unsigned long call) {
  struct stream stream = {
      .turn = conversation->turn,
      .call = call,
      .prompt_tokens = request_bytes / 4,
      .is_call = is_call(conversation),
      .wants_usage = conversation->wants_usage,
  };
  char tag[TAG_BYTES];
  turn_tag(&stream.turn, tag, sizeof tag);
  snprintf(stream.text, sizeof stream.text, "%s %s", tag, text);
  return stream;
}

static void write_head(const struct stream *stream, struct buffer *output) {
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                             "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
  buffer_append(output, head, sizeof head - 1);
  write_delta(stream, output, "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}", "null");
}

// As providers do it: first the name, then the arguments.
static void write_call_deltas(const struct stream *stream, struct buffer *output) {
  for (int index = 0; index < mode_calls[stream->turn.mode]; index++) {
    char identifier[TAG_BYTES], arguments[TITLE_BYTES * 2], delta[EVENT_BYTES / 2];
    call_identifier(&stream->turn, index, identifier, sizeof identifier);
    call_arguments(&stream->turn, index, arguments, sizeof arguments);
    snprintf(delta, sizeof delta,
             "{\"tool_calls\":[{\"index\":%d,\"id\":\"%s\",\"type\":\"function\","
             "\"function\":{\"name\":\"%s\",\"arguments\":\"\"}}]}",
             index, identifier, tool_name(&stream->turn, index));
    write_delta(stream, output, delta, "null");
    snprintf(delta, sizeof delta, "{\"tool_calls\":[{\"index\":%d,\"function\":{\"arguments\":\"%s\"}}]}", index,
             arguments);
    write_delta(stream, output, delta, "null");
  }
}

static void write_piece(const struct stream *stream, struct buffer *output) {
  char delta[ANSWER_BYTES + 32];
  size_t length = strlen(stream->text), number = (size_t)stream->sent;
  size_t begin = number * length / ANSWER_TOKENS, end = (number + 1) * length / ANSWER_TOKENS;
  snprintf(delta, sizeof delta, "{\"content\":\"%.*s\"}", (int)(end - begin), stream->text + begin);
  write_delta(stream, output, delta, "null");
}

static void write_end(const struct stream *stream, struct buffer *output) {
  size_t completion_tokens = stream->is_call ? CALL_TOKENS : TEXT_TOKENS;
  write_delta(stream, output, "{}", stream->is_call ? "\"tool_calls\"" : "\"stop\"");
  if (stream->wants_usage)
    write_event(stream, output,
                "[],\"usage\":{\"prompt_tokens\":%zu,\"completion_tokens\":%zu,\"total_tokens\":%zu}",
                stream->prompt_tokens, completion_tokens, stream->prompt_tokens + completion_tokens);
  static const char done[] = "data: [DONE]\n\n";
  write_chunk(output, done, sizeof done - 1);
  buffer_append(output, "0\r\n\r\n", 5);
}

bool stream_write_token(struct stream *stream, struct buffer *output) {
  if (stream->sent == 0) write_head(stream, output);
  (stream->is_call ? write_call_deltas : write_piece)(stream, output);
  stream->sent++;
  bool is_last = stream->is_call || stream->sent == ANSWER_TOKENS;
  if (is_last) write_end(stream, output);
  return !is_last;
}
