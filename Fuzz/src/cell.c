// SPDX-License-Identifier: Apache-2.0
#include "cell.h"

#include <string.h>

#define BRANCHES_MAX 8
#define PLAIN_CPU_NS ((int64_t)1000000000)

enum { HOST_ECHO, HOST_NOW, HOST_FAIL, HOST_WAIT, HOST_WAIT_FAIL, HOST_HIDDEN };

static const char prelude_source[] =
    "local host = ...\n"
    "local function main(...) return host.load('main')(...) end\n"
    "local function try(f, ...) return (select('#', host.pcall(f, ...))) end\n"
    "return {\n"
    "  globals = {\n"
    "    parallel = host.spawn, readonly = host.readonly, host_error = host.error, host_pcall = host.pcall,\n"
    "    hidden = host.functions['_db.query'], private = function() return host.run() end,\n"
    "    string = { twice = function(s) return s .. s end },\n"
    "  },\n"
    "  entries = {\n"
    "    main = main,\n"
    "    plain = function() return host.load('plain')(8) end,\n"
    "    echo = function(...) return ... end,\n"
    "    ask = function(...) return host.functions['h.wait'](...) end,\n"
    "    now = function(...) return host.functions['h.now'](...) end,\n"
    "    load = function(chunk, ...)\n"
    "      local f, message = load(chunk, ...)\n"
    "      if f then return f(chunk) end\n"
    "      assert(message ~= nil)\n"
    "      return message\n"
    "    end,\n"
    "  },\n"
    "}\n";

// Uses a little of everything that a hostile run could have left broken.
static const char plain_source[] =
    "return function(n)\n"
    "  local parts = {}\n"
    "  for i = 1, n do parts[#parts + 1] = ('%d'):format(i) end\n"
    "  assert(table.concat(parts, ',') == '1,2,3,4,5,6,7,8')\n"
    "  assert(('one two'):gsub('%w+', string.upper) == 'ONE TWO')\n"
    "  assert(json.encode(json.decode('{\"a\":[1,2.5,null]}')) == '{\"a\":[1,2.5,null]}')\n"
    "  local ok, message = pcall(error, 'x', 0)\n"
    "  assert(not ok and message == 'x')\n"
    "  local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end)\n"
    "  assert(co(1) == 2 and co(4) == 8)\n"
    "  table.sort(parts, function(a, b) return a > b end)\n"
    "  assert(parts[1] == '8' and require('lib.a').value == 5 and load('return 7')() == 7)\n"
    "  assert(h.echo(3) == 3 and h.wait(4) == 4 and not pcall(h.fail))\n"
    "  local closed = false\n"
    "  do local guard <close> = setmetatable({}, { __close = function() closed = true end }) end\n"
    "  local both = parallel({ function() return 1 end, function() return h.wait(2) end })\n"
    "  assert(closed and both[1].value + both[2].value == 3)\n"
    "  assert(not pcall(function() undeclared = 1 end) and undeclared == nil)\n"
    "  return 42\n"
    "end\n";

static const char library_source[] = "return { value = 5 }\n";

static uint8_t next_byte(struct fuzz_cell *cell) {
  return cell->bytes_read < cell->byte_count ? cell->bytes[cell->bytes_read++] : 0;
}

// MARK: - The host

static size_t walk(const char *bytes, size_t length, size_t at, int depth);

static uint32_t count_at(const char *bytes, size_t length, size_t at) {
  uint32_t count;
  FUZZ_CHECK(at <= length && length - at >= sizeof count, "a tape ends in a count");
  memcpy(&count, bytes + at, sizeof count);
  return count;
}

static size_t walk_bytes(const char *bytes, size_t length, size_t at) {
  uint32_t count = count_at(bytes, length, at);
  FUZZ_CHECK(length - at - 4 >= count, "a tape ends in a string");
  return at + 4 + count;
}

// Returns where the value at `at` ends.
static size_t walk(const char *bytes, size_t length, size_t at, int depth) {
  FUZZ_CHECK(at < length && depth > 0, "a tape ends where a value should be");
  switch (bytes[at++]) {
    case CLH_TAG_NIL:
    case CLH_TAG_FALSE:
    case CLH_TAG_TRUE:
    case CLH_TAG_NULL: return at;
    case CLH_TAG_INTEGER:
    case CLH_TAG_NUMBER: FUZZ_CHECK(length - at >= 8, "a tape ends in a number"); return at + 8;
    case CLH_TAG_STRING: return walk_bytes(bytes, length, at);
    case CLH_TAG_ARRAY: {
      uint32_t count = count_at(bytes, length, at);
      at += 4;
      while (count-- > 0) at = walk(bytes, length, at, depth - 1);
      return at;
    }
    case CLH_TAG_TABLE: {
      uint32_t count = count_at(bytes, length, at);
      at += 4;
      while (count-- > 0) at = walk(bytes, length, walk_bytes(bytes, length, at), depth - 1);
      return at;
    }
    default: FUZZ_CHECK(false, "a tape holds tag %d", bytes[at - 1]); return at;
  }
}

static void check_tape(struct clh_fiber *fiber) {
  size_t length, at = 0;
  const char *bytes = clh_fiber_output(fiber, &length);
  while (at < length) at = walk(bytes, length, at, 80);
}

void fuzz_check_output(struct clh_fiber *fiber, enum clh_slice end, enum clh_result_form form) {
  if (end == CLH_SLICE_FAILED || (end == CLH_SLICE_DONE && form == CLH_RESULT_VALUE)) check_tape(fiber);
}

// Writes the first of the fiber's arguments, as they stand on its output, to its input.
static void echo(struct clh_fiber *fiber) {
  size_t length;
  const char *bytes = clh_fiber_output(fiber, &length);
  FUZZ_CHECK(length >= 5 && bytes[0] == CLH_TAG_ARRAY, "no arguments");
  bool has_first = count_at(bytes, length, 1) > 0;
  struct clh_tape *input = clh_fiber_input(fiber);
  uint32_t size;
  int64_t integer;
  if (!has_first) return clh_tape_nil(input);
  switch (bytes[5]) {
    case CLH_TAG_INTEGER:
      memcpy(&integer, bytes + 6, sizeof integer);
      return clh_tape_integer(input, integer);
    case CLH_TAG_STRING:
      memcpy(&size, bytes + 6, sizeof size);
      return clh_tape_string(input, bytes + 10, size);
    case CLH_TAG_NIL: return clh_tape_nil(input);
    case CLH_TAG_ARRAY:
      clh_tape_array(input, 2);
      clh_tape_null(input);
      return clh_tape_number(input, 0.5);
    case CLH_TAG_TABLE:
      clh_tape_table(input, 1);
      clh_tape_key(input, "key", 3);
      return clh_tape_json(input, "[1,{}]", 6);
    default: return clh_tape_json(input, "{\"a\":nul}", 9);  // no JSON: reading it raises
  }
}

static void fail(struct clh_fiber *fiber) {
  struct clh_tape *input = clh_fiber_input(fiber);
  clh_tape_raise(input);
  clh_tape_table(input, 4);
  clh_tape_key(input, "code", 4);
  clh_tape_string(input, "broken", 6);
  clh_tape_key(input, "message", 7);
  clh_tape_string(input, "it broke", 8);
  clh_tape_key(input, "retryable", 9);
  clh_tape_boolean(input, true);
  clh_tape_key(input, "detail", 6);
  clh_tape_json(input, "{\"n\":[1]}", 9);
}

static void answer(struct clh_fiber *fiber, uint32_t function) {
  check_tape(fiber);
  if (function == HOST_FAIL || function == HOST_WAIT_FAIL) return fail(fiber);
  if (function == HOST_NOW) return clh_tape_number(clh_fiber_input(fiber), 1e9);
  echo(fiber);
}

static void immediate(void *context, struct clh_fiber *fiber, uint32_t function) {
  (void)context;
  answer(fiber, function);
}

static bool is_cancelled(void *context) { return ((struct fuzz_cell *)context)->cancelled; }

// MARK: - The cell

struct code {
  char *bytes;
  size_t length;
};

static bool compile(const char *name, const char *source, size_t length, struct code *code) {
  if (clh_compile(name, source, length, &code->bytes, &code->length) == CLH_COMPILED) return true;
  clh_free(code->bytes);
  code->bytes = NULL;
  return false;
}

bool fuzz_cell_open(struct fuzz_cell *cell, const char *source, size_t length, size_t memory_bytes_max,
                    long fail_after) {
  // Compiled once, as every cell has the same.
  static struct code prelude, plain, library;
  if (prelude.bytes == NULL) {
    bool compiled = compile("@prelude", prelude_source, sizeof prelude_source - 1, &prelude);
    compiled &= compile("@plain", plain_source, sizeof plain_source - 1, &plain);
    compiled &= compile("@lib/a.lua", library_source, sizeof library_source - 1, &library);
    FUZZ_CHECK(compiled, "the fuzzer's own scripts do not compile");
  }
  cell->cancel_after = -1;
  struct code script = {0};
  bool has_script = source != NULL && compile("@main", source, length, &script);
  cell->script = script.bytes;
  struct clh_callbacks callbacks = {cell, immediate, is_cancelled};
  cell->state = clh_state_create(memory_bytes_max, callbacks, fail_after);
  if (cell->state == NULL) return false;
  static const struct {
    const char *name;
    bool suspending;
  } functions[] = {{"h.echo", false}, {"h.now", false},      {"h.fail", false},
                   {"h.wait", true},  {"h.wait_fail", true}, {"_db.query", true}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    if (!clh_state_add_function(cell->state, functions[i].name, functions[i].suspending)) return false;
  }
  if (!clh_state_add_script(cell->state, "plain", plain.bytes, plain.length)) return false;
  if (!clh_state_add_script(cell->state, "lib/a.lua", library.bytes, library.length)) return false;
  if (has_script && !clh_state_add_script(cell->state, "main", script.bytes, script.length)) return false;
  return clh_state_start(cell->state) &&
         clh_state_prelude(cell->state, "@prelude", prelude.bytes, prelude.length) &&
         clh_state_seal(cell->state);
}

void fuzz_cell_close(struct fuzz_cell *cell) {
  if (cell->state != NULL) clh_state_close(cell->state);
  clh_free(cell->script);
}

// MARK: - Driving

// A fiber and the branches that it waits for.
struct task {
  struct clh_fiber *fiber;
  struct task *branches[BRANCHES_MAX];
  uint32_t index, started, running;  // own number; of the branches
  bool waits, decided, stopping;
  enum clh_slice end;
};

static void stop(struct task *task) {
  task->stopping = true;
  for (int i = 0; i < BRANCHES_MAX; i++)
    if (task->branches[i] != NULL) stop(task->branches[i]);
}

static void start_branch(struct fuzz_cell *cell, struct task *parent) {
  struct clh_fiber *fiber;
  uint32_t index = parent->started++;
  enum clh_fiber_start status = clh_fiber_open_branch(parent->fiber, index, &fiber);
  if (status != CLH_STARTED) {
    if (status == CLH_NO_MEMORY) clh_fiber_kill(parent->fiber, CLH_DEATH_MEMORY);
    return;
  }
  cell->fibers++;
  struct task *branch = calloc(1, sizeof *branch);
  branch->fiber = fiber;
  branch->index = index;
  branch->stopping = parent->stopping;
  for (int i = 0; i < BRANCHES_MAX; i++) {
    if (parent->branches[i] != NULL) continue;
    parent->branches[i] = branch;
    parent->running++;
    return;
  }
  FUZZ_CHECK(false, "more branches than the run may have");
}

static bool step(struct fuzz_cell *cell, struct task *task);

static void step_branches(struct fuzz_cell *cell, struct task *task) {
  uint32_t count = clh_fiber_branch_count(task->fiber);
  int slot = next_byte(cell) % BRANCHES_MAX;
  while (task->running > 0 && task->branches[slot] == NULL) slot = (slot + 1) % BRANCHES_MAX;
  struct task *branch = task->running > 0 ? task->branches[slot] : NULL;
  if (branch != NULL && step(cell, branch)) {
    bool decides = clh_fiber_spawn_mode(task->fiber) == CLH_SPAWN_ALL    ? branch->end == CLH_SLICE_FAILED
                   : clh_fiber_spawn_mode(task->fiber) == CLH_SPAWN_RACE ? branch->end == CLH_SLICE_DONE
                                                                         : false;
    if (decides && !task->decided) {
      task->decided = true;
      clh_fiber_decide(task->fiber, branch->index);
      for (int i = 0; i < BRANCHES_MAX; i++)
        if (task->branches[i] != NULL) stop(task->branches[i]);
    }
    clh_fiber_close(branch->fiber);
    free(branch);
    task->branches[slot] = NULL;
    task->running--;
    if (!task->decided && !task->stopping && task->started < count) start_branch(cell, task);
  }
  if (clh_fiber_death(task->fiber) != CLH_ALIVE) stop(task);
  if (task->running == 0 && (task->decided || task->stopping || task->started >= count)) task->waits = false;
  if (task->running == 0 && task->waits) start_branch(cell, task);
}

// Runs one slice of the task or of one of its branches. Returns whether the task has ended.
static bool step(struct fuzz_cell *cell, struct task *task) {
  if (task->waits) {
    step_branches(cell, task);
    return false;
  }
  if (cell->cancel_after >= 0 && cell->resumes >= cell->cancel_after) cell->cancelled = true;
  if (cell->cancelled || task->stopping) clh_fiber_kill(task->fiber, CLH_DEATH_CANCELLED);
  cell->resumes++;
  task->end = clh_fiber_resume(task->fiber);
  switch (task->end) {
    case CLH_SLICE_PREEMPTED: return false;
    case CLH_SLICE_CALL: answer(task->fiber, clh_fiber_function(task->fiber)); return false;
    case CLH_SLICE_SPAWN:
      task->waits = true;
      task->decided = false;
      task->started = 0;
      for (uint32_t i = clh_fiber_branch_limit(task->fiber); i > 0; i--) start_branch(cell, task);
      return false;
    default: return true;
  }
}

enum clh_slice fuzz_cell_drive(struct fuzz_cell *cell, struct clh_fiber *fiber, enum clh_result_form form) {
  struct task task = {.fiber = fiber};
  cell->fibers++;
  while (!step(cell, &task)) {
  }
  fuzz_check_output(fiber, task.end, form);
  return task.end;
}

void fuzz_cell_check_plain(struct fuzz_cell *cell) {
  clh_state_fail_allocation_after(cell->state, -1);
  cell->cancelled = false;
  cell->cancel_after = -1;
  fuzz_clock_step_ns = 1000;
  struct clh_run *run = clh_run_open(cell->state, PLAIN_CPU_NS, FUZZ_RESULT_BYTES_MAX, BRANCHES_MAX);
  FUZZ_CHECK(run != NULL, "no second run");
  struct clh_fiber *fiber;
  enum clh_fiber_start status = clh_fiber_open(run, "plain", CLH_RESULT_VALUE, 1, &fiber);
  FUZZ_CHECK(status == CLH_STARTED, "the second run does not start: %d", status);
  clh_tape_array(clh_fiber_input(fiber), 0);
  enum clh_slice end = fuzz_cell_drive(cell, fiber, CLH_RESULT_VALUE);
  size_t length;
  const char *bytes = clh_fiber_output(fiber, &length);
  int64_t result = 0;
  if (length == 9) memcpy(&result, bytes + 1, sizeof result);
  FUZZ_CHECK(end == CLH_SLICE_DONE && result == 42, "the second run: end %d, death %d, %.*s", end,
             clh_fiber_death(fiber), (int)(length > 14 ? length - 14 : 0), bytes + 14);
  clh_fiber_close(fiber);
  clh_run_close(run);
}
