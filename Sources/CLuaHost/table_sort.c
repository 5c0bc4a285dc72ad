// SPDX-License-Identifier: Apache-2.0
// Short runs are sorted by insertion, then merged between two private tables.
// Source of the interface: Lua 5.4 manual, 6.6.
#include "table_sort.h"

#include <limits.h>

#include "charge.h"

enum stack { LIST = 1, LESS = 2, FROM = 3, TO = 4 };

// Elements that are sorted on the Lua stack before merging begins.
#define RUN_ELEMENTS 16

struct sort {
  lua_State *L;
  bool has_less;
  size_t units;
};

static void charge_comparison(struct sort *sort, size_t bytes) {
  sort->units += 2 + bytes / CLH_BYTES_PER_UNIT;
  if (sort->units < 512) return;
  size_t units = sort->units;
  sort->units = 0;
  clh_charge(sort->L, units);
}

// Says whether `a` must come before `b`; the indices are absolute. May run Lua code.
static bool is_less(struct sort *sort, int a, int b) {
  lua_State *L = sort->L;
  if (!sort->has_less) {
    bool strings = lua_type(L, a) == LUA_TSTRING && lua_type(L, b) == LUA_TSTRING;
    charge_comparison(sort, strings ? lua_rawlen(L, a) : 0);
    return lua_compare(L, a, b, LUA_OPLT);
  }
  charge_comparison(sort, 0);
  lua_pushvalue(L, LESS);
  lua_pushvalue(L, a);
  lua_pushvalue(L, b);
  lua_call(L, 2, 1);
  bool less = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return less;
}

// Reads LIST[low..<high] and writes it in order to FROM.
static void sort_run(struct sort *sort, lua_Integer low, lua_Integer high) {
  lua_State *L = sort->L;
  int base = lua_gettop(L) + 1;
  for (lua_Integer index = low; index < high; index++) {
    lua_geti(L, LIST, index);
    charge_comparison(sort, 0);
    // Behind everything that is not greater, so that equal elements keep their order.
    int top = lua_gettop(L), first = base, last = top;
    while (first < last) {
      int middle = first + (last - first) / 2;
      if (is_less(sort, top, middle))
        last = middle;
      else
        first = middle + 1;
    }
    if (first < top) lua_insert(L, first);
  }
  for (lua_Integer index = high - 1; index >= low; index--) lua_rawseti(L, FROM, index);
}

// Merges FROM[low..<middle] and FROM[middle..<high] into TO.
static void merge(struct sort *sort, int from, int to, lua_Integer low, lua_Integer middle,
                  lua_Integer high) {
  lua_State *L = sort->L;
  lua_Integer left = low, right = middle;
  int a = lua_gettop(L) + 1, b = a + 1;
  lua_rawgeti(L, from, left);
  lua_rawgeti(L, from, right);
  lua_Integer out = low;
  while (left < middle && right < high) {
    // An element of the right half goes first only when it is less: equal ones keep their order.
    if (is_less(sort, b, a)) {
      lua_rawseti(L, to, out++);
      lua_rawgeti(L, from, ++right);
    } else {
      lua_pushvalue(L, a);
      lua_rawseti(L, to, out++);
      lua_rawgeti(L, from, ++left);
      lua_replace(L, a);
    }
  }
  lua_settop(L, a - 1);
  for (; left < middle; left++, out++) {
    lua_rawgeti(L, from, left);
    lua_rawseti(L, to, out);
  }
  for (; right < high; right++, out++) {
    lua_rawgeti(L, from, right);
    lua_rawseti(L, to, out);
  }
}

// A sorted list in which a later element is less than its neighbour shows that `less` is no order.
static void check_order(struct sort *sort, int list, lua_Integer count) {
  lua_State *L = sort->L;
  int a = lua_gettop(L) + 1;
  lua_rawgeti(L, list, 1);
  for (lua_Integer index = 2; index <= count; index++) {
    lua_rawgeti(L, list, index);
    if (is_less(sort, a + 1, a)) luaL_error(L, "invalid order function for sorting");
    lua_replace(L, a);
  }
  lua_pop(L, 1);
}

int clh_table_sort(lua_State *L) {
  clh_check_list(L, LIST, CLH_LIST_READ | CLH_LIST_WRITE | CLH_LIST_LENGTH);
  lua_Integer count = luaL_len(L, LIST);
  clh_charge(L, 1);
  if (count < 2) return 0;
  luaL_argcheck(L, count < INT_MAX, 1, "array too big");
  if (!lua_isnoneornil(L, LESS)) luaL_checktype(L, LESS, LUA_TFUNCTION);
  lua_settop(L, LESS);
  luaL_checkstack(L, RUN_ELEMENTS + 8, NULL);
  struct sort sort = {.L = L, .has_less = lua_isfunction(L, LESS), .units = 0};
  // Not sized in advance: a false length must be paid for element by element.
  lua_newtable(L);
  lua_newtable(L);
  for (lua_Integer low = 1; low <= count; low += RUN_ELEMENTS)
    sort_run(&sort, low, count - low < RUN_ELEMENTS ? count + 1 : low + RUN_ELEMENTS);
  int from = FROM, to = TO;
  for (lua_Integer width = RUN_ELEMENTS; width < count; width *= 2) {
    for (lua_Integer low = 1; low <= count; low += 2 * width) {
      lua_Integer middle = low + width, high = middle + width;
      if (middle > count + 1) middle = count + 1;
      if (high > count + 1) high = count + 1;
      merge(&sort, from, to, low, middle, high);
    }
    from = from == FROM ? TO : FROM;
    to = to == FROM ? TO : FROM;
  }
  if (sort.has_less) check_order(&sort, from, count);
  for (lua_Integer index = 1; index <= count; index++) {
    lua_rawgeti(L, from, index);
    lua_seti(L, LIST, index);
    charge_comparison(&sort, 0);
  }
  return 0;
}
