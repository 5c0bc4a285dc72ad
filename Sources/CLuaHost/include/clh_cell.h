// SPDX-License-Identifier: Apache-2.0
// What Swift sees of a cell: one Lua state that hosts many runs, each of one or more fibers.
//
// No function here raises a Lua error into its caller, and no callback is running when one is raised: a
// callback gets a fiber, reads the argument tape, writes the reply tape and returns. A state and everything
// that belongs to it is used by one thread at a time; any thread will do.
#ifndef CLH_CELL_H
#define CLH_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Name and version of the interpreter, `Lua 5.4.6`.
const char *clh_lua_release(void);

struct clh_state;
struct clh_run;
struct clh_fiber;
struct clh_tape;

/// Why a fiber or a run can never run again.
enum clh_death {
  CLH_ALIVE = 0,
  CLH_DEATH_CANCELLED,
  CLH_DEATH_TIME,
  CLH_DEATH_STRETCH,  // held its thread too long where it could not be interrupted
  CLH_DEATH_MEMORY,
  CLH_DEATH_CLOSED,
};

/// How a slice ended.
enum clh_slice {
  CLH_SLICE_DONE,       // output: the result
  CLH_SLICE_FAILED,     // output: a report
  CLH_SLICE_PREEMPTED,  // go on after others had their turn
  CLH_SLICE_CALL,       // output: the arguments of `clh_fiber_function`; write the reply, then go on
  CLH_SLICE_SPAWN,      // run the branches, then go on
  CLH_SLICE_DEAD,       // see `clh_fiber_death`
};

/// First value of a report tape: what kind of failure it tells.
enum clh_failure {
  CLH_FAILURE_RUNTIME,
  CLH_FAILURE_RESULT,
  CLH_FAILURE_STACK,
  CLH_FAILURE_MEMORY,
};

enum clh_spawn_mode { CLH_SPAWN_ALL, CLH_SPAWN_SETTLE, CLH_SPAWN_RACE };

enum clh_result_form { CLH_RESULT_VALUE, CLH_RESULT_JSON };

/// First byte of each value on a tape. Numbers follow in native byte order, lengths and counts as uint32_t.
enum clh_tag {
  CLH_TAG_NIL,
  CLH_TAG_FALSE,
  CLH_TAG_TRUE,
  CLH_TAG_INTEGER,  // int64_t
  CLH_TAG_NUMBER,   // double
  CLH_TAG_STRING,   // length, bytes
  CLH_TAG_ARRAY,    // count, values
  CLH_TAG_TABLE,    // count, then length, bytes, value of each field
  CLH_TAG_JSON,     // length, bytes; only towards Lua
  CLH_TAG_NULL,
};

struct clh_callbacks {
  void *context;
  /// Answers a host function that does not wait: reads the fiber's output, writes its input.
  void (*immediate)(void *context, struct clh_fiber *fiber, uint32_t function);
  /// Says whether the caller of the running slice has been cancelled.
  bool (*is_cancelled)(void *context);
};

/// Makes a state with the sandbox's libraries; NULL when there is no memory.
/// The callbacks' context outlives the state. `fail_after` < 0, or the count of allocations that succeed.
struct clh_state *clh_state_create(size_t memory_bytes_max, struct clh_callbacks callbacks, long fail_after);
void clh_state_close(struct clh_state *state);

/// Declares host function number `count so far`. False when there is no memory.
bool clh_state_add_function(struct clh_state *state, const char *name, bool suspending);
/// Declares a script; `code` outlives the state and is undumped on first use. False when there is no memory.
bool clh_state_add_script(struct clh_state *state, const char *name, const char *code, size_t length);
/// The next three: false leaves a report in `clh_state_report`.
bool clh_state_start(struct clh_state *state);
bool clh_state_prelude(struct clh_state *state, const char *name, const char *code, size_t length);
bool clh_state_seal(struct clh_state *state);
const char *clh_state_report(const struct clh_state *state, size_t *length);

size_t clh_state_bytes(const struct clh_state *state);
/// How long the slice that is running has lasted; 0 between slices. May be called from any thread.
int64_t clh_state_slice_ns(const struct clh_state *state);
/// Lua memory as it was at the end of the last slice. May be called from any thread.
size_t clh_state_bytes_seen(const struct clh_state *state);
/// Makes every allocation after the next `count` ones fail; -1 ends that. For tests of what memory failure
/// does.
void clh_state_fail_allocation_after(struct clh_state *state, long count);
void clh_state_collect(struct clh_state *state);

/// Opens a run with an environment of its own. NULL when there is no memory.
struct clh_run *clh_run_open(struct clh_state *state, int64_t cpu_ns_max, size_t result_bytes_max,
                             uint32_t branches_max);
/// Puts a text into the run's `host.run().told`. False when there is no memory.
bool clh_run_tell(struct clh_run *run, const char *name, const char *text, size_t length);
/// Whether a prelude called `host.lend()`.
bool clh_run_has_lent(const struct clh_run *run);
/// Stops what still runs in it, runs `__close` handlers, and frees the run with its last fiber.
void clh_run_close(struct clh_run *run);
enum clh_death clh_run_death(const struct clh_run *run);
int64_t clh_run_cpu_ns(const struct clh_run *run);

// Counts the run's time on `meter`, which has to outlive the run's closing; several runs may share it.
void clh_run_share_meter(struct clh_run *run, int64_t *meter);

enum clh_fiber_start { CLH_STARTED, CLH_NO_ENTRY, CLH_NO_MEMORY, CLH_TOO_MANY };

/// Makes a fiber for an entry; its arguments are then written to the input tape as one array. Its random numbers, and
/// those of its branches, come of `seed`.
enum clh_fiber_start clh_fiber_open(struct clh_run *run, const char *entry, enum clh_result_form form,
                                    uint64_t seed, struct clh_fiber **fiber);
/// Makes a fiber for branch `index` (from 0) of a fiber that stopped with `CLH_SLICE_SPAWN`.
enum clh_fiber_start clh_fiber_open_branch(struct clh_fiber *parent, uint32_t index,
                                           struct clh_fiber **fiber);
/// Frees the fiber; one that has not ended is stopped first.
void clh_fiber_close(struct clh_fiber *fiber);

/// Runs until the fiber ends, waits, or its slice of time is over. A branch's result stays in Lua.
enum clh_slice clh_fiber_resume(struct clh_fiber *fiber);
/// Stops a fiber for good and runs its `__close` handlers once, with a small budget of their own.
void clh_fiber_kill(struct clh_fiber *fiber, enum clh_death death);

enum clh_death clh_fiber_death(const struct clh_fiber *fiber);
uint32_t clh_fiber_function(const struct clh_fiber *fiber);
/// Host calls that it has made, the one under way included; and how often it has spawned branches.
uint32_t clh_fiber_calls(const struct clh_fiber *fiber);
uint32_t clh_fiber_spawns(const struct clh_fiber *fiber);
/// Bytes that the fiber put out; valid until the fiber runs again.
const char *clh_fiber_output(const struct clh_fiber *fiber, size_t *length);
/// Counts the fiber's tapes as memory of the cell; where that is too much, the run that has allocated most ends.
void clh_fiber_bill(struct clh_fiber *fiber);
/// Empties the input tape and returns it. Valid as long as the fiber.
struct clh_tape *clh_fiber_input(struct clh_fiber *fiber);

uint32_t clh_fiber_branch_count(const struct clh_fiber *fiber);
uint32_t clh_fiber_branch_limit(const struct clh_fiber *fiber);
enum clh_spawn_mode clh_fiber_spawn_mode(const struct clh_fiber *fiber);
/// Names the branch (from 0) that decided an `all` by failing or a `race` by succeeding.
void clh_fiber_decide(struct clh_fiber *fiber, uint32_t index);

/// Writers. One that finds no memory spoils the tape, and reading it in Lua raises "not enough memory".
void clh_tape_nil(struct clh_tape *tape);
void clh_tape_null(struct clh_tape *tape);
void clh_tape_boolean(struct clh_tape *tape, bool value);
void clh_tape_integer(struct clh_tape *tape, int64_t value);
void clh_tape_number(struct clh_tape *tape, double value);
void clh_tape_string(struct clh_tape *tape, const void *bytes, size_t length);
void clh_tape_json(struct clh_tape *tape, const void *bytes, size_t length);
void clh_tape_array(struct clh_tape *tape, size_t count);
void clh_tape_table(struct clh_tape *tape, size_t count);
void clh_tape_key(struct clh_tape *tape, const void *bytes, size_t length);
/// The table that follows is raised as an error.
void clh_tape_raise(struct clh_tape *tape);

enum clh_compiled { CLH_COMPILED, CLH_COMPILE_SYNTAX, CLH_COMPILE_NO_MEMORY };

/// Compiles a script to unstripped bytecode of a function that takes an environment and returns the script.
/// `output` is malloc memory: the code, or the message of a syntax error.
enum clh_compiled clh_compile(const char *name, const char *source, size_t length, char **output,
                              size_t *output_length);
void clh_free(void *memory);

#endif
