// SPDX-License-Identifier: Apache-2.0
// Hostile scripts from a grammar. In a production `$` and a letter stand for a part: S statement, B block,
// E expression, F function, T table, M table with a metatable, A arguments, V variable, N number, K string,
// P pattern, L library function, X metamethod, O operator; # a number of its own, [ and ] a chunk's quotes.
#include "grammar.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 9

struct writer {
  const uint8_t *at, *end;
  char *out;
  size_t length, room;
  int labels;
};

// The first production of each kind is the one at the end of the bytes: its parts, if any, are shallow.
static const char *const statements[] = {
    "$V = $E",
    "$V[$E] = $E",
    "local $V = $E",
    "local $V <close> = $M",
    "while $E do $B end",
    "while true do pcall($F, $A) end",
    "while true do $B if $E then break end end",
    "repeat $B until $E",
    "for i = $N, $N do $B end",
    "for i = 1, 100000 do $B end",
    "for k, v in pairs($E) do $B end",
    "for k, v, w <close> in $E, $E, $E do $B end",
    "for w in string.gmatch($K, $P) do $B end",
    "if $E then $B else $B end",
    "do $B end",
    "do local g <close> = setmetatable({}, { __close = $F }) $B end",
    "do local g <close> = setmetatable({}, { __close = function(...) $B end }) error($E) end",
    "::a$#:: $B if $E then goto a$# end",
    "goto b$# do $B end ::b$#::",
    "pcall($F, $A)",
    "xpcall($F, $F, $A)",
    "pcall(pcall, $F)",
    "pcall(error, $E, $N)",
    "error($E, $N)",
    "assert($E, $E)",
    "$L($A)",
    "h.echo($A)",
    "h.wait($A)",
    "pcall(h.wait_fail, $A)",
    "pcall(h.fail, $A)",
    "hidden($A)",
    "parallel({ $F, $F }, 'all')",
    "parallel({ $F, $F, $F, $F }, 'settle', $N)",
    "parallel({ $F, $F, $F }, 'race', 2)",
    "coroutine.yield($A)",
    "coroutine.wrap($F)($A)",
    "co = coroutine.create($F)",
    "coroutine.resume(co, $A)",
    "coroutine.close(co)",
    "for _ = 1, 30 do coroutine.resume(co) end",
    "co = coroutine.wrap(function(...) while true do coroutine.yield(...) $B end end)",
    "table.sort($T, $F)",
    "table.sort({ 3, 1, 2, 5, 4 }, function(a, b, ...) $B return a < b end)",
    "$V = string.gsub($K, $P, $F)",
    "$V = string.gsub($K, $P, function(c, ...) $B return c end)",
    "load($[ $B $])($A)",
    "$V = load($[ $B $], $K, 't', $T)",
    "t[#t + 1] = string.rep($K, $N)",
    "t[$E] = $M",
    "setmetatable(t, { $X, $X, $X })",
    "setmetatable($E, getmetatable($E))",
    "local function $V(...) $B return $V(...) end $V($A)",
    "local function $V(...) return 1 + $V(...) end $V($A)",
    "$V = $V .. $V",
    "rawset($E, $E, $E)",
    "string.rep, $V = nil, $E",
    "global = $E",
    "private()[$E] = $E",
    "do return $E end",
    "do return $V($A) end",
    "host_error($K, $K, $E, $E)",
    "co = coroutine.wrap(function(...) local g <close> = $M coroutine.yield(1) $B end) co()",
};

static const char *const expressions[] = {
    "1", "nil", "true", "a", "$V", "$N", "$K", "$T", "$M", "$F", "co", "...",
    "($E $O $E)", "($E $O $E)", "(-$E)", "(#$E)", "(not $E)", "(~$E)", "$V[$E]", "$V.x", "$V:x($A)", "$V($A)",
    "($F)($A)", "$L($A)", "$L", "pcall($F, $A)", "select($N, $A)", "select('#', pcall($F))", "h.echo($E)",
    "h.wait($E)", "select(2, pcall(h.fail))", "json.encode($E)", "json.decode($K)", "json.array($T)", "json.null",
    "coroutine.create($F)", "coroutine.wrap($F)", "coroutine.running()", "coroutine.status(co)",
    "coroutine.isyieldable()", "tostring($E)", "tonumber($K, $N)", "setmetatable($T, { $X, $X })",
    "getmetatable($E)", "getmetatable('').__index", "load($[ $B $])", "load($K)", "next($E)", "ipairs($E)",
    "require('lib.a')", "require($K)", "string.format('%q %s %5.1f %d', $A)", "string.format($K, $A)",
    "table.concat($T, $K)", "table.unpack($T, $N, $N)", "table.pack($A)", "rawlen($E)", "rawequal($E, $E)",
    "math.random($N)", "os.date($K)", "os.time($T)", "private()", "readonly($T)", "_ENV", "_G", "string", "h",
    "parallel({ $F, $F }, 'settle')", "($E == $E)", "($E < $E)", "($E .. $E)",
};

static const char *const functions[] = {
    "print", "function(...) end", "function(...) $B end", "function(...) $B return ... end",
    "function(a, b, ...) return a < b end", "function(a, ...) a = $E return a end", "function(...) error($E) end",
    "function(...) while true do end end", "function(...) return $E end", "function(...) return coroutine.yield(...) end",
    "function(...) return h.wait($E) end", "error", "pcall", "$L", "coroutine.wrap($F)",
    "function(...) local g <close> = $M $B end", "function(...) for i = 1, 1000 do h.wait(i) end end", "$V",
};

static const char *const tables[] = {
    "{}", "{ $A }", "{ $E, $E, $E }", "{ x = $E, y = $E }", "{ [$E] = $E }", "{ ... }", "t", "{ 3, 1, 2, $E }",
    "{ year = $N, month = 1, day = $E }", "{ n = $N }", "{ code = $K, message = $K, detail = $E }", "json.array()",
};

static const char *const metas[] = {
    "setmetatable($T, { $X })", "setmetatable($T, { $X, $X, $X, $X })", "setmetatable({}, { __close = $F })",
    "setmetatable({}, { __close = function(...) while true do end end })",
    "setmetatable({}, { __close = function(...) error($E) end })",
    "setmetatable({}, { __close = function(...) h.wait(1) end })",
    "setmetatable({}, { __close = function(...) coroutine.yield() $B end })",
    "setmetatable({}, { __close = function(...) while true do pcall($F) end end })", "nil", "$V",
};

static const char *const metamethods[] = {
    "__index = $F", "__index = $M", "__newindex = $F", "__newindex = $T", "__call = $F", "__close = $F",
    "__eq = $F", "__lt = $F", "__le = $F", "__concat = $F", "__len = $F", "__unm = $F", "__add = $F",
    "__sub = $F", "__idiv = $F", "__band = $F", "__shl = $F", "__bnot = $F", "__tostring = $F", "__name = $E",
    "__pairs = $F", "__metatable = $E", "__mode = 'kv'", "__target = $T", "__target = $E", "__gc = $F",
};

static const char *const arguments[] = {"1", "$E", "$E, $E", "$E, $E, $E", "$V, $K, $F", "...", "$T, $N, $N", "$K, $N"};

static const char *const variables[] = {"a", "b", "c", "d", "t"};

static const char *const numbers[] = {
    "1", "0", "-1", "2", "3", "10", "64", "255", "1000", "100000", "10000000", "1.5", "1e308", "(0/0)", "(1/0)",
    "math.maxinteger", "math.mininteger", "0x7fffffff", "0.1", "-0.0", "(#t)",
};

static const char *const strings[] = {
    "'x'", "''", "'a b c'", "('x'):rep(1000)", "('ab'):rep(100000)", "'%d %s'", "'{\"a\":[1,{}]}'", "'[[[['",
    "'\\0\\255'", "'return ...'", "'return function'", "'lib.a'", "'\\u{10FFFF}'", "tostring($E)",
    "string.rep('[', 300)", "string.rep('(', 300)", "('x'):rep(20) .. $E", "'code'", "'%Y-%m-%d'", "'%99999d'",
    "string.rep($K, $N, $K)",
};

static const char *const patterns[] = {
    "'.'", "'%a+'", "'(.-)(.-)(.-)$'", "'.-.-.-.-.-.-b'", "'(a*)*'", "'%b()'", "'%f[%w]'", "''", "'()'", "'[^x]'",
    "$K", "('a?'):rep(100) .. ('a'):rep(100)", "'%1'", "'('",
};

static const char *const libraries[] = {
    "string.byte", "string.char", "string.find", "string.format", "string.gmatch", "string.gsub", "string.len",
    "string.lower", "string.match", "string.pack", "string.packsize", "string.rep", "string.reverse", "string.sub",
    "string.unpack", "string.upper", "table.concat", "table.insert", "table.move", "table.pack", "table.remove",
    "table.sort", "table.unpack", "utf8.char", "utf8.codepoint", "utf8.codes", "utf8.len", "utf8.offset",
    "json.encode", "json.decode", "json.array", "coroutine.create", "coroutine.resume", "coroutine.wrap",
    "coroutine.yield", "coroutine.close", "coroutine.status", "coroutine.isyieldable", "math.random",
    // Not os.clock: here every look at the clock moves it, so a script that looks would seem to take long.
    "math.randomseed", "math.tointeger", "math.max", "os.time", "os.date", "os.difftime", "assert", "error", "next",
    "getmetatable", "ipairs", "load", "pairs", "pcall", "rawequal", "rawget", "rawlen", "rawset", "require",
    "select", "setmetatable", "tonumber", "tostring", "type", "xpcall", "h.echo", "h.now", "h.fail", "h.wait",
    "h.wait_fail", "parallel", "readonly", "host_error", "host_pcall", "hidden", "private", "string.twice",
};

static const char *const operators[] = {
    "+", "-", "*", "/", "//", "%", "^", "..", "==", "~=", "<", "<=", "and", "or", "&", "|", "~", "<<", ">>",
};

static const struct {
  char letter;
  const char *const *list;
  size_t count;
} kinds[] = {
#define KIND(letter, list) {letter, list, sizeof list / sizeof *list}
    KIND('S', statements), KIND('E', expressions), KIND('F', functions), KIND('T', tables),    KIND('M', metas),
    KIND('X', metamethods), KIND('A', arguments),  KIND('V', variables), KIND('N', numbers),   KIND('K', strings),
    KIND('P', patterns),    KIND('L', libraries),  KIND('O', operators),
};

static uint8_t next_byte(struct writer *w) { return w->at < w->end ? *w->at++ : 0; }

static void put(struct writer *w, const char *text, size_t length) {
  if (w->room - w->length <= length) {
    w->at = w->end;  // nothing but first productions from here on
    return;
  }
  memcpy(w->out + w->length, text, length);
  w->length += length;
}

static void expand(struct writer *w, const char *production, int depth);

static void part(struct writer *w, char letter, int depth) {
  if (letter == 'B') {
    int count = depth > 0 ? next_byte(w) % 4 : 0;
    for (int i = 0; i < count; i++) {
      part(w, 'S', depth - 1);
      put(w, "; ", 2);
    }
    return;
  }
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (kinds[i].letter != letter) continue;
    size_t choice = depth > 0 ? next_byte(w) % kinds[i].count : 0;
    expand(w, kinds[i].list[choice], depth - 1);
  }
}

static void expand(struct writer *w, const char *production, int depth) {
  int label = ++w->labels;
  for (const char *at = production; *at != '\0'; at++) {
    if (*at != '$') {
      put(w, at, 1);
      continue;
    }
    at++;
    char text[24];
    int length = 0;
    if (*at == '#')
      length = snprintf(text, sizeof text, "%d", label);
    else if (*at == '[' || *at == ']')
      length = snprintf(text, sizeof text, "%c%.*s%c", *at, depth + 1 > 0 ? depth + 1 : 0, "================", *at);
    else
      part(w, *at, depth);
    put(w, text, (size_t)length);
  }
}

size_t fuzz_write_script(const uint8_t *bytes, size_t count, char *out, size_t room) {
  static const char head[] =
      "local a, b, c, d, co = ...\nlocal t, print = {}, type\nreturn function(...)\n";
  struct writer w = {.at = bytes, .end = bytes + count, .out = out, .room = room - 32};
  put(&w, head, sizeof head - 1);
  while (w.at < w.end) {
    // Most are caught, so that what follows runs too.
    bool is_caught = next_byte(&w) % 4 != 0;
    if (is_caught) put(&w, "pcall(function(...) ", 20);
    part(&w, 'S', DEPTH_MAX);
    if (is_caught) put(&w, " end, ...)", 10);
    put(&w, "\n", 1);
  }
  memcpy(out + w.length, "end\n", 5);
  return w.length + 4;
}
