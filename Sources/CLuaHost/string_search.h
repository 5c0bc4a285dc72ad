// SPDX-License-Identifier: Apache-2.0
// The four pattern functions of the string library. Source: Lua 5.4 manual, 6.4.
#ifndef CLH_STRING_SEARCH_H
#define CLH_STRING_SEARCH_H

#include <lua.h>

int clh_string_find(lua_State *L);
int clh_string_match(lua_State *L);
int clh_string_gmatch(lua_State *L);
int clh_string_gsub(lua_State *L);

#endif
