// SPDX-License-Identifier: Apache-2.0
// What the provider and the load generator share: growing buffers, loopback sockets, HTTP/1.1 messages.
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
  char *bytes; // NUL after the last byte, once something was added
  size_t length, capacity;
};

void buffer_append(struct buffer *buffer, const char *bytes, size_t length);
__attribute__((format(printf, 2, 3))) void buffer_print(struct buffer *buffer, const char *format, ...);
// Removes `count` bytes from the front.
void buffer_drop(struct buffer *buffer, size_t count);
void buffer_free(struct buffer *buffer);

enum transfer { TRANSFER_BLOCKED, TRANSFER_CLOSED, TRANSFER_DONE };

// Reads what is there. TRANSFER_CLOSED: the peer is gone; otherwise TRANSFER_BLOCKED.
enum transfer receive_some(int socket, struct buffer *buffer);
// Writes from `*sent` on, which it moves. TRANSFER_DONE: all of it is written.
enum transfer send_some(int socket, const struct buffer *buffer, size_t *sent);

struct http_message {
  const char *head; // start line and header fields
  size_t head_length;
  const char *body;
  size_t body_length;
};

enum http_state { HTTP_PARTIAL, HTTP_WHOLE, HTTP_CHUNKED, HTTP_BAD };

// Looks for one message at the front of the buffer. HTTP_CHUNKED: the head is whole, and chunks follow it.
enum http_state http_parse(const struct buffer *buffer, struct http_message *message);
// Looks for one chunk at `*at` and moves it behind that chunk. A body's last chunk has the length 0.
enum http_state http_chunk(const struct buffer *buffer, size_t *at, const char **bytes, size_t *length);
size_t http_length(const struct http_message *message);

// Non-blocking sockets on 127.0.0.1. `*port` 0 takes a free one and stores it.
int loopback_listen(int *port);
int loopback_connect(int port);
int loopback_accept(int listener);

uint64_t now_nanoseconds(void); // monotonic
_Noreturn __attribute__((format(printf, 1, 2))) void die(const char *format, ...);

#endif
