// SPDX-License-Identifier: Apache-2.0
// A real cell as the fuzzers drive it: as the Swift side does, but in one thread and on the fuzzers' clock.
#ifndef FUZZ_CELL_H
#define FUZZ_CELL_H

#include "clh_cell.h"
#include "clock.h"
#include "plain.h"

#define FUZZ_RESULT_BYTES_MAX ((size_t)64 << 10)

struct fuzz_cell {
  struct clh_state *state;
  char *script;          // bytecode, read in place by the state; NULL when the source has a syntax error
  const uint8_t *bytes;  // decide which branch goes on
  size_t byte_count, bytes_read;
  int resumes;       // so far
  int cancel_after;  // resumes; < 0: never
  bool cancelled;
  int fibers;        // opened so far
};

/// Makes a cell with a prelude, the scripts `plain` and `lib/a.lua`, and the script `main` when its source
/// compiles. False when there is no memory, which only `fail_after` may cause.
bool fuzz_cell_open(struct fuzz_cell *cell, const char *source, size_t length, size_t memory_bytes_max,
                    long fail_after);
void fuzz_cell_close(struct fuzz_cell *cell);

/// Runs a fiber to its end; answers its host calls and runs its branches.
enum clh_slice fuzz_cell_drive(struct fuzz_cell *cell, struct clh_fiber *fiber, enum clh_result_form form);

/// Opens a run and in it the entry `plain`, which has to give 42.
void fuzz_cell_check_plain(struct fuzz_cell *cell);

/// Checks that the result or the report that a fiber ended with is a tape of whole values.
void fuzz_check_output(struct clh_fiber *fiber, enum clh_slice end, enum clh_result_form form);

#endif
