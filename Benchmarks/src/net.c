// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 4096
#define RECEIVE_BYTES 16384
#define CHUNK_BYTES_MAX (1u << 24)

static void reserve(struct buffer *buffer, size_t more) {
  size_t needed = buffer->length + more + 1;
  if (needed <= buffer->capacity) return;
  size_t capacity = buffer->capacity ? buffer->capacity : 1024;
  while (capacity < needed) capacity *= 2;
  char *bytes = realloc(buffer->bytes, capacity);
  if (!bytes) die("out of memory");
  buffer->bytes = bytes;
  buffer->capacity = capacity;
}

void buffer_append(struct buffer *buffer, const char *bytes, size_t length) {
  reserve(buffer, length);
  memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
  buffer->bytes[buffer->length] = 0;
}

void buffer_print(struct buffer *buffer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0) die("a format that cannot be printed: %s", format);
  reserve(buffer, (size_t)length);
  va_start(arguments, format);
  vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, arguments);
  va_end(arguments);
  buffer->length += (size_t)length;
}

void buffer_drop(struct buffer *buffer, size_t count) {
  buffer->length -= count;
  if (buffer->length) memmove(buffer->bytes, buffer->bytes + count, buffer->length);
  if (buffer->bytes) buffer->bytes[buffer->length] = 0;
}

void buffer_free(struct buffer *buffer) {
  free(buffer->bytes);
  *buffer = (struct buffer){0};
}

enum transfer receive_some(int socket, struct buffer *buffer) {
  for (;;) {
    reserve(buffer, RECEIVE_BYTES);
    size_t room = buffer->capacity - buffer->length - 1;
    ssize_t count = recv(socket, buffer->bytes + buffer->length, room, 0);
    if (count == 0) return TRANSFER_CLOSED;
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN ? TRANSFER_BLOCKED : TRANSFER_CLOSED;
    }
    buffer->length += (size_t)count;
    buffer->bytes[buffer->length] = 0;
    // Less than there was room for: the socket is empty, and another call would only say so.
    if ((size_t)count < room) return TRANSFER_BLOCKED;
  }
}

enum transfer send_some(int socket, const struct buffer *buffer, size_t *sent) {
  while (*sent < buffer->length) {
    ssize_t count = send(socket, buffer->bytes + *sent, buffer->length - *sent, MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == ENOTCONN ? TRANSFER_BLOCKED : TRANSFER_CLOSED;
    }
    *sent += (size_t)count;
  }
  return TRANSFER_DONE;
}

// The value of a header field, without the space in front; NULL when the head has no such field.
static const char *field(const char *head, size_t length, const char *name) {
  size_t name_length = strlen(name);
  const char *end = head + length;
  for (const char *line = head; line < end;) {
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    if (!newline) return NULL;
    line = newline + 1;
    if ((size_t)(end - line) > name_length && line[name_length] == ':' &&
        strncasecmp(line, name, name_length) == 0) {
      const char *value = line + name_length + 1;
      while (value < end && *value == ' ') value++;
      return value;
    }
  }
  return NULL;
}

enum http_state http_parse(const struct buffer *buffer, struct http_message *message) {
  if (!buffer->length) return HTTP_PARTIAL;
  const char *blank = memmem(buffer->bytes, buffer->length, "\r\n\r\n", 4);
  if (!blank) return HTTP_PARTIAL;
  message->head = buffer->bytes;
  message->head_length = (size_t)(blank - buffer->bytes) + 2;
  message->body = blank + 4;
  message->body_length = 0;
  const char *encoding = field(message->head, message->head_length, "transfer-encoding");
  if (encoding) return strncasecmp(encoding, "chunked\r", 8) == 0 ? HTTP_CHUNKED : HTTP_BAD;
  const char *length = field(message->head, message->head_length, "content-length");
  if (length) {
    char *end;
    message->body_length = strtoull(length, &end, 10);
    if (end == length || *end != '\r') return HTTP_BAD;
  }
  return buffer->length - message->head_length - 2 < message->body_length ? HTTP_PARTIAL : HTTP_WHOLE;
}

size_t http_length(const struct http_message *message) {
  return message->head_length + 2 + message->body_length;
}

enum http_state http_chunk(const struct buffer *buffer, size_t *at, const char **bytes, size_t *length) {
  const char *start = buffer->bytes + *at;
  size_t left = buffer->length - *at;
  const char *line_end = left ? memmem(start, left, "\r\n", 2) : NULL;
  if (!line_end) return HTTP_PARTIAL;
  char *digits_end;
  *length = strtoull(start, &digits_end, 16);
  if (digits_end == start || digits_end != line_end || *length > CHUNK_BYTES_MAX) return HTTP_BAD;
  *bytes = line_end + 2;
  size_t whole = (size_t)(*bytes - start) + *length + 2;
  if (left < whole) return HTTP_PARTIAL;
  if (memcmp(*bytes + *length, "\r\n", 2) != 0) return HTTP_BAD;
  *at += whole;
  return HTTP_WHOLE;
}

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void send_at_once(int socket) {
  int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int loopback_listen(int *port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) die("socket: %s", strerror(errno));
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = loopback(*port);
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, BACKLOG) ||
      getsockname(listener, (struct sockaddr *)&address, &length))
    die("port %d: %s", *port, strerror(errno));
  *port = ntohs(address.sin_port);
  return listener;
}

int loopback_connect(int port) {
  int peer = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (peer < 0) die("socket: %s", strerror(errno));
  send_at_once(peer);
  struct sockaddr_in address = loopback(port);
  if (connect(peer, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) {
    close(peer);
    return -1;
  }
  return peer;
}

int loopback_accept(int listener) {
  int peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (peer >= 0) send_at_once(peer);
  return peer;
}

uint64_t now_nanoseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("error: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(2);
}
