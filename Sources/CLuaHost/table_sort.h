// SPDX-License-Identifier: Apache-2.0
#ifndef CLH_TABLE_SORT_H
#define CLH_TABLE_SORT_H

#include <lua.h>

enum clh_list_access { CLH_LIST_READ = 1, CLH_LIST_WRITE = 2, CLH_LIST_LENGTH = 4 };

/// Raises an argument error unless the argument is a table, or has the metamethods to act as one.
void clh_check_list(lua_State *L, int argument, int access);

/// `table.sort(list [, less])`: stable; the list changes only when every comparison has succeeded.
int clh_table_sort(lua_State *L);

#endif
