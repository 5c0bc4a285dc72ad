// SPDX-License-Identifier: Apache-2.0
// The value tape, as C reads it: arbitrary bytes as arguments of an entry, and as the answer of a host call,
// raised or not. Nothing beyond the bytes may be read; a value that was read is written out whole, and as the
// same value when it is read again.
//
// An input is: options, and the tape's bytes.
#include <string.h>

#include "cell.h"
#include "state.h"

#define CPU_NS ((int64_t)20000000)

enum { RAISES = 1, OUT_OF_MEMORY = 2, TOO_LARGE = 4, AS_JSON = 8 };

// Exactly sized, so that the sanitizer sees the first byte read too far.
static void fill(struct clh_tape *tape, const char *bytes, size_t length, unsigned options) {
  clh_tape_reset(tape);
  clh_buffer_free(&tape->buffer);
  if (length > 0) {
    tape->buffer.bytes = malloc(length);
    memcpy(tape->buffer.bytes, bytes, length);
    tape->buffer.length = tape->buffer.capacity = length;
  }
  tape->raises = options & RAISES;
  tape->out_of_memory = options & OUT_OF_MEMORY;
  tape->too_large = options & TOO_LARGE;
}

// Runs an entry on the bytes; a copy of its output is appended to `out`. Returns how it ended.
static enum clh_slice run(struct clh_run *run, const char *entry, const char *bytes, size_t length,
                          unsigned options, struct clh_buffer *out) {
  struct clh_fiber *fiber;
  enum clh_result_form form = options & AS_JSON ? CLH_RESULT_JSON : CLH_RESULT_VALUE;
  if (clh_fiber_open(run, entry, form, 1, &fiber) != CLH_STARTED) return CLH_SLICE_DEAD;
  bool asks = strcmp(entry, "ask") == 0;
  if (asks)
    clh_tape_array(clh_fiber_input(fiber), 0);
  else
    fill(&fiber->in, bytes, length, options);
  enum clh_slice end;
  while ((end = clh_fiber_resume(fiber)) == CLH_SLICE_PREEMPTED || end == CLH_SLICE_CALL) {
    if (end == CLH_SLICE_CALL) fill(&fiber->in, bytes, length, options);
  }
  fuzz_check_output(fiber, end, form);
  size_t output_length;
  const char *output = clh_fiber_output(fiber, &output_length);
  if (end == CLH_SLICE_DONE) clh_buffer_append(out, output, output_length);
  clh_fiber_close(fiber);
  return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  static struct fuzz_cell cell;
  static int runs;
  // A new cell now and then: most inputs leave nothing behind, and making one takes longer than a run.
  if (runs++ % 64 == 0) {
    if (cell.state != NULL) fuzz_cell_close(&cell);
    cell = (struct fuzz_cell){0};
    FUZZ_CHECK(fuzz_cell_open(&cell, NULL, 0, (size_t)1 << 20, -1), "no cell");
  }
  fuzz_clock_step_ns = 10000;
  unsigned options = data[0];
  const char *bytes = (const char *)data + 1;
  size_t length = size - 1;
  struct clh_run *own = clh_run_open(cell.state, CPU_NS, FUZZ_RESULT_BYTES_MAX, 8);
  FUZZ_CHECK(own != NULL, "no run");
  struct clh_buffer first = {0}, second = {0};
  run(own, "echo", bytes, length, options, &first);
  first.length = 0;
  bool ended = run(own, "ask", bytes, length, options, &first) == CLH_SLICE_DONE;
  if (ended && !(options & AS_JSON)) {
    FUZZ_CHECK(run(own, "ask", first.bytes, first.length, 0, &second) == CLH_SLICE_DONE, "not read again");
    FUZZ_CHECK(first.length == second.length, "%zu bytes, then %zu", first.length, second.length);
    lua_State *L = cell.state->L;
    size_t at = 0, again = 0;
    struct clh_tape one = {.buffer = first}, two = {.buffer = second};
    struct clh_state *state = cell.state;
    clh_begin_slice(state, &state->boot);
    clh_tape_push(L, &one, &at);
    clh_tape_push(L, &two, &again);
    FUZZ_CHECK(fuzz_same(L, 1, 2), "another value");
    lua_settop(L, 0);
    clh_end_slice(state);
  }
  clh_buffer_free(&first);
  clh_buffer_free(&second);
  clh_run_close(own);
  if (runs % 64 == 0) fuzz_cell_check_plain(&cell);
  return 0;
}
