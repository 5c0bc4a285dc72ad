// SPDX-License-Identifier: Apache-2.0
// A Lua state without a cell around it, for what the C libraries do on their own.
#ifndef FUZZ_PLAIN_H
#define FUZZ_PLAIN_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "charge.h"

/// Ends the process with a message when what has to hold does not.
#define FUZZ_CHECK(condition, ...)                             \
  do {                                                         \
    if (!(condition)) {                                        \
      fprintf(stderr, "broken: %s: ", #condition);             \
      fprintf(stderr, __VA_ARGS__);                            \
      fputc('\n', stderr);                                     \
      abort();                                                 \
    }                                                          \
  } while (0)

/// Units that the libraries may still charge; 0 is no bound. A charge beyond them raises "over budget".
extern size_t fuzz_units_left;
extern bool fuzz_over_budget;

/// Growths of memory that still succeed; < 0: all.
extern long fuzz_growths_left;

lua_State *fuzz_plain_open(void);

/// Says whether two values are the same: type, kind of number, bits of a float, array mark, and members.
bool fuzz_same(lua_State *L, int left, int right);

#endif
