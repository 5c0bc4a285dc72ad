// SPDX-License-Identifier: Apache-2.0
// The records behind `clh_cell.h`. Private to the C files of the state.
#ifndef CLH_STATE_H
#define CLH_STATE_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "charge.h"
#include "clh_cell.h"

#define CLH_LOADING_MAX 32
#define CLH_CANNOT_WAIT "%s has to wait, which is not possible inside a comparator or a pattern's callback"
#define CLH_ARGUMENT_BYTES_MAX ((size_t)16 << 20)

struct clh_tape {
  struct clh_buffer buffer;
  size_t bytes_max;
  bool out_of_memory, too_large;
  bool raises;
};

struct clh_function {
  char *name;
  uint32_t number;
  bool suspending;
};

struct clh_script {
  char *name;
  const char *code;
  size_t length;
  int factory_ref;
};

/// Why a fiber's stack was left by a yield; seen by every coroutine that the yield passes.
enum clh_suspension { CLH_RUNNING, CLH_WAITING_CALL, CLH_WAITING_SPAWN, CLH_WAITING_TURN, CLH_DYING };

struct clh_fiber {
  struct clh_run *run;
  struct clh_fiber *next;  // of the run, newest first
  lua_State *co;
  int co_ref;
  struct clh_tape in, out;
  size_t billed;          // bytes of the tapes that count as the cell's memory
  struct clh_buffer trace;  // where the last error came from: traceback, and the script's place
  const char *trace_script;
  int trace_line;
  bool rethrown;            // the trace already tells of the error on its way

  enum clh_suspension suspension;
  enum clh_death death;
  bool started, finished, failed;
  bool unwinding;           // dead, and its error or its __close handlers are on their way
  bool abandoned;           // left by `abandon`: its coroutines must not be touched again
  int64_t grace_deadline, grace_cpu_start, grace_cpu_end;
  int blocked;              // resumes from frames that cannot yield
  int closing;              // nested coroutine.close

  lua_State **inner;        // coroutines being resumed, outermost first
  int depth, inner_capacity;

  uint32_t loading[CLH_LOADING_MAX];
  int loading_depth;

  uint32_t function;        // waiting for this host function
  uint32_t calls, spawns;   // made so far: they name each call, whenever it is made
  enum clh_result_form form;
  bool encoding;            // an error now is one of the result

  bool is_branch;
  uint32_t branch_index;    // from 0
  int group_ref;            // { functions, results } of the branches that this fiber waits for
  uint32_t branch_count, branch_limit;
  enum clh_spawn_mode mode;
  bool decided;
  uint32_t decider;

  uint64_t seed, random[4];
};

struct clh_run {
  struct clh_state *state;
  struct clh_run *next;
  struct clh_fiber *fibers;
  bool closed;
  bool has_lent;  // the prelude, something that the run's functions may change
  enum clh_death death;
  int env_ref, private_ref, modules_ref;
  int64_t cpu_ns, cpu_ns_max;
  int64_t grace_used_ns;   // by the handlers of its fibers, since it is dead
  int64_t *meter;  // `cpu_ns`, or what several runs use up together, in other cells too
  size_t bytes_allocated;  // gross, since the run was opened
  size_t result_bytes_max;
  uint32_t branches_max, fiber_count;
};

struct clh_state {
  lua_State *L;
  struct clh_callbacks callbacks;

  size_t bytes, bytes_max;
  size_t bytes_seen;  // atomic: other threads read it
  bool refused;  // an allocation was refused that Lua may try again after a collection
  void *refused_block;
  size_t refused_size;
  long fail_after;

  struct clh_fiber *current;  // whose slice it is
  struct clh_run *billed;     // whose allocations are counted
  int64_t slice_start;        // atomic: other threads read it; 0 between slices
  int64_t slice_cpu_start, slice_deadline, kill_deadline, last_check;
  size_t units_left;
  bool condemned;             // a run was killed that is not the running one

  struct clh_run *runs;
  struct clh_run boot_run;
  struct clh_fiber boot;      // runs the preludes

  struct clh_function **functions;
  uint32_t function_count;
  struct clh_script *scripts;
  uint32_t script_count;
  struct clh_tape report;
};

static inline int64_t clh_used_ns(const struct clh_run *run) {
  return __atomic_load_n(run->meter, __ATOMIC_RELAXED);
}

// Registry keys.
extern const char clh_key_globals;      // name -> value or module table, as the preludes see it
extern const char clh_key_env_meta;     // metatable of every run's environment
extern const char clh_key_error_meta;   // metatable of host errors
extern const char clh_key_entries;      // name -> function
extern const char clh_key_scripts;      // name -> number of the script
extern const char clh_key_host;         // the preludes' argument
extern const char clh_key_stopped;      // the error value of a dead fiber

// The extra space of a coroutine holds the state's address and, in its low bits, what the coroutine is.
#define CLH_CO_FIBER 1u   // a fiber's own: scripts may not resume, close or yield it
#define CLH_CO_ACTIVE 2u  // being resumed, perhaps suspended below: scripts may not resume or close it
#define CLH_CO_MASK 3u

static inline uintptr_t *clh_extra(lua_State *L) { return (uintptr_t *)lua_getextraspace(L); }

static inline struct clh_state *clh_state_of(lua_State *L) {
  return (struct clh_state *)(*clh_extra(L) & ~(uintptr_t)CLH_CO_MASK);
}

static inline unsigned clh_co_bits(lua_State *L) { return (unsigned)(*clh_extra(L) & CLH_CO_MASK); }
static inline void clh_co_set(lua_State *L, unsigned bits) { *clh_extra(L) |= bits; }
static inline void clh_co_clear(lua_State *L, unsigned bits) { *clh_extra(L) &= ~(uintptr_t)bits; }

static inline bool clh_is_dead(const struct clh_fiber *fiber) {
  return fiber->death != CLH_ALIVE || fiber->run->death != CLH_ALIVE;
}

static inline bool clh_can_wait(lua_State *L, const struct clh_fiber *fiber) {
  return fiber->blocked == 0 && lua_isyieldable(L);
}

// state.c
void *clh_take(struct clh_state *state, size_t size);  // zeroed malloc that injection can fail
/// At the end of a slice: a refusal that was not retried counts against the run whose slice it was.
void clh_settle_refusal(struct clh_state *state);
/// Calls `function` with a light userdata in a protected call outside of any fiber. Returns Lua's status.
int clh_protected(struct clh_state *state, lua_CFunction function, void *argument);

// fiber.c
/// Starts the fiber's random numbers.
void clh_fiber_seed(struct clh_fiber *fiber, uint64_t seed);

// budget.c
int64_t clh_now(void);
/// Processor time of the running slice.
int64_t clh_slice_cpu(const struct clh_state *state);
void clh_hook(lua_State *L, lua_Debug *ar);
void clh_begin_slice(struct clh_state *state, struct clh_fiber *fiber);
void clh_end_slice(struct clh_state *state);
void clh_begin_grace(struct clh_fiber *fiber);
/// Ends the run that has allocated most. One that is not running is condemned: it ends when this slice does.
void clh_end_hungriest(struct clh_state *state);
/// After an error was caught: a dead fiber goes on dying instead of returning. Stack: [..., error]. May
/// raise.
void clh_after_error(lua_State *L, int status);
/// Leaves a dead fiber's stack by a yield where that is possible, else by an error. May raise or not return.
void clh_die(lua_State *L, struct clh_fiber *fiber);

// tape.c
void clh_tape_reset(struct clh_tape *tape);
/// Writes the value at `index`. Stack: unchanged. Returns NULL, or what of the value cannot be written. May
/// raise.
const char *clh_tape_write(lua_State *L, int index, struct clh_tape *tape);
/// Moves the offset into the array there; returns its count, 0 when there is none. May raise.
uint32_t clh_tape_open_array(lua_State *L, const struct clh_tape *tape, size_t *offset);
/// Pushes the value at `*offset` and moves the offset on. Stack: [] -> [value]. May raise.
void clh_tape_push(lua_State *L, const struct clh_tape *tape, size_t *offset);

// fiber.c
void clh_fiber_finish(struct clh_fiber *fiber);
/// Frees the tapes, where they are large, when what was on them has been read.
void clh_fiber_tapes_read(struct clh_fiber *fiber);

// run.c
/// Stops the fibers of a run that was killed, newest first, so branches before the fiber that waits for them;
/// lets go of what the run holds.
void clh_run_finish(struct clh_run *run);

// report.c
/// As `luaL_error`, but with the position of the script that is responsible, never that of a prelude.
int clh_error(lua_State *L, const char *format, ...);
/// Message handler: notes where the error was raised in the fiber's trace.
int clh_trace_handler(lua_State *L);
/// Writes the report of an error to the fiber's output. May raise.
/// Stack, unchanged: [..., error], or with the text that its `__tostring` gave [..., error, text].
void clh_report_error(lua_State *L, struct clh_fiber *fiber, enum clh_failure failure, bool has_text);
/// The same for an error that is only a message; calls nothing of the script's. May not raise.
void clh_report_plain(struct clh_tape *tape, enum clh_failure failure, const char *message, size_t length);

/// Runs a set-up function as the boot fiber; it gets a light userdata. False leaves a report.
bool clh_boot(struct clh_state *state, lua_CFunction function, void *argument);

// coroutine_library.c, base_library.c, environment.c, host_library.c, host_call.c, load.c
int clh_open_coroutine(lua_State *L);
void clh_open_base(lua_State *L);  // Stack: [globals] -> [globals]
void clh_open_sandbox(lua_State *L);
void clh_random_seed(uint64_t state[4], uint64_t high, uint64_t low);
void clh_add_host_functions(lua_State *L, struct clh_state *state);
void clh_push_host_error(lua_State *L, const char *code, const char *message);
int clh_host_raise(lua_State *L);
int clh_spawn(lua_State *L);
int clh_load_script(lua_State *L);
int clh_require(lua_State *L);
/// Pushes a read-only proxy of the table at `index`. Stack: [] -> [proxy]. May raise.
void clh_push_readonly(lua_State *L, int index, const char *name, bool deep);
/// Makes the table of `host.lazy`. Stack: [index, complete, pairs] -> [table]. May raise.
void clh_push_lazy(lua_State *L, const char *name);
/// What such a table has in place of a target: calls its `complete`.
int clh_complete(lua_State *L);
/// Replaces a read-only proxy at `index` by its table. Stack: unchanged. May raise.
void clh_resolve_proxy(lua_State *L, int index);

#endif
