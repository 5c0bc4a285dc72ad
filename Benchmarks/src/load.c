// SPDX-License-Identifier: Apache-2.0
// A closed loop of chat turns: each connection is one user who writes again as soon as the answer is there.
//
//   load -p PORT [-a PATH] [-c CONNECTIONS] (-n TURNS | -w SECONDS -s SECONDS)
//        [-m plain|list|add|three] [-d MS] [-e] [-i MS] [-k TURNS] [-h MESSAGES] [-r NAME] [-t SECONDS] [-P]
//
//   -n   turns of each connection          -w, -s   or: warm up, then count the turns that end in a window
//   -m   what a turn is (turn.h)           -d   delay of each answer of the provider
//   -e   ask for events, a token each      -i   time from one token of the provider to the next
//   -k   turns of one session (10)         -r   name of the run, so that its sessions are new
//   -t   longest turn (60)                 -P   PATH is the provider itself: measures what it takes alone
//   -h   past messages that its agent asks for: the provider refuses a turn that has not just these
//
// Every answer has to be a 200 with the tag of its own turn in it, and a streamed one whole (events.h).
// Time starts when all are connected; in the second form it is the window's. Prints `open` and `closed` at
// the ends of that time, then one line of JSON.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "events.h"
#include "net.h"
#include "samples.h"
#include "turn.h"

#define EVENTS 512
#define SECOND 1000000000u
// Connections that fail this often in a row are given up: the server is gone.
#define FAILURES_MAX 20

struct user {
  int socket, number, sessions, turns_left, failures_in_a_row;
  bool is_connected, is_busy, has_head;
  struct turn turn;
  struct events events;
  struct buffer input, output;
  size_t sent;
  uint64_t started;
};

static struct {
  int port, connections, turns, session_turns, history, delay, every;
  double warm_up, seconds, timeout;
  enum mode mode;
  const char *path, *run;
  bool is_provider, wants_events;
} options = {
    .path = "/v1/agents/bench/chat", .connections = 1, .session_turns = 10, .timeout = 60, .run = "run"};

static struct user *users;
static int poller, connected, working;
static uint64_t opened, closes; // 0: not yet, or no end but the last turn's
static struct {
  struct samples latencies, first_tokens, gaps;
  size_t failed, tokens;
  char first_failure[400];
} result;

static const char system_prompt[] =
    "You are the quiet assistant of a workshop that repairs bicycles. You keep the list of what is to do, "
    "you know who is waiting for what, and you answer in two or three plain sentences. You never invent an "
    "entry of the list: what you have not read there you do not say. When a customer is unkind you stay "
    "friendly, and when you do not know something you say so and name the person who may know it.";

static const char tools[] =
    "[{\"type\":\"function\",\"function\":{\"name\":\"list_todos\",\"description\":\"List them.\","
    "\"parameters\":{\"type\":\"object\",\"properties\":{}}}},"
    "{\"type\":\"function\",\"function\":{\"name\":\"add_todo\",\"description\":\"Add a to-do.\","
    "\"parameters\":{\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"string\"}},"
    "\"required\":[\"title\"]}}}]";

static bool is_open(void) { return opened && now_nanoseconds() >= opened; }

static void watch(int operation, struct user *user, uint32_t events) {
  struct epoll_event event = {.events = events, .data.u32 = (uint32_t)user->number};
  if (epoll_ctl(poller, operation, user->socket, &event)) die("epoll_ctl: %s", strerror(errno));
}

static void connect_user(struct user *user) {
  user->is_connected = user->has_head = false;
  user->input.length = 0;
  user->socket = loopback_connect(options.port);
  if (user->socket < 0) die("port %d: %s", options.port, strerror(errno));
  watch(EPOLL_CTL_ADD, user, EPOLLIN | EPOLLOUT);
}

static void retire(struct user *user) {
  close(user->socket);
  user->socket = -1;
  user->is_busy = false;
  working--;
}

static void start_turn(struct user *user) {
  if (user->turn.number == options.session_turns || user->sessions == 0) {
    user->turn.number = 0;
    snprintf(user->turn.session, sizeof user->turn.session, "%s-%d-%d", options.run, user->number,
             ++user->sessions);
  }
  user->turn.number++;
  char tag[TAG_BYTES];
  turn_tag(&user->turn, tag, sizeof tag);

  static struct buffer body;
  body.length = 0;
  static const char question[] = "What would you do first today, and what can wait? I have an hour.";
  if (options.is_provider)
    buffer_print(&body,
                 "{\"model\":\"bench-1\",\"messages\":[{\"role\":\"system\",\"content\":\"%s\"},"
                 "{\"role\":\"user\",\"content\":\"%s %s\"}],\"tools\":%s%s}",
                 system_prompt, tag, question, tools,
                 options.wants_events ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" : "");
  else
    buffer_print(&body, "{\"session_id\":\"%s\",\"message\":\"%s %s\"%s}", user->turn.session, tag, question,
                 options.wants_events ? ",\"stream\":true" : "");
  user->output.length = user->sent = 0;
  buffer_print(&user->output,
               "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
               "Accept: %s\r\nContent-Length: %zu\r\n\r\n",
               options.path, options.port, options.wants_events ? "text/event-stream" : "application/json",
               body.length);
  buffer_append(&user->output, body.bytes, body.length);
  events_begin(&user->events, &user->turn);
  user->is_busy = true;
  user->started = now_nanoseconds();
}

static void push(struct user *user);

// Goes on to the next turn, or ends. A connection that broke is made anew.
static void next_turn(struct user *user, bool is_broken) {
  if (options.turns && --user->turns_left <= 0) return retire(user);
  if (user->failures_in_a_row >= FAILURES_MAX) return retire(user);
  if (is_broken) {
    close(user->socket);
    connect_user(user);
    start_turn(user);
  } else {
    start_turn(user);
    push(user);
  }
}

static void fail(struct user *user, bool is_broken, const char *what, size_t length) {
  if (is_open()) {
    result.failed++;
    if (!result.first_failure[0])
      snprintf(result.first_failure, sizeof result.first_failure, "%.*s", (int)length, what);
  }
  user->failures_in_a_row++;
  // Its history has a hole now: begin another session.
  user->turn.number = options.session_turns;
  next_turn(user, is_broken);
}

static void fail_broken(struct user *user, const char *what) { fail(user, true, what, strlen(what)); }

static void push(struct user *user) {
  switch (send_some(user->socket, &user->output, &user->sent)) {
  case TRANSFER_CLOSED: return fail_broken(user, "the connection was closed while sending");
  case TRANSFER_BLOCKED: return watch(EPOLL_CTL_MOD, user, EPOLLIN | EPOLLOUT);
  case TRANSFER_DONE: return;
  }
}

static void succeed(struct user *user) {
  uint64_t now = now_nanoseconds();
  user->failures_in_a_row = 0;
  if (is_open() && (!closes || now < closes)) {
    samples_add(&result.latencies, now - user->started);
    if (options.wants_events) samples_add(&result.first_tokens, user->events.first - user->started);
    result.tokens += (size_t)user->events.deltas;
  }
  next_turn(user, false);
}

static bool is_ok(const struct http_message *reply) {
  return strncmp(reply->head, "HTTP/1.1 200 ", 13) == 0;
}

static void finish_turn(struct user *user, const struct http_message *reply) {
  char tag[TAG_BYTES];
  turn_tag(&user->turn, tag, sizeof tag);
  bool is_good = is_ok(reply) && !options.wants_events &&
                 memmem(reply->body, reply->body_length, tag, strlen(tag)) != NULL;
  size_t length = http_length(reply);
  user->is_busy = false;
  if (!is_good) {
    static struct buffer seen;
    seen.length = 0;
    buffer_append(&seen, reply->head, length);
    buffer_drop(&user->input, length);
    return fail(user, false, seen.bytes, seen.length);
  }
  buffer_drop(&user->input, length);
  succeed(user);
}

// Reads the chunks that are there. HTTP_WHOLE: the last one, too.
static enum http_state take_chunks(struct user *user) {
  // Gaps say something only where the provider leaves some.
  struct samples *gaps = options.every && is_open() ? &result.gaps : NULL;
  uint64_t now = now_nanoseconds();
  size_t at = 0, length = 0;
  const char *bytes;
  enum http_state state;
  while ((state = http_chunk(&user->input, &at, &bytes, &length)) == HTTP_WHOLE && length)
    events_take(&user->events, bytes, length, now, gaps);
  buffer_drop(&user->input, at);
  return state;
}

static void finish_stream(struct user *user) {
  const char *fault = user->events.fault;
  if (!user->events.is_over && !fault) fault = "the events ended before the last one";
  user->is_busy = user->has_head = false;
  if (fault) return fail(user, false, fault, strlen(fault));
  succeed(user);
}

static void receive(struct user *user) {
  enum transfer received = receive_some(user->socket, &user->input);
  struct http_message reply;
  enum http_state state = user->has_head ? HTTP_CHUNKED : http_parse(&user->input, &reply);
  if (state == HTTP_CHUNKED && options.wants_events && user->is_busy && (user->has_head || is_ok(&reply))) {
    if (!user->has_head) buffer_drop(&user->input, http_length(&reply));
    user->has_head = true;
    state = take_chunks(user);
    if (state == HTTP_WHOLE) return finish_stream(user);
  } else if (state == HTTP_WHOLE && user->is_busy) {
    return finish_turn(user, &reply);
  }
  if (state != HTTP_PARTIAL) return fail_broken(user, "a reply that cannot be read, or nobody asked for");
  if (received == TRANSFER_CLOSED) fail_broken(user, "the connection was closed before the reply");
}

// The socket takes bytes: it is connected, or there is room again.
static void writable(struct user *user) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(user->socket, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error && !opened) die("port %d: %s", options.port, strerror(error));
  if (error) return fail_broken(user, strerror(error));
  watch(EPOLL_CTL_MOD, user, EPOLLIN);
  if (!user->is_connected) {
    user->is_connected = true;
    connected++;
  }
  if (user->is_busy) push(user);
}

static void give_up_late_turns(uint64_t now) {
  for (int i = 0; i < options.connections; i++)
    if (users[i].is_busy && now - users[i].started > (uint64_t)(options.timeout * SECOND))
      fail_broken(&users[i], "no reply in time");
}

// One round of events, at most 100 ms.
static void wait_and_serve(void) {
  struct epoll_event events[EVENTS];
  int ready = epoll_wait(poller, events, EVENTS, 100);
  if (ready < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
  for (int i = 0; i < ready; i++) {
    struct user *user = &users[events[i].data.u32];
    int socket = user->socket;
    if (socket >= 0 && events[i].events & EPOLLOUT) writable(user);
    // Not when the user was connected anew meanwhile.
    if (socket >= 0 && user->socket == socket && events[i].events & ~EPOLLOUT) receive(user);
  }
}

static void say(const char *line) {
  puts(line);
  fflush(stdout);
}

static void run(void) {
  users = calloc((size_t)options.connections, sizeof *users);
  if (!users) die("out of memory");
  working = options.connections;
  for (int i = 0; i < options.connections; i++) {
    users[i] = (struct user){
        .number = i,
        .turns_left = options.turns,
        .turn = {
            .mode = options.mode,
            .history = options.history,
            .delay_milliseconds = options.delay,
            .every_milliseconds = options.every,
        },
    };
    connect_user(&users[i]);
  }
  uint64_t patience = now_nanoseconds() + (uint64_t)(options.timeout * SECOND);
  while (connected < options.connections) {
    wait_and_serve();
    if (now_nanoseconds() > patience) die("only %d of %d are connected", connected, options.connections);
  }

  uint64_t now = now_nanoseconds();
  opened = now + (uint64_t)(options.warm_up * SECOND);
  if (!options.turns) closes = opened + (uint64_t)(options.seconds * SECOND);
  bool has_said = false;
  for (int i = 0; i < options.connections; i++) {
    start_turn(&users[i]);
    push(&users[i]);
  }
  uint64_t checked = now;
  while (working > 0 && (!closes || now < closes)) {
    if (!has_said && now >= opened) {
      say("open");
      has_said = true;
    }
    wait_and_serve();
    now = now_nanoseconds();
    if (now - checked > SECOND) {
      give_up_late_turns(now);
      checked = now;
    }
  }
  if (!closes) closes = now;
  say("closed");
}

static void print_result(void) {
  double seconds = (double)(closes - opened) / SECOND;
  size_t finished = result.latencies.count;
  printf("{\"finished\":%zu,\"failed\":%zu,\"seconds\":%.3f,\"turns_per_second\":%.1f", finished,
         result.failed, seconds, (double)finished / seconds);
  samples_print(&result.latencies, "");
  if (options.wants_events) {
    printf(",\"tokens\":%zu,\"tokens_per_second\":%.1f", result.tokens, (double)result.tokens / seconds);
    samples_print(&result.first_tokens, "first_token_");
    samples_print(&result.gaps, "gap_");
  }
  printf(",\"first_failure\":\"");
  for (const char *at = result.first_failure; *at; at++) {
    if (*at == '"' || *at == '\\') printf("\\%c", *at);
    else if ((unsigned char)*at < 0x20) printf(*at == '\n' ? "\\n" : " ");
    else putchar(*at);
  }
  say("\"}");
}

static void read_options(int count, char **arguments) {
  int option;
  while ((option = getopt(count, arguments, "p:a:c:n:w:s:m:d:ei:k:h:r:t:P")) != -1) {
    switch (option) {
    case 'p': options.port = atoi(optarg); break;
    case 'a': options.path = optarg; break;
    case 'c': options.connections = atoi(optarg); break;
    case 'n': options.turns = atoi(optarg); break;
    case 'w': options.warm_up = atof(optarg); break;
    case 's': options.seconds = atof(optarg); break;
    case 'd': options.delay = atoi(optarg); break;
    case 'e': options.wants_events = true; break;
    case 'i': options.every = atoi(optarg); break;
    case 'k': options.session_turns = atoi(optarg); break;
    case 'h': options.history = atoi(optarg); break;
    case 'r': options.run = optarg; break;
    case 't': options.timeout = atof(optarg); break;
    case 'P': options.is_provider = true; break;
    case 'm': {
      int mode = mode_named(optarg);
      if (mode < 0) die("-m %s: one of plain, list, add, three", optarg);
      options.mode = (enum mode)mode;
      break;
    }
    default: exit(2);
    }
  }
  // The provider is asked first turns only: it has to see no history.
  if (options.is_provider) options.session_turns = 1;
  if (options.port <= 0 || options.connections < 1) die("-p PORT is needed, and at least one connection");
  if ((options.turns > 0) == (options.seconds > 0)) die("either -n TURNS or -s SECONDS");
  if (strlen(options.run) > 30) die("-r: at most 30 characters");
}

int main(int count, char **arguments) {
  signal(SIGPIPE, SIG_IGN);
  read_options(count, arguments);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) die("epoll_create1: %s", strerror(errno));
  run();
  print_result();
  return 0;
}
