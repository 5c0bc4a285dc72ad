// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a script and as a chunk for `load`: compiled and, within a tiny budget, run.
//
// An input is: options, and the source. After it the same cell still runs a plain script.
#include <string.h>

#include "cell.h"

#define CPU_NS ((int64_t)2000000)
#define MEMORY_BYTES_MAX ((size_t)1 << 20)
#define SLICES_MAX 20000

enum { WITH_NAME = 1, WITH_MODE = 2, WITH_ENVIRONMENT = 4, AS_JSON = 8, FAILING = 16 };

static void write_arguments(struct clh_tape *input, unsigned options, const char *source, size_t length) {
  int count = options & WITH_ENVIRONMENT ? 4 : options & WITH_MODE ? 3 : options & WITH_NAME ? 2 : 1;
  clh_tape_array(input, (size_t)count);
  clh_tape_string(input, source, length);
  if (count > 1) clh_tape_string(input, options & WITH_NAME ? source : "@plain", length < 6 ? length : 6);
  if (count > 2) clh_tape_string(input, options & WITH_MODE ? "bt" : "t", options & WITH_MODE ? 2 : 1);
  if (count > 3) clh_tape_table(input, 0);
}

static void run(struct fuzz_cell *cell, const char *entry, unsigned options, const char *source,
                size_t length) {
  fuzz_clock_step_ns = 20000;
  if (options & FAILING) clh_state_fail_allocation_after(cell->state, options * 3);
  struct clh_run *run = clh_run_open(cell->state, CPU_NS, FUZZ_RESULT_BYTES_MAX, 8);
  struct clh_fiber *fiber = NULL;
  enum clh_result_form form = options & AS_JSON ? CLH_RESULT_JSON : CLH_RESULT_VALUE;
  if (run != NULL && clh_fiber_open(run, entry, form, 1, &fiber) == CLH_STARTED) {
    write_arguments(clh_fiber_input(fiber), options, source, length);
    int before = cell->resumes;
    fuzz_cell_drive(cell, fiber, form);
    FUZZ_CHECK(cell->resumes - before < SLICES_MAX, "%d slices", cell->resumes - before);
    clh_fiber_close(fiber);
  }
  if (run != NULL) clh_run_close(run);
  clh_state_fail_allocation_after(cell->state, -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  const char *source = (const char *)data + 1;
  struct fuzz_cell cell = {.bytes = data, .byte_count = size};
  FUZZ_CHECK(fuzz_cell_open(&cell, source, size - 1, MEMORY_BYTES_MAX, -1), "no cell");
  bool is_binary = size > 1 && source[0] == LUA_SIGNATURE[0];
  FUZZ_CHECK(!is_binary || cell.script == NULL, "bytecode was compiled");
  if (cell.script != NULL) run(&cell, "main", data[0], source, 0);
  run(&cell, "load", data[0], source, size - 1);
  fuzz_cell_check_plain(&cell);
  fuzz_cell_close(&cell);
  return 0;
}
