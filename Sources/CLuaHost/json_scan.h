// SPDX-License-Identifier: Apache-2.0
// What the JSON files share: the array mark, and scanning string bytes eight at a time.
#ifndef CLH_JSON_SCAN_H
#define CLH_JSON_SCAN_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CLH_JSON_DEPTH_MAX 128

/// Pushes the metatable that marks arrays, made at first use. May raise (memory).
void clh_json_push_array_metatable(lua_State *L);

/// The first byte of `at`..<`end` that is a quote, a backslash or a control character, or `end`.
/// Sets `*has_high` when a byte above 0x7f was passed.
static inline const char *clh_json_plain_end(const char *at, const char *end, bool *has_high) {
  const uint64_t ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;
  uint64_t high = 0;
  while (end - at >= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    // The top bit of a byte is set where the text byte is below 0x20, a quote or a backslash. A borrow may
    // mark a byte behind a real one too, and bytes above 0x7f are masked out: exact as a yes or no.
    uint64_t control = word - ones * 0x20;
    uint64_t quote = (word ^ ones * '"') - ones;
    uint64_t slash = (word ^ ones * '\\') - ones;
    if ((control | quote | slash) & ~word & tops) break;
    high |= word;
    at += 8;
  }
  for (; at < end; at++) {
    unsigned char byte = (unsigned char)*at;
    if (byte < 0x20 || byte == '"' || byte == '\\') break;
    high |= byte;
  }
  if (high & tops) *has_high = true;
  return at;
}

/// Says whether the bytes are UTF-8 as RFC 3629 has it: no surrogates, nothing longer than needed.
static inline bool clh_json_is_utf8(const char *text, size_t length) {
  const unsigned char *at = (const unsigned char *)text, *end = at + length;
  while (at < end) {
    uint64_t word;
    if (end - at >= 8 && (memcpy(&word, at, 8), (word & 0x8080808080808080ull) == 0)) {
      at += 8;
      continue;
    }
    unsigned char lead = *at++;
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    int following = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (end - at < following) return false;
    unsigned char least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (*at < least || *at > most) return false;
    for (int i = 1; i < following; i++)
      if ((at[i] & 0xc0) != 0x80) return false;
    at += following;
  }
  return true;
}

#endif
