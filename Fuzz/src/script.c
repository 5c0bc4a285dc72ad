// SPDX-License-Identifier: Apache-2.0
// Hostile scripts in a real cell, beside an innocent run of the same cell.
//
// Holds: the script ends within its budget on the fuzzers' clock; the innocent run and a run after it give
// what they should; the memory comes back; everything closes.
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "grammar.h"

#define GRACE_NS ((int64_t)20000000)
#define HEADER_BYTES 6
#define REPEATS_MAX 8

// Looks at the clock by which a fiber may exceed its budget and grace.
#define LOOKS_MAX 16

static const int64_t steps_ns[] = {20000, 100000, 1000000, 5000000};
static const size_t caps[] = {(size_t)512 << 10, (size_t)1 << 20, (size_t)2 << 20, (size_t)4 << 20};

// Opens a run that waits in the host while the hostile one runs.
static struct clh_fiber *start_innocent(struct fuzz_cell *cell, struct clh_run **run) {
  *run = clh_run_open(cell->state, (int64_t)1000000000, FUZZ_RESULT_BYTES_MAX, 8);
  struct clh_fiber *fiber;
  FUZZ_CHECK(*run != NULL && clh_fiber_open(*run, "ask", CLH_RESULT_VALUE, 2, &fiber) == CLH_STARTED, "no run");
  struct clh_tape *input = clh_fiber_input(fiber);
  clh_tape_array(input, 1);
  clh_tape_integer(input, 7);
  FUZZ_CHECK(clh_fiber_resume(fiber) == CLH_SLICE_CALL, "the innocent run does not wait");
  return fiber;
}

static void finish_innocent(struct clh_fiber *fiber, struct clh_run *run, bool may_die) {
  clh_tape_integer(clh_fiber_input(fiber), 7);
  fuzz_clock_step_ns = 1000;
  enum clh_slice end = clh_fiber_resume(fiber);
  FUZZ_CHECK(end == CLH_SLICE_DONE || may_die,
             "the innocent run: end %d, death %d", end, clh_fiber_death(fiber));
  clh_fiber_close(fiber);
  clh_run_close(run);
}

static void run_hostile(struct fuzz_cell *cell, const uint8_t *header) {
  int64_t step = fuzz_clock_step_ns = steps_ns[header[0] & 3];
  int64_t cpu_ns = step * (20 + header[1] / 2);
  enum clh_result_form form = header[0] & 16 ? CLH_RESULT_JSON : CLH_RESULT_VALUE;
  if (header[0] & 32) cell->cancel_after = header[2];
  if (header[0] & 64) clh_state_fail_allocation_after(cell->state, header[3] * (header[2] % 16 + 1));
  struct clh_run *run = clh_run_open(cell->state, cpu_ns, FUZZ_RESULT_BYTES_MAX, 8);
  if (run == NULL) return;
  struct clh_fiber *fiber;
  if (clh_fiber_open(run, "main", form, header[4], &fiber) == CLH_STARTED) {
    struct clh_tape *input = clh_fiber_input(fiber);
    clh_tape_array(input, 2);
    clh_tape_string(input, "argument", 8);
    clh_tape_json(input, "{\"a\":[1,2]}", 11);
    cell->resumes = cell->fibers = 0;
    fuzz_cell_drive(cell, fiber, form);
    int64_t looks = (int64_t)(cell->fibers + 1) * LOOKS_MAX;
    int64_t most = cpu_ns + looks * step + (int64_t)cell->fibers * GRACE_NS;
    FUZZ_CHECK(clh_run_cpu_ns(run) <= most,
               "%lld ns of %lld", (long long)clh_run_cpu_ns(run), (long long)cpu_ns);
    FUZZ_CHECK(cell->resumes <= cpu_ns / step + 4 + 4 * cell->fibers, "%d slices", cell->resumes);
    clh_fiber_close(fiber);
  }
  clh_run_close(run);
}

// A hostile run while an innocent one waits, and one more after it.
static void run_beside(struct fuzz_cell *cell, const uint8_t *header) {
  struct clh_run *innocent;
  struct clh_fiber *waiting = start_innocent(cell, &innocent);
  cell->bytes_read = 0;
  run_hostile(cell, header);
  clh_state_fail_allocation_after(cell->state, -1);
  finish_innocent(waiting, innocent, header[0] & 64);
  fuzz_cell_check_plain(cell);
}

static size_t settled_bytes(struct clh_state *state) {
  clh_state_collect(state);
  clh_state_collect(state);
  return clh_state_bytes(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char source[FUZZ_SCRIPT_BYTES_MAX];
  if (size < HEADER_BYTES) return 0;
  size_t length = fuzz_write_script(data + HEADER_BYTES, size - HEADER_BYTES, source, sizeof source);
  static int shows = -1;
  if (shows < 0) shows = getenv("FUZZ_SHOW") != NULL;
  if (shows) fprintf(stderr, "%.*s", (int)length, source);
  struct fuzz_cell cell = {.bytes = data, .byte_count = size};
  long fail_after = data[0] & 128 && data[5] != 0 ? data[5] * 8 : -1;
  fuzz_clock_step_ns = 1000;
  bool opened = fuzz_cell_open(&cell, source, length, caps[data[0] >> 2 & 3], fail_after);
  FUZZ_CHECK(opened || fail_after >= 0, "no cell");
  if (opened) clh_state_fail_allocation_after(cell.state, -1);
  if (opened && cell.script != NULL) {
    fuzz_cell_check_plain(&cell);
    run_beside(&cell, data);
    // The first times leave what the cell keeps, such as undumped code; a leak grows each time.
    int repeats = data[5] & 1 ? REPEATS_MAX : 0;
    for (bool grows = true; repeats > 0 && grows; repeats--) {
      size_t before = settled_bytes(cell.state);
      run_beside(&cell, data);
      size_t after = settled_bytes(cell.state);
      grows = after > before;
      FUZZ_CHECK(!grows || repeats > 1, "%zu bytes before, %zu after", before, after);
    }
  }
  fuzz_cell_close(&cell);
  return 0;
}
