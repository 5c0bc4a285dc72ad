// SPDX-License-Identifier: Apache-2.0
// A model provider that answers at once or after a delay: OpenAI's chat completions, without streaming.
//
//   provider [PORT]     listens on 127.0.0.1, on a free port unless one is named, and prints `port N`
//
// How it answers is said by the tag of the newest user message (turn.h). A request in which history, system
// prompt, tools or tool result are missing is refused with status 400: no server is quick by doing less.
// GET /stats counts the calls. One thread, epoll, a heap of answers that wait for their time.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "conversation.h"
#include "net.h"

#define EVENTS 512
#define SMALL_BYTES 160

struct connection {
  struct buffer input, output;
  size_t sent;
  uint64_t serial; // tells this connection from earlier ones with the same descriptor
  bool is_open, is_waiting, wants_to_write;
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
  unsigned long calls, refused;
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

static void write_call(struct buffer *body, const struct turn *turn) {
  char identifier[SMALL_BYTES], title[SMALL_BYTES], arguments[SMALL_BYTES * 2] = "{}";
  call_identifier(turn, identifier, sizeof identifier);
  if (turn->mode == MODE_ADD) {
    todo_title(turn, title, sizeof title);
    snprintf(arguments, sizeof arguments, "{\\\"title\\\":\\\"%s\\\"}", title);
  }
  buffer_print(body,
               "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,\"refusal\":null,"
               "\"tool_calls\":[{\"id\":\"%s\",\"type\":\"function\",\"function\":{\"name\":\"%s\","
               "\"arguments\":\"%s\"}}]},\"logprobs\":null,\"finish_reason\":\"tool_calls\"}",
               identifier, turn->mode == MODE_ADD ? "add_todo" : "list_todos", arguments);
}

static void write_text(struct buffer *body, const struct turn *turn) {
  char tag[SMALL_BYTES];
  turn_tag(turn, tag, sizeof tag);
  buffer_print(body,
               "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s %s\","
               "\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}",
               tag,
               "Two things on the list can wait until next week, and one cannot: the letter from the "
               "insurance asks for an answer by Thursday. I would write it this morning, while the office "
               "still answers the telephone, and do the shopping on the way home. Shall I note a reminder?");
}

static void write_completion(
    struct buffer *body, const struct conversation *conversation, size_t request_bytes) {
  bool calls = conversation->turn.mode != MODE_PLAIN && !conversation->has_result;
  size_t prompt_tokens = request_bytes / 4, completion_tokens = calls ? 15 : 72;
  buffer_print(body,
               "{\"id\":\"chatcmpl-%lu\",\"object\":\"chat.completion\",\"created\":1700000000,"
               "\"model\":\"bench-1\",\"choices\":[",
               stats.calls);
  (calls ? write_call : write_text)(body, &conversation->turn);
  buffer_print(body,
               "],\"usage\":{\"prompt_tokens\":%zu,\"completion_tokens\":%zu,\"total_tokens\":%zu},"
               "\"system_fingerprint\":\"fp_bench\"}",
               prompt_tokens, completion_tokens, prompt_tokens + completion_tokens);
}

// Prepares the answer; the milliseconds after which it is to be sent.
static int answer(struct connection *connection, const struct http_message *request) {
  static struct buffer body;
  body.length = 0;
  int delay = 0;
  if (strncmp(request->head, "GET /stats ", 11) == 0) {
    buffer_print(&body, "{\"calls\":%lu,\"refused\":%lu,\"last_fault\":\"%s\"}", stats.calls, stats.refused,
                 stats.last_fault);
    respond(connection, "200 OK", &body);
  } else if (strncmp(request->head, "POST /v1/chat/completions ", 26) == 0) {
    stats.calls++;
    struct conversation conversation =
        conversation_read((struct span){request->body, request->body + request->body_length});
    if (conversation.fault) {
      stats.refused++;
      stats.last_fault = conversation.fault;
      buffer_print(&body, "{\"error\":{\"message\":\"%s\",\"type\":\"invalid_request_error\"}}",
                   conversation.fault);
      respond(connection, "400 Bad Request", &body);
    } else {
      write_completion(&body, &conversation, request->body_length);
      respond(connection, "200 OK", &body);
      delay = conversation.turn.delay_milliseconds;
    }
  } else {
    buffer_print(&body, "{\"error\":{\"message\":\"no such path\",\"type\":\"invalid_request_error\"}}");
    respond(connection, "404 Not Found", &body);
  }
  return delay;
}

static void watch(int operation, int socket, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = socket};
  if (epoll_ctl(poller, operation, socket, &event)) die("epoll_ctl: %s", strerror(errno));
}

static void close_connection(int socket) {
  struct connection *connection = &connections[socket];
  buffer_free(&connection->input);
  buffer_free(&connection->output);
  *connection = (struct connection){0};
  close(socket);
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
    struct http_message request;
    enum http_state state = http_parse(&connection->input, &request);
    if (state == HTTP_BAD) return close_connection(socket);
    if (state == HTTP_PARTIAL) return;
    int delay = answer(connection, &request);
    buffer_drop(&connection->input, http_length(&request));
    if (delay > 0) {
      connection->is_waiting = true;
      alarm_add((struct alarm){now_nanoseconds() + (uint64_t)delay * 1000000u, connection->serial, socket});
    }
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
