// SPDX-License-Identifier: Apache-2.0
// What the state (runs, budgets, fibers) and the C libraries (string, table, utf8, json) know of each other.
//
// Every function here may raise a Lua error and must run inside a protected call.
// No library function holds malloc memory across a call that can raise, except a caller-owned clh_buffer.
#ifndef CLH_CHARGE_H
#define CLH_CHARGE_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/// Bytes of input or output that count as one charged unit.
#define CLH_BYTES_PER_UNIT 16

/// Name of the metatable field of a read-only proxy that holds the real table.
#define CLH_TARGET_FIELD "__target"

/// Says whether what that field holds is a table; one of a lazy table is completed first, by the prelude.
/// Stack: [field] -> [target]. May raise and collect, cannot wait.
bool clh_complete_target(lua_State *L);

/// Longest string, in bytes, that one library call may build.
#define CLH_STRING_BYTES_MAX ((size_t)16 << 20)

/// Charges `units` (about one per VM instruction) to the running run's budget. May raise.
/// Implemented by the state; in a state without a run it forwards to `clh_probe_charge`.
void clh_charge(lua_State *L, size_t units);

/// Charges `bytes` touched bytes, and one unit for the call.
static inline void clh_charge_bytes(lua_State *L, size_t bytes) {
  clh_charge(L, 1 + bytes / CLH_BYTES_PER_UNIT);
}

/// Charges the thread's probe budget (see `clh_library_probe.h`); does nothing where no probe runs.
void clh_probe_charge(lua_State *L, size_t units);

/// Pushes the string library, which becomes `__index` of a protected string metatable. Returns 1.
int clh_open_string(lua_State *L);

/// Pushes the table library. Returns 1.
int clh_open_table(lua_State *L);

/// Pushes the utf8 library. Returns 1.
int clh_open_utf8(lua_State *L);

/// Pushes the json library: encode, decode, null, array. Returns 1.
int clh_open_json(lua_State *L);

/// Growing malloc memory; all zeros is an empty buffer. The owner outlives every raise and frees it.
struct clh_buffer {
  char *bytes;
  size_t length, capacity;
};

/// Appends `length` bytes; returns false, leaving the buffer as it was, when there is no memory.
bool clh_buffer_append(struct clh_buffer *buffer, const char *bytes, size_t length);

/// Makes room for `length` more bytes; returns false, leaving the buffer as it was, when there is no memory.
bool clh_buffer_reserve(struct clh_buffer *buffer, size_t length);

/// Frees the memory and makes the buffer empty.
void clh_buffer_free(struct clh_buffer *buffer);

/// Decodes one JSON text. Stack: [] -> [value]. Raises a string error on malformed input.
/// `bytes` must stay valid until the return; null becomes `json.null`, arrays are marked.
void clh_json_decode(lua_State *L, const char *bytes, size_t length);

/// Appends the JSON text of the value at `index`. Stack: unchanged. Raises a string error that names the path
/// of a value that has no JSON form; the buffer then ends in a part of the text.
void clh_json_encode(lua_State *L, int index, struct clh_buffer *out);

/// Pushes `json.null`, the light userdata NULL.
static inline void clh_json_push_null(lua_State *L) { lua_pushlightuserdata(L, NULL); }

/// Says whether the value at `index` is `json.null`.
static inline bool clh_json_is_null(lua_State *L, int index) {
  return lua_islightuserdata(L, index) && lua_touserdata(L, index) == NULL;
}

/// Marks the table at `index`, which must have no metatable, as a JSON array. Stack: unchanged. May raise.
void clh_json_mark_array(lua_State *L, int index);

/// Says whether the table at `index` is marked as a JSON array. Stack: unchanged, needs 2 slots.
bool clh_json_is_array(lua_State *L, int index);

#endif
