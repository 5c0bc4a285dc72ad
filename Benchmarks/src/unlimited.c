// SPDX-License-Identifier: Apache-2.0
// Stands where the host's budget stands and limits nothing: what is left when the limits are taken away.
#include "state.h"

int64_t clh_now(void) { return 0; }
int64_t clh_slice_cpu(const struct clh_state *state) { return (void)state, 0; }
int64_t clh_state_slice_ns(const struct clh_state *state) { return (void)state, 0; }
size_t clh_state_bytes_seen(const struct clh_state *state) { return state->bytes; }

void clh_hook(lua_State *L, lua_Debug *ar) { (void)L, (void)ar; }

void clh_begin_slice(struct clh_state *state, struct clh_fiber *fiber) {
  state->current = fiber;
  state->billed = fiber->run;
  // Coroutines inherit the hook of the main thread, from which a fiber's is made.
  lua_sethook(state->L, NULL, 0, 0);
  if (fiber->co != NULL) lua_sethook(fiber->co, NULL, 0, 0);
}

void clh_end_slice(struct clh_state *state) { state->current = NULL, state->billed = NULL; }
void clh_begin_grace(struct clh_fiber *fiber) { fiber->unwinding = true; }
void clh_end_hungriest(struct clh_state *state) { (void)state; }
void clh_after_error(lua_State *L, int status) { (void)L, (void)status; }
void clh_die(lua_State *L, struct clh_fiber *fiber) { (void)L, (void)fiber; }
void clh_charge(lua_State *L, size_t units) { (void)L, (void)units; }
