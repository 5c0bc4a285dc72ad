// SPDX-License-Identifier: Apache-2.0
// What one turn's scripts cost in a cell. Linked with the host's budget, or with `unlimited.c` in its place.
// Prints the microseconds of processor time a turn, the least of several rounds: the rest is noise.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clh_cell.h"

#define ENTRIES 8
#define TURNS 3000
#define ROUNDS 12

static const char prelude[] =
    "local host = ...\n"
    "return { globals = {}, entries = { turn = function(context) return host.load('turn')(context) end } }\n";

static void fail(const char *what) {
  fprintf(stderr, "limits: %s\n", what);
  exit(1);
}

static char *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail("the script cannot be read");
  char *bytes = malloc(1 << 20);
  *length = bytes == NULL ? 0 : fread(bytes, 1, 1 << 20, file);
  fclose(file);
  return bytes;
}

static char *compile(const char *name, const char *source, size_t length, size_t *code_length) {
  char *code;
  if (clh_compile(name, source, length, &code, code_length) != CLH_COMPILED) fail("a script does not compile");
  return code;
}

static size_t write_context(char *out, size_t room) {
  size_t used = (size_t)snprintf(out, room,
                                 "{\"user\":{\"name\":\"Ada\",\"team\":\"blue\"},\"today\":\"2026-11-21\",\"entries\":[");
  for (int i = 0; i < ENTRIES; i++) {
    used += (size_t)snprintf(
        out + used, room - used,
        "%s{\"title\":\"Write entry %d of the list\",\"done\":%s,\"due\":\"2026-%02d-%02d\",\"tags\":[\"home\",\"t%d\"]}",
        i > 0 ? "," : "", i, i % 4 == 0 ? "true" : "false", 1 + (i * 7) % 12, 1 + (i * 11) % 28, i % 3);
  }
  return used + (size_t)snprintf(out + used, room - used, "]}");
}

static void immediate(void *context, struct clh_fiber *fiber, uint32_t function) {
  (void)context, (void)fiber, (void)function;
}

static bool is_cancelled(void *context) {
  (void)context;
  return false;
}

static void turn(struct clh_state *state, const char *json, size_t length) {
  struct clh_run *run = clh_run_open(state, (int64_t)2000000000, 1 << 20, 256);
  struct clh_fiber *fiber;
  if (run == NULL || clh_fiber_open(run, "turn", CLH_RESULT_JSON, 1, &fiber) != CLH_STARTED) fail("no memory");
  struct clh_tape *input = clh_fiber_input(fiber);
  clh_tape_array(input, 1);
  clh_tape_json(input, json, length);
  enum clh_slice slice;
  while ((slice = clh_fiber_resume(fiber)) == CLH_SLICE_PREEMPTED) {
  }
  if (slice != CLH_SLICE_DONE) fail("the script failed");
  clh_fiber_close(fiber);
  clh_run_close(run);
}

static double cpu_seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
  if (count != 2) fail("usage: limits SCRIPT");
  size_t source_length, code_length, prelude_length;
  char *source = read_file(arguments[1], &source_length);
  char *code = compile("turn.lua", source, source_length, &code_length);
  char *start = compile("prelude", prelude, strlen(prelude), &prelude_length);
  struct clh_callbacks callbacks = {.immediate = immediate, .is_cancelled = is_cancelled};
  struct clh_state *state = clh_state_create(32 << 20, callbacks, -1);
  if (state == NULL || !clh_state_add_script(state, "turn", code, code_length) || !clh_state_start(state) ||
      !clh_state_prelude(state, "prelude", start, prelude_length) || !clh_state_seal(state))
    fail("no cell could be made");
  char json[8192];
  size_t length = write_context(json, sizeof json);
  double least = 0;
  for (int round = 0; round < ROUNDS; round++) {
    double begin = cpu_seconds();
    for (int i = 0; i < TURNS; i++) turn(state, json, length);
    double used = (cpu_seconds() - begin) / TURNS * 1e6;
    if (round == 0 || used < least) least = used;
  }
  printf("%.3f\n", least);
  clh_state_close(state);
  free(source), free(code), free(start);
  return 0;
}
