// SPDX-License-Identifier: Apache-2.0
// A model provider that answers at once or after a delay: OpenAI's chat completions, whole or streamed.
//
//   provider [PORT]     listens on 127.0.0.1, on a free port unless one is named, and prints `port N`
//
// How it answers is said by the tag of the newest user message (turn.h). A request in which history, system
// prompt, tools or tool result are missing is refused with status 400: no server is quick by doing less.
// GET /stats counts the calls; `calls_open_max` are the most at once since it was asked for last. One thread,
// epoll, a heap of answers that wait for their time.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "conversation.h"
#include "net.h"

#define EVENTS 512
#define MILLISECOND 1000000u

struct connection {
  struct buffer input, output;
  size_t sent;
  uint64_t serial; // tells this connection from earlier ones with the same descriptor
  bool is_open, is_waiting, wants_to_write;
  bool is_called;      // a call came whose answer is not written yet
  bool is_streaming;   // `stream` has tokens left, the next one at `due`
  struct stream stream;
  uint64_t due;
};

struct alarm {
  uint64_t due;
  uint64_t serial;
  int socket;
};

static struct connection *connections; // by descriptor
static int connections_size;
static struct alarm *alarms; // a heap, the next one first
static size_t alarms_count, alarms_capacity;
static int poller;
static uint64_t serials;
static struct {
  unsigned long calls, refused, calls_open, calls_open_max;
  const char *last_fault;
} stats = {.last_fault = ""};

static void alarm_add(struct alarm alarm) {
  if (alarms_count == alarms_capacity) {
    alarms_capacity = alarms_capacity ? alarms_capacity * 2 : 256;
    alarms = realloc(alarms, alarms_capacity * sizeof *alarms);
    if (!alarms) die("out of memory");
  }
  size_t at = alarms_count++;
  for (; at > 0 && alarms[(at - 1) / 2].due > alarm.due; at = (at - 1) / 2) alarms[at] = alarms[(at - 1) / 2];
  alarms[at] = alarm;
}

static struct alarm alarm_pop(void) {
  struct alarm first = alarms[0], last = alarms[--alarms_count];
  size_t at = 0;
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= alarms_count) break;
    if (child + 1 < alarms_count && alarms[child + 1].due < alarms[child].due) child++;
    if (alarms[child].due >= last.due) break;
    alarms[at] = alarms[child];
    at = child;
  }
  alarms[at] = last;
  return first;
}

static void respond(struct connection *connection, const char *status, const struct buffer *body) {
  buffer_print(&connection->output,
               "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", status,
               body->length);
  buffer_append(&connection->output, body->bytes, body->length);
}

static void count_call(struct connection *connection) {
  stats.calls++;
  connection->is_called = true;
  if (++stats.calls_open > stats.calls_open_max) stats.calls_open_max = stats.calls_open;
}

static void end_call(struct connection *connection) {
  if (connection->is_called) stats.calls_open--;
  connection->is_called = false;
}

// Prepares the answer to a call; the milliseconds after which it is to be sent.
static int answer_call(
    struct connection *connection, const struct http_message *request, struct buffer *body) {
  count_call(connection);
  struct conversation conversation =
      conversation_read((struct span){request->body, request->body + request->body_length});
  if (conversation.fault) {
    stats.refused++;
    stats.last_fault = conversation.fault;
    buffer_print(body, "{\"error\":{\"message\":\"%s\",\"type\":\"invalid_request_error\"}}",
                 conversation.fault);
    respond(connection, "400 Bad Request", body);
    return 0;
  }
  if (conversation.is_streamed) {
    connection->is_streaming = true;
    connection->stream = stream_make(&conversation, request->body_length, stats.calls);
    connection->due = now_nanoseconds() + (uint64_t)conversation.turn.delay_milliseconds * MILLISECOND;
  } else {
    answer_write(body, &conversation, request->body_length, stats.calls);
    respond(connection, "200 OK", body);
  }
  return conversation.turn.delay_milliseconds;
}

// Prepares the answer; the milliseconds after which it is to be sent.
static int answer(struct connection *connection, const struct http_message *request) {
  static struct buffer body;
  body.length = 0;
  if (strncmp(request->head, "POST /v1/chat/completions ", 26) == 0)
    return answer_call(connection, request, &body);
  if (strncmp(request->head, "GET /stats ", 11) == 0) {
    buffer_print(&body, "{\"calls\":%lu,\"refused\":%lu,\"calls_open_max\":%lu,\"last_fault\":\"%s\"}",
                 stats.calls, stats.refused, stats.calls_open_max, stats.last_fault);
    stats.calls_open_max = stats.calls_open;
    respond(connection, "200 OK", &body);
  } else {
    buffer_print(&body, "{\"error\":{\"message\":\"no such path\",\"type\":\"invalid_request_error\"}}");
    respond(connection, "404 Not Found", &body);
  }
  return 0;
}

// Prepares the tokens that are due: one, or all that are left where none is to wait for another.
static void stream_on(struct connection *connection) {
  int every = connection->stream.turn.every_milliseconds;
  do connection->is_streaming = stream_write_token(&connection->stream, &connection->output);
  while (connection->is_streaming && every == 0);
  // From when it was due, not from now: a late token does not delay the others.
  connection->due += (uint64_t)every * MILLISECOND;
}

static void watch(int operation, int socket, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = socket};
  if (epoll_ctl(poller, operation, socket, &event)) die("epoll_ctl: %s", strerror(errno));
}

static void close_connection(int socket) {
  struct connection *connection = &connections[socket];
  end_call(connection);
  buffer_free(&connection->input);
  buffer_free(&connection->output);
  *connection = (struct connection){0};
  close(socket);
}

static void wait_until(int socket, uint64_t due) {
  struct connection *connection = &connections[socket];
  connection->is_waiting = true;
  alarm_add((struct alarm){due, connection->serial, socket});
}

// Sends what is due and answers the next request, as far as it goes without waiting.
static void advance(int socket) {
  struct connection *connection = &connections[socket];
  while (!connection->is_waiting) {
    if (connection->output.length) {
      enum transfer sent = send_some(socket, &connection->output, &connection->sent);
      if (sent == TRANSFER_CLOSED) return close_connection(socket);
      bool wants_to_write = sent == TRANSFER_BLOCKED;
      if (wants_to_write != connection->wants_to_write)
        watch(EPOLL_CTL_MOD, socket, EPOLLIN | (wants_to_write ? EPOLLOUT : 0));
      connection->wants_to_write = wants_to_write;
      if (wants_to_write) return;
      connection->output.length = connection->sent = 0;
    }
    if (connection->is_streaming) {
      if (connection->due > now_nanoseconds()) return wait_until(socket, connection->due);
      stream_on(connection);
      continue;
    }
    end_call(connection);
    struct http_message request;
    enum http_state state = http_parse(&connection->input, &request);
    if (state == HTTP_PARTIAL) return;
    if (state != HTTP_WHOLE) return close_connection(socket);
    int delay = answer(connection, &request);
    buffer_drop(&connection->input, http_length(&request));
    if (delay > 0) wait_until(socket, now_nanoseconds() + (uint64_t)delay * MILLISECOND);
  }
}

static void accept_all(int listener) {
  int socket;
  while ((socket = loopback_accept(listener)) >= 0) {
    if (socket >= connections_size) {
      int size = socket * 2 + 64;
      connections = realloc(connections, (size_t)size * sizeof *connections);
      if (!connections) die("out of memory");
      memset(connections + connections_size, 0, (size_t)(size - connections_size) * sizeof *connections);
      connections_size = size;
    }
    connections[socket] = (struct connection){.is_open = true, .serial = ++serials};
    watch(EPOLL_CTL_ADD, socket, EPOLLIN);
  }
  if (errno == EMFILE || errno == ENFILE) die("too many open files; raise the limit: ulimit -n");
}

static void receive(int socket) {
  struct connection *connection = &connections[socket];
  if (!connection->is_open) return;
  if (receive_some(socket, &connection->input) == TRANSFER_CLOSED) return close_connection(socket);
  advance(socket);
}

static void ring(uint64_t now) {
  while (alarms_count && alarms[0].due <= now) {
    struct alarm alarm = alarm_pop();
    struct connection *connection = &connections[alarm.socket];
    if (!connection->is_open || connection->serial != alarm.serial) continue;
    connection->is_waiting = false;
    advance(alarm.socket);
  }
}

static int wait_for_events(struct epoll_event *events) {
  if (!alarms_count) return epoll_wait(poller, events, EVENTS, -1);
  uint64_t now = now_nanoseconds(), due = alarms[0].due;
  uint64_t left = due > now ? due - now : 0;
  struct timespec timeout = {.tv_sec = (time_t)(left / 1000000000u), .tv_nsec = (long)(left % 1000000000u)};
  return epoll_pwait2(poller, events, EVENTS, &timeout, NULL);
}

int main(int count, char **arguments) {
  signal(SIGPIPE, SIG_IGN);
  int port = count > 1 ? atoi(arguments[1]) : 0;
  int listener = loopback_listen(&port);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) die("epoll_create1: %s", strerror(errno));
  watch(EPOLL_CTL_ADD, listener, EPOLLIN);
  printf("port %d\n", port);
  fflush(stdout);
  for (;;) {
    struct epoll_event events[EVENTS];
    int ready = wait_for_events(events);
    if (ready < 0 && errno != EINTR) die("epoll: %s", strerror(errno));
    for (int i = 0; i < ready; i++) {
      int socket = events[i].data.fd;
      if (socket == listener) accept_all(listener);
      else if (events[i].events & EPOLLOUT) advance(socket);
      else receive(socket);
    }
    if (alarms_count) ring(now_nanoseconds());
  }
}
