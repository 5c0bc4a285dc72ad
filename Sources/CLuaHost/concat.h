// SPDX-License-Identifier: Apache-2.0
#ifndef CLH_CONCAT_H
#define CLH_CONCAT_H

#include <lua.h>
#include <stdbool.h>

// Whether this Lua goes on with a stale pointer into the stack after a `__concat` handler has made it grow.
// Debian's 5.4.4-3+deb12u1 does, by its backport of the fix of CVE-2022-33099.
bool clh_concat_is_broken(void);

// Makes `__concat` a key like any other in this state. Raises when there is no memory.
void clh_concat_disable(lua_State *L);

#endif
